"""Sends malformed requests to a host and says which answers AWS would not give.

`python -m tests.sandbox.malformed.run` tries all variants for all services, or for those that are named.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from labkit.sandbox.host import Host
from labkit.sandbox.wire import service_model
from tests.sandbox.in_process import BARE, client_maker, open_host, send_signed
from tests.sandbox.malformed import inputs, provided, requests

SERVICES = (
    "athena", "cloudformation", "cloudtrail", "cloudwatch", "config", "ec2", "events", "firehose", "glue", "iam",
    "kinesis", "kms", "logs", "organizations", "resourcegroupstaggingapi", "s3", "s3control", "secretsmanager",
    "service-quotas", "sns", "sqs", "ssm", "sts",
)  # fmt: skip
"""The services that answer, by botocore's names."""

SKIPPED = {"s3": ("ListDirectoryBuckets",)}
"""Operations whose requests are those of another: `GET /` is ListBuckets."""
_LAST = ("Delete", "Terminate", "Remove", "Deregister", "Release", "Disable", "Detach", "Purge", "Schedule", "Cancel")


class _Failures(logging.Handler):
    """Keeps what the last request failed on."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Take the innermost place of an exception."""
        if record.exc_info and record.exc_info[2]:
            place = traceback.extract_tb(record.exc_info[2])[-1]
            module = place.filename.rpartition("site-packages/")[2]
            error = record.exc_info[1]
            self.last = f"{type(error).__name__}: {str(error)[:100]!r} at {module}:{place.lineno}"


class Outcome(NamedTuple):
    """An answer that AWS would not give."""

    service: str
    operation: str
    what: str
    status: int
    body: str


def outcomes(
    host: Host, service: str, most: int | None, counts: dict[str, int], *, part: int = 0, parts: int = 1
) -> Iterator[Outcome]:
    """Send variants for every operation that a service answers; return the answers that AWS would not give.

    `most` bounds the variants of an operation, spread over all of them; `counts` gets how many were sent. The
    operations may be tried in several parts.
    """
    known = provided.provide(service, client_maker(host))
    names = sorted(service_model(service).operation_names, key=lambda name: (name.startswith(_LAST), name))
    for operation in names[part::parts]:
        shape = service_model(service).operation_model(operation).input_shape
        base = inputs.sound(shape, known, optional=False)
        full = inputs.sound(shape, known, optional=True)
        status, body = _answer(host, service, requests.make(service, operation, base))
        if status == 501:
            continue
        counts[operation] = 0
        if operation in SKIPPED.get(service, ()):
            continue
        if status >= 500:
            yield Outcome(service, operation, "sound", status, body)
        for what, raw, breaks in _chosen(_variants(service, operation, shape, base, full), most):
            status, body = _answer(host, service, raw)
            counts[operation] += 1
            if (status >= 500 and status != 501) or (breaks and status < 300):
                yield Outcome(service, operation, what, status, body)


def _variants(service, operation, shape, base, full) -> Iterator[tuple[str, requests.Raw, bool]]:
    typed = requests.protocol(service) in ("json", "cbor")
    for what, raw in requests.broken_bodies(service, operation):
        yield what, raw, True
    for what, raw in requests.odd_forms(service, operation):
        yield what, raw, False
    for variant in inputs.variants(shape, base, full):
        if requests.can_hold(service, operation, variant.params):
            breaks = typed if variant.breaks is None else variant.breaks
            if variant.what.startswith("without ") and requests.tells_operations_apart(
                service, operation, variant.member
            ):
                breaks = False
            breaks = breaks and not requests.is_lenient(service, operation, variant.member)
            yield variant.what, requests.make(service, operation, variant.params), breaks
    yield "all members", requests.make(service, operation, full), False


def _chosen(variants: Iterator[tuple[str, requests.Raw, bool]], most: int | None) -> list:
    found = list(variants)
    if most is None or len(found) <= most:
        return found
    return [found[number * len(found) // most] for number in range(most)]


def _answer(host: Host, service: str, raw: requests.Raw) -> tuple[int, str]:
    name = requests.SIGNING_NAMES.get(service, service)
    answer = send_signed(host, name, raw.body, raw.headers, path=raw.path, method=raw.method)
    return answer.status_code, answer.content.decode(errors="replace")


def main(services: list[str]) -> int:
    """Try all variants; exit code 1 says that some were answered wrongly."""
    wrong = 0
    failures = _Failures()
    logging.getLogger().handlers = [failures]
    for service in services or SERVICES:
        start, counts = time.process_time(), {}
        with tempfile.TemporaryDirectory() as folder, closing(open_host(Path(folder) / "journal.sqlite", BARE)) as host:
            found = 0
            for each in outcomes(host, service, None, counts):
                found += 1
                why = failures.last if each.status >= 500 else each.body[:100].replace("\n", " ")
                print("  ", each.service, each.operation, each.what, each.status, why, flush=True)
        few = sum(count < 10 for count in counts.values())
        print(f"{service}: {len(counts)} operations ({few} with few), {sum(counts.values())} requests, {found} wrong, "
              f"{time.process_time() - start:.1f} s of CPU", flush=True)  # fmt: skip
        wrong += found
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
