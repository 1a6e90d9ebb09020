"""A change is written down before it is made; what is refused or can't be written down leaves nothing."""

import sqlite3
from contextlib import closing

import pytest
from botocore.exceptions import ClientError

from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.in_process import BARE, client_maker, open_host


@pytest.fixture
def host(tmp_path):
    with closing(open_host(tmp_path / "journal.sqlite", BARE)) as host:
        yield host


def entries(host):
    return list(host._journal.entries())


def disk_is_full(*_):
    raise sqlite3.OperationalError("database or disk is full")


def test_a_change_that_cannot_be_written_down_is_not_made(host, monkeypatch, caplog):
    s3 = client_maker(host)("s3")
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with monkeypatch.context() as patch:
        patch.setattr(host._journal, "append", disk_is_full)
        with pytest.raises(ClientError, match="database or disk is full") as raised:
            s3.put_object(Bucket="kept", Key="lost", Body=b"x")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert "Contents" not in s3.list_objects_v2(Bucket="kept")
    assert "could not be written down" in caplog.text
    s3.put_object(Bucket="kept", Key="later", Body=b"x")  # with space again, it goes on
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="kept")["Contents"]] == ["later"]


def test_a_refused_request_leaves_no_entry_and_shifts_no_later_id(host):
    ec2 = client_maker(host)("ec2")
    ec2.create_vpc(CidrBlock="10.1.0.0/16")
    before, made = entries(host), host.sandbox.changes.made
    with pytest.raises(ClientError, match="InvalidVpcID"):
        ec2.create_subnet(VpcId="vpc-0123456789abcdef0", CidrBlock="10.1.0.0/24")
    assert entries(host) == before
    assert host.sandbox.changes.made == made


def test_what_a_refused_request_leaves_behind_all_the_same_outlasts_a_restart(tmp_path):
    with closing(open_host(tmp_path / "journal.sqlite", BARE)) as host:
        stacks = client_maker(host)("cloudformation")
        with pytest.raises(ClientError):
            stacks.create_stack(StackName="stack")
        there = [each["StackId"] for each in stacks.describe_stacks()["Stacks"]]
    with closing(open_host(tmp_path / "journal.sqlite", BARE)) as host:
        stacks = client_maker(host)("cloudformation")
        assert [each["StackId"] for each in stacks.describe_stacks()["Stacks"]] == there


def test_a_change_of_a_services_own_is_written_down_with_its_body(host):
    told = []
    host.sandbox.changes.makers["told"] = lambda entry: told.append((entry.request, entry.body))
    host.sandbox.changes.make("told", {"id": 1}, b"body")
    (*_, entry) = entries(host)
    host.sandbox.changes.replaying = True  # as at a restart
    host.sandbox.changes.repeat(entry)
    assert told == [({"id": 1}, b"body")] * 2
    assert len(entries(host)) == 1


def test_an_own_change_that_is_refused_leaves_no_entry(host):
    def refuse(_):
        raise ServiceError("Refused", "no")

    host.sandbox.changes.makers["refused"] = refuse
    before = entries(host)
    with pytest.raises(ServiceError):
        host.sandbox.changes.make("refused", {})
    assert entries(host) == before
