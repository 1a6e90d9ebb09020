"""Amazon CloudWatch Logs: log groups, events, filters, subscriptions, exports and Insights queries.

Events are stored in DuckDB, one table per log group (`store.EventStore`), because all three ways of
searching them compile to SQL: filter patterns, metric filters and Insights. Metric filters and subscription filters
see events as they arrive.

Central types: `groups.LogGroup` and its streams (what a user made), `store` (the events), `core.LogsCore` (what every
group of operations shares), `filter_patterns.FilterPattern`, `insights.engine.Job` and `Answer`.

Read it in this order: `groups`, `store`, `core`; `group_operations`, `event_operations` (the API); `filter_patterns`,
`metric_filters`, `subscription_filters` (what happens to events as they arrive); `insights` (queries); `export`,
`service`.

Example: a flow log puts the record `2 123456789012 eni-0a1 ... 22 6 ... REJECT OK`:

    PutLogEvents          -> the store gets one row: timestamp, ingestion_time, sequence, stream, message
    metric_filters        -> `[..., dstport=22, protocol=6, ..., action=REJECT, status]` matches, a sample is recorded
    StartQuery            -> "filter action = 'REJECT' | stats count(*)" counts it from then on
"""
