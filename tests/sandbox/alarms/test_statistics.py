import pytest

from labkit.sandbox.alarms.samples import SampleSet, statistic_set
from labkit.sandbox.alarms.statistics import UnknownStatistic, statistic


def of(*values):
    samples = SampleSet()
    for value in values:
        samples.add(float(value))
    return samples


HUNDRED = of(*range(1, 101))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SampleCount", 100),
        ("Sum", 5050),
        ("Average", 50.5),
        ("Minimum", 1),
        ("Maximum", 100),
        ("p0", 1),
        ("p50", 50),
        ("p90", 90),
        ("p99", 99),
        ("p99.9", 100),
        ("p100", 100),
        ("tm90", 45.5),
        ("TM(10%:90%)", 50.5),
        ("TM(:95%)", 48),
        ("TM(95%:)", 98),
        ("TM(20:80)", 50.5),
        ("IQM", 50.5),
        ("wm90", (sum(range(1, 91)) + 10 * 90) / 100),
        ("WM(10%:90%)", (10 * 10 + sum(range(11, 91)) + 10 * 90) / 100),
        ("tc90", 90),
        ("TC(80:)", 20),
        ("TC(:0)", 0),
        ("ts90", sum(range(1, 91))),
        ("TS(80:100)", sum(range(81, 101))),
        ("PR(:25)", 25),
        ("PR(80:)", 20),
        ("PR(20:30)", 10),
    ],
)
def test_a_statistic_of_one_to_a_hundred(name, expected):
    assert statistic(name)(HUNDRED) == pytest.approx(expected)


@pytest.mark.parametrize(
    "name",
    [
        "sum",
        "Average ",
        "p",
        "p101",
        "p-1",
        "p1.12345678901",
        "TM()",
        "TM(:)",
        "TM(10%:20)",
        "TM(90%:10%)",
        "PR(10%:20%)",
        "XX(1:2)",
        "",
        "p99p",
        "IQM(1:2)",
    ],
)
def test_there_are_no_others(name):
    with pytest.raises(UnknownStatistic):
        statistic(name)


def test_counts_weigh():
    samples = SampleSet()
    samples.add(1, 90)
    samples.add(100, 10)
    assert statistic("p90")(samples) == 1
    assert statistic("p91")(samples) == 100


def test_there_is_no_percentile_of_a_statistic_set():
    samples = statistic_set(10, 100, 1, 50)
    assert statistic("p50")(samples) is None
    assert statistic("Average")(samples) == 10


def test_there_is_a_percentile_of_a_statistic_set_of_equal_values():
    assert statistic("p50")(statistic_set(10, 50, 5, 5)) == 5


def test_there_is_no_percentile_of_negative_values():
    assert statistic("p50")(of(-1, 1)) is None


def test_nothing_within_the_bounds_has_no_mean():
    assert statistic("TM(200:300)")(HUNDRED) is None


LATENCIES = of(*range(100, 2100, 100))
"""100, 200, … 2,000: the bounds of the guide's examples are among them."""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("tm90", sum(range(100, 1900, 100)) / 18, id="the highest 10% are left out"),
        pytest.param("TM(10%:90%)", sum(range(300, 1900, 100)) / 16, id="the lowest and the highest 10% are"),
        pytest.param("TM(150:1000)", sum(range(200, 1100, 100)) / 9, id="150 or less and more than 1000 are"),
        pytest.param("TM(200:1000)", sum(range(300, 1100, 100)) / 8, id="the lower bound is not included"),
        pytest.param("TM(:1000)", 550, id="no lower bound"),
        pytest.param("TM(1000:)", 1550, id="no upper bound"),
        pytest.param("IQM", sum(range(600, 1600, 100)) / 10, id="the middle 50%"),
        pytest.param("wm90", (sum(range(100, 1900, 100)) + 2 * 1800) / 20, id="the highest 10% count as p90"),
        pytest.param(
            "WM(10%:90%)",
            (2 * 200 + sum(range(300, 1900, 100)) + 2 * 1800) / 20,
            id="the lowest 10% count as the bound below",
        ),
        pytest.param("WM(500:1500)", (5 * 500 + sum(range(600, 1600, 100)) + 5 * 1500) / 20, id="bounds of values"),
        pytest.param("PR(:300)", 15, id="300 or less"),
        pytest.param("PR(100:2000)", 95, id="more than 100, up to 2000"),
        pytest.param("PR(2000:)", 0, id="more than all"),
        pytest.param("tc90", 18, id="as many as tm90 has"),
        pytest.param("TC(0.5:)", 20, id="a fraction as a bound"),
        pytest.param("TC(80%:)", 4, id="the highest 20%"),
        pytest.param("ts90", sum(range(100, 1900, 100)), id="the sum of what tm90 has"),
        pytest.param("TS(80%:)", 1700 + 1800 + 1900 + 2000, id="the sum of the highest 20%"),
        pytest.param("p95", 1900, id="95% are at or below"),
        pytest.param("p5", 100, id="5% are at or below"),
        pytest.param("p95.0001", 2000, id="decimal places"),
    ],
)
def test_the_examples_of_the_guide(name, expected):
    assert statistic(name)(LATENCIES) == pytest.approx(expected)


@pytest.mark.parametrize(("trimmed", "same"), [("IQM", "TM(25%:75%)"), ("tm90", "TM(:90%)"), ("wm98", "WM(:98%)")])
def test_short_names_are_the_long_ones(trimmed, same):
    assert statistic(trimmed)(LATENCIES) == statistic(same)(LATENCIES)


@pytest.mark.parametrize("bounds", ["10%:90%", ":95%", "40%:", "250:1750", "-5:700"])
def test_the_trimmed_mean_is_the_trimmed_sum_over_the_trimmed_count(bounds):
    mean, total, count = (statistic(f"{kind}({bounds})")(LATENCIES) for kind in ("TM", "TS", "TC"))
    assert mean == pytest.approx(total / count)


@pytest.mark.parametrize("name", ["p1", "p50", "p100", "tm50", "WM(10%:90%)", "IQM"])
def test_one_sample_is_every_percentile(name):
    value = statistic(name)(of(7))
    assert value in (7, None)
    assert statistic("p50")(of(7)) == 7


@pytest.mark.parametrize("name", ["p90", "tm90", "wm90", "tc90", "ts90", "IQM", "PR(:5)", "TM(1:2)"])
def test_what_needs_every_value_is_not_told_by_a_statistic_set(name):
    assert statistic(name)(statistic_set(10, 100, 1, 50)) is None
