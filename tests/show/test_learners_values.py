"""What is the learner's own, or a stranger's, stands on the page as text, whatever it holds."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from labkit.checks import Check, absent, right, wrong
from labkit.phases.inventory import Comparison, Inventory, Thing
from labkit.progress import Progress
from labkit.settings import Settings
from labkit.show import console
from labkit.show.cards import Card
from labkit.show.charts import rejects_by_source
from labkit.show.class_view import class_table, learner_table
from labkit.show.console_steps import UnknownAction, _recipes, in_console
from labkit.show.explorer import explore
from labkit.show.flow_map import flow_map
from labkit.show.html import Html, folded, join, marked_up, table, tag
from labkit.show.mailbox import Mailbox
from labkit.show.pictures import picture
from labkit.show.settings_form import SettingsForm
from labkit.show.tables import CliLines, Note, Table

HOSTILE = json.loads(Path(__file__).with_name("hostile_values.json").read_text("utf-8"))
every_hostile_value = pytest.mark.parametrize("case", HOSTILE, ids=lambda case: case["name"])
PLAIN = {
    "bucket": "my-vpcflowlogsbucket",
    "region": "eu-central-1",
    "account_id": "123456789012",
    "email": "ann@example.com",
    "vpc name": "Lab VPC",
    "vpc id": "vpc-1",
    "server name": "Web Server",
    "server id": "i-1",
    "server address": "203.0.113.9",
    "role": "lab-DeliverVPCFlowLogsRole",
}


def lab_with(**differing):
    """As much of a lab as the steps in the console have values from."""
    values = PLAIN | {name.replace("_", " ") if name not in PLAIN else name: differing[name] for name in differing}
    return SimpleNamespace(
        region=values["region"],
        bucket=values["bucket"],
        account_id=values["account_id"],
        case_number=7,
        email=values["email"],
        vpc=SimpleNamespace(id=values["vpc id"], name=values["vpc name"]),
        web_server=SimpleNamespace(
            id=values["server id"], name=values["server name"], public_ip=values["server address"]
        ),
        delivery_role=SimpleNamespace(name=values["role"]),
        now=lambda: datetime(2026, 11, 2, tzinfo=UTC),
    )


def steps_that_hold(lab, value):
    return [action for action in _recipes() if value in in_console(lab, action).text()]


class TestConsoleSteps:
    @pytest.mark.parametrize("name", PLAIN)
    def test_have_each_of_the_learners_values_somewhere(self, name):
        assert steps_that_hold(lab_with(), PLAIN[name]) != []

    @every_hostile_value
    @pytest.mark.parametrize("name", PLAIN)
    def test_show_each_value_as_text_whatever_it_holds(self, name, case):
        lab = lab_with(**{name: case["value"]})
        for action in steps_that_hold(lab, case["value"]):
            page = in_console(lab, action).html()
            assert case["escaped"] in page
            assert case["value"] not in page.replace(case["escaped"], "")

    @pytest.mark.parametrize("value", ["a {lab} name", "{0}", "{now:%Y}", "100%"])
    def test_fill_nothing_into_a_value_that_looks_like_a_placeholder(self, value):
        assert f"`{value}`" in in_console(lab_with(bucket=value), "read the bucket policy").text()

    @pytest.mark.parametrize("action", list(_recipes()))
    def test_are_numbered_from_one_and_each_is_a_sentence(self, action):
        head, *steps = in_console(lab_with(), action).text().splitlines()
        assert head == f"In the console: {action}"
        assert [step.split()[0] for step in steps] == [f"{number}." for number in range(1, len(steps) + 1)]
        assert all(step.endswith((".", "`", ")", ":")) or "→" in step for step in steps), steps

    @pytest.mark.parametrize("action", list(_recipes()))
    def test_have_no_value_of_anybody_elses(self, action):
        text = in_console(lab_with(), action).text()
        assert "eu-west-1" not in text
        assert "us-east-1" not in text
        assert "REPLACE" not in text
        assert "YOUR" not in text.upper().replace("YOUR VPCS", "").replace("YOUR OWN", "")

    def test_of_the_table_follow_the_day(self):
        lab = lab_with()
        lab.now = lambda: datetime(2027, 3, 9, tzinfo=UTC)
        assert "eu-central-1 → 2027 → 03 → 09 →" in in_console(lab, "create the table").text()

    @pytest.mark.parametrize("action", ["", "Create the alarm", "alarm", None])
    def test_of_what_is_no_action_are_refused_with_where_to_choose_one(self, action):
        with pytest.raises(UnknownAction, match=r"choose one such as .*, or another one of labkit/show/console_steps"):
            in_console(lab_with(), action)


@every_hostile_value
class TestOnThePage:
    def test_a_card_is_text_in_its_every_part(self, case):
        value = case["value"]
        card = Card(value, value, value, value, {value: value}, "", (value,))
        assert card.html().count(case["escaped"]) == 7
        assert case["value"] not in card.html().replace(case["escaped"], "")

    def test_a_table_is(self, case):
        page = Table(case["value"], [case["value"]], [[case["value"]]]).html()
        assert page.count(case["escaped"]) == 3

    def test_a_note_and_a_call_are(self, case):
        assert case["escaped"] in Note(case["value"]).html()
        assert case["escaped"] in CliLines((case["value"],)).html()

    def test_a_check_is_with_what_it_saw_and_hints(self, case):
        value = case["value"]
        items = (right(value, value), wrong(value, seen=value, wanted=value, hint=value), absent(value, hint=value))
        page = Check("alarm", items).html()
        assert page.count(case["escaped"]) >= 7
        assert value not in page.replace(case["escaped"], "")

    def test_a_mail_is(self, case):
        mail = SimpleNamespace(subject=case["value"], body=case["value"])
        page = Mailbox(case["value"], [mail]).html()
        assert page.count(case["escaped"]) == 3

    def test_an_inventory_and_a_comparison_are(self, case):
        things = (Thing("log group", case["value"], 0, 0.1),)
        look = Inventory(things, things, things)
        assert case["escaped"] in look.html()
        assert case["escaped"] in Comparison(look, look).html()
        assert case["value"] not in Comparison(look, look).html().replace(case["escaped"], "")

    def test_the_words_of_a_chart_are(self, case):
        frame = pd.DataFrame({"source": [case["value"]], "rejects": [3]})
        shown = picture(rejects_by_source(frame))
        page = shown.html()
        assert f"{case['escaped']} 3" in page.partition("<summary>")[2]
        assert case["value"] not in page.replace(case["escaped"], "")

    def test_the_settings_are(self, case):
        form = SettingsForm(Settings(email=case["value"]), use=lambda _: None)
        assert case["escaped"] in form.html()

    def test_a_learners_name_is(self, case):
        learner = Progress(case["value"], 1)
        assert case["escaped"] in learner_table(learner).html()
        assert case["escaped"] in class_table([learner, learner]).html()


class TestHtml:
    @pytest.mark.parametrize(
        ("made", "html"),
        [
            (tag("p"), "<p></p>"),
            (tag("p", "a", "b"), "<p>ab</p>"),
            (tag("p", tag("b", "<")), "<p><b>&lt;</b></p>"),
            (tag("a", "x", href='"><script>'), '<a href="&quot;&gt;&lt;script&gt;">x</a>'),
            (tag("p", "x", class_="num", aria_label="a & b"), '<p class="num" aria-label="a &amp; b">x</p>'),
            (tag("p", "x", style=""), "<p>x</p>"),
            (tag("details", "x", name="one"), '<details name="one">x</details>'),
            (join(["<", Html("<br>"), "&"]), "&lt;<br>&amp;"),
            (folded("<s>", "<t>"), "<details><summary>&lt;s&gt;</summary>&lt;t&gt;</details>"),
            (marked_up("a `b < c` d `e`"), "a <code>b &lt; c</code> d <code>e</code>"),
            (marked_up("no code & none"), "no code &amp; none"),
            (marked_up("one ` alone"), "one ` alone"),
            (marked_up("``"), "<code></code>"),
        ],
    )
    def test_is_text_but_for_what_was_made_as_html(self, made, html):
        assert made == html
        assert isinstance(made, Html)

    def test_a_table_without_rows_has_its_head_still(self):
        assert table(["a"], []).endswith("</tr></thead><tbody></tbody></table>")


LINKS = {
    "vpc": (console.vpc, "vpc-0a1", "vpcconsole/home?region=eu-west-1#VpcDetails:VpcId=vpc-0a1"),
    "instance": (console.instance, "i-0a1", "ec2/home?region=eu-west-1#InstanceDetails:instanceId=i-0a1"),
    "topic": (console.topic, "arn:aws:sns:x:1:t", "sns/v3/home?region=eu-west-1#/topic/arn:aws:sns:x:1:t"),
    "alarm": (console.alarm, "SSH Rejects", "cloudwatch/home?region=eu-west-1#alarmsV2:alarm/SSH+Rejects"),
    "alarm with odd signs": (console.alarm, "a/b&c", "cloudwatch/home?region=eu-west-1#alarmsV2:alarm/a%2Fb%26c"),
    "log group": (
        console.log_group,
        "VPCFlowLogs",
        "cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/VPCFlowLogs",
    ),
    "log group with slashes": (
        console.log_group,
        "investigation/case-7/logins",
        "cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/investigation$252Fcase-7$252Flogins",
    ),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_leads_to_the_consoles_own_page_of_the_region(name):
    make, what, wanted = LINKS[name]
    assert make("eu-west-1", what) == f"https://eu-west-1.console.aws.amazon.com/{wanted}"
    assert make("us-east-1", what).startswith("https://us-east-1.console.aws.amazon.com/")
    assert "region=us-east-1" in make("us-east-1", what)


def test_a_buckets_link_may_lead_into_a_folder():
    assert console.bucket("eu-west-1", "b", "AWSLogs/1 2/").endswith(
        "/s3/buckets/b?region=eu-west-1&prefix=AWSLogs/1%202/"
    )


class TestStaticRenderings:
    def test_of_the_explorer_is_a_chart_with_words_and_a_word_on_what_is_missing(self):
        frame = pd.DataFrame({"source": ["192.0.2.7"], "port": [22], "weekday": [1], "hour": [9], "rejects": [5]})
        page = explore(frame).html()
        assert "with a running kernel" in page
        assert 'alt="' in page
        assert "22 SSH 5" in page

    def test_of_the_flow_map_is_told_in_words(self):
        frame = pd.DataFrame({"s": ["a", "b"], "p": [22, 443], "v": ["REJECT", "ACCEPT"], "n": [3, 4]})
        assert "b to 443 HTTPS, ACCEPT: 4; a to 22 SSH, REJECT: 3" in picture(flow_map(frame)).text()

    def test_of_the_form_is_a_table_and_says_that_it_is_a_form_elsewhere(self):
        page = SettingsForm(Settings(), use=lambda _: None).html()
        assert "<caption" in page
        assert "this is a form" in page
        assert "<input" not in page

    @pytest.mark.parametrize("count", [0, 1, 2])
    def test_of_a_mailbox_counts_its_mails_and_opens_the_latest(self, count):
        mails = [SimpleNamespace(subject=f"Mail {number}", body="text") for number in range(count)]
        box = Mailbox("ann@example.com", mails)
        words = {0: "no mail to be seen here", 1: "1 mail", 2: "2 mails"}[count]
        assert f": {words}" in box.text()
        assert box.html().count("<details") == count
        assert box.html().count('open="open"') == min(count, 1)
