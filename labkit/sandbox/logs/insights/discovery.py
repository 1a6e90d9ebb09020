"""Finds the fields that Insights discovers in one event, for GetLogRecord and GetLogGroupFields.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from labkit.sandbox.logs.insights import service_logs
from labkit.sandbox.logs.insights.fields import Source

MAX_JSON_FIELDS = 200


def discovered(message: str, source: Source) -> Mapping[str, str]:
    """Return the fields of a message: of a flow log record by position, of JSON by path."""
    if re.fullmatch(source.record, message):
        return dict(zip(source.flow_fields, message.split(" "), strict=True))
    return {**service_logs.discovered(message), **_of_json(message, source)}


def _of_json(message: str, source: Source) -> dict[str, str]:
    """Return the fields of JSON, at most MAX_JSON_FIELDS; none for JSON nested deeper than Python's stack."""
    # Lambda's lines have text before their JSON; elsewhere the whole message has to be JSON.
    is_lambda = source.log.partition(":")[2].startswith(service_logs.LAMBDA_GROUPS)
    try:
        document = _first_fragment(message) if is_lambda else json.loads(message)
        if not isinstance(document, dict):
            return {}
        leaves = ((f"@{name}" if name.startswith("@") else name, value) for name, value in _leaves(document, ()))
        return dict(pair for pair, _ in zip(leaves, range(MAX_JSON_FIELDS), strict=False))
    except (ValueError, RecursionError):
        return {}


def _first_fragment(message: str) -> Any:
    start = message.find("{")
    return json.JSONDecoder().raw_decode(message, start)[0] if start >= 0 else None


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, str(index)))
    elif value is not None:
        yield ".".join(path), str(int(value)) if isinstance(value, bool) else str(value)
