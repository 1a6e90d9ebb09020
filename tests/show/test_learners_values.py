"""What is the learner's own, or a stranger's, stands on the page as text, whatever it holds."""

from types import SimpleNamespace

import pandas as pd
import pytest

from labkit.checks.check import Check
from labkit.checks.items import absent, right, wrong
from labkit.lab.progress import Progress
from labkit.lab.settings import Settings
from labkit.phases.inventory import Comparison, Inventory, Thing
from labkit.show.cards import Card
from labkit.show.charts import rejects_by_source
from labkit.show.class_view import class_table, learner_table
from labkit.show.explorer import explore
from labkit.show.flow_map import flow_map
from labkit.show.mailbox import Mailbox
from labkit.show.pictures import picture
from labkit.show.settings_form import SettingsForm
from labkit.show.tables import CliLines, Note, Table
from tests.show.hostile import every_hostile_value


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
