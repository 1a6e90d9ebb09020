"""The metric filter: patterns are judged by what they match, the metric by its name; other words are as good."""

import pytest
from botocore.exceptions import ClientError

from labkit.checks.check import check
from labkit.lab.errors import LabError
from labkit.phases import flow_logs, metric_filter
from labkit.phases.metric_filter import METRIC_NAME, METRIC_VALUE, NAMESPACE, PATTERN, SAMPLE_LINES
from labkit.show.cell_errors import lines
from tests.phases.verdicts import absent, cases, item, named, wrong

KEY = "metric filter"
FILTER = "metric filter dest-port-22-rejects of VPCFlowLogs"
CASES = cases(__file__, "metric_filter.json")
PATTERNS = [case for case in CASES if "pattern" in case]
METRICS = [case for case in CASES if "metric" in case]
METRIC = {"metricNamespace": NAMESPACE, "metricName": METRIC_NAME, "metricValue": METRIC_VALUE}
WORDS = {
    "[line, {front}": "[line, version, account, eni, source, destination, srcport, ",
    "{front}": "[version, account, eni, source, destination, srcport, ",
    "{start}": "[version, account, eni, source, destination, ",
    "{middle}": "packets, bytes, windowstart, windowend, ",
    "{end}": 'packets, bytes, windowstart, windowend, action="REJECT", flowlogstatus]',
}
"""What the patterns in the file have in common, written short there."""


def written_out(pattern):
    for word, fields in WORDS.items():
        pattern = pattern.replace(word, fields)
    return pattern


@pytest.fixture(autouse=True)
def group(lab):
    """Each test has the log group, and no filter on it."""
    logs = lab.client("logs")
    flow_logs.create_log_group(lab)
    yield
    for each in logs.describe_metric_filters(logGroupName="VPCFlowLogs")["metricFilters"]:
        logs.delete_metric_filter(logGroupName="VPCFlowLogs", filterName=each["filterName"])


def put(lab, *, pattern=PATTERN, metric=METRIC, name=metric_filter.FILTER_NAME):
    asked = {"filterName": name, "filterPattern": pattern, "metricTransformations": [metric]}
    lab.client("logs").put_metric_filter(logGroupName="VPCFlowLogs", **asked)


@pytest.mark.parametrize("case", PATTERNS, ids=named)
def test_a_pattern_is_judged_by_what_it_matches(lab, case):
    pattern = written_out(case["pattern"])
    put(lab, pattern=pattern)
    found = check(KEY)
    assert found.passed is case["is_right"]
    if not found.passed:
        told = item(found, "pattern picks rejected SSH attempts")
        assert told.seen == (pattern or "an empty pattern, which matches everything")
        assert told.wanted == PATTERN
        assert "count the fields" in told.hint
        assert list(wrong(found)) == [told.name]


@pytest.mark.parametrize("pattern", ["REJECT", PATTERN.replace("flowlogstatus", "status"), PATTERN])
def test_the_lab_puts_its_own_pattern_in_place_of_another_and_leaves_it_then(lab, pattern):
    put(lab, pattern=pattern)
    assert metric_filter.create_metric_filter(lab).outcome == ("already there" if pattern == PATTERN else "created")
    assert metric_filter.create_metric_filter(lab).outcome == "already there"
    assert metric_filter.find_filter(lab)["filterPattern"] == PATTERN


@pytest.mark.parametrize("case", METRICS, ids=named)
def test_another_metric_or_value_is_present_but_wrong_and_put_right_by_the_lab(lab, case):
    put(lab, metric=case["metric"])
    found = check(KEY)
    assert (wrong(found), absent(found)) == (case["wrong"], [])
    assert all("that replaces it" in each.hint for each in found.items if each.hint)
    assert metric_filter.create_metric_filter(lab).outcome == "created"
    assert check(KEY).passed


@pytest.mark.parametrize("between", [",", ",   ", " ,", ",\t"])
def test_spaces_between_the_fields_do_not_count(lab, between):
    put(lab, pattern=PATTERN.replace(", ", between))
    assert check(KEY).passed


def test_a_default_value_for_minutes_without_a_match_is_no_fault(lab):
    put(lab, metric=METRIC | {"defaultValue": 0.0})
    assert check(KEY).passed


def test_without_a_filter_one_is_asked_for_by_name(lab):
    found = check(KEY)
    assert absent(found) == [FILTER]
    assert "with the name dest-port-22-rejects" in found.items[0].hint


def test_without_a_log_group_a_filter_is_absent_too(lab):
    lab.client("logs").delete_log_group(logGroupName="VPCFlowLogs")
    assert absent(check(KEY)) == [FILTER]
    flow_logs.create_log_group(lab)


@pytest.mark.parametrize(
    "name", ["dest-port-22-reject", "SSH Rejects", "Dest-Port-22-Rejects", "dest-port-22-rejects-2"]
)
def test_the_filter_under_another_name_is_present_but_wrong(lab, name):
    put(lab, name=name)
    found = check(KEY)
    assert wrong(found) == {FILTER: f"one that is called {name}"}
    assert "delete this one" in found.items[0].hint


