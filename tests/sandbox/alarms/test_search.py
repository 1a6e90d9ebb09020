import pytest

from labkit.sandbox.alarms.functions import ExpressionError
from labkit.sandbox.alarms.samples import Metric
from labkit.sandbox.alarms.search import MAX_LENGTH, found, matches, tokens

METRICS = [
    Metric.of("AWS/EC2", "CPUUtilization"),
    Metric.of("AWS/EC2", "CPUUtilization", {"InstanceId": "i-1234567890123456"}),
    Metric.of("AWS/EC2", "CPUUtilization", {"InstanceId": "i-0a"}),
    Metric.of("AWS/EC2", "NetworkPacketsIn", {"InstanceId": "i-0a"}),
    Metric.of("AWS/EC2", "CPUUtilization", {"InstanceType": "t2.micro"}),
    Metric.of("AWS/EC2", "CPUUtilization", {"InstanceType": "t2.small"}),
    Metric.of("AWS/EBS", "VolumeReadOps", {"VolumeId": "ProjectA"}),
    Metric.of("AWS/Lambda", "Errors", {"FunctionName": "ProjectA-in"}),
    Metric.of("AWS/Lambda", "Errors", {"FunctionName": "other"}),
    Metric.of("AWS/Lambda", "Invocations", {"FunctionName": "ProjectB-in"}),
    Metric.of("AWS/Lambda", "Invocations", {"FunctionName": "other"}),
    Metric.of("My Namespace", "Custom:Name[Special_Characters", {"Dimension@Name": "x"}),
    Metric.of("MyNamespace", "CustomCount1"),
    Metric.of("MyNamespace", "Europe\\France Traffic(Network)"),
]


def names(query):
    """(name, values of the dimensions) of what a query finds."""
    return [(metric.name, *(value for _, value in metric.dimensions)) for metric in found(query, METRICS)]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("CustomCount1", ["Custom", "Count", "1"]),
        ("SDBFailure", ["SDB", "Failure"]),
        ("Project2-trial333", ["Project", "2", "trial", "333"]),
        ("Network-Errors_2", ["Network", "Errors", "2"]),
        ("couNT", ["cou", "NT"]),
        ("--", []),
    ],
)
def test_tokens_of_the_guide(name, parts):
    assert tokens(name) == parts


@pytest.mark.parametrize("term", ["count", "Count", "COUNT", "CustomCount", "Count1", "CustomCount1", "customcount1"])
def test_terms_of_the_guide_that_match_a_name_in_part(term):
    assert matches(term, "CustomCount1")


@pytest.mark.parametrize("term", ["couNT", "customcount", "count1", "Custom1", "Cust", "1Custom", "-"])
def test_terms_that_do_not_match(term):
    assert not matches(term, "CustomCount1")


@pytest.mark.parametrize("term", ["network/errors", "network+errors", "network-errors", "Network_Errors"])
@pytest.mark.parametrize("name", ["Network-Errors-2", "NetworkErrors2"])
def test_what_is_neither_letter_nor_digit_separates_tokens(term, name):
    assert matches(term, name)


def test_a_schema_is_a_namespace_and_exactly_these_dimensions():
    assert names('{AWS/EC2,InstanceType} MetricName="CPUUtilization"') == [
        ("CPUUtilization", "t2.micro"),
        ("CPUUtilization", "t2.small"),
    ]
    assert names("{AWS/EC2}") == [("CPUUtilization",)]
    assert names("{AWS}") == []


def test_names_with_other_characters_are_quoted_in_a_schema_and_in_a_term():
    special = '{"My Namespace", "Dimension@Name"}, "Custom:Name[Special_Characters"'
    assert names(special) == [("Custom:Name[Special_Characters", "x")]
    escaped = r'"Europe\\France Traffic\(Network\)"'
    assert names(escaped) == [("Europe\\France Traffic(Network)",)]


@pytest.mark.parametrize(
    ("term", "count"), [('"CustomCount1"', 1), ('"customcount1"', 0), ('"Custom"', 0), ("Custom", 1)]
)
def test_quotation_marks_ask_for_the_exact_name(term, count):
    assert len(names(f"{{MyNamespace}}, {term}")) == count


def test_terms_are_searched_in_namespaces_dimensions_and_their_values_too():
    assert {name for name, *_ in names('"AWS/EC2"')} == {"CPUUtilization", "NetworkPacketsIn"}
    assert names("VolumeId") == names("EBS") == names("{AWS/EBS,VolumeId} ProjectA") == [("VolumeReadOps", "ProjectA")]


def test_a_property_is_searched_in_its_own_place_alone():
    assert names("InstanceType=micro") == [("CPUUtilization", "t2.micro")]
    assert names('InstanceType="t2.micro" Namespace="AWS/EC2"') == [("CPUUtilization", "t2.micro")]
    assert names("MetricName=micro") == names("Volume=ProjectA") == []
    assert len(names('FunctionName=("other" OR "ProjectB-in")')) == 3


def test_terms_without_an_operator_must_all_match():
    assert names("network packets") == names("network AND packets") == [("NetworkPacketsIn", "i-0a")]


def test_not_leaves_out():
    assert names('{AWS/EC2,InstanceId} MetricName="CPUUtilization" NOT i-1234567890123456') == [
        ("CPUUtilization", "i-0a")
    ]
    assert [name for name, *_ in names("NOT Namespace=AWS")] == [
        "Custom:Name[Special_Characters",
        "CustomCount1",
        "Europe\\France Traffic(Network)",
    ]
    assert names("{AWS/Lambda,FunctionName} NOT Errors NOT ProjectB") == [("Invocations", "other")]


def test_parentheses_group():
    assert names("(EC2 OR EBS) AND MetricName=ReadOps") == names("(EC2 OR EBS) ReadOps ProjectA")
    grouped = '{AWS/Lambda,FunctionName} MetricName="Errors" OR (MetricName="Invocations" AND (ProjectA OR ProjectB))'
    assert names(grouped) == [("Errors", "ProjectA-in"), ("Errors", "other"), ("Invocations", "ProjectB-in")]


def test_words_that_only_begin_like_an_operator_are_terms():
    assert names("ORders") == names("NOTes") == names("ANDroid") == []
    assert names("and") == []


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("", "SEARCH needs a metric schema, a search term, or both"),
        ("{AWS/EC2", "Syntax error in the query of SEARCH: it ends too early"),
        ("(EC2 OR", "Syntax error in the query of SEARCH: it ends too early"),
        ("EC2 OR ", "Syntax error in the query of SEARCH: it ends too early"),
        ("MetricName=", "Syntax error in the query of SEARCH: it ends too early"),
        ("EC2)", "Syntax error in the query of SEARCH at column 4: EC2)"),
        ("{AWS/EC2} {AWS/EBS}", "Syntax error in the query of SEARCH at column 11"),
        ("x" * (MAX_LENGTH + 1), "has 1025 characters, more than 1024"),
        (':aws.AccountId="LOCAL"', "SEARCH by account is not available in the sandbox"),
    ],
)
def test_queries_that_are_refused(query, complaint):
    with pytest.raises(ExpressionError) as caught:
        found(query, METRICS)
    assert complaint in str(caught.value)
