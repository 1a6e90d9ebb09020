"""The minute hand of flow logs: each minute it draws the background, closes aggregation intervals, and has records
delivered when they are due.

AWS delivers about 5 minutes later to CloudWatch Logs and about 10 minutes later to Amazon S3, where a file holds the
records that end in five minutes of the clock.
Sources: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html#flow-logs-aggregration-interval and
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from labkit.flowlog.formats import LogFormat
from labkit.sandbox.clock import Event
from labkit.sandbox.delivery import Delivery, Undeliverable
from labkit.sandbox.moto_state import ec2
from labkit.sandbox.network import background, records
from labkit.sandbox.network.flow_logs import INTERVALS, FlowLog
from labkit.sandbox.network.flows import FLOW, MINUTE, Flows, aggregate, in_order, joined
from labkit.sandbox.network.recorder import Recorder
from labkit.sandbox.network.topology import Interface

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

PROCESSING_SECONDS = 240
"""From the end of an interval (CloudWatch Logs) or of a file's five minutes (Amazon S3) to the delivery."""
FILE_SECONDS = 300

_STREAM_FORMAT = LogFormat.of(["interface-id", "start"])


class Collector:
    """Turns what the recorder holds into the records of flow logs, as long as there are flow logs."""

    def __init__(self, sandbox: Sandbox, recorder: Recorder) -> None:
        self.sandbox = sandbox
        self.recorder = recorder
        self.delivery = Delivery(sandbox)
        self.flow_logs: dict[str, FlowLog] = {}
        self.level = 1.0
        self._files: dict[tuple[str, int], list[Flows]] = {}
        self._next: Event | None = None

    def add(self, flow_log: FlowLog) -> None:
        """Takes a new flow log; the first one starts the minute hand."""
        self.flow_logs[flow_log.id] = flow_log
        flow_log.error = self.delivery.error(flow_log)
        if self._next is None:
            self._schedule()

    def remove(self, flow_log_id: str) -> None:
        """Drops a flow log and what is not yet delivered of it; the last one stops the minute hand."""
        del self.flow_logs[flow_log_id]
        if not self.flow_logs and self._next is not None:
            self._next.cancel()
            self._next = None
            self.recorder.forget_all()

    def covers(self, interface: Interface) -> bool:
        """Whether some flow log logs the interface."""
        return any(flow_log.covers(interface) for flow_log in self.flow_logs.values())

    def _schedule(self) -> None:
        clock = self.sandbox.clock
        due = (clock.timestamp() // MINUTE + 1) * MINUTE
        self._next = clock.call_at(due, self._minute, name="flow log minute")

    def _minute(self) -> None:
        """Closes the minute that has just ended."""
        self._schedule()
        end = round(self.sandbox.clock.timestamp())
        running = self._running_interfaces()
        self._draw_background(running, end // MINUTE - 1)
        for interval in INTERVALS:
            if end % interval == 0:
                self._close(interval, end, running)
        self.recorder.forget_before((end - max(INTERVALS)) // MINUTE)

    def _running_interfaces(self) -> dict[int, Interface]:
        """The interfaces that somebody logs and that something runs behind, by their numbers."""
        regions = sorted({flow_log.region for flow_log in self.flow_logs.values()})
        everything = [each for region in regions for each in ec2.interfaces(self.sandbox.account_id, region)]
        return {self.recorder.meet(each): each for each in everything if each.running and self.covers(each)}

    def _draw_background(self, running: dict[int, Interface], minute: int) -> None:
        for number, interface in running.items():
            drawn = background.flows(
                interface, number, self.recorder.addresses, minute=minute, level=self.level, seed=self.sandbox.seed
            )
            self.recorder.add(minute, drawn)

    def _close(self, interval: int, end: int, running: dict[int, Interface]) -> None:
        """Closes the aggregation intervals of this length that end now."""
        begin = end - interval
        everything = self.recorder.flows(range(begin // MINUTE, end // MINUTE))
        aggregated = in_order(aggregate(everything))
        for flow_log in self.flow_logs.values():
            created = flow_log.created.timestamp()
            flows = aggregated
            if created > begin:
                flows = in_order(aggregate(everything[everything["first"] >= int(created)]))
            self._take(flow_log, flows, interval, max(begin, int(created)), end, running)

    def _take(
        self, flow_log: FlowLog, flows: Flows, interval: int, begin: int, end: int, running: dict[int, Interface]
    ) -> None:
        """Hands one flow log its share of closed intervals."""
        mine = np.zeros(len(self.recorder.interfaces.names), np.bool_)
        for number, interface in self.recorder.met.items():
            mine[number] = flow_log.covers(interface) and flow_log.interval_of(interface) == interval
        flows = flows[mine[flows["interface"]]]
        busy = set(np.unique(flows["interface"]).tolist())
        idle = [number for number in running if mine[number] and number not in busy]
        if flow_log.traffic_type != "ALL":
            flows = flows[flows["accepted"] == (flow_log.traffic_type == "ACCEPT")]
        silent = np.array([records.no_data(number, begin, end) for number in idle], FLOW)
        flows = joined([flows, silent])
        if len(flows):
            self._send(flow_log, flows, end)

    def _send(self, flow_log: FlowLog, flows: Flows, end: int) -> None:
        """Has records delivered when they are due."""
        clock = self.sandbox.clock
        if flow_log.group:
            due = end + PROCESSING_SECONDS
            clock.call_at(due, lambda: self._deliver_events(flow_log, flows), name=f"deliver {flow_log.id}")
            return
        slots = flows["last"] // FILE_SECONDS * FILE_SECONDS
        for slot in np.unique(slots).tolist():
            due = max(slot + FILE_SECONDS, end) + PROCESSING_SECONDS
            waiting = self._files.setdefault((flow_log.id, slot), [])
            waiting.append(flows[slots == slot])
            if len(waiting) == 1:
                self._deliver_file_at(due, flow_log, slot)

    def _deliver_file_at(self, due: float, flow_log: FlowLog, slot: int) -> None:
        self.sandbox.clock.call_at(due, lambda: self._deliver_file(flow_log, slot), name=f"deliver {flow_log.id}")

    def _deliver_file(self, flow_log: FlowLog, slot: int) -> None:
        flows = joined(self._files.pop((flow_log.id, slot)))
        if flow_log.id not in self.flow_logs:
            return
        try:
            self.delivery.put_file(flow_log, slot, records.table(self._capture(flows), flow_log.log_format))
            flow_log.error = None
        except Undeliverable as refusal:
            flow_log.error = refusal.error

    def _deliver_events(self, flow_log: FlowLog, flows: Flows) -> None:
        if flow_log.id not in self.flow_logs:
            return
        capture = self._capture(flows)
        keys = records.table(capture, _STREAM_FORMAT)
        try:
            table = records.table(capture, flow_log.log_format)
            self.delivery.put_events(flow_log, _only(keys["interface_id"]), _only(keys["start"]), table)
            flow_log.error = None
        except Undeliverable as refusal:
            flow_log.error = refusal.error

    def _capture(self, flows: Flows) -> records.Capture:
        public = {str(each.public_address) for each in self.recorder.met.values()} - {"None"}
        return records.Capture(flows, self.recorder.met, self.recorder.addresses, frozenset(public))


def _only(column: pa.ChunkedArray) -> pa.Array:
    """The one chunk of a column that was made of one array."""
    return column.chunk(0)
