"""The AWS cloud of the lab, with a sandbox's server standing in for AWS.

Everything is as on AWS, ordinary boto3 credentials and endpoints from the environment included, but for four doors: the
guard takes this one endpoint for AWS's, a pause moves the server's clock, a TCP connection is attempted in the server's
network, and the learner's address is known.
"""

import html
import json
import os
import re
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from urllib import request

import pytest

from labkit.lab import aws_session, cloud, session
from labkit.lab.calls import Recorder
from labkit.lab.cloud import AwsCloud
from labkit.lab.settings import Settings
from labkit.notebook import Lab
from labkit.sandbox import process

MY_ADDRESS = "203.0.113.7"
MY_EMAIL = "me@mycompany.io"
ACCOUNT = "123456789012"


class Socket:
    """What a connection attempt gives back."""

    def close(self):
        pass


class VirtualTime:
    """The module `time`, with the server's clock in place of the machine's."""

    def __init__(self, server):
        self.server = server
        self.passed = 0.0

    def monotonic(self):
        return self.passed

    def sleep(self, seconds):
        self.passed += seconds
        self.server.control("POST", "/clock/advance", {"seconds": seconds})


def door(server):
    """What stands in for socket.create_connection."""

    def connect(address, timeout):
        host, port = address
        wanted = {"destination": host, "port": port, "protocol": "tcp", "source": MY_ADDRESS}
        answer = server.control("POST", "/connect", wanted)
        if answer["outcome"] == "timed out":
            raise TimeoutError
        if answer["outcome"] == "refused":
            raise ConnectionRefusedError
        return Socket()

    return connect


def open_doors(server, patch, home):
    """Has AwsCloud find the server in AWS's place."""
    patch.setenv("LABKIT_HOME", str(home))
    patch.delenv("LABKIT_CLOUD", raising=False)
    patch.setenv("AWS_CONFIG_FILE", str(home / "no-config"))
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "no-credentials"))
    for name, value in server.environment().items():
        patch.setenv(name, value)
    patch.setenv("LABKIT_AWS_ACCOUNT", ACCOUNT)
    patch.setattr(aws_session, "is_of_aws", lambda endpoint: endpoint == server.endpoint)
    patch.setattr(aws_session, "SANDBOX_KEY_PREFIX", "no key begins like this")
    patch.setattr(cloud, "time", VirtualTime(server))
    patch.setattr(cloud, "socket", SimpleNamespace(create_connection=door(server)))
    patch.setattr(AwsCloud, "own_address", lambda self: MY_ADDRESS)
    patch.setattr(AwsCloud, "now", lambda self: cloud.datetime.fromisoformat(server.control("GET", "/clock")["now"]))


def aws_lab(patch=None, **changes):
    """A lab on that cloud."""
    settings = Settings(**{"cloud": "aws", "email": MY_EMAIL, **changes})
    lab = Lab(settings, AwsCloud.open(settings))
    if patch is not None:
        patch.setattr(session.Lab, "last_opened", lab)
    lab.mask()
    return lab


TRACE = "TESTS_TRACE"
"""The environment variable that names the file which every call is written to."""


def trace(patch):
    """Has every recorder write what it hears to the file too, as the policy names calls."""
    note = Recorder._note

    def note_and_write(self, params, model, **more):
        note(self, params, model, **more)
        with open(os.environ[TRACE], "a", encoding="utf-8") as file:
            file.write(json.dumps(f"{model.service_model.service_name}:{model.name}") + "\n")

    patch.setattr(Recorder, "_note", note_and_write)


def open_doors_in_kernel():
    """The same doors in a notebook's kernel; the learner there clicks what the mails ask for."""
    server = process.find(Path(os.environ["TESTS_SERVER_HOME"]))
    patch = pytest.MonkeyPatch()
    open_doors(server, patch, Path(os.environ["LABKIT_HOME"]))
    os.environ["LABKIT_CLOUD"] = "aws"
    trace(patch)
    pause = cloud.time.sleep

    def pause_and_click(seconds):
        pause(seconds)
        for message in server.control("GET", "/inbox")["messages"]:
            for link in re.findall(r"http://[^\s\"'<>]+Action=ConfirmSubscription[^\s\"'<>]+", message["body"]):
                with suppress(OSError):
                    request.urlopen(html.unescape(link), timeout=10).close()

    cloud.time.sleep = pause_and_click
