"""A server that is killed while many write to it: what was acknowledged is there, the rest is whole or absent."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from labkit.sandbox import process
from tests.conftest import FROZEN_AT, client_maker

ACKNOWLEDGED = 60
"""Answers of each kind of writer together, after which the server is killed."""
PART = 5 * 2**20
TEMPLATE = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}, "Queue": {"Type": "AWS::SQS::Queue"}}}'
METRIC = {"Namespace": "n", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1}


class Writers:
    """Clients that write until the server is gone, and note what was acknowledged."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        self.acknowledged: dict[str, list[Any]] = {}
        self.tried: dict[str, int] = {}
        self.enough = threading.Event()
        self._make = make
        self._lock = threading.Lock()

    def write(self, service: str, write: Callable[[Any, int], Any]) -> None:
        """Write one after the other, as `write` does with a client and a number, until there is no answer."""
        client = self._make(service)
        name = write.__name__
        for number in range(10_000):
            self.tried[name] = number
            try:
                answer = write(client, number)
            except (BotoCoreError, ClientError):  # the server is gone
                return
            with self._lock:
                self.acknowledged.setdefault(name, []).append(answer)
                done = sum(map(len, self.acknowledged.values()))
                if done >= ACKNOWLEDGED and len(self.acknowledged) == len(self.tried) == len(WRITERS):
                    self.enough.set()


def put(s3, number):
    s3.put_object(Bucket="killed", Key=f"{number}", Body=f"{number}".encode() * 1000)
    return f"{number}"


def upload(s3, number):
    id = s3.create_multipart_upload(Bucket="killed", Key=f"upload-{number}")["UploadId"]
    part = s3.upload_part(Bucket="killed", Key=f"upload-{number}", UploadId=id, PartNumber=1, Body=b"a" * PART)
    last = s3.upload_part(Bucket="killed", Key=f"upload-{number}", UploadId=id, PartNumber=2, Body=b"b")
    parts = [{"PartNumber": place, "ETag": each["ETag"]} for place, each in enumerate((part, last), 1)]
    s3.complete_multipart_upload(Bucket="killed", Key=f"upload-{number}", UploadId=id, MultipartUpload={"Parts": parts})
    return f"upload-{number}"


def send(sqs, number):
    url = sqs.get_queue_url(QueueName="killed")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=str(number))
    if number % 3 == 2:
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return number, int(message["Body"])
    return number, None


def log(logs, number):
    at = round(FROZEN_AT.timestamp() * 1000)
    logs.put_log_events(
        logGroupName="killed",
        logStreamName="s",
        logEvents=[{"timestamp": at, "message": f"{number} {n}"} for n in "ab"],
    )
    return number


def alarm(cloudwatch, number):
    cloudwatch.put_metric_alarm(AlarmName=f"{number}", Threshold=1, ComparisonOperator="GreaterThanThreshold", **METRIC)
    return f"{number}"


def stack(cloudformation, number):
    return cloudformation.create_stack(StackName=f"killed-{number}", TemplateBody=TEMPLATE)["StackId"]


def query(athena, number):
    text = "SELECT count(*) FROM UNNEST(sequence(1, 9999)) a(x) CROSS JOIN UNNEST(sequence(1, 9999)) b(y)"
    output = {"OutputLocation": "s3://killed/results/"}
    return athena.start_query_execution(QueryString=text, ResultConfiguration=output)["QueryExecutionId"]


WRITERS = {
    put: "s3",
    upload: "s3",
    send: "sqs",
    log: "logs",
    alarm: "cloudwatch",
    stack: "cloudformation",
    query: "athena",
}


