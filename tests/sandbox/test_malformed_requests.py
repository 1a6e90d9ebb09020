"""Malformed requests for every operation, made from botocore's models, against resources that exist.

The suite tries ten variants of each operation, spread over all that there are; all of them are tried by
`python -m tests.sandbox.malformed.run`.
"""

import pytest

from tests.sandbox.malformed import run

PER_OPERATION = 10
_SPLIT = {"ec2": 4, "glue": 2}
"""Services of so many operations that their tests are spread over several processes."""


@pytest.mark.parametrize(
    ("service", "part", "parts"),
    [(service, part, _SPLIT.get(service, 1)) for service in run.SERVICES for part in range(_SPLIT.get(service, 1))],
)
def test_a_malformed_request_is_the_clients_fault_and_never_a_success(host, service, part, parts):
    counts: dict[str, int] = {}
    wrong = list(run.outcomes(host, service, PER_OPERATION, counts, part=part, parts=parts))
    assert wrong == []
    assert counts
