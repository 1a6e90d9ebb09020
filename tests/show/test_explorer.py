import re

import pandas as pd
import pytest

from labkit.show.axes import ChartError
from labkit.show.explorer import EVERY_PORT, explore

FRAME = pd.DataFrame(
    [
        ("192.0.2.7", 22, 1, 3, 50),
        ("192.0.2.7", 23, 2, 4, 5),
        ("192.0.2.8", 22, 6, 3, 20),
        ("198.51.100.9", 3389, 7, 23, 10),
    ],
    columns=["source", "port", "weekday", "hour", "rejects"],
)


def who(address: str) -> str:
    return "Ada" if address.startswith("192.0.2.") else "Bob"


@pytest.fixture
def explorer():
    shown = explore(FRAME, who=who)
    shown.build()
    return shown


def words(explorer) -> str:
    return re.search(r'alt="([^"]*)"', explorer.image.value)[1]


def test_it_begins_with_all_rejects_by_port(explorer):
    assert words(explorer) == ("What they knocked at, rejected flows: 22 SSH 70; 3389 Remote Desktop 10; 23 Telnet 5.")


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("source", "192.0.2.7 Ada 55; 192.0.2.8 Ada 20; 198.51.100.9 Bob 10."),
        ("weekday", "Mon 50; Tue 5; Wed 0; Thu 0; Fri 0; Sat 20; Sun 10."),
        ("weekday and hour", "Mon 03:00 50; Sat 03:00 20; Sun 23:00 10."),
    ],
)
def test_another_count_is_another_chart(explorer, view, expected):
    explorer.view.value = view
    assert words(explorer).endswith(f": {expected}")


def test_a_port_can_be_chosen_by_its_service(explorer):
    assert [label for label, _ in explorer.port.options] == [EVERY_PORT, "22 SSH", "3389 Remote Desktop", "23 Telnet"]
    explorer.view.value, explorer.port.value = "source", 22
    assert words(explorer).endswith("192.0.2.7 Ada 50; 192.0.2.8 Ada 20.")


def test_somebody_can_be_left_out(explorer):
    assert list(explorer.without.options) == ["Ada", "Bob"]
    explorer.without.value = ("Ada",)
    assert words(explorer).endswith(": 3389 Remote Desktop 10.")


def test_a_choice_that_leaves_nothing_says_so_in_place_of_the_chart(explorer):
    explorer.without.value = ("Ada", "Bob")
    assert "there is nothing to draw" in explorer.image.value
    explorer.without.value = ()
    assert "22 SSH 70" in words(explorer)


def test_without_widgets_it_is_the_first_of_its_charts(explorer):
    shown = explorer._repr_mimebundle_()
    assert shown["text/plain"].startswith("Chart: What they knocked at")
    assert re.search(r'<img src="data:image/webp;base64,[^"]+" alt="[^"]*22 SSH 70;', shown["text/html"])
    assert "controls" in shown["text/html"]


def test_sources_keep_their_addresses_where_nobody_names_them():
    explorer = explore(FRAME)
    assert explorer.names() == ["192.0.2.7", "192.0.2.8", "198.51.100.9"]


def test_a_frame_that_does_not_fit_is_refused():
    with pytest.raises(ChartError, match="source, port, weekday, hour, rejects"):
        explore(FRAME[["source", "rejects"]])
