"""Fails if a notebook's outputs hold personal data: account ids, ARNs, e-mail and public addresses.

For git's pre-commit: `python scripts/check_outputs.py notebooks/*.ipynb`. Numbers and addresses of documentation and of
the sandbox are allowed.
"""

from __future__ import annotations

import ipaddress
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCUMENTATION_ACCOUNTS = {"123456789012", "111122223333", "444455556666", "210987654321"}
EXAMPLE_DOMAINS = re.compile(r"(.*\.)?example\.(com|net|org)|(.*\.)?(example|invalid|test|amazonaws\.com)")
SANDBOX_NETWORK = ipaddress.IPv4Network("198.18.0.0/15")
_ARN_ACCOUNT = re.compile(r"\barn:aws[\w-]*:[\w-]*:[\w-]*:(\d{12}):")
_PATH_ACCOUNT = re.compile(r"AWSLogs/(\d{12})/")
_EMAIL = re.compile(r"[\w.+-]+@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})")
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")


def findings(notebook: dict[str, Any]) -> Iterator[str]:
    """Yield the personal data in the outputs of a notebook, each once."""
    seen = dict.fromkeys(found for text in _texts(notebook) for found in _findings_in(text))
    yield from seen


def _texts(notebook: dict[str, Any]) -> Iterator[str]:
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            parts = [output.get("text", ""), output.get("traceback", ""), output.get("evalue", "")]
            parts += [value for mime, value in output.get("data", {}).items() if not mime.startswith("image/")]
            yield from ("".join(part) if isinstance(part, list) else str(part) for part in parts)


def _findings_in(text: str) -> Iterator[str]:
    for account in (*_ARN_ACCOUNT.findall(text), *_PATH_ACCOUNT.findall(text)):
        if account not in DOCUMENTATION_ACCOUNTS:
            yield f"the account id {account}"
    for match in _EMAIL.finditer(text):
        if not EXAMPLE_DOMAINS.fullmatch(match[1].lower()):
            yield f"the e-mail address {match[0]}"
    for address in _ADDRESS.findall(text):
        if _is_somebodys(address):
            yield f"the public address {address}"


def _is_somebodys(text: str) -> bool:
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return address.is_global and address not in SANDBOX_NETWORK


def main(paths: list[str]) -> int:
    """Print what was found in each file; return 1 if anything was."""
    told = [f"{path}: {found}" for path in paths for found in findings(json.loads(Path(path).read_text("utf-8")))]
    for line in told:
        print(line)
    if told:
        print("Clear these outputs, or run the notebook on the sandbox: labkit run --update NOTEBOOK", file=sys.stderr)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
