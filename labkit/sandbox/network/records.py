"""Flows as the records of a flow log: one column a field, made only where the format asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias
from urllib.parse import quote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labkit.flowlog import writer
from labkit.flowlog.formats import LogFormat
from labkit.sandbox.logs.texts import Texts
from labkit.sandbox.network.ahead import Block
from labkit.sandbox.network.flows import MADE_NOW, OK, Book, Flows
from labkit.sandbox.network.later import Later
from labkit.sandbox.network.topology import Interface

_STATUSES = ["OK", "NODATA", "SKIPDATA"]


@dataclass(frozen=True)
class Capture:
    """Flows together with what their numbers stand for; several flow logs may share one."""

    flows: Flows
    interfaces: Mapping[int, Interface]
    addresses: Book
    amazon_addresses: frozenset[str]
    """Public addresses of our own interfaces: AWS names the service EC2 for them."""
    blocks: Mapping[int, Block] = field(default_factory=dict, repr=False, compare=False)
    """By interface, what the rows that were drawn ahead come from."""
    _lines: dict[LogFormat, Later[pa.StringArray]] = field(default_factory=dict, repr=False, compare=False)

    def table(self, log_format: LogFormat) -> pa.Table:
        """The records of the flows, in their order."""
        return table(self, log_format)

    def lines(self, log_format: LogFormat) -> Later[pa.StringArray]:
        """The records as text; written once, however many flow logs of the format there are."""
        if log_format not in self._lines:
            self._lines[log_format] = self._made_ahead(log_format) or Later(
                partial(writer.lines, table(self, log_format), log_format)
            )
        return self._lines[log_format]

    def by_interface(self) -> Iterator[tuple[str, int, int]]:
        """Runs of rows of the same interface: its id, the first row, and the row after the last."""
        for number, begin, end in self._runs():
            yield self.interfaces[number].id, begin, end

    def texts(self, log_format: LogFormat, begin: int, end: int) -> tuple[Texts, NDArray[np.int32]] | None:
        """The lines of a block, and which of them those of a run of rows are; None if they were not drawn ahead."""
        number, origins = int(self.flows["interface"][begin]), self.flows["origin"][begin:end]
        block = self.blocks.get(number)
        if block is None or (origins == MADE_NOW).any():
            return None
        whole = Capture(block.flows, {number: block.interface}, block.addresses, self.amazon_addresses)
        return block.texts(log_format, partial(table, whole, log_format)), origins

    def _made_ahead(self, log_format: LogFormat) -> Later[pa.StringArray] | None:
        """The lines, if those of some interface were made ahead."""
        runs = [(begin, end, self.texts(log_format, begin, end)) for _, begin, end in self._runs()]
        if not any(texts for *_, texts in runs):
            return None
        parts = [
            texts[0].lines.take(pa.array(texts[1]))
            if texts
            else writer.lines(table(replace(self, flows=self.flows[begin:end], blocks={}), log_format), log_format)
            for begin, end, texts in runs
        ]
        return Later.done(parts[0] if len(parts) == 1 else pa.concat_arrays(parts))

    def _runs(self) -> Iterator[tuple[int, int, int]]:
        """Runs of rows of the same interface: its number, the first row, and the row after the last."""
        numbers = self.flows["interface"]
        borders = [0, *(np.flatnonzero(numbers[1:] != numbers[:-1]) + 1).tolist(), len(numbers)]
        for begin, end in pairwise(borders) if len(numbers) else ():
            yield int(numbers[begin]), begin, end

    def __getstate__(self) -> dict[str, Any]:
        """Pickle the lines, not the blocks that they were made from."""
        return {**vars(self), "blocks": {}}


Column: TypeAlias = Callable[[Capture, LogFormat], pa.Array]


def table(capture: Capture, log_format: LogFormat) -> pa.Table:
    """The records of some flows, in their order."""
    columns = {field.column: _COLUMNS[field.name](capture, log_format) for field in dict.fromkeys(log_format.fields)}
    return pa.table(columns)


def without_flow(interface: int, begin: int, end: int, status: int) -> tuple[object, ...]:
    """The row of an interface that has no traffic to show from `begin` up to `end`: NODATA or SKIPDATA."""
    return (interface, False, 0, 0, 0, 0, 0, 0, 0, 0, 0, begin, end - 1, False, 0, 0, status, MADE_NOW)


def _missing(capture: Capture) -> NDArray[np.bool_]:
    """Rows without a flow: NODATA and SKIPDATA."""
    return np.asarray(capture.flows["status"] != OK)


def _number(name: str) -> Column:
    return lambda capture, _: pa.array(np.ascontiguousarray(capture.flows[name]), mask=_missing(capture))


def _always(name: str) -> Column:
    return lambda capture, _: pa.array(np.ascontiguousarray(capture.flows[name]))


def _address(name: str) -> Column:
    return lambda capture, _: _words(capture.flows[name], capture.addresses.column(), _missing(capture))


def _interface(name: Callable[[Interface], str | None]) -> Column:
    def column(capture: Capture, _: LogFormat) -> pa.Array:
        known = {number: name(interface) for number, interface in capture.interfaces.items()}
        words = [known.get(number) for number in range(max(known, default=0) + 1)]
        return _words(capture.flows["interface"], words)

    return column


def _tag(name: str, tags: Callable[[Interface], Mapping[str, str]]) -> Column:
    """The value of the tag that the flow log names for a field, with percent signs for what could be taken amiss."""

    def column(capture: Capture, log_format: LogFormat) -> pa.Array:
        key = dict(log_format.tag_keys).get(name, "")
        return _interface(lambda interface: quote(tags(interface).get(key, ""), safe="") or None)(capture, log_format)

    return column


def _choice(name: str, no: str, yes: str) -> Column:
    return lambda capture, _: _words(capture.flows[name], [no, yes], _missing(capture))


def _version(capture: Capture, log_format: LogFormat) -> pa.Array:
    return pa.array(np.full(len(capture.flows), log_format.version, np.int32))


def _status(capture: Capture, _: LogFormat) -> pa.Array:
    return _words(capture.flows["status"], _STATUSES)


def _ip_version(capture: Capture, _: LogFormat) -> pa.Array:
    kinds = ["IPv6" if ":" in address else "IPv4" for address in capture.addresses.names]
    return _words(capture.flows["source"], kinds, _missing(capture))


def _amazon_service(name: str) -> Column:
    def column(capture: Capture, _: LogFormat) -> pa.Array:
        services = ["EC2" if address in capture.amazon_addresses else None for address in capture.addresses.names]
        return _words(capture.flows[name], services, _missing(capture))

    return column


def _path(capture: Capture, _: LogFormat) -> pa.Array:
    paths = np.ascontiguousarray(capture.flows["path"])
    return pa.array(paths, mask=(paths == 0) | _missing(capture))


def _unknown(capture: Capture, _: LogFormat) -> pa.Array:
    """A field that never applies here; AWS writes a dash."""
    return pa.nulls(len(capture.flows), pa.string())


def _words(
    positions: NDArray[Any], words: Sequence[str | None] | pa.Array, missing: NDArray[np.bool_] | None = None
) -> pa.Array:
    """Words by their positions in a list: a column of strings that costs four bytes a row."""
    numbers = pa.array(np.ascontiguousarray(positions, np.int32), mask=missing)
    column = words if isinstance(words, pa.Array) else pa.array(words, pa.string())
    return pa.DictionaryArray.from_arrays(numbers, column)


_COLUMNS: dict[str, Column] = {
    "version": _version,
    "account-id": _interface(lambda interface: interface.account_id),
    "interface-id": _interface(lambda interface: interface.id),
    "srcaddr": _address("source"),
    "dstaddr": _address("destination"),
    "srcport": _number("source_port"),
    "dstport": _number("destination_port"),
    "protocol": _number("protocol"),
    "packets": _number("packets"),
    "bytes": _number("bytes"),
    "start": _always("first"),
    "end": _always("last"),
    "action": _choice("accepted", "REJECT", "ACCEPT"),
    "log-status": _status,
    "vpc-id": _interface(lambda interface: interface.vpc_id),
    "subnet-id": _interface(lambda interface: interface.subnet_id),
    "instance-id": _interface(lambda interface: interface.instance_id),
    "tcp-flags": _number("tcp_flags"),
    "type": _ip_version,
    "pkt-srcaddr": _address("packet_source"),
    "pkt-dstaddr": _address("packet_destination"),
    "region": _interface(lambda interface: interface.region),
    "az-id": _interface(lambda interface: interface.az_id),
    "sublocation-type": _unknown,
    "sublocation-id": _unknown,
    "pkt-src-aws-service": _amazon_service("packet_source"),
    "pkt-dst-aws-service": _amazon_service("packet_destination"),
    "flow-direction": _choice("egress", "ingress", "egress"),
    "traffic-path": _path,
    "ecs-cluster-arn": _unknown,
    "ecs-cluster-name": _unknown,
    "ecs-container-instance-arn": _unknown,
    "ecs-container-instance-id": _unknown,
    "ecs-container-id": _unknown,
    "ecs-second-container-id": _unknown,
    "ecs-service-name": _unknown,
    "ecs-task-definition-arn": _unknown,
    "ecs-task-arn": _unknown,
    "ecs-task-id": _unknown,
    "reject-reason": _unknown,
    "resource-id": _unknown,
    "encryption-status": _unknown,
    "instance-tag": _tag("instance-tag", lambda interface: interface.instance_tags),
    "instance-tag-2": _tag("instance-tag-2", lambda interface: interface.instance_tags),
    "interface-tag": _tag("interface-tag", lambda interface: interface.tags),
    "interface-tag-2": _tag("interface-tag-2", lambda interface: interface.tags),
    "asg-tag": _unknown,
    "asg-tag-2": _unknown,
    "interface-type": _interface(lambda interface: interface.type),
    "next-hop-interface-id": _unknown,
    "next-hop-subnet-id": _unknown,
    "next-hop-az-id": _unknown,
    "next-hop-vpc-id": _unknown,
    "next-hop-interface-type": _unknown,
}
