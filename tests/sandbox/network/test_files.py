import pytest

from labkit.flowlog import reader, writer
from labkit.flowlog.formats import DEFAULT_FORMAT, LogFormat
from labkit.sandbox.network.files import new_file
from labkit.sandbox.network.firewall import Packet
from labkit.sandbox.network.flows import Burst
from labkit.sandbox.network.journey import Leg, Sighting
from labkit.sandbox.network.recorder import Recorder
from labkit.sandbox.network.records import Capture
from tests.sandbox.network.vpc import interface

START = 1_793_610_000


def capture(minute):
    """A flow of one minute, from a port that tells which."""
    recorder, here = Recorder(), interface()
    packet = Packet(here.addresses[0], here.public_address, 6, 40_000 + minute, 22)
    begin = START + 60 * minute
    recorder.record(Sighting(Leg(here, "ingress", packet), True), [Burst(begin, begin, 1, 60, 2)])
    return Capture(recorder.flows(range(START // 60, START // 60 + 10)), recorder.met, recorder.addresses, frozenset())


@pytest.mark.parametrize("file_format", ["plain-text", "parquet"])
@pytest.mark.parametrize("log_format", [DEFAULT_FORMAT, LogFormat.parse("${dstport} ${srcport} ${traffic-path}")])
def test_a_file_holds_what_was_added_in_that_order(file_format, log_format):
    file = new_file(file_format, log_format)
    for minute in range(5):
        file.add(capture(minute))
    records = reader.read(file.close())
    assert records["srcport"].to_pylist() == [40_000, 40_001, 40_002, 40_003, 40_004]
    assert records.column_names == list(log_format.columns)


def test_a_text_file_is_the_same_however_its_records_came():
    file = new_file("plain-text", DEFAULT_FORMAT)
    for minute in range(3):
        file.add(capture(minute))
    tables = [writer.conform(capture(minute).table(DEFAULT_FORMAT), DEFAULT_FORMAT) for minute in range(3)]
    at_once = writer.GzipText(DEFAULT_FORMAT)
    for table in tables:
        at_once.add(writer.lines(table, DEFAULT_FORMAT))
    assert file.close() == at_once.close()


def test_what_can_not_be_written_is_an_error_and_no_file(monkeypatch):
    def fail(*_):
        raise OSError("no room")

    monkeypatch.setattr(writer.GzipText, "add", fail)
    file = new_file("plain-text", DEFAULT_FORMAT)
    file.add(capture(0))
    with pytest.raises(OSError, match="no room"):
        file.close()
