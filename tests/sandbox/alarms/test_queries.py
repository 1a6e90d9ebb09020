import pytest

from labkit.sandbox.alarms.functions import ExpressionError
from labkit.sandbox.alarms.queries import Queries, Window, datapoints, merged, series_of
from labkit.sandbox.alarms.samples import Metric, MetricStore, SampleSet, metric_of

ORDERS = Metric.of("Shop", "Orders")
STAT = {"Metric": {"Namespace": "Shop", "MetricName": "Orders"}, "Period": 60, "Stat": "Sum"}
HOUR = Window(0, 3600, 60)


@pytest.fixture
def store():
    """Orders of 1, 2, 3 ... in the first minutes."""
    store = MetricStore()
    for minute in range(5):
        put(store, 60 * minute, minute + 1)
    return store


def put(store, at, value, unit=None):
    samples = SampleSet()
    samples.add(value)
    store.put(ORDERS, at, samples, unit=unit, resolution=60, now=at)


def only(store):
    return store.units(ORDERS)["None"]


def test_a_window_is_cut_from_its_start():
    assert list(Window(30, 200, 60).timestamps()) == [30, 90, 150]


def test_samples_are_merged_into_the_windows_periods(store):
    found = list(merged(only(store), Window(60, 300, 120)))
    assert [(at, samples.total) for at, samples in found] == [(180, 9.0), (60, 5.0)]


def test_datapoints_know_how_many_samples_they_rest_on(store):
    found = datapoints(only(store), "Average", Window(0, 300, 300))
    assert [(point.timestamp, point.value, point.sample_count) for point in found.values()] == [(0, 3.0, 5)]


def test_the_newest_datapoints_are_enough_where_no_more_are_asked_for(store):
    whole = datapoints(only(store), "Sum", Window(0, 300, 60))
    assert list(datapoints(only(store), "Sum", Window(0, 300, 60), 2).items()) == list(whole.items())[:2]


def test_a_statistic_that_the_samples_do_not_tell_has_no_datapoint(store):
    put(store, 0, -1)
    assert 0 not in datapoints(only(store), "p50", HOUR)
    assert 60 in datapoints(only(store), "p50", HOUR)


def test_the_unit_that_is_asked_for_is_read(store):
    put(store, 0, 9, "Count")
    series, units = series_of(store, ORDERS, "Count", HOUR)
    assert units == ["Count"]
    assert datapoints(series, "Sum", HOUR)[0].value == 9


def test_without_a_unit_the_first_with_samples_in_the_window_is_read(store):
    put(store, 7200, 9, "Count")
    assert series_of(store, ORDERS, None, HOUR)[1] == ["None"]
    assert series_of(store, ORDERS, None, Window(0, 9000, 60))[1] == ["Count", "None"]
    assert series_of(store, Metric.of("Shop", "Nothing"), None, HOUR) == (None, [])


def test_a_metric_is_named_by_its_dimensions_too():
    described = {"Namespace": "Shop", "MetricName": "Orders", "Dimensions": [{"Name": "Town", "Value": "Ulm"}]}
    assert metric_of(described) == Metric.of("Shop", "Orders", {"Town": "Ulm"})


def queries(store, *asked):
    return Queries(store, asked, lambda period: Window(0, 300, period), 60)


def test_expressions_may_refer_to_expressions(store):
    found = queries(
        store,
        {"Id": "c", "Expression": "b + m"},
        {"Id": "b", "Expression": "m * 10"},
        {"Id": "m", "MetricStat": STAT},
    )
    assert list(found.value("c").points.values()) == [11, 22, 33, 44, 55]
    assert found.metric_ids() == ["m"]
    assert found.sample_counts["m"][60] == 1


def test_an_expression_has_the_period_it_names(store):
    found = queries(store, {"Id": "t", "Expression": "TIME_SERIES(1)", "Period": 120})
    assert list(found.value("t").points) == [0, 120, 240]


@pytest.mark.parametrize(
    ("expression", "complaint"), [("a + 1", "Circular reference: a -> a"), ("x + 1", "Undefined metric id x")]
)
def test_a_reference_that_leads_nowhere(store, expression, complaint):
    with pytest.raises(ExpressionError, match=complaint):
        queries(store, {"Id": "a", "Expression": expression}).value("a")
