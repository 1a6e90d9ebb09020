"""Amazon CloudWatch: metrics, metric math, alarms and their evaluation in virtual time.

Samples go into `samples.MetricStore`; everything that reads them (GetMetricData, alarms) goes through
`queries.Queries`. Alarms are evaluated on the sandbox's clock, not when somebody asks.

Central types: `samples.Metric` and `samples.SampleSet` (what was published), `queries.Window` (a range of time cut
into periods), `evaluation.Datapoint`, `Rule` and `Verdict` (one evaluation), `alarm.MetricAlarm` and
`alarm.CompositeAlarm` (what a user made), `region.Region` (all of it in one region).

Read it in this order: `samples`, `statistics`, `queries` (data); `functions`, `expression`, `search` (metric math);
`evaluation`, `windows`, `evaluator`, `schedule` (when an alarm changes its state); `rules`, `suppression`
(composite alarms); `state_changes`, `reasons`, `messages` (what a user is told); `checks`, `metric_operations`,
`alarm_operations`, `retrieval`, `labels`, `service` (the API).

Example: a metric filter records one rejected SSH attempt at 09:04:20, and an alarm watches Sum > 0 over 1 period
of 60 seconds:

    service.record(...)       -> the sample is stored in the minute 09:04, and the alarm is woken
    09:05:00 on the clock     -> Evaluator._evaluate: range 08:53 to 09:05, one datapoint (09:04, 1.0), it breaches
    Evaluator.change          -> INSUFFICIENT_DATA -> ALARM, history, SNS message, composite alarms above it
"""
