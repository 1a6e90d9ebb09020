"""A real SSH door: the Web Server, reached by an ordinary `ssh` client on a loopback port.

Each TCP connection is first an attempt in the sandbox's network, from the learner's address to the Web Server's port
22, and is recorded as one. Only an attempt that connects is handed to the SSH server; one that a security group or
network ACL drops is left without an answer, so the client times out as it would on AWS; a refused one is reset.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import struct
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh

from labkit.sandbox.kernel import small_shell
from labkit.sandbox.kernel.small_shell import HOST_NAME, Outcome
from labkit.sandbox.moto_state import cloudformation, ec2
from labkit.sandbox.provision import STACK_NAME

if TYPE_CHECKING:
    from labkit.sandbox.host import Host

LOG = logging.getLogger(__name__)

USERS = ("ec2-user", "ec2_user")
SECONDS_OF_SILENCE = 130
"""How long a dropped attempt is left hanging: a little longer than Linux repeats a SYN (127 s)."""
GREETING = """   ,     #_
   ~\\_  ####_        Amazon Linux 2023, as the sandbox plays it
  ~~  \\_#####\\
  ~~     \\###|       This shell knows whoami, hostname, exit and logout.
"""


@dataclass(frozen=True)
class Keys:
    """The password of the lab user, and the host key that clients come to know."""

    password: str
    host_key: str

    @classmethod
    def create(cls) -> Keys:
        """New random keys."""
        host_key = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
        return cls(secrets.token_urlsafe(9), host_key)


class SshDoor:
    """Listens for SSH on a loopback port, on a thread of its own."""

    def __init__(self, host: Host, keys: Keys) -> None:
        self._host = host
        self._keys = keys
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True, name="ssh door").start()

    def login(self) -> dict[str, str | int]:
        """What somebody needs to log in."""
        return {"host": "127.0.0.1", "port": self.port, "user": USERS[0], "password": self._keys.password}

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        visits: set[asyncio.Task[None]] = set()
        while True:
            connection, _ = await loop.sock_accept(self._socket)
            visit = loop.create_task(self._receive(connection))
            visits.add(visit)  # the loop itself keeps only a weak reference
            visit.add_done_callback(visits.discard)

    async def _receive(self, connection: socket.socket) -> None:
        try:
            outcome = await asyncio.to_thread(self._attempt)
        except Exception:
            LOG.exception("an SSH attempt failed")
            outcome = "refused"
        if outcome == "connected":
            await self._serve(connection)
        elif outcome == "timed out":
            await asyncio.sleep(SECONDS_OF_SILENCE)
            connection.close()
        else:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing sends a RST
            connection.close()

    def _attempt(self) -> str:
        """The outcome of one attempt in the sandbox's network."""
        address = self._host.read(self._web_server_address)
        if address is None:
            return "timed out"
        return str(self._host.change_by_control("/connect", {"destination": address, "port": 22})["outcome"])

    def _web_server_address(self) -> str | None:
        sandbox = self._host.sandbox
        region = self._host.region
        if not cloudformation.stack_exists(sandbox.account_id, region, STACK_NAME):
            return None
        instance_id = cloudformation.physical_id(sandbox.account_id, region, STACK_NAME, "WebServer")
        interfaces = ec2.interfaces(sandbox.account_id, region)
        addresses = [each.public_address for each in interfaces if each.instance_id == instance_id]
        return str(addresses[0]) if addresses and addresses[0] else None

    async def _serve(self, connection: socket.socket) -> None:
        password = self._keys.password

        class Login(asyncssh.SSHServer):
            def begin_auth(self, username: str) -> bool:
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, given: str) -> bool:
                return username in USERS and secrets.compare_digest(given.encode(), password.encode())

        try:
            server = await asyncssh.run_server(
                connection,
                server_factory=Login,
                server_host_keys=[asyncssh.import_private_key(self._keys.host_key)],
                process_factory=_shell,
            )
            await server.wait_closed()
        except (asyncssh.Error, OSError) as error:  # a client that went away, or spoke no SSH
            LOG.info("an SSH connection ended: %s", error)


async def _shell(process: asyncssh.SSHServerProcess[str]) -> None:
    """Run one command, or be a shell that knows how to end."""
    user = process.get_extra_info("username")
    if process.command is not None:
        process.exit(_run(process, user, process.command).status)
        return
    process.stdout.write(GREETING.replace("\n", "\r\n" if process.term_type else "\n"))
    process.stdout.write(f"[{user}@{HOST_NAME} ~]$ ")
    outcome = Outcome()
    async for line in process.stdin:
        outcome = _run(process, user, line)
        if outcome.ended:
            process.stdout.write("logout\n")
            break
        process.stdout.write(f"[{user}@{HOST_NAME} ~]$ ")
    process.exit(outcome.status)


def _run(process: asyncssh.SSHServerProcess[str], user: str, line: str) -> Outcome:
    outcome = small_shell.run(line, user)
    process.stdout.write("".join(f"{each}\n" for each in outcome.out))
    process.stderr.write("".join(f"{each}\n" for each in outcome.err))
    return outcome
