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
