"""Reads a statement as StartQueryExecution does: with its parameters filled in, or the one that EXECUTE names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.statements.classify import Malformed, Parsed, read, split_parameters, with_parameters


@dataclass(frozen=True)
class Reading:
    """The statement that a text was read as."""

    text: str
    """The statement that is carried out."""
    parsed: Parsed | Malformed | QueryError
    """The statement, or the error."""
    named: str = ""
    """The prepared statement that it names."""
    held: str | None = None
    """The prepared statement's text when it was read."""

    @classmethod
    def of(
        cls, text: str, parameters: Sequence[str] | None, group: str, prepared: Callable[[str], str | None]
    ) -> Reading:
        """Read a text; `prepared` returns the text of a prepared statement of its work group."""
        named, held = "", None
        try:
            # The parameters of EXECUTE are for the prepared statement, not for its own text.
            if parameters is not None and not text.lstrip().lower().startswith("execute"):
                text = with_parameters(text, list(parameters))
            parsed = read(text)
            if parsed.kind == "execute":
                statement: Any = parsed.statement
                named = statement.name
                held = prepared(named)
                if held is None:
                    raise QueryError("NOT_FOUND", f"PreparedStatement {named} was not found in workGroup {group}")
                text = with_parameters(held, split_parameters(statement.text) or list(parameters or []))
                parsed = read(text)
            return cls(text, parsed, named, held)
        except (Malformed, QueryError) as error:
            return cls(text, error, named, held)

    def is_of(self, prepared: Mapping[str, str]) -> bool:
        """Tell whether the text would be read the same way with these prepared statements."""
        return not self.named or prepared.get(self.named) == self.held
