"""`relevantfields`: rank fields by how much they differ between events that meet a condition and all others.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-RelevantFields.html

AWS does not say how it scores. Here a score is how far the distribution of a field's values among the events that meet
the condition is from that among the others: for numbers the Kolmogorov-Smirnov distance, for words the total variation
distance, with values that occur only once taken together. Both are 0 for equal distributions, and 1 for distinct ones.
"""

from __future__ import annotations

from labkit.sandbox.logs.insights import tree
from labkit.sandbox.logs.insights.pipeline import Pipeline
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.insights.values import Kind, Value, converted, quoted

_CONTRIBUTORS = 3

_ANALYSIS = f"""
WITH pairs AS MATERIALIZED (
    SELECT hit, pair.name AS name, pair.value AS value FROM ({{rows}}) WHERE pair.value IS NOT NULL
), kinds AS (
    SELECT name, bool_and(text_number(value) IS NOT NULL) AS numeric,
        median(text_number(value)) FILTER (WHERE hit) AS inside,
        median(text_number(value)) FILTER (WHERE NOT hit) AS outside,
        count(*) FILTER (WHERE hit) AS hits, count(*) FILTER (WHERE NOT hit) AS others
    FROM pairs GROUP BY name
), counts AS (
    SELECT name, value, count(*) FILTER (WHERE hit) AS hit, count(*) FILTER (WHERE NOT hit) AS other
    FROM pairs GROUP BY name, value
), shares AS (
    SELECT name, numeric, CASE WHEN numeric OR hit + other > 1 THEN value END AS value,
        coalesce(sum(hit) / nullif(any_value(hits), 0), 0) AS inside,
        coalesce(sum(other) / nullif(any_value(others), 0), 0) AS outside
    FROM counts JOIN kinds USING (name) GROUP BY ALL
), distances AS (
    SELECT *, abs(inside - outside) AS distance,
        abs(sum(inside - outside) OVER (PARTITION BY name ORDER BY text_number(value))) AS reached
    FROM shares
), scores AS (
    SELECT name, CASE WHEN numeric THEN max(reached) ELSE sum(distance) / 2 END AS score,
        CASE WHEN NOT numeric THEN array_to_string(list(
            value || ': ' || number_text(round(100 * inside)) || '% against '
                || number_text(round(100 * outside)) || '%'
            ORDER BY distance DESC, value) FILTER (WHERE value IS NOT NULL)[:{_CONTRIBUTORS}], ', ') END AS contributors
    FROM distances GROUP BY name, numeric
)
SELECT name, CASE WHEN hits > 0 AND others > 0 THEN CAST(least(score, 1) AS DOUBLE) ELSE 0 END AS score, contributors,
    CASE WHEN numeric THEN inside END AS inside, CASE WHEN numeric THEN outside END AS outside
FROM scores JOIN kinds USING (name)
"""
_COLUMNS = {
    "@fieldName": ("name", Kind.TEXT),
    "@relevanceScore": ("score", Kind.NUMBER),
    "@topRelevanceContributors": ("contributors", Kind.TEXT),
    "@conditionalMedian": ("inside", Kind.NUMBER),
    "@baselineMedian": ("outside", Kind.NUMBER),
}


def relevantfields(pipeline: Pipeline, command: tree.Relevantfields) -> None:
    """Make a row of each field, the most relevant first; without a list, of all fields of the newest events."""
    if pipeline.sources is None:
        raise QueryError("relevantfields needs events, which the stats command before it left out", command.span)
    pipeline.note_matched()
    compiler = pipeline.expressions()
    named = command.fields or [tree.Field(command.span, tuple(name.split("."))) for name in pipeline.reading.names]
    pairs = [
        f"{{'name': {quoted(field.name)}, 'value': {converted(compiler.field(field), Kind.TEXT)}}}" for field in named
    ] or ["{'name': '', 'value': CAST(NULL AS VARCHAR)}"]
    hit = f"coalesce({compiler.condition(command.condition)}, FALSE)"
    rows = f"SELECT {hit} AS hit, unnest([{', '.join(pairs)}]) AS pair FROM ({pipeline.sql})"
    columns = {name: Value(pipeline.new_column(), kind) for name, (_, kind) in _COLUMNS.items()}
    selected = [f"{sql} AS {columns[name].sql}" for name, (sql, _) in _COLUMNS.items()]
    analysis = _ANALYSIS.replace("{rows}", rows)
    matched = f"({pipeline.matched_sql}) AS matched"
    sql = f"SELECT {', '.join([*selected, matched])} FROM ({analysis})"
    pipeline.groups = ()
    pipeline.replace_rows(sql, columns, [f"{columns['@relevanceScore'].sql} DESC", columns["@fieldName"].sql])