def test_another_pattern_into_the_labs_metric_is_taken_for_a_misnamed_one(lab):
    put(lab, name="mine", pattern="REJECT")
    assert wrong(check(KEY)) == {FILTER: "one that is called mine"}


def test_a_filter_for_something_else_is_not_mistaken_for_the_labs(lab):
    put(lab, name="accepted", pattern=PATTERN.replace("REJECT", "ACCEPT"), metric=METRIC | {"metricName": "accepts"})
    assert absent(check(KEY)) == [FILTER]
    metric_filter.create_metric_filter(lab)
    assert check(KEY).passed


def test_the_card_names_group_metric_and_value_and_what_aws_was_asked(lab):
    card = metric_filter.create_metric_filter(lab)
    assert card.details == {
        "Log group": "VPCFlowLogs",
        "Metric": "VPC Flow Logs / ssh-rejects",
        "Value for a match": "1",
    }
    asked = next(line for line in card.calls if "put-metric-filter" in line)
    assert "--filter-name dest-port-22-rejects" in asked
    assert "metricName=ssh-rejects" in asked


class TestTryPattern:
    @pytest.mark.parametrize(
        ("pattern", "matches"),
        [
            ("", (1, 2, 3, 4)),
            ("REJECT", (1, 2, 4)),
            ('-"REJECT"', (3,)),
            ('?ACCEPT ?"203.0.113.128"', (1, 3, 4)),
            ("[..., action=ACCEPT, status]", (3,)),
            ("[version, account, eni, source=192.0.2.181, ...]", (3,)),
            ('[version, account, eni, source="203.*", ...]', (1, 4)),
            ("[version, account, eni, source, destination, sp, dp=80, ...]", (4,)),
            ("[version, account, eni, source, destination, sp>50000, ...]", (3,)),
            ("[version, account, eni, source, destination, sp, dp, proto, packets, bytes>=44, ...]", (2, 3)),
            ("[a, b, c, d, e, f, g, h, i, j, k, l, m, n, fifteenth]", ()),
        ],
    )
    def test_says_which_of_the_sample_lines_match(self, lab, pattern, matches):
        assert metric_filter.try_pattern(lab, pattern).matches == matches

    def test_takes_the_learners_own_lines_and_reads_their_fields(self, lab):
        line = SAMPLE_LINES[0].replace(" 22 6 ", " 3389 6 ")
        tried = metric_filter.try_pattern(lab, PATTERN.replace('"22"', '"3389"'), (line, *SAMPLE_LINES))
        assert tried.matches == (1,)
        assert {tried.extracted[1][name] for name in ("destport", "action", "source")} == {
            "3389",
            "REJECT",
            "203.0.113.128",
        }

    def test_two_lines_that_are_the_same_both_match(self, lab):
        assert metric_filter.try_pattern(lab, PATTERN, (SAMPLE_LINES[0], SAMPLE_LINES[0])).matches == (1, 2)

    @pytest.mark.parametrize("given", [(), "2 123456789012 eni-1 REJECT"])
    def test_asks_for_lines_where_there_are_none_or_one_that_is_no_tuple(self, lab, given):
        with pytest.raises(LabError, match=r"give the lines as a tuple, one at least: `\(line,\)`"):
            metric_filter.try_pattern(lab, PATTERN, given)

    @pytest.mark.parametrize("pattern", ["[version, account", '"REJECT', "[a, a]]", "{ $.action = "])
    def test_a_pattern_that_cannot_be_read_ends_in_what_to_look_for(self, lab, pattern):
        with pytest.raises(ClientError) as refusal:
            metric_filter.try_pattern(lab, pattern)
        said, step = lines(refusal.value)
        assert "InvalidParameterException" in said
        assert "missing bracket or quotation mark" in step

    def test_without_a_match_nothing_is_read_and_the_text_says_so(self, lab):
        tried = metric_filter.try_pattern(lab, PATTERN.replace("22", "1"))
        assert str(tried).startswith("0 of 4 lines match\n")
        assert tried.text().count("no match") == 4

    def test_lines_from_strangers_are_escaped_on_the_page(self, lab):
        page = metric_filter.try_pattern(lab, "", ("<script>alert(1)</script>",)).html()
        assert "<script>" not in page
        assert "&lt;script&gt;" in page


def test_cleaning_up_tells_the_labs_filter_from_one_made_by_hand(lab):
    metric_filter.create_metric_filter(lab)
    assert str(metric_filter.clean_up(lab)) == "Metric filter dest-port-22-rejects: deleted."
    assert str(metric_filter.clean_up(lab)) == "Metric filter dest-port-22-rejects: already gone."


def test_every_field_of_the_pattern_is_explained_in_the_order_of_a_record(lab):
    rows = metric_filter.explain_pattern().rows
    assert [row[0] for row in rows] == [str(place) for place in range(1, 15)]
    assert all(meaning for *_, meaning in rows)
    values = SAMPLE_LINES[0].split()
    told = {name: values[int(place) - 1] for place, name, *_ in rows}
    assert (told["destport"], told["protocol"], told["action"], told["flowlogstatus"]) == ("22", "6", "REJECT", "OK")
