"""Where a DDL or utility statement is carried out, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.sandbox.athena.catalog import Catalog, Table
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.statements import nodes


@dataclass(frozen=True)
class Answer:
    """The lines that a statement answers with, and the columns that they are said to have."""

    columns: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass
class Context:
    """Where a statement is carried out."""

    catalog: Catalog
    now: float
    values: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> tuple[str, str]:
        """The account and region of the catalog."""
        return self.catalog.account_id, self.catalog.region

    def named(self, name: nodes.Name) -> tuple[str, str]:
        """A table's database and own name."""
        return (name[0], name[1]) if len(name) == 2 else (self.catalog.database, name[0])

    def database(self, name: str) -> str:
        """A database that has to be there."""
        if not self.catalog.has_database(name):
            raise QueryError("", f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}")
        return name

    def table(self, name: nodes.Name) -> Table:
        """A table that has to be there."""
        database, own = self.named(name)
        found = self.catalog.table(self.database(database), own)
        if found is None:
            raise QueryError("", f"FAILED: SemanticException [Error 10001]: Table not found {database}.{own}")
        return found
