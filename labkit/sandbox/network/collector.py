"""The minute hand of flow logs: each minute it draws the background, closes aggregation intervals, and has records
delivered when they are due.

AWS delivers about 5 minutes later to CloudWatch Logs and about 10 minutes later to Amazon S3, where a file holds the
records that end in five minutes of the clock.
Sources: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html#flow-logs-aggregration-interval and
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from labkit.sandbox.clock import Event
from labkit.sandbox.delivery import Delivery, Undeliverable
from labkit.sandbox.moto_state import ec2
from labkit.sandbox.network import records
from labkit.sandbox.network.ahead import Ahead
from labkit.sandbox.network.files import File, new_file
from labkit.sandbox.network.flow_logs import INTERVALS, FlowLog, TrafficType
from labkit.sandbox.network.flows import FLOW, MINUTE, NO_FLOWS, NODATA, SKIPDATA, Flows, joined, take
from labkit.sandbox.network.recorder import Recorder
from labkit.sandbox.network.topology import Interface

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

PROCESSING_SECONDS = 240
"""From the end of an interval (CloudWatch Logs) or of a file's five minutes (Amazon S3) to the delivery."""
FILE_SECONDS = 300


class Collector:
    """Turns what the recorder holds into the records of flow logs, as long as there are flow logs."""

    def __init__(self, sandbox: Sandbox, recorder: Recorder) -> None:
        self.sandbox = sandbox
        self.recorder = recorder
        self.delivery = Delivery(sandbox)
        self.flow_logs: dict[str, FlowLog] = {}
        self.level = 1.0
        self.delay = 0.0
        """Seconds by which deliveries are late."""
        self.lost = 0.0
        """The share of aggregation intervals of which all records are lost, which AWS tells by SKIPDATA."""
        self._ahead = Ahead(sandbox.seed)
        self._running: dict[int, Interface] = {}
        self._running_as_of = -1
        self._files: dict[tuple[str, int], File] = {}
        self._next: Event | None = None

    def add(self, flow_log: FlowLog) -> None:
        """Takes a new flow log; the first one starts the minute hand."""
        self.flow_logs[flow_log.id] = flow_log
        self._running_as_of = -1
        flow_log.error = self.delivery.error(flow_log)
        if self._next is None:
            self._schedule()

    def remove(self, flow_log_id: str) -> None:
        """Drops a flow log and what is not yet delivered of it; the last one stops the minute hand."""
        del self.flow_logs[flow_log_id]
        self._running_as_of = -1
        for key in [key for key in self._files if key[0] == flow_log_id]:
            del self._files[key]
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
        """The interfaces that somebody logs and that something runs behind, by their numbers.

        They are looked for once in a step of the clock: requests change them, and events do not.
        """
        if self._running_as_of != self.sandbox.clock.steps:
            self._running_as_of = self.sandbox.clock.steps
            regions = sorted({flow_log.region for flow_log in self.flow_logs.values()})
            everything = [each for region in regions for each in ec2.interfaces(self.sandbox.account_id, region)]
            self._running = {
                self.recorder.meet(each): each for each in everything if each.running and self.covers(each)
            }
        return self._running

    def _draw_background(self, running: dict[int, Interface], minute: int) -> None:
        minutes_left = int(self.sandbox.clock.towards // MINUTE) - minute
        for number, interface in running.items():
            drawn = self._ahead.flows(
                interface,
                number,
                self.recorder.addresses,
                minute=minute,
                level=self.level,
                minutes_left=minutes_left,
            )
            self.recorder.add(minute, drawn)

    def _close(self, interval: int, end: int, running: dict[int, Interface]) -> None:
        """Closes the aggregation intervals of this length that end now; flow logs of the same traffic share it."""
        begin = end - interval
        minutes = range(begin // MINUTE, end // MINUTE)
        made: dict[tuple[object, ...], records.Capture] = {}
        for flow_log in self.flow_logs.values():
            mine = self._share(flow_log, interval)
            since = max(begin, int(flow_log.created.timestamp()))
            key = (mine.tobytes(), flow_log.traffic_type, since)
            if mine.any() and key not in made:
                status = SKIPDATA if self.lost and self.sandbox.random.random() < self.lost else NODATA
                bare = [records.without_flow(number, since, end, status) for number in running if mine[number]]
                flows = self.recorder.flows(minutes, since) if status == NODATA else NO_FLOWS
                made[key] = self._capture(_of(flows, mine, flow_log.traffic_type, np.array(bare, FLOW)))
            if key in made and len(made[key].flows):
                self._send(flow_log, made[key], end)

    def _share(self, flow_log: FlowLog, interval: int) -> NDArray[np.bool_]:
        """The interfaces, by number, that a flow log covers and aggregates for this long."""
        mine = np.zeros(len(self.recorder.interfaces.names), np.bool_)
        for number, interface in self.recorder.met.items():
            mine[number] = flow_log.covers(interface) and flow_log.interval_of(interface) == interval
        return mine

    def _send(self, flow_log: FlowLog, capture: records.Capture, end: int) -> None:
        """Has records delivered when they are due; their text is written meanwhile."""
        if flow_log.group:
            capture.lines(flow_log.log_format)
            self._at(end + PROCESSING_SECONDS, flow_log, partial(self.delivery.put_events, flow_log, capture))
            return
        slots = capture.flows["last"] // FILE_SECONDS * FILE_SECONDS
        for slot in np.unique(slots).tolist():
            whole = bool((slots == slot).all())
            part = capture if whole else self._capture(take(capture.flows, slots == slot))
            self._file(flow_log, slot, end).add(part)

    def _file(self, flow_log: FlowLog, slot: int, end: int) -> File:
        """The file of five minutes that is in the making; a new one has its delivery ahead."""
        key = flow_log.id, slot
        if key not in self._files:
            self._files[key] = new_file(flow_log.layout.file_format, flow_log.log_format)
            due = max(slot + FILE_SECONDS, end) + PROCESSING_SECONDS
            self._at(due, flow_log, partial(self._put_file, flow_log, slot))
        return self._files[key]

    def _at(self, due: float, flow_log: FlowLog, deliver: Callable[[], None]) -> None:
        """Have something delivered, unless the flow log is deleted by then."""
        attempt = partial(self._attempt, flow_log, deliver)
        self.sandbox.clock.call_at(due + self.delay, attempt, name=f"deliver {flow_log.id}")

    def _attempt(self, flow_log: FlowLog, deliver: Callable[[], None]) -> None:
        """Deliver; the status of the flow log tells how it went."""
        if flow_log.id not in self.flow_logs:
            return
        try:
            deliver()
            flow_log.error = None
        except Undeliverable as refusal:
            flow_log.error = refusal.error

    def _put_file(self, flow_log: FlowLog, slot: int) -> None:
        self.delivery.put_file(flow_log, slot, self._files.pop((flow_log.id, slot)))

    def _capture(self, flows: Flows) -> records.Capture:
        public = {str(each.public_address) for each in self.recorder.met.values()} - {"None"}
        return records.Capture(
            flows, self.recorder.met, self.recorder.addresses, frozenset(public), dict(self._ahead.blocks)
        )


def _of(flows: Flows, mine: NDArray[np.bool_], traffic_type: TrafficType, idle: Flows) -> Flows:
    """The flows of some interfaces and one type of traffic, and a row without data for each that had no traffic."""
    if not mine[flows["interface"]].all():
        flows = take(flows, mine[flows["interface"]])
    silent = take(idle, ~np.isin(idle["interface"], flows["interface"]))
    if traffic_type != "ALL":
        flows = take(flows, flows["accepted"] == (traffic_type == "ACCEPT"))
    return joined([flows, silent])
