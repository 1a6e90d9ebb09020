import pytest

from labkit.sandbox.alarms.samples import DAY, HOUR, Metric, MetricStore, SampleSet, Series, statistic_set, union

T0 = 1_793_610_000  # 2 November 2026, 09:00


def of(*values):
    samples = SampleSet()
    for value in values:
        samples.add(value)
    return samples


def filled(samples, *, resolution=60):
    """A series of (time, value)."""
    series = Series()
    for at, value in samples:
        series.put(at, of(value), resolution, at)
    return series


def between(series, start, end):
    return [(begin, series.at(begin)) for begin in series.begins(start, end)]


def test_a_sample_set_counts():
    samples = of(2, 5, 5)
    assert (samples.sample_count, samples.total, samples.minimum, samples.maximum) == (3, 12, 2, 5)
    assert samples.values == {2: 1, 5: 2}


def test_samples_can_be_added_many_at_once():
    samples = SampleSet()
    samples.add(10, 4)
    assert (samples.sample_count, samples.total, samples.values) == (4, 40, {10: 4})


def test_a_set_of_one_value_takes_on_others():
    samples = of(2, 2)
    assert samples.values == {2: 2}
    samples.merge(of(3, 3, 2))
    assert samples.values == {2: 3, 3: 2}
    assert SampleSet().values == {}


def test_a_union_leaves_its_sets_as_they_are():
    first, second = of(1), of(2)
    assert union([first, second]).values == {1: 1, 2: 1}
    assert (first.values, second.values) == ({1: 1}, {2: 1})


def test_a_statistic_set_hides_its_values():
    samples = statistic_set(3, 12, 2, 5)
    assert samples.values is None
    samples.merge(of(1))
    assert (samples.sample_count, samples.total, samples.minimum, samples.values) == (4, 13, 1, None)


@pytest.mark.parametrize(("given", "values"), [((4, 8, 2, 2), {2: 4}), ((1, 7, 7, 7), {7: 1})])
def test_a_statistic_set_of_equal_values_tells_them(given, values):
    assert statistic_set(*given).values == values


def test_samples_of_a_minute_are_one_set():
    series = filled([(T0 + 1, 1), (T0 + 59, 2), (T0 + 60, 3)])
    assert [(at - T0, samples.total) for at, samples in between(series, T0, T0 + 120)] == [(0, 3), (60, 3)]


def test_samples_of_high_resolution_are_kept_by_the_second():
    series = filled([(T0 + 1.5, 1), (T0 + 1.9, 1), (T0 + 2, 1)], resolution=1)
    assert [(at - T0, samples.total) for at, samples in between(series, T0, T0 + 60)] == [(1, 2), (2, 1)]


def test_samples_may_come_in_any_order():
    series = filled([(T0 + 120, 1), (T0, 2), (T0 + 60, 3)])
    assert [samples.total for _, samples in between(series, T0, T0 + 180)] == [2, 3, 1]
    assert series.newest() == T0 + 120


def test_a_range_has_its_start_and_not_its_end():
    series = filled([(T0, 1), (T0 + 60, 2)])
    assert [at for at, _ in between(series, T0, T0 + 60)] == [T0]
    assert between(series, T0 + 61, T0 + 600) == []


@pytest.mark.parametrize(("age", "resolution"), [(2 * HOUR, 1), (10 * HOUR, 60), (16 * DAY, 300), (64 * DAY, 3600)])
def test_samples_are_rolled_up_as_they_age(age, resolution):
    series = Series()
    for second in range(3600, 7200, 7):
        series.put(T0 + second, of(1), 1, T0 + second)
    for hour in range(0, age + 2 * HOUR, HOUR):
        series.put(T0 + 7200 + hour, of(0), 60, T0 + 7200 + hour)
    old = between(series, T0 + 3600, T0 + 7200)
    assert sum(samples.total for _, samples in old) == len(range(3600, 7200, 7))
    assert all(at % resolution == 0 for at, _ in old)
    assert len(old) <= 3600 // resolution


def test_samples_are_gone_after_455_days():
    series = Series()
    series.put(T0, of(1), 60, T0)
    series.put(T0 + 456 * DAY, of(1), 60, T0 + 456 * DAY)
    assert [at for at, _ in between(series, 0, T0 + 999 * DAY)] == [T0 + 456 * DAY]


def test_dimensions_make_a_metric_whatever_their_order():
    assert Metric.of("N", "m", {"b": "2", "a": "1"}) == Metric.of("N", "m", {"a": "1", "b": "2"})
    assert Metric.of("N", "m") != Metric.of("N", "m", {"a": "1"})


def test_units_are_kept_apart():
    store, metric = MetricStore(), Metric.of("N", "m")
    for unit in ("Seconds", "Count", None):
        store.put(metric, T0, of(1), unit=unit, resolution=60, now=T0)
    assert list(store.units(metric)) == ["Count", "None", "Seconds"]


def test_the_newest_sample_of_a_metric_is_that_of_any_unit():
    store, metric = MetricStore(), Metric.of("N", "m")
    assert store.newest(metric) is None
    store.put(metric, T0, of(1), unit="Count", resolution=60, now=T0)
    store.put(metric, T0 + 60, of(1), unit=None, resolution=60, now=T0)
    assert store.newest(metric) == T0 + 60
