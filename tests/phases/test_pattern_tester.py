"""The pattern tester: an answer at every change, refusals in words, and a static beginning."""

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from labkit.phases.metric_filter import PATTERN, SAMPLE_LINES
from labkit.phases.pattern_tester import PatternTester


class Logs:
    """A logs client that knows one thing: which lines have the pattern's text in them."""

    def test_metric_filter(self, filterPattern, logEventMessages):
        if filterPattern.startswith("[") and not filterPattern.endswith("]"):
            error = {"Code": "InvalidParameterException", "Message": "Invalid metric filter pattern <here>"}
            headers = {"x-sandbox-detail": "The fault is at character 18."}
            raise ClientError({"Error": error, "ResponseMetadata": {"HTTPHeaders": headers}}, "TestMetricFilter")
        word = "REJECT OK" if filterPattern == PATTERN else filterPattern
        return {
            "matches": [
                {"eventNumber": number, "eventMessage": line, "extractedValues": {"$1": word}}
                for number, line in enumerate(logEventMessages)
                if word in line
            ]
        }


@pytest.fixture
def tester():
    tester = PatternTester(SimpleNamespace(client=lambda service: Logs()))
    tester.build()
    return tester


def test_begins_with_the_labs_pattern_and_lines(tester):
    assert tester.pattern.value == PATTERN
    assert tester.typed.value.splitlines() == list(SAMPLE_LINES)
    assert "3 of 4 lines match" in tester.result.value


def test_answers_at_every_change_of_the_pattern(tester):
    tester.pattern.value = "ACCEPT"
    assert "1 of 4 lines match" in tester.result.value


def test_answers_at_every_change_of_the_lines(tester):
    tester.typed.value = "one REJECT OK\n\ntwo REJECT OK\n"
    assert "2 of 2 lines match" in tester.result.value


def test_a_refused_pattern_is_shown_in_cloudwatchs_words_escaped_and_with_the_place(tester):
    tester.pattern.value = "[version, account"
    assert (
        "<strong>InvalidParameterException</strong>: Invalid metric filter pattern &lt;here&gt;"
        " The fault is at character 18." in tester.result.value
    )


@pytest.mark.parametrize("field", ["pattern", "typed"])
def test_an_empty_field_asks_for_something_to_be_typed(tester, field):
    getattr(tester, field).value = "  "
    assert "Type a pattern" in tester.result.value


def test_without_widgets_it_is_the_first_answer(tester):
    bundle = tester._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "application/vnd.jupyter.widget-view+json"}
    assert "3 of 4 lines match" in bundle["text/plain"]
    assert "with a running kernel" in bundle["text/html"]
