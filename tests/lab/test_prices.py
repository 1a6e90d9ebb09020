"""What the lab says of costs, against AWS's own rules and examples."""

from datetime import date

import pandas as pd
import pytest

from labkit.lab import prices
from labkit.lab.prices import Cost
from labkit.lab.syllabus import PHASES
from labkit.phases import athena_table

TB = 1024**4
ATHENA = [
    (3 * TB, 15.0),
    (1 * TB, 5.0),
    (100 * prices.MB, 5.0 * 100 / 1024**2),
    (100 * prices.MB + 1, 5.0 * 101 / 1024**2),
    (10 * prices.MB, 5.0 * 10 / 1024**2),
    (1, 5.0 * 10 / 1024**2),
    (0, 5.0 * 10 / 1024**2),
]


@pytest.mark.parametrize(("scanned", "charged"), ATHENA, ids=lambda value: f"{value:g}")
def test_a_query_is_charged_by_the_megabyte_and_for_ten_at_least(scanned, charged):
    """https://aws.amazon.com/athena/pricing/ has a query over 3 TB at $15."""
    assert prices.athena_query(scanned, "us-east-1") == pytest.approx(charged)


def test_a_query_that_scans_less_than_nothing_is_refused():
    with pytest.raises(ValueError, match="bytes_scanned=-1"):
        prices.athena_query(-1, "us-east-1")


def test_insights_has_no_minimum():
    assert prices.insights_query(1024**3, "us-east-1") == 0.005
    assert prices.insights_query(0, "us-east-1") == 0


def test_an_answer_says_what_it_scanned_and_what_that_costs():
    answer = pd.DataFrame()
    answer.attrs = {"bytes_scanned": 52_345, "usd": prices.athena_query(52_345, "us-east-1")}
    assert str(athena_table.price(answer)) == ("Scanned 52,345 bytes. On AWS: $0.00005, the price of 10 MB, the least.")
    answer.attrs = {"bytes_scanned": TB, "usd": prices.athena_query(TB, "us-east-1")}
    assert str(athena_table.price(answer)) == "Scanned 1,099,511,627,776 bytes. On AWS: $5.00."


def test_prices_say_their_region_and_their_day():
    known = prices.prices("us-east-1")
    assert (known.region, known.priced_as) == ("us-east-1", "us-east-1")
    assert date(2026, 1, 1) < known.read_on
    assert f"us-east-1, read on {known.read_on}. They change" in known.note


def test_a_region_that_is_not_listed_is_priced_as_another_and_says_so():
    known = prices.prices("ap-northeast-1")
    assert known.usd == prices.prices("us-east-1").usd
    assert "of us-east-1" in known.note
    assert "ap-northeast-1 may cost some more" in known.note


def test_every_price_is_used_or_known_and_has_its_unit():
    data = prices._data()
    for region, listed in data["regions"].items():
        assert listed.keys() == data["units"].keys(), region
        assert all(amount > 0 for amount in listed.values())


def test_every_phase_has_its_cost_and_no_other_has():
    assert list(prices._data()["phases"]) == [phase.key for phase in PHASES]


def test_what_keeps_costing_is_told_apart_from_what_is_paid_once():
    alarm = prices.phase_cost("alarm", "us-east-1")
    assert alarm.daily == pytest.approx(0.10 / 30, rel=0.01)
    assert alarm.once < alarm.daily
    assert prices.phase_cost("Logs Insights", "us-east-1").daily == 0
    assert str(prices.phase_cost("clean up", "us-east-1")) == "nothing; it ends what keeps costing"


def test_the_running_total_grows_with_the_phases_and_has_the_web_server_from_the_start():
    none, two = prices.total([], "us-east-1"), prices.total(["metric filter", "alarm"], "us-east-1")
    server_and_address = 24 * (0.0042 + 0.005)
    assert none.once == 0
    assert none.daily == pytest.approx(server_and_address + 8 * 0.08 / 30, rel=0.01)
    assert two.once == pytest.approx(
        sum(prices.phase_cost(key, "us-east-1").once for key in ("metric filter", "alarm"))
    )
    assert two.daily > none.daily


def test_what_aws_does_not_charge_for_costs_nothing_a_day():
    assert prices.standing_cost("SNS topic", "us-east-1") == 0
    assert prices.standing_cost("alarm", "us-east-1") > 0


COSTS = [
    (Cost(), "nothing"),
    (Cost(0.001), "less than a cent"),
    (Cost(0.25, words="one server"), "about $0.25: one server"),
    (Cost(0.02, 0.261, "a server"), "about $0.02, then about $0.26 a day: a server"),
]


@pytest.mark.parametrize(("cost", "text"), COSTS, ids=[text for _, text in COSTS])
def test_a_cost_in_words(cost, text):
    assert str(cost) == text


AMOUNTS = [
    (12345.6, "$12,345.60"),
    (0.0999, "$0.10"),
    (0.1, "$0.10"),
    (0.005, "$0.005"),
    (0.0000477, "$0.00005"),
    (0, "$0"),
]


@pytest.mark.parametrize(("amount", "text"), AMOUNTS, ids=[text for _, text in AMOUNTS])
def test_an_amount_has_no_more_digits_than_it_deserves(amount, text):
    assert prices.usd(amount) == text
