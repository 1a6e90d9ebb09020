"""The file by which others find a running server: where it listens, and its credentials."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from labkit.sandbox.kernel import private_files

SERVER_FILE, LOCK_FILE, LOG_FILE, PORT_FILE = "server.json", "server.lock", "server.log", "port"
CREDENTIALS_FILE, SSH_FILE, SCRATCH_FOLDER = "credentials.json", "ssh.json", "scratch"
SECRETS = {
    CREDENTIALS_FILE: ("access_key_id", "secret_access_key", "token"),
    SSH_FILE: ("password", "host_key"),
}
"""The files that are created once for a home, and the names of the texts in each."""

PORT_TAKEN, HOME_TAKEN, REFUSED = 3, 4, 5
"""The exit codes of a server that can't start. For REFUSED, the last line of its log says why."""

DEFAULT_REGION = "eu-west-1"


class SandboxError(Exception):
    """The sandbox could not be started, found or stopped; the message says why and what to do."""


class SandboxBusy(SandboxError):
    """The sandbox runs but has not answered in time; the message says what to do."""


def cannot_use(path: Path, error: OSError) -> str:
    """Return the error text for a file of the sandbox's own that can't be read or written."""
    return (
        f"{error.filename or path} can't be used ({error.strerror or error}): free some space or mend the permissions, "
        "or set LABKIT_HOME to a directory that you can write"
    )


@dataclass(frozen=True)
class Server:
    """A running sandbox: where it listens, and the credentials it accepts."""

    endpoint: str
    port: int
    pid: int
    access_key_id: str
    secret_access_key: str
    token: str

    def control(self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout: float = 600) -> Any:
        """Send a request to the control API (`path` such as `/clock`) and return its JSON answer.

        `timeout` is in seconds. Raise SandboxBusy if there is no answer in time, and SandboxError with the API's words
        for an error.
        """
        try:
            with _OPENER.open(self.control_request(method, path, body), timeout=timeout) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise SandboxError(_error_of(error)) from error
        except OSError as error:
            # urllib wraps a time-out while connecting (in `reason`), but not one while reading the answer.
            if isinstance(getattr(error, "reason", error), TimeoutError):
                raise SandboxBusy(
                    f"the sandbox at {self.endpoint} runs but did not answer within {timeout:.0f} s: wait and try "
                    "again, or see with `labkit sandbox status` what it does"
                ) from error
            raise SandboxError(f"the sandbox at {self.endpoint} does not answer ({error}); start it again") from error

    def health(self, *, timeout: float) -> dict[str, Any]:
        """Return what `/health` says, whether the server is ready or not; raise OSError if there is no answer in time.

        `timeout` is in seconds.
        """
        try:
            with _OPENER.open(self.control_request("GET", "/health"), timeout=timeout) as response:
                return dict(json.loads(response.read()))
        except urllib.error.HTTPError as error:  # the stand-in answers 503, with the state in the body
            return dict(json.loads(error.read() or b"{}"))

    def control_request(self, method: str, path: str, body: dict[str, Any] | None = None) -> urllib.request.Request:
        """Return a request to the control API with the token, not yet sent."""
        return urllib.request.Request(
            f"{self.endpoint}/_sandbox{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )

    def environment(self) -> dict[str, str]:
        """Return the environment variables with which any AWS client uses the sandbox."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": DEFAULT_REGION,
            "LABKIT_SANDBOX_TOKEN": self.token,
        }

    def write(self, path: Path) -> None:
        """Write the entry to a file that only its owner can read."""
        private_files.write(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Server | None:
        """Read the entry from a file; return None if there is no file, or if it can't be read."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Ignores the user's proxy, which has no business between two processes on one machine."""


def _error_of(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (ValueError, KeyError, TypeError):
        return str(error)
