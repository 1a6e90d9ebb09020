"""Errors that a learner can cause or meet: one plain sentence and a next step."""

from __future__ import annotations

from collections.abc import Collection


class LabError(Exception):
    """Something that the lab needs is missing or wrong; the message says what to do."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback: only the message helps."""
        return [f"{type(self).__name__}: {self}"]


def require_positive(**values: object) -> None:
    """Raise LabError unless every named value is a number above 0: `require_positive(minutes=minutes)`."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise LabError(f"{name}={value!r}: give a number above 0, such as {name}=10.")


def require_one_of(allowed: Collection[str], whose: str, **values: object) -> None:
    """Raise LabError unless every named value is an allowed word: `require_one_of(STATES, "an alarm", state=state)`."""
    for name, value in values.items():
        if value not in allowed:
            raise LabError(f"{name}={value!r}: {whose} has no such {name}; give one of {', '.join(allowed)}.")
