"""The Web Server by an ordinary SSH client, through whatever its security groups let pass."""

import asyncio
import os
import shutil
import subprocess

import asyncssh
import pytest

NO_HOST_KEY_CHECK = {"known_hosts": None, "client_keys": None, "agent_path": None, "config": None}


def ssh(login, *, user=None, password=None, command=None, stdin="", timeout=10):
    async def visit():
        connecting = asyncssh.connect(
            login["host"],
            login["port"],
            username=user or login["user"],
            password=password or login["password"],
            login_timeout=timeout,
            **NO_HOST_KEY_CHECK,
        )
        async with await asyncio.wait_for(connecting, timeout) as connection:
            return await connection.run(command, input=stdin)

    return asyncio.run(visit())


@pytest.fixture
def login(server):
    return server.control("GET", "/ssh")


def attach(client, name):
    ec2 = client("ec2")
    filters = [{"Name": "tag:Name", "Values": ["Web Server"]}]
    (instance,) = ec2.describe_instances(Filters=filters)["Reservations"][0]["Instances"]
    named = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [instance["VpcId"]]}]
    (group,) = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
    ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], Groups=[group["GroupId"]])
    return instance["InstanceId"]


@pytest.mark.parametrize("user", ["ec2-user", "ec2_user"])
def test_the_lab_user_logs_in_and_out(login, user):
    session = ssh(login, user=user, stdin="whoami\nlogout\n")
    assert f"[{user}@ip-10-0-1-10 ~]$ {user}\n" in session.stdout
    assert session.stdout.endswith("logout\n")
    assert session.exit_status == 0


def test_an_unknown_command_is_answered_as_bash_would(login):
    session = ssh(login, command="nmap 10.0.0.0/16")
    assert (session.stderr, session.exit_status) == ("-bash: nmap: command not found\n", 127)


def test_commands_follow_each_other_and_a_blank_one_ends_well(login):
    session = ssh(login, command="whoami; hostname && nmap")
    assert (session.stdout, session.exit_status) == ("ec2-user\nip-10-0-1-10\n", 127)
    session = ssh(login, command="   ")
    assert (session.stdout, session.stderr, session.exit_status) == ("", "", 0)


@pytest.mark.parametrize(("user", "password"), [("ec2-user", "guess"), ("root", None)])
def test_a_stranger_is_not_let_in(login, user, password):
    with pytest.raises(asyncssh.PermissionDenied):
        ssh(login, user=user, password=password)


def test_without_a_rule_for_ssh_the_client_gets_no_answer(login, client):
    attach(client, "HTTPOnly")
    with pytest.raises((TimeoutError, asyncssh.ConnectionLost)):
        ssh(login, timeout=0.5)
    attach(client, "HTTPAndSSH")
    assert ssh(login, command="hostname").stdout == "ip-10-0-1-10\n"


def test_a_stopped_web_server_answers_nobody(login, client):
    client("ec2").stop_instances(InstanceIds=[attach(client, "HTTPAndSSH")])
    with pytest.raises((TimeoutError, asyncssh.ConnectionLost)):
        ssh(login, timeout=0.5)


def test_each_attempt_is_a_flow(server, login, client):
    ec2, logs = client("ec2"), client("logs")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["Lab VPC"]}])["Vpcs"]
    logs.create_log_group(logGroupName="flows")
    (role,) = [role["Arn"] for role in client("iam").list_roles()["Roles"]]
    ec2.create_flow_logs(
        ResourceIds=[vpc["VpcId"]],
        ResourceType="VPC",
        TrafficType="ALL",
        MaxAggregationInterval=60,
        LogGroupName="flows",
        DeliverLogsPermissionArn=role,
    )
    server.control("POST", "/background", {"level": 0})
    ssh(login, command="exit")
    server.control("POST", "/clock/advance", {"seconds": 900})
    events = logs.filter_log_events(logGroupName="flows", filterPattern='[v, a, e, s, d, sp, dp="22", ...]')["events"]
    assert len(events) == 1
    assert "10.0.1.10" in events[0]["message"]
    assert "ACCEPT OK" in events[0]["message"]


def openssh(login, user, command, folder):
    """What OpenSSH's own client says; it takes the password from a program, as there is no terminal."""
    askpass = folder / "askpass"
    askpass.write_text('#!/bin/sh\necho "$LAB_PASSWORD"\n')
    askpass.chmod(0o700)
    options = [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "PubkeyAuthentication=no",
        "ConnectTimeout=1",
    ]
    line = ["ssh", "-F", "none", "-p", str(login["port"]), *(part for each in options for part in ("-o", each))]
    environment = {**os.environ, "SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force"}
    return subprocess.run(
        [*line, f"{user}@{login['host']}", command],
        env={**environment, "LAB_PASSWORD": login["password"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


needs_openssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="this machine has no OpenSSH client")


@needs_openssh
@pytest.mark.parametrize("user", ["ec2-user", "ec2_user"])
def test_openssh_logs_in(login, user, tmp_path):
    session = openssh(login, user, "whoami", tmp_path)
    assert (session.stdout, session.returncode) == (f"{user}\n", 0), session.stderr


@needs_openssh
def test_openssh_times_out_where_no_group_admits_it(login, client, tmp_path):
    attach(client, "HTTPOnly")
    session = openssh(login, "ec2-user", "whoami", tmp_path)
    assert session.returncode == 255
    assert "timed out" in session.stderr
