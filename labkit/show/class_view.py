"""What learners have done, from their progress files: one learner's phases, or a class in one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labkit.lab.progress import Progress
from labkit.lab.syllabus import PHASES, Phase
from labkit.show.tables import Table

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("learner", "phase", "points", "worth", "attempts", "hints", "minutes", "expected_minutes", "skips")


def learner_table(learner: Progress) -> Table:
    """One learner's phases: points, attempts, hints, minutes beside the expected ones, skips."""
    rows = [
        (phase.label, f"{points} of {worth}", str(attempts), str(hints), f"{minutes} of {expected}", str(skips))
        for phase in PHASES
        for points, worth, attempts, hints, minutes, expected, skips in [_figures(learner, phase)]
    ]
    title = f"Progress of {learner.learner}: {_points(learner)} of {sum(phase.points for phase in PHASES)} points"
    return Table(title, ("phase", "points", "attempts", "hints", "minutes", "skips"), rows)


def class_table(learners: Sequence[Progress]) -> Table:
    """A row for each learner, in the order of their points: each phase's points, then hints, minutes and skips.

    An `s` stands behind the points of a phase that was skipped, a `+` behind those that took the whole expected time
    and more.
    """
    ordered = sorted(learners, key=lambda learner: (-_points(learner), learner.learner))
    head = ("learner", *(f"{phase.number:02d}" for phase in PHASES), "points", "hints", "minutes", "skips")
    rows = [(learner.learner, *(_mark(learner, phase) for phase in PHASES), *_sums(learner)) for learner in ordered]
    return Table(f"A class of {len(learners)}", head, rows)


def class_frame(learners: Sequence[Progress]) -> pd.DataFrame:
    """A row for each phase of each learner, for pandas or a spreadsheet; `COLUMNS` are its columns."""
    import pandas as pd

    rows = [(learner.learner, phase.key, *_figures(learner, phase)) for learner in learners for phase in PHASES]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _figures(learner: Progress, phase: Phase) -> tuple[int, ...]:
    own = learner.of(phase.key)
    earned = own.points(phase.points)
    return earned, phase.points, own.attempts, len(own.hints), own.minutes, phase.minutes, own.skips


def _mark(learner: Progress, phase: Phase) -> str:
    own = learner.of(phase.key)
    late = "+" if own.minutes > phase.minutes else ""
    skipped = "s" if own.skips and not own.passed else ""
    return f"{own.points(phase.points)}{skipped}{late}"


def _sums(learner: Progress) -> tuple[str, ...]:
    own = [learner.of(phase.key) for phase in PHASES]
    sums = (sum(len(each.hints) for each in own), sum(each.minutes for each in own), sum(each.skips for each in own))
    return str(_points(learner)), *map(str, sums)


def _points(learner: Progress) -> int:
    return sum(learner.of(phase.key).points(phase.points) for phase in PHASES)
