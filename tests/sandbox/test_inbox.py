import re
from datetime import UTC, datetime
from xml.etree import ElementTree

from labkit.sandbox.inbox import Inbox
from labkit.sandbox.outbox import Outbox

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_mails_are_kept_in_order():
    inbox = Inbox(Outbox())
    inbox.deliver("a@example.com", "first", "one", NOON)
    inbox.deliver("b@example.com", "second", "two", NOON)
    assert inbox.messages() == [
        {"to": "a@example.com", "subject": "first", "body": "one", "at": "2026-11-02T12:00:00Z"},
        {"to": "b@example.com", "subject": "second", "body": "two", "at": "2026-11-02T12:00:00Z"},
    ]


def test_the_page_shows_the_newest_first_with_links_to_click():
    inbox = Inbox(Outbox())
    inbox.deliver("a@example.com", "first", "see http://127.0.0.1:4566/?Action=X&Token=abc now", NOON)
    inbox.deliver("a@example.com", "second", "", NOON)
    page = inbox.page()
    assert page.index("second") < page.index("first")
    assert '<a href="http://127.0.0.1:4566/?Action=X&amp;Token=abc" rel="noreferrer">' in page


def test_nothing_of_a_mail_is_markup():
    inbox = Inbox(Outbox())
    inbox.deliver("<b>@example.com", "<script>alert(1)</script>", '<img src=x> http://x/"onclick="y', NOON)
    page = inbox.page()
    assert "<script>" not in page
    assert "<img" not in page
    assert "<b>@" not in page
    assert 'onclick="' not in page


def test_an_empty_inbox_says_so():
    assert "No mail yet." in Inbox(Outbox()).page()


def test_the_page_is_well_formed_and_says_what_it_shows():
    inbox = Inbox(Outbox())
    inbox.deliver("a@example.com", "first & last", "x < y", NOON)
    inbox.deliver("a@example.com", "second COUNT", "MAILS", NOON)
    page = ElementTree.fromstring(re.sub("<!doctype html>|<meta[^>]*>", "", inbox.page()))
    assert page.get("lang") == "en"
    assert page.findtext("head/title") == "Inbox of the sandbox: 2 mails"
    newest, oldest = page.findall("body/main/ul/li/details")
    assert (newest.get("open"), oldest.get("open")) == ("", None)
    assert (newest.findtext("summary/strong"), newest.findtext("pre")) == ("second COUNT", "MAILS")
    assert oldest.findtext("pre") == "x < y"
    moment = oldest.find("summary/span/time")
    assert (moment.get("datetime"), moment.text) == ("2026-11-02T12:00:00Z", "02 November 2026, 12:00:00 UTC")
