"""Formats of dates: what is parsed, what is written, and how letters that mean nothing are refused."""

import pytest

from labkit.sandbox.logs.insights.dates import of_java, of_strftime
from labkit.sandbox.logs.insights.tree import QueryError, Span
from tests.sandbox.logs.insights.runs import START, value

PLACE = Span(3, 7)
JAVA = [
    ("uuuu/M/d H:m:s", "2026/11/2 9:0:0", 0),
    ("yy-MM-dd hh:mm a", "26-11-02 09:00 AM", 0),
    ("EEE, dd MMM yyyy HH:mm:ss", "Mon, 02 Nov 2026 09:00:00", 0),
    ("EEEE d MMMM yyyy HH", "Monday 2 November 2026 09", 0),
    ("yyyy-DDD HH", "2026-306 09", 0),
    ("yyyy-MM-dd'T'HH:mm:ss.SSS", "2026-11-02T09:00:00.250", 250),
    ("yyyy-MM-dd HH:mm:ss.SSSSSS", "2026-11-02 09:00:00.250999", 250),
    ("yyyy-MM-dd HH:mm:ssxxx", "2026-11-02 10:00:00+01:00", 0),
    ("yyyy-MM-dd HH 'o''clock' ''%", "2026-11-02 09 o'clock '%", 0),
]


@pytest.mark.parametrize(("pattern", "text", "milliseconds"), JAVA)
def test_a_date_is_parsed_by_javas_letters(pattern, text, milliseconds):
    assert value(f'parseDate(t, "{pattern}")', {"t": text}) == str(START + milliseconds)


@pytest.mark.parametrize("text", ["2026-11-02", "2026-13-02 09", "", "2026-11-02 09 and more", 5])
def test_what_does_not_fit_the_pattern_is_nothing(text):
    assert value('parseDate(t, "yyyy-MM-dd HH")', {"t": text}) is None


@pytest.mark.parametrize("pattern", ["QQ", "yyy", "yyyy-MM-dd VV", "[HH]", "'open", "k", "{}", "HH#"])
def test_letters_that_mean_nothing_here_are_refused(pattern):
    with pytest.raises(QueryError, match="is no pattern letter") as caught:
        of_java(pattern, PLACE)
    assert caught.value.span == PLACE


STRFTIME = [
    ("%d.%m.%y %H:%M:%S", "02.11.26 09:00:00"),
    ("%e %b, %R", "2 Nov, 09:00"),
    ("%D", "11/02/26"),
    ("100%%{}", "100%{}"),
]


@pytest.mark.parametrize(("pattern", "text"), STRFTIME)
def test_a_time_is_written_by_the_directives_of_strftime(pattern, text):
    assert value(f'formatDate(@timestamp, "{pattern}")') == text


@pytest.mark.parametrize("pattern", ["%", "%q", "%z", "%-Y", "% d"])
def test_directives_that_are_not_here_are_refused(pattern):
    with pytest.raises(QueryError, match="is no directive") as caught:
        of_strftime(pattern, PLACE)
    assert caught.value.span == PLACE


def test_zones_change_with_the_season():
    query = "formatDate(fromMillis({}), '%H', 'Europe/Dublin')"
    summer, winter = (value(query.format(START + months * 30 * 86_400_000)) for months in (-4, 0))
    assert (summer, winter) == ("10", "09")
