"""The fields that Insights discovers in service logs other than JSON and flow log records.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
The regular expressions are read by Python and by DuckDB alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from labkit.sandbox.logs.insights.values import quoted

LAMBDA_GROUPS = "/aws/lambda/"
"""What the names of the log groups of Lambda functions begin with."""

_MAX_DEPTH = 8


def _balanced(depth: int) -> str:
    """Return a regular expression of text in braces that are nested up to `depth` levels."""
    inner = "[^{}]"
    for _ in range(depth):
        inner = rf"(?:[^{{}}]|\{{{inner}*\}})"
    return rf"\{{{inner}*\}}"


JSON_FRAGMENTS = (r"(?s)\{.*\}", _balanced(_MAX_DEPTH))
"""The JSON in a line that a Lambda function wrote, as SQL finds it; it has fields too. Where all from the first brace
to the last is none, the first of several pieces counts."""


@dataclass(frozen=True)
class Extract:
    """A field that is the first group of a regular expression."""

    pattern: str
    unit: int = 1
    """What a number is multiplied by: Insights gives memory in bytes, a line of Lambda in MB of a million."""

    @property
    def sql(self) -> str:
        """The SQL of the field in the column `message`; NULL if the message doesn't have it."""
        found = f"nullif(regexp_extract(message, {quoted(self.pattern)}, 1), '')"
        return found if self.unit == 1 else f"number_text(text_number({found}) * {self.unit})"

    def of(self, message: str) -> str | None:
        """The field of a message."""
        match = re.search(self.pattern, message)
        if match is None or self.unit == 1:
            return match and match[1]
        return str(int(match[1]) * self.unit)


_REQUEST_ID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

LAMBDA = {
    "@type": Extract(r"^(START|END|REPORT) RequestId: "),
    "@requestId": Extract(rf"^(?:(?:START|END|REPORT) RequestId: |[^\t]+\t)({_REQUEST_ID})"),
    "@duration": Extract(r"^REPORT RequestId: [^\t]+\tDuration: ([0-9.]+) ms"),
    "@billedDuration": Extract(r"^REPORT RequestId: .*\tBilled Duration: ([0-9.]+) ms"),
    "@initDuration": Extract(r"^REPORT RequestId: .*\tInit Duration: ([0-9.]+) ms"),
    "@memorySize": Extract(r"^REPORT RequestId: .*\tMemory Size: ([0-9]+) MB", unit=1_000_000),
    "@maxMemoryUsed": Extract(r"^REPORT RequestId: .*\tMax Memory Used: ([0-9]+) MB", unit=1_000_000),
    "@xrayTraceId": Extract(r"(?s)^REPORT RequestId: .*XRAY TraceId: ([^\s]+)"),
    "@xraySegmentId": Extract(r"(?s)^REPORT RequestId: .*SegmentId: ([^\s]+)"),
}
"""Of the lines that Lambda writes around an invocation, by name."""

_DNS_RECORD = r"^[0-9]+\.[0-9]+ [0-9-]+T[0-9:.]+Z Z[0-9A-Z]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+$"
_DNS_FIELDS = (
    *("version", "queryTimestamp", "hostZoneId", "queryName", "queryType"),
    *("responseCode", "protocol", "edgeLocation", "resolverIp", "ednsClientSubnet"),
)
"""In the order of a line of Route 53's query logs.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/query-logs.html
"""


def field_sql(name: str) -> str | None:
    """Return the SQL of a service log's field in the column `message`; None for any other name."""
    if name in LAMBDA:
        return LAMBDA[name].sql
    if name in _DNS_FIELDS:
        place = _DNS_FIELDS.index(name) + 1
        return f"CASE WHEN regexp_matches(message, {quoted(_DNS_RECORD)}) THEN split_part(message, ' ', {place}) END"
    return None


def discovered(message: str) -> dict[str, str]:
    """The fields of a message of a service's log, by name."""
    if re.search(_DNS_RECORD, message):
        return dict(zip(_DNS_FIELDS, message.split(" "), strict=True))
    found = {name: extract.of(message) for name, extract in LAMBDA.items()}
    return {name: value for name, value in found.items() if value}
