"""What every describe, list and get of the lab's services says of a host: to be compared before and after."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from labkit.sandbox.host import Host
from tests.sandbox.in_process import client_maker

LISTINGS = {
    "ec2": [
        "describe_vpcs",
        "describe_subnets",
        "describe_instances",
        "describe_network_interfaces",
        "describe_security_groups",
        "describe_security_group_rules",
        "describe_network_acls",
        "describe_route_tables",
        "describe_internet_gateways",
        "describe_flow_logs",
        "describe_tags",
    ],
    "logs": ["describe_log_groups", "describe_metric_filters", "describe_queries", "describe_query_definitions"],
    "cloudwatch": ["describe_alarms", "describe_alarm_history", "list_metrics", "list_dashboards"],
    "sns": ["list_topics", "list_subscriptions"],
    "athena": ["list_work_groups", "list_query_executions", "list_named_queries", "list_data_catalogs"],
    "glue": ["get_databases"],
    "iam": ["list_roles", "list_policies"],
    "cloudformation": ["describe_stacks"],
    "s3": ["list_buckets"],
}
"""The operations that need no parameters."""


class Viewer:
    """Looks at a host as its clients would; clients are made once."""

    def __init__(self, host: Host) -> None:
        self._host = host
        make = client_maker(host)
        self._clients = {service: make(service) for service in LISTINGS}

    def view(self) -> dict[str, str]:
        """What each operation says, as text, by its name."""
        seen = {
            f"{service} {operation}": self._ask(service, operation)
            for service, operations in LISTINGS.items()
            for operation in operations
            if operation != "list_policies"
        }
        for look in (self._of_control, self._of_logs, self._of_notifications, self._of_athena, self._of_storage):
            look(seen)
        return {name: json.dumps(said, default=str, sort_keys=True) for name, said in seen.items()}

    def _ask(self, service: str, operation: str, **params: Any) -> Any:
        client = self._clients[service]
        if client.can_paginate(operation):
            pages = list(client.get_paginator(operation).paginate(**params))
        else:
            pages = [getattr(client, operation)(**params)]
        for page in pages:
            page.pop("ResponseMetadata")
        return pages

    def _each(self, listed: Any, member: str) -> list[Any]:
        return [each for page in listed for each in page.get(member, [])]

    def _of_control(self, seen: dict[str, Any]) -> None:
        sandbox = self._host.sandbox
        looks: dict[str, Callable[[], Any]] = {
            "clock": sandbox.clock.timestamp,
            "inbox": sandbox.notifications.inbox.messages,
        }
        seen.update({name: self._host.read(look) for name, look in looks.items()})

    def _of_logs(self, seen: dict[str, Any]) -> None:
        for group in self._each(seen["logs describe_log_groups"], "logGroups"):
            name = group["logGroupName"]
            for operation in ("describe_log_streams", "filter_log_events", "describe_subscription_filters"):
                seen[f"{operation} {name}"] = self._ask("logs", operation, logGroupName=name)
        for query in self._each(seen["logs describe_queries"], "queries"):
            seen[f"results {query['queryId']}"] = self._results(query["queryId"])
        seen["logs describe_queries"] = self._ask("logs", "describe_queries")  # all have ended by now

    def _results(self, id: str) -> Any:
        """What a query gave: it runs beside the requests, in real time."""
        while (found := self._ask("logs", "get_query_results", queryId=id))[0]["status"] in ("Scheduled", "Running"):
            pass
        return found

    def _of_notifications(self, seen: dict[str, Any]) -> None:
        for topic in self._each(seen["sns list_topics"], "Topics"):
            arn = topic["TopicArn"]
            seen[f"topic {arn}"] = self._ask("sns", "get_topic_attributes", TopicArn=arn)
        for subscription in self._each(seen["sns list_subscriptions"], "Subscriptions"):
            arn = subscription["SubscriptionArn"]
            if arn.startswith("arn:"):
                seen[f"subscription {arn}"] = self._ask("sns", "get_subscription_attributes", SubscriptionArn=arn)

    def _of_athena(self, seen: dict[str, Any]) -> None:
        for page in seen["athena list_query_executions"]:
            for id in page["QueryExecutionIds"]:
                seen[f"execution {id}"] = self._execution(id)
        for database in self._each(seen["glue get_databases"], "DatabaseList"):
            tables = self._ask("glue", "get_tables", DatabaseName=database["Name"])
            seen[f"tables of {database['Name']}"] = tables
            for table in self._each(tables, "TableList"):
                where = {"DatabaseName": database["Name"], "TableName": table["Name"]}
                seen[f"partitions of {table['Name']}"] = self._ask("glue", "get_partitions", **where)

    def _execution(self, id: str) -> Any:
        """A query once it is over: it runs beside the requests, in real time."""
        while True:
            (said,) = self._ask("athena", "get_query_execution", QueryExecutionId=id)
            execution = said["QueryExecution"]
            if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return execution

    def _of_storage(self, seen: dict[str, Any]) -> None:
        """Every object by its ETag, which is a digest of its bytes."""
        for bucket in self._each(seen["s3 list_buckets"], "Buckets"):
            seen[f"objects of {bucket['Name']}"] = self._ask("s3", "list_objects_v2", Bucket=bucket["Name"])
