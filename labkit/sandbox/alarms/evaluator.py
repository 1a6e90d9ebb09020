"""Evaluates alarms on the sandbox's clock, and passes their state changes on to actions and composite alarms.

An alarm is evaluated every minute, one with a period under a minute every 10 seconds, and one whose evaluation periods
make more than a day every hour ("Alarm evaluation", alarm-evaluation.html). An evaluation that couldn't change
anything is skipped: an alarm without a datapoint in its range sleeps until one of its metrics gets a sample, so that
a year of virtual time passes quickly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from labkit.sandbox.alarms import rules
from labkit.sandbox.alarms.alarm import Alarm, CompositeAlarm, MetricAlarm, State
from labkit.sandbox.alarms.evaluation import ALARM, BREACHING, MISSING, OK, Datapoint, Verdict, evaluate, state_of
from labkit.sandbox.alarms.functions import ExpressionError, TimeSeries
from labkit.sandbox.alarms.messages import in_words
from labkit.sandbox.alarms.queries import Queries, Window, datapoints, series_of
from labkit.sandbox.alarms.reasons import compact, reason, reason_data, timestamp
from labkit.sandbox.alarms.region import Region
from labkit.sandbox.alarms.samples import DAY, HOUR, MINUTE
from labkit.sandbox.alarms.schedule import Schedule
from labkit.sandbox.alarms.state_changes import changed_state, record_transition, run_actions
from labkit.sandbox.alarms.suppression import Suppression
from labkit.sandbox.alarms.windows import windows

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

HOURLY_AT = 3 * MINUTE
"""How far past the hour multi-day alarms are evaluated, on data up to the hour; AWS's example has 10:03, 11:03."""


def evaluated_every(alarm: MetricAlarm) -> int:
    """Return the seconds from one evaluation of an alarm to the next."""
    if alarm.period * alarm.rule.evaluation_periods > DAY:
        return HOUR
    return 10 if alarm.period < MINUTE else MINUTE


def _too_few_samples(alarm: MetricAlarm, verdict: Verdict) -> bool:
    """Tell whether a percentile rests on too few samples, and the alarm was told to ignore that.

    "Percentile-based alarms and low data samples" asks for 10 samples on the thinner side of the percentile.
    """
    match = re.fullmatch(r"p([\d.]+)", alarm.statistic or "")
    if match is None or alarm.settings.get("EvaluateLowSampleCountPercentile") != "ignore":
        return False
    share = float(match[1]) / 100
    thinner = min(share, 1 - share)
    counts = [point.sample_count for point in verdict.datapoints if point.sample_count is not None]
    # 1 - 0.9 is 0.09999999999999998: without the tolerance, exactly 100 samples of p90 would be too few.
    return any(count * thinner < 10 - 1e-9 for count in counts)


def _timestamps(ranges: Sequence[Window]) -> Sequence[int]:
    """Return the starts of the ranges' periods, newest first."""
    # A sliding window is one range: its reversed `range` answers index() without a list of all its periods.
    if len(ranges) == 1:
        return ranges[0].timestamps()[::-1]
    return [at for window in reversed(ranges) for at in window.timestamps()[::-1]]


def _aged(points: Mapping[int, Datapoint], ranges: Sequence[Window]) -> list[tuple[int, float]]:
    """Return (age in periods, value) of the datapoints, newest first."""
    timestamps = _timestamps(ranges)
    return [(timestamps.index(at) + 1, point.value) for at, point in points.items() if point.value is not None]


@dataclass(frozen=True, slots=True)
class View:
    """The data of one evaluation."""

    ranges: Sequence[Window]
    points: Mapping[int, Datapoint]
    """The datapoints of the ranges by time, newest first; no more than can count."""
    aged: Sequence[tuple[int, float]]
    """Age in periods and value of each, newest first."""


