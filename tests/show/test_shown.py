"""Text and HTML of everything shown, from one object; whatever is in it is escaped."""

import pytest

from labkit.lab.cloud import Mail
from labkit.phases.inventory import Comparison, Inventory, Thing
from labkit.phases.metric_filter import PatternTest
from labkit.show import console
from labkit.show.cards import Card
from labkit.show.html import Html, folded, join, table, tag
from labkit.show.mailbox import Mailbox
from labkit.show.shown import text_table
from labkit.show.tables import Note, Table

EVIL = "<script>alert('x')</script>"
SHOWN = [
    Card(EVIL, EVIL, EVIL, EVIL, {EVIL: EVIL}, f"https://x/?{EVIL}", (EVIL,)),
    Table(EVIL, (EVIL,), [(EVIL,)]),
    Table(EVIL, (EVIL,), []),
    Note(EVIL),
    Mailbox(EVIL, (Mail(EVIL, EVIL, EVIL),)),
    PatternTest(EVIL, (EVIL,), {1: {EVIL: EVIL}}),
    Inventory((Thing(EVIL, EVIL),), ()),
    Comparison(Inventory((Thing(EVIL, EVIL),), ()), Inventory((), ())),
]


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: type(shown).__name__)
def test_whatever_is_in_it_is_escaped(shown):
    page = shown._repr_html_()
    assert "<script" not in page
    assert "&lt;script" in page


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: type(shown).__name__)
def test_text_is_text_and_no_memory_address(shown):
    assert repr(shown) == str(shown) == shown.text()
    assert EVIL in str(shown)
    assert " at 0x" not in f"{shown}{shown.html()}"


def test_html_escapes_text_and_keeps_html():
    assert tag("p", "a < b", tag("b", "c & d")) == "<p>a &lt; b<b>c &amp; d</b></p>"
    assert tag("a", href='x"y', class_="z", data_kind="w") == '<a href="x&quot;y" class="z" data-kind="w"></a>'
    assert join(["<", Html("<br>")]) == "&lt;<br>"
    assert folded("<more>", "x") == "<details><summary>&lt;more&gt;</summary>x</details>"


def test_a_table_has_a_caption_and_headers_with_a_scope():
    page = table(("what",), [("VPC",)], caption="Provided")
    assert '<caption style="text-align:left;font-weight:bold">Provided</caption>' in page
    assert '<th scope="col"' in page
    assert "<td" in page
    assert "VPC" in page


def test_columns_are_as_wide_as_their_longest_cell():
    assert text_table(("a", "b"), [("long", "x"), ("", "y")]) == "a     b\nlong  x\n      y"


def test_a_card_as_text():
    card = Card(
        "Flow log", "fl-1", "created", "ACTIVE", {"VPC": "vpc-1"}, "https://console", ("aws ec2 x", "aws ec2 y")
    )
    assert str(card) == "\n".join(
        (
            "Flow log fl-1 - created",
            "  Status: ACTIVE",
            "  VPC: vpc-1",
            "  Console: https://console",
            "  As AWS CLI:",
            "    aws ec2 x",
            "    aws ec2 y",
        )
    )
    assert str(Card("Log group", "g")) == "Log group g"


def test_a_cards_calls_are_folded_and_its_link_leads_to_the_console():
    page = Card("Flow log", "fl-1", console="https://console/#x", calls=("aws ec2 x",)).html()
    assert "<details><summary>What AWS was asked</summary><pre style=" in page
    assert 'overflow-wrap:anywhere">aws ec2 x</pre></details>' in page
    assert 'href="https://console/#x"' in page


def test_an_empty_table_says_none():
    assert str(Table("Delivered", ("key",), [])) == "Delivered: none"
    assert Table("Delivered", ("key",), []).html() == "<p>Delivered: none</p>"


