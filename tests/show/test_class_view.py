"""One learner's table, and a class's, from progress files."""

from labkit.lab.progress import Progress, Record
from labkit.lab.syllabus import PHASES
from labkit.show.class_view import COLUMNS, class_frame, class_table, learner_table

EXPECTED = next(phase.minutes for phase in PHASES if phase.key == "alarm")
TAKEN = EXPECTED + 1
ADA = Progress("Ada", 1, {"alarm": Record(2, ["topic 1"], 1.0, TAKEN * 60), "traffic": Record(share=0.5)})
BEN = Progress("Ben", 2, {"alarm": Record(skips=1, skipped=True, seconds=59)})


def row(table, first):
    return dict(zip(table.head, next(row for row in table.rows if row[0] == first), strict=True))


def test_a_learner_sees_points_attempts_hints_and_minutes_beside_the_expected_ones():
    table = learner_table(ADA)
    assert table.title == "Progress of Ada: 15 of 110 points"
    assert row(table, "05 alarm") == {
        "phase": "05 alarm",
        "points": "10 of 10",
        "attempts": "2",
        "hints": "1",
        "minutes": f"{TAKEN} of {EXPECTED}",
        "skips": "0",
    }
    assert len(table.rows) == len(PHASES)


def test_a_class_has_a_row_for_each_learner_the_most_points_first():
    table = class_table([BEN, ADA])
    assert [cells[0] for cells in table.rows] == ["Ada", "Ben"]
    ada, ben = row(table, "Ada"), row(table, "Ben")
    assert (ada["05"], ada["03"], ada["points"], ada["hints"], ada["minutes"]) == ("10+", "5", "15", "1", str(TAKEN))
    assert (ben["05"], ben["points"], ben["skips"]) == ("0s", "0", "1")


def test_a_class_as_a_frame_has_every_phase_of_every_learner():
    frame = class_frame([ADA, BEN])
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == 2 * len(PHASES)
    alarm = frame[(frame["learner"] == "Ada") & (frame["phase"] == "alarm")].iloc[0]
    assert (alarm["points"], alarm["worth"], alarm["minutes"], alarm["expected_minutes"]) == (10, 10, TAKEN, EXPECTED)
