"""Parameters of query requests, read by the models."""

import pytest

from labkit.sandbox.kernel import query_form
from labkit.sandbox.wire import service_model


def parse(service, operation, **parameters):
    return query_form.parse(
        service_model(service), operation, {key.replace("_", "."): v for key, v in parameters.items()}
    )


def test_structures_lists_maps_and_numbers_are_read_as_the_model_has_them():
    data = {
        "MetricData_member_1_MetricName": "m",
        "MetricData_member_1_Value": "1.5",
        "MetricData_member_1_Timestamp": "2026-11-02T09:00:00Z",
        "MetricData_member_1_Dimensions_member_1_Name": "d",
    }
    read = parse("cloudwatch", "PutMetricData", Namespace="n", **data)
    datum = read["MetricData"][0]
    assert (read["Namespace"], datum["MetricName"], datum["Value"]) == ("n", "m", 1.5)
    assert datum["Timestamp"].isoformat() == "2026-11-02T09:00:00+00:00"
    assert datum["Dimensions"] == [{"Name": "d"}]
    attributes = {"Attributes_entry_1_key": "DisplayName", "Attributes_entry_1_value": "x"}
    assert parse("sns", "CreateTopic", Name="t", **attributes)["Attributes"] == {"DisplayName": "x"}


def test_lists_of_ec2_have_no_wrapper_and_empty_ones_are_empty():
    read = parse("ec2", "DescribeInstances", InstanceId_1="i-1", InstanceId_2="i-2", Filter_1_Name="n", MaxResults="5")
    assert read == {"InstanceIds": ["i-1", "i-2"], "Filters": [{"Name": "n"}], "MaxResults": 5}
    assert parse("iam", "CreateRole", Tags="") == {"Tags": []}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "text"),
    [
        ("ec2", "DescribeInstances", {"InstanceId_1": "i", "InstanceId_3": "i"}, "There is no InstanceId.2 before it"),
        ("ec2", "DescribeInstances", {"InstanceId_999999999": "i"}, "There is no InstanceId.1 before it"),
        ("ec2", "DescribeInstances", {"InstanceId_9999999999999": "i"}, "numbered from 1 on"),
        ("ec2", "DescribeInstances", {"InstanceId_0": "i"}, "numbered from 1 on"),
        ("ec2", "DescribeInstances", {"InstanceId_x": "i"}, "numbered from 1 on"),
        ("ec2", "DescribeInstances", {"InstanceId": "i"}, "A list was expected"),
        ("ec2", "DescribeInstances", {"InstanceId_1_a": "i"}, "A single value was expected"),
        ("ec2", "DescribeInstances", {"Filter_1": "i"}, "Members of a structure were expected"),
        ("ec2", "DescribeInstances", {"MaxResults": "1e3"}, "An integer was expected"),
        ("ec2", "DescribeInstances", {"MaxResults": "1_0"}, "An integer was expected"),
        ("ec2", "DescribeInstances", {"MaxResults": "\N{ARABIC-INDIC DIGIT FIVE}"}, "An integer was expected"),
        ("ec2", "DescribeInstances", {"DryRun": "yes"}, "true or false was expected"),
        ("ec2", "DescribeInstances", {"InstanceId_1": "a\0"}, "characters that XML has not"),
        ("ec2", "DescribeSpotPriceHistory", {"StartTime": "9" * 19}, "A time in ISO 8601 was expected"),
        ("ec2", "DescribeSpotPriceHistory", {"StartTime": "nan"}, "A time in ISO 8601 was expected"),
        ("ec2", "ImportKeyPair", {"PublicKeyMaterial": "%"}, "Base64 was expected"),
        ("iam", "CreateRole", {"Tags": "x"}, "A list was expected"),
        ("sns", "CreateTopic", {"Attributes_entry_1_value": "x"}, "The key is missing"),
        ("ec2", "DescribeInstances", {"A_" * 50 + "A": "x"}, "at most 32 parts"),
    ],
)
def test_what_can_not_be_read_is_named(service, operation, parameters, text):
    with pytest.raises(query_form.MalformedParameter, match=text):
        parse(service, operation, **parameters)


def test_a_hundred_thousand_parameters_are_read():
    parameters = {f"InstanceId.{number}": "i" for number in range(1, 100_001)}
    read = query_form.parse(service_model("ec2"), "DescribeInstances", parameters)
    assert len(read["InstanceIds"]) == 100_000