def test_a_mailbox_hides_where_the_sandbox_listens():
    box = Mailbox(
        "me@example.com", (Mail("me@example.com", "Hello", "see http://127.0.0.1:4566/?a=b and http://localhost/x"),)
    )
    assert "see http://sandbox/?a=b and http://sandbox/x" in str(box)
    assert "1 mail" in str(box)
    assert "no mail to be seen here" in str(Mailbox("me@example.com", ()))


def test_a_mailbox_shows_no_token_that_somebody_else_could_use():
    body = f"http://127.0.0.1:4566/?Action=ConfirmSubscription&Token=2336412f37{'ab' * 123}\nbye"
    box = Mailbox("me@example.com", (Mail("me@example.com", "Hello", body),))
    assert "http://sandbox/?Action=ConfirmSubscription&Token=2336412f37...\nbye" in str(box)
    assert "Token=2336412f37...\nbye" in box.html()


def test_a_very_long_call_is_cut_in_its_middle_and_says_so():
    shown = str(Card("Table", "t", calls=("a" * 1000 + "b" * 1000,)))
    assert "a ... 1200 characters more ... b" in shown
    assert len(shown) < 1000


def test_a_comparison_says_what_is_left_and_what_is_missing():
    vpc, alarm = Thing("VPC", "vpc-1"), Thing("alarm", "SSH Rejects", usd_a_day=0.0033)
    before = Inventory((alarm,), (vpc,))
    assert str(Comparison(before, Inventory((), (vpc,)))).splitlines() == [
        "what   name         before  after",
        "alarm  SSH Rejects  there   -",
        "VPC    vpc-1        there   there",
        "0 left; everything that was provided is still there.",
    ]
    worse = Comparison(before, Inventory((alarm,), ()))
    assert worse.left == (alarm,)
    assert "1 left; 1 provided things are gone." in str(worse)
    assert str(worse).splitlines()[-1] == (
        "alarm SSH Rejects: it wasn't removed, or was made anew since; remove again. It costs less than a cent a day."
    )


def test_a_comparison_with_the_look_before_the_lab_has_three_columns_and_counts():
    vpc, files = Thing("VPC", "vpc-1"), [Thing("query results", "athena-results/", count) for count in (12, 3)]
    provided = (vpc,)
    sides = Inventory((files[0],), provided), Inventory((files[1],), provided), Inventory((), provided)
    assert str(Comparison(*sides)).splitlines()[:4] == [
        "what           name             before the lab  after it  after clean-up",
        "query results  athena-results/  -               12        3",
        "VPC            vpc-1            there           there     there",
        "1 left; everything that was provided is still there.",
    ]
    assert "3 in athena-results/: a query was run since; remove again. It costs nothing." in str(Comparison(*sides))


CONSOLE = [
    (
        console.vpc("eu-west-1", "vpc-1"),
        "https://eu-west-1.console.aws.amazon.com/vpcconsole/home?region=eu-west-1#VpcDetails:VpcId=vpc-1",
    ),
    (
        console.log_group("us-east-1", "/aws/x y"),
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/$252Faws$252Fx$2520y",
    ),
    (
        console.alarm("eu-west-1", "SSH Rejects"),
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#alarmsV2:alarm/SSH+Rejects",
    ),
    (
        console.bucket("eu-west-1", "b", "AWSLogs/"),
        "https://eu-west-1.console.aws.amazon.com/s3/buckets/b?region=eu-west-1&prefix=AWSLogs/",
    ),
    (
        console.topic("eu-west-1", "arn:x"),
        "https://eu-west-1.console.aws.amazon.com/sns/v3/home?region=eu-west-1#/topic/arn:x",
    ),
    (
        console.instance("eu-west-1", "i-1"),
        "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#InstanceDetails:instanceId=i-1",
    ),
]


@pytest.mark.parametrize(("link", "wanted"), CONSOLE, ids=lambda link: "")
def test_console_links(link, wanted):
    assert link == wanted