class Evaluator:
    """Evaluates the alarms of one region."""

    def __init__(self, sandbox: Sandbox, region: Region, name: str) -> None:
        self._sandbox = sandbox
        self._region = region
        self._schedule = Schedule(sandbox.clock, self._evaluate, f"evaluate the alarms of {name}")
        self._views: dict[tuple[object, ...], View] = {}
        self._views_as_of = (0.0, 0)
        self._path: list[Alarm] = []
        """The alarms whose state changes caused one another and are being handled now; the last one is the newest."""

    def wake(self, alarm: MetricAlarm) -> None:
        """Schedule an alarm for its next regular time."""
        self._schedule.add(alarm, self._next_time(evaluated_every(alarm)))

    def _next_time(self, every: int) -> float:
        # Strictly later than now: an alarm that is woken while it is evaluated must not be due again at once.
        offset = HOURLY_AT if every == HOUR else 0
        return (int(self._sandbox.clock.timestamp() - offset) // every + 1) * every + offset

    def forget(self, alarm: Alarm) -> None:
        """Stop evaluating an alarm, and drop the actions that its suppression holds back."""
        if isinstance(alarm, MetricAlarm):
            self._schedule.drop(alarm)
        if isinstance(alarm, CompositeAlarm) and alarm.suppression is not None:
            alarm.suppression.end()

    def _evaluate(self, alarm: MetricAlarm) -> None:
        every = evaluated_every(alarm)
        view = self._view(alarm, every)
        # The state first, which is cheap: most evaluations change nothing, and only a change needs the verdict with its
        # filled-in datapoints (for the reason).
        state = state_of(view.aged, alarm.rule)
        if state not in (None, alarm.state.value):
            newest_first = [view.points.get(at) or Datapoint(at) for at in _timestamps(view.ranges)]
            verdict = evaluate(newest_first, alarm.rule)
            # EvaluateLowSampleCountPercentile=ignore keeps the state; it doesn't make the data count as missing.
            if not _too_few_samples(alarm, verdict):
                self._enter(alarm, verdict, str(state))
        self._schedule_next(alarm, state, view.points, view.ranges, every)

    def _view(self, alarm: MetricAlarm, every: int) -> View:
        """Return the data that an alarm looks at now.

        Alarms on the same metric, statistic and periods share one view until the clock moves or a sample arrives.
        """
        now = self._sandbox.clock.timestamp()
        # The count of puts belongs to the key: an action may publish a sample at this very moment of virtual time.
        if self._views_as_of != (now, self._region.store.puts):
            self._views_as_of = now, self._region.store.puts
            self._views.clear()
        shared = alarm.looks_at
        if shared is not None and shared in self._views:
            return self._views[shared]
        # Evaluated at 10:03, on data up to 10:00.
        end = int(now) - (HOURLY_AT if every == HOUR else 0)
        ranges = windows(alarm.settings, alarm.period, alarm.rule.evaluation_periods, end)
        points = self._datapoints(alarm, ranges)
        view = View(ranges, points, _aged(points, ranges))
        if shared is not None:
            self._views[shared] = view
        return view

    def _schedule_next(
        self,
        alarm: MetricAlarm,
        state: str | None,
        points: Mapping[int, Datapoint],
        ranges: Sequence[Window],
        every: int,
    ) -> None:
        """Schedule the alarm for the next moment at which its state may change.

        Without a sample in the range, it isn't scheduled: the next sample wakes it (an expression with HOUR() and the
        like has to be evaluated all the same). With samples, it is due at the next regular time, or later if no sample
        enters or leaves a period before.
        """
        newest = max((self._region.store.newest(metric) or 0 for metric in alarm.inputs), default=0)
        if newest < ranges[0].start and not alarm.follows_clock:
            return
        window, *others = ranges
        # A sample in the future (CloudWatch takes up to two hours) enters the range as time passes, a waiting alarm
        # (None) ages, and an hourly one looks at a range of its own: none of these can be predicted below.
        steady = state is not None and newest < ranges[-1].end and every < HOUR
        if not steady or not points or others or alarm.metrics or "EvaluationWindow" in alarm.settings:
            self.wake(alarm)
        # Only then do the period boundaries move by whole periods from one evaluation to the next.
        elif alarm.period == every:
            self._schedule_in_step(alarm, list(points.values()), window)
        else:
            self._schedule.add(alarm, self._next_move(alarm, window, every))

    def _schedule_in_step(self, alarm: MetricAlarm, points: Sequence[Datapoint], window: Window) -> None:
        """Schedule an alarm whose period is as long as the step between evaluations.

        Its datapoints keep their values until they leave the range. While none of them breaches, and missing data
        doesn't count as breaching, losing some of them changes nothing.
        """
        treatment, length = alarm.treat_missing_data, window.end - window.start
        if treatment != BREACHING and not any(alarm.rule.breaches(point.value or 0.0) for point in points):
            if treatment == MISSING:
                # points[0] is the newest: once it has left, the range is empty and the state INSUFFICIENT_DATA.
                # With "ignore" and "notBreaching" an empty range changes nothing: the alarm sleeps.
                self._schedule.add(alarm, points[0].timestamp + length + alarm.period)
        else:
            # points[-1] is the oldest: from here on every datapoint that leaves may change the count.
            self._schedule.add(alarm, points[-1].timestamp + length + alarm.period)

    def _next_move(self, alarm: MetricAlarm, window: Window, every: int) -> float:
        """Return the first regular time at which a sample leaves the range or moves into the previous period."""
        series, _ = series_of(self._region.store, alarm.inputs[0], alarm.settings.get("Unit"), window)
        begins = series.begins(window.start, window.end) if series else []
        # A lone sample makes the only datapoint whichever period it is in, so only its leaving matters.
        if len(begins) == 1:
            moves = [begins[0] + window.end - window.start]
        else:
            # -(a // b) rounds up: the periods are cut backwards from the end of the window, and the end moves on.
            moves = [begin + -((begin - window.end) // alarm.period) * alarm.period for begin in begins]
        return max((min(moves) // every + 1) * every, self._next_time(every))

    def _datapoints(self, alarm: MetricAlarm, ranges: Sequence[Window]) -> dict[int, Datapoint]:
        """Return the datapoints of the ranges by time, newest first; no more than can count."""
        found: dict[int, Datapoint] = {}
        for window in reversed(ranges):
            found |= self._math(alarm, window) if alarm.metrics else self._metric(alarm, window)
        return found

    def _metric(self, alarm: MetricAlarm, window: Window) -> dict[int, Datapoint]:
        series, _ = series_of(self._region.store, alarm.inputs[0], alarm.settings.get("Unit"), window)
        return datapoints(series, alarm.statistic or "", window, alarm.rule.evaluation_periods) if series else {}

    def _math(self, alarm: MetricAlarm, window: Window) -> dict[int, Datapoint]:
        queries = Queries(self._region.store, alarm.metrics, lambda period: window, window.period)
        try:
            value = queries.value(alarm.watched_query["Id"])
        except ExpressionError:  # the expression was checked at PutMetricAlarm; data that makes it fail is no data
            return {}
        points = value.points if isinstance(value, TimeSeries) else {}
        return {at: Datapoint(at, number) for at, number in sorted(points.items(), reverse=True)}

    def _enter(self, alarm: MetricAlarm, verdict: Verdict, state: str) -> None:
        now = self._sandbox.clock.now()
        self.change(alarm, state, reason(alarm, verdict, state), reason_data(alarm, verdict, now))

    def change(self, alarm: Alarm, value: str, why: str, data: str | None) -> None:
        """Put an alarm into a state; if the state is a new one, record it, run the actions and tell composite alarms.

        `data` is the JSON of StateReasonData. Setting the same state again only replaces the reason (SetAlarmState).
        """
        old = alarm.state
        transition = value != old.value
        alarm.state = changed_state(old, value, why, data, self._sandbox.clock.now(), transition=transition)
        if not transition:
            return
        record_transition(self._region.history, alarm, old)
        if isinstance(alarm, CompositeAlarm) and alarm.suppressor is not None:
            self._suppression(alarm).state_changed(old, self._state_of(alarm.suppressor))
        else:
            self._run_actions(alarm, old)
        # Last: what a composite alarm above says has to come after this alarm's own history and mail.
        self._carry_on(alarm)

    def _run_actions(self, alarm: Alarm, old: State) -> None:
        run_actions(self._sandbox, self._region.history, alarm, old, self._children(alarm))

    def _suppression(self, alarm: CompositeAlarm) -> Suppression:
        if alarm.suppression is None:
            alarm.suppression = Suppression(alarm, self._sandbox.clock, partial(self._run_actions, alarm))
        return alarm.suppression

    def _children(self, alarm: Alarm) -> list[Alarm]:
        if not isinstance(alarm, CompositeAlarm):
            return []
        named = [self._region.find(name) for name in alarm.children]
        return [child for child in named if child is not None and child.state.value == ALARM]

    def _carry_on(self, child: Alarm) -> None:
        """Tell the composite alarms that have this alarm in their rule, or as their suppressor.

        A composite alarm that has already changed on the way here is part of a cycle: the evaluation stops there
        (PutCompositeAlarm).
        """
        self._path.append(child)
        try:
            # A list: an action that runs meanwhile may create or delete alarms.
            for composite in list(self._region.composites()):
                self._tell(composite, child)
        finally:
            self._path.pop()

    def _tell(self, composite: CompositeAlarm, child: Alarm) -> None:
        if composite.suppressor in (child.name, child.arn):
            self._suppression(composite).suppressor_changed(child.state.value)
        if composite not in self._path and {child.name, child.arn}.intersection(composite.children):
            when = in_words(self._sandbox.clock.now())
            self.judge(composite, f"{child.arn} transitioned to {child.state.value} at {when}", child)

    def judge(self, composite: CompositeAlarm, why: str, cause: Alarm | None = None) -> None:
        """Put a composite alarm into the state that its rule gives; `cause` is the alarm that changed."""
        state = self.rule_state(composite)
        if state == composite.state.value:
            return
        data = None
        if cause is not None:
            child = {"value": cause.state.value, "timestamp": timestamp(cause.state.updated)}
            data = compact({"triggeringAlarms": [{"arn": cause.arn, "state": child}]})
        self.change(composite, state, why, data)

    def rule_state(self, composite: CompositeAlarm) -> str:
        """Return the state that a composite alarm's rule gives now."""
        return ALARM if rules.holds(composite.settings["AlarmRule"], self._state_of) else OK

    def _state_of(self, name: str) -> str | None:
        alarm = self._region.find(name)
        return alarm.state.value if alarm else None
