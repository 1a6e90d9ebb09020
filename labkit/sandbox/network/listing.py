"""DescribeFlowLogs' filters and pages.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeFlowLogs.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from labkit.sandbox import paging
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.network.flow_logs import FlowLog

T = TypeVar("T")

_MOST_RESULTS = 1000
_FILTERS: dict[str, Callable[[FlowLog], Iterable[str | None]]] = {
    "deliver-log-status": lambda flow_log: ["FAILED" if flow_log.error else "SUCCESS"],
    "log-destination-type": lambda flow_log: [flow_log.destination_type],
    "flow-log-id": lambda flow_log: [flow_log.id],
    "log-group-name": lambda flow_log: [flow_log.group],
    "resource-id": lambda flow_log: [flow_log.resource_id],
    "traffic-type": lambda flow_log: [flow_log.traffic_type],
    "tag-key": lambda flow_log: flow_log.tags,
}


def filtered(flow_logs: Iterable[FlowLog], filters: Iterable[Mapping[str, Any]]) -> list[FlowLog]:
    """The flow logs that every filter lets through; a filter does by one of its values.

    In a value `*` is any text and `?` any character, unless a backslash stands before it.
    Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html#Filtering_Resources_CLI
    """
    tests = [_test(each.get("Name", ""), each.get("Values", [])) for each in filters]
    return [flow_log for flow_log in flow_logs if all(test(flow_log) for test in tests)]


def page(items: Sequence[T], most: int | None, token: str | None) -> tuple[Sequence[T], str | None]:
    """One page of a list, and the token of the next one."""
    if most is not None and not 1 <= most <= _MOST_RESULTS:
        message = f"Value ( {most} ) for parameter maxResults is invalid. Expecting a value from 1 to {_MOST_RESULTS}."
        raise ServiceError("InvalidParameterValue", message)
    begin = paging.position(token or None, _invalid_token)
    end = begin + (most or _MOST_RESULTS)
    return items[begin:end], paging.token(end) if end < len(items) else None


def _test(name: str, values: Iterable[str]) -> Callable[[FlowLog], bool]:
    patterns = [_wildcards(value) for value in values]

    def matches(flow_log: FlowLog) -> bool:
        found = [flow_log.tags.get(name[4:])] if name.startswith("tag:") else _FILTERS[name](flow_log)
        return any(pattern.fullmatch(value) for value in found if value is not None for pattern in patterns)

    if name not in _FILTERS and not name.startswith("tag:"):
        raise ServiceError("InvalidParameterValue", f"The filter '{name}' is invalid")
    return matches


def _wildcards(value: str) -> re.Pattern[str]:
    parts = re.findall(r"\\.|.", value, re.DOTALL)
    kinds = {"*": ".*", "?": "."}
    return re.compile("".join(kinds.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)


def _invalid_token(given: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", "The token is invalid. Pass the NextToken of an earlier response.")
