from dataclasses import replace

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.network.listing import filtered, page
from tests.sandbox.network.test_flow_logs import TO_BUCKET, TO_GROUP, parsed

LOGS = replace(parsed(TO_GROUP), id="fl-1", resource_id="vpc-1", tags={"Name": "lab", "stage": "test"})
FILES = replace(parsed({**TO_BUCKET, "TrafficType": "REJECT"}), id="fl-2", resource_id="vpc-2", error="Access error")


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("flow-log-id", ["fl-1"], ["fl-1"]),
        ("flow-log-id", ["fl-1", "fl-2"], ["fl-1", "fl-2"]),
        ("flow-log-id", ["fl-*"], ["fl-1", "fl-2"]),
        ("flow-log-id", ["fl-?"], ["fl-1", "fl-2"]),
        ("flow-log-id", ["fl-[12]"], []),
        ("resource-id", ["vpc-2"], ["fl-2"]),
        ("traffic-type", ["ALL"], ["fl-1"]),
        ("log-destination-type", ["s3"], ["fl-2"]),
        ("log-group-name", ["VPC*"], ["fl-1"]),
        ("deliver-log-status", ["FAILED"], ["fl-2"]),
        ("deliver-log-status", ["SUCCESS"], ["fl-1"]),
        ("tag-key", ["stage"], ["fl-1"]),
        ("tag:Name", ["lab"], ["fl-1"]),
        ("tag:Name", ["LAB"], []),
        ("tag:name", ["lab"], []),
        ("tag-key", ["st?ge"], ["fl-1"]),
        ("tag-key", ["STAGE"], []),
        ("tag:stage", ["*"], ["fl-1"]),
        ("tag:none", ["*"], []),
        ("log-group-name", ["*"], ["fl-1"]),
        ("resource-id", ["vpc-1", "vpc-9"], ["fl-1"]),
        ("resource-id", [], []),
        ("traffic-type", ["all"], []),
    ],
)
def test_a_filter_lets_through(name, values, found):
    assert [each.id for each in filtered([LOGS, FILES], [{"Name": name, "Values": values}])] == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("\\*amazon\\?\\\\", ["literal"]),
        ("*amazon?\\\\", ["literal", "other"]),
        ("*amazon*", ["literal", "other"]),
        ("amazon", []),
    ],
)
def test_a_backslash_before_a_wildcard_stands_for_the_character_itself(value, found):
    """EC2's own example: a filter value of \\*amazon\\?\\\\ specifies the literal string *amazon?\\."""
    literal = replace(LOGS, id="literal", tags={"Name": "*amazon?\\"})
    other = replace(LOGS, id="other", tags={"Name": "the amazons\\"})
    assert [each.id for each in filtered([literal, other], [{"Name": "tag:Name", "Values": [value]}])] == found


def test_several_filters_must_all_hold():
    filters = [{"Name": "flow-log-id", "Values": ["fl-*"]}, {"Name": "traffic-type", "Values": ["REJECT"]}]
    assert filtered([LOGS, FILES], filters) == [FILES]


def test_an_unknown_filter_is_an_error_even_where_nothing_is_to_filter():
    with pytest.raises(ServiceError, match="InvalidParameterValue: The filter 'vpc-id' is invalid"):
        filtered([], [{"Name": "vpc-id", "Values": ["vpc-1"]}])


def test_pages_follow_one_another_to_the_end():
    items, seen, token = list(range(7)), [], None
    while True:
        some, token = page(items, 3, token)
        seen.append(list(some))
        if token is None:
            break
    assert seen == [[0, 1, 2], [3, 4, 5], [6]]


@pytest.mark.parametrize("token", ["", "nonsense", "Zm9v", "%%%"])
def test_a_token_from_elsewhere_is_refused(token):
    if token:
        with pytest.raises(ServiceError, match="The token is invalid"):
            page([1, 2, 3], 1, token)
    else:
        assert page([1], 1, token) == ([1], None)


@pytest.mark.parametrize("most", [0, -1, 1001])
def test_a_page_has_one_to_a_thousand(most):
    with pytest.raises(ServiceError, match=rf"Value \( {most} \) for parameter maxResults is invalid"):
        page([], most, None)