@pytest.fixture
def killed(tmp_path):
    """What was acknowledged before a kill, an upload that was open, and clients of the server that started again."""
    home = tmp_path / "home"
    server = process.start(home, frozen_at=FROZEN_AT, seed=3, provision=False)
    make = client_maker(server)
    make("s3").create_bucket(Bucket="killed", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    make("sqs").create_queue(QueueName="killed", Attributes={"VisibilityTimeout": "0"})
    make("logs").create_log_group(logGroupName="killed")
    make("logs").create_log_stream(logGroupName="killed", logStreamName="s")
    id = make("s3").create_multipart_upload(Bucket="killed", Key="open")["UploadId"]
    make("s3").upload_part(Bucket="killed", Key="open", UploadId=id, PartNumber=1, Body=b"a" * PART)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        make("s3").put_object(Bucket="refused", Key="k", Body=b"")
    writers = Writers(make)
    with ThreadPoolExecutor(len(WRITERS)) as pool:
        for write, service in WRITERS.items():
            pool.submit(writers.write, service, write)
        assert writers.enough.wait(300)
        os.kill(server.pid, signal.SIGKILL)
    os.waitpid(server.pid, 0)
    again = client_maker(process.start(home))
    yield writers, id, {service: again(service) for service in {*WRITERS.values(), "sns"}}
    process.stop(home)


def test_a_kill_loses_nothing_acknowledged_and_leaves_no_halves(killed):
    writers, open_upload, clients = killed
    done, tried = writers.acknowledged, writers.tried
    check_objects(clients["s3"], done, tried, open_upload)
    check_messages(clients["sqs"], done["send"], tried["send"])

    events = [each["message"] for each in clients["logs"].filter_log_events(logGroupName="killed")["events"]]
    assert len(events) in (2 * len(done["log"]), 2 * len(done["log"]) + 2)  # the batch that had no answer is whole
    assert {f"{number} {n}" for number in done["log"] for n in "ab"} <= {*events}

    alarms = [each["AlarmName"] for each in clients["cloudwatch"].describe_alarms()["MetricAlarms"]]
    assert {*done["alarm"]} <= {*alarms} <= {str(number) for number in range(tried["alarm"] + 1)}

    stacks = clients["cloudformation"].describe_stacks()["Stacks"]
    assert {*done["stack"]} <= {each["StackId"] for each in stacks}
    assert len(stacks) <= tried["stack"] + 1
    assert {each["StackStatus"] for each in stacks} == {"CREATE_COMPLETE"}
    assert len(clients["sns"].list_topics()["Topics"]) == len(stacks)
    check_queries(clients["athena"], done["query"])


def check_objects(s3, done, tried, open_upload) -> None:
    listed = {each["Key"]: each["Size"] for each in s3.list_objects_v2(Bucket="killed")["Contents"]}
    for key in {*done["put"]} | {str(tried["put"])} & {*listed}:
        assert s3.get_object(Bucket="killed", Key=key)["Body"].read() == key.encode() * 1000
    for key in {*done["upload"]} | {f"upload-{tried['upload']}"} & {*listed}:
        assert s3.get_object(Bucket="killed", Key=key)["Body"].read() == b"a" * PART + b"b"
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["killed"]
    where = {"Bucket": "killed", "Key": "open", "UploadId": open_upload}
    last = s3.upload_part(**where, PartNumber=2, Body=b"end")["ETag"]
    first = s3.list_parts(**where)["Parts"][0]["ETag"]
    parts = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": last}]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="killed", Key="open")["Body"].read() == b"a" * PART + b"end"


def check_messages(sqs, done, tried) -> None:
    url = sqs.get_queue_url(QueueName="killed")["QueueUrl"]
    there = int(
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"]
    )
    found = set()
    while there > len(found):
        for each in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            found.add(int(each["Body"]))
            sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=3600)
    deleted = {body for _, body in done if body is not None}
    sent = {number for number, _ in done}
    assert not found & deleted
    assert found <= sent | {tried}
    assert len(sent - deleted - found) <= 1  # deleted, without an answer


def check_queries(athena, done) -> None:
    for id in done:
        while True:
            status = athena.get_query_execution(QueryExecutionId=id)["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
        assert status["State"] == "SUCCEEDED", status
        rows = athena.get_query_results(QueryExecutionId=id)["ResultSet"]["Rows"]
        assert rows[1]["Data"][0]["VarCharValue"] == str(9999 * 9999)
