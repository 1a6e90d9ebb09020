"""The AWS cloud of the lab, with a sandbox's server standing in for AWS.

Everything is as on AWS, ordinary boto3 credentials and endpoints from the environment included, but for four doors: the
guard takes this one endpoint for AWS's, a pause moves the server's clock, a TCP connection is attempted in the server's
network, and the learner's address is known.
"""

from types import SimpleNamespace

from labkit import aws_session, cloud
from labkit.cloud import AwsCloud
from labkit.lab import Lab
from labkit.settings import Settings

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
        answer = server.control("POST", "/connect", {"destination": host, "port": port, "protocol": "tcp"})
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
        patch.setattr(Lab, "_current", lab)
    lab.mask()
    return lab
