"""The entry that a server leaves in its home: where it listens, and the credentials it answers to."""

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
"""The files that are made once for a home, and what each holds."""

PORT_TAKEN, HOME_TAKEN, REFUSED = 3, 4, 5
"""What a server exits with when it can't start: the last line of its log says why in the last case."""

DEFAULT_REGION = "eu-west-1"


class SandboxError(Exception):
    """The sandbox could not be started, found or stopped; the message says why and what to do."""


class SandboxBusy(SandboxError):
    """The sandbox runs but has not answered in time; the message says what to do."""


def cannot_use(path: Path, error: OSError) -> str:
    """What to say where the sandbox's own files can't be read or written."""
    return (
        f"{error.filename or path} can't be used ({error.strerror or error}): free some space or mend the permissions, "
        "or set LABKIT_HOME to a directory that you can write"
    )


@dataclass(frozen=True)
class Server:
    """A running sandbox: where it listens, and the credentials it answers to."""

    endpoint: str
    port: int
    pid: int
    access_key_id: str
    secret_access_key: str
    token: str

    def control(self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout: float = 600) -> Any:
        """The JSON answer of the control API (`path` such as `/clock`); raises SandboxError with its words."""
        try:
            with _OPENER.open(self.control_request(method, path, body), timeout=timeout) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise SandboxError(_error_of(error)) from error
        except OSError as error:
            if isinstance(getattr(error, "reason", error), TimeoutError):
                raise SandboxBusy(
                    f"the sandbox at {self.endpoint} runs but did not answer within {timeout:.0f} s: wait and try "
                    "again, or see with `labkit sandbox status` what it does"
                ) from error
            raise SandboxError(f"the sandbox at {self.endpoint} does not answer ({error}); start it again") from error

    def health(self, *, timeout: float) -> dict[str, Any]:
        """What the server says of itself, ready or not; raises OSError if it says nothing in time."""
        try:
            with _OPENER.open(self.control_request("GET", "/health"), timeout=timeout) as response:
                return dict(json.loads(response.read()))
        except urllib.error.HTTPError as error:
            return dict(json.loads(error.read() or b"{}"))

    def control_request(self, method: str, path: str, body: dict[str, Any] | None = None) -> urllib.request.Request:
        """A request of the control API."""
        return urllib.request.Request(
            f"{self.endpoint}/_sandbox{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )

    def environment(self) -> dict[str, str]:
        """The variables with which any AWS client uses the sandbox."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": DEFAULT_REGION,
            "LABKIT_SANDBOX_TOKEN": self.token,
        }

    def write(self, path: Path) -> None:
        """Keep the entry in a file."""
        private_files.write(path, json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Server | None:
        """The entry in a file; None if there is none."""
        try:
            return cls(**json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy of the user's has no business between two processes of one machine."""


def _error_of(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (ValueError, KeyError, TypeError):
        return str(error)
