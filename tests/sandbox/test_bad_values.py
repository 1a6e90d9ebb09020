"""Values that the sandbox's own services once failed on."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.in_process import client_maker, send_signed

JSON = {"Content-Type": "application/x-amz-json-1.0"}


@pytest.mark.parametrize("moment", [2**63, -(2**63), 1e400, "noon", True, {}, None, [1]])
def test_a_moment_that_no_calendar_has_is_refused(host, moment):
    body = {"Namespace": "n", "MetricName": "m", "Period": 60, "Statistics": ["Sum"], "StartTime": 0, "EndTime": moment}
    headers = {**JSON, "X-Amz-Target": "GraniteServiceVersion20100801.GetMetricStatistics"}
    text = json.dumps(body).replace("Infinity", "1e400")
    answer = send_signed(host, "monitoring", text.encode(), headers)
    assert answer.status_code == 400
    assert json.loads(answer.content)["__type"] in ("SerializationException", "ValidationException")


def test_metrics_of_entities_alone_are_taken(host):
    cloudwatch = client_maker(host)("cloudwatch")
    cloudwatch.put_metric_data(Namespace="n", EntityMetricData=[{"MetricData": [{"MetricName": "m", "Value": 1}]}])
    cloudwatch.put_metric_data(Namespace="n", EntityMetricData=[{"Entity": {}}])
    assert [each["MetricName"] for each in cloudwatch.list_metrics(Namespace="n")["Metrics"]] == ["m"]


@pytest.mark.parametrize("location", ["s3://", "s3:///results/", "s3:", "bucket"])
def test_a_location_without_a_bucket_is_refused(host, location):
    with pytest.raises(ClientError, match="outputLocation is not a valid S3 path"):
        client_maker(host)("athena").start_query_execution(
            QueryString="SELECT 1", ResultConfiguration={"OutputLocation": location}
        )


@pytest.mark.parametrize("tags", [[{"Value": "v"}], [{}]])
def test_a_tag_without_a_key_is_refused(host, tags):
    arn = "arn:aws:athena:eu-west-1:123456789012:workgroup/primary"
    with pytest.raises(ClientError, match="InvalidRequestException"):
        client_maker(host)("athena").tag_resource(ResourceARN=arn, Tags=tags)


@pytest.mark.parametrize("arn", [" ", "arn:aws:", "x", "a" * 1000])
def test_an_arn_that_is_none_is_no_resource(host, arn):
    with pytest.raises(ClientError) as raised:
        client_maker(host)("athena").tag_resource(ResourceARN=arn, Tags=[{"Key": "k", "Value": "v"}])
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("endpoint", ["http://[::1", "http://127.0.0.1:x", "http://127.0.0.1:99999", "http://[::1]:0"])
def test_an_endpoint_that_is_no_address_is_refused(host, endpoint):
    sns = client_maker(host)("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    with pytest.raises(ClientError, match="InvalidParameter"):
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)


def test_an_arn_without_an_alarm_names_none(host):
    assert client_maker(host)("cloudwatch").describe_alarms(ParentsOfAlarmName="arn:aws:")["MetricAlarms"] == []
