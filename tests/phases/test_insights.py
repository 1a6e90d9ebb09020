"""Searching the log group: answers as numbers, their cost, and what the check looks for."""

from datetime import timedelta

import pandas as pd
import pytest
from botocore.exceptions import ClientError

from labkit.checks.items import Verdict
from labkit.lab import prices
from labkit.lab.errors import LabError
from labkit.phases import insights
from tests.phases.verdicts import make_log_group, put_records, verdicts

LINE = "2 123456789012 eni-0a1b2c3d4e5f60718 {source} 10.0.1.10 39611 {port} 6 1 40 1793610000 1793610058 {action} OK"
TRAFFIC = [("198.51.100.7", 22, "REJECT")] * 3 + [("192.0.2.5", 23, "REJECT"), ("203.0.113.10", 22, "ACCEPT")]


@pytest.fixture(scope="module")
def lab_with_records(lab):
    """The lab with five records of a minute ago in its log group, and an older one."""
    make_log_group(lab)
    lines = [LINE.format(source=source, port=port, action=action) for source, port, action in TRAFFIC]
    put_records(lab, lines[0], minutes_ago=360)
    put_records(lab, *lines, minutes_ago=1)
    return lab


def test_check_before_anything_is_there(lab):
    assert verdicts(insights.check(lab)) == [Verdict.ABSENT, Verdict.ABSENT]


def test_check_before_anything_was_asked(lab_with_records):
    records, queries = insights.check(lab_with_records).items
    assert records.verdict is Verdict.RIGHT
    assert queries.verdict is Verdict.ABSENT
    assert "sample query" in queries.hint


def test_top_sources_are_counted_and_sorted(lab_with_records):
    top = insights.top_rejected_sources(lab_with_records)
    assert top.to_dict("list") == {"srcAddr": ["198.51.100.7", "192.0.2.5"], "numRejections": [4, 1]}
    assert pd.api.types.is_integer_dtype(top["numRejections"])


def test_hours_bound_what_is_read(lab_with_records):
    last_hour = insights.run_query(lab_with_records, hours=1)
    assert list(last_hour["numRejections"]) == [3, 1]
    assert 0 < last_hour.attrs["bytesScanned"] < insights.run_query(lab_with_records).attrs["bytesScanned"]


def test_a_query_is_priced_by_what_it_scanned(lab_with_records):
    answer = insights.top_rejected_sources(lab_with_records)
    answer.attrs |= {"bytesScanned": 1024**3, "usd": prices.insights_query(1024**3, "eu-west-1")}
    assert str(insights.price(answer)) == "Scanned 1,073,741,824 bytes. On AWS: $0.005."
    fresh = insights.top_rejected_sources(lab_with_records)
    assert fresh.attrs["usd"] == prices.insights_query(fresh.attrs["bytesScanned"], "eu-west-1") > 0


def test_text_stays_text_and_pointers_are_left_out(lab_with_records):
    rows = insights.run_query(lab_with_records, "fields @timestamp, srcAddr, dstPort | limit 2")
    assert list(rows.columns) == ["@timestamp", "srcAddr", "dstPort"]
    assert not pd.api.types.is_numeric_dtype(rows["srcAddr"])
    assert pd.api.types.is_integer_dtype(rows["dstPort"])


def test_no_rows_are_an_empty_frame(lab_with_records):
    assert insights.run_query(lab_with_records, 'filter srcAddr = "192.0.2.200"').empty


def test_a_malformed_query_is_refused_in_awss_words(lab_with_records):
    with pytest.raises(ClientError, match="MalformedQueryException"):
        insights.run_query(lab_with_records, "filtre action")


def test_check_after_the_question(lab_with_records):
    assert insights.check(lab_with_records).passed


def test_clean_up_has_nothing_to_remove(lab_with_records):
    assert "nothing" in str(insights.clean_up(lab_with_records))


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "Timeout"])
def test_a_query_that_fails_says_how_it_ended(lab, monkeypatch, status):
    monkeypatch.setattr(lab.client("logs"), "get_query_results", lambda queryId: {"status": status}, raising=False)
    monkeypatch.setattr(lab.client("logs"), "start_query", lambda **_: {"queryId": "1"}, raising=False)
    with pytest.raises(LabError, match=f"ended as {status}"):
        insights.run_query(lab)


def test_a_query_that_never_ends_is_given_up(lab, monkeypatch):
    monkeypatch.setattr(insights, "_SECONDS_BETWEEN_POLLS", 0)
    monkeypatch.setattr(lab.client("logs"), "get_query_results", lambda queryId: {"status": "Running"}, raising=False)
    monkeypatch.setattr(lab.client("logs"), "start_query", lambda **_: {"queryId": "q-1"}, raising=False)
    with pytest.raises(LabError, match="q-1 is still running"):
        insights.run_query(lab, hours=timedelta(days=1).total_seconds() / 3600)
