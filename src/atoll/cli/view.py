"""How one kind of thing is shown: its values, and lists within it."""

from __future__ import annotations

from dataclasses import dataclass

from atoll.cli import cells
from atoll.cli.cells import Cell


@dataclass(frozen=True)
class Field:
    """One value of a thing.

    Attributes:
        key: where it stands, a dotted path.
        title: what it is called; without it the last word of the key.
        cell: how it is written.
    """

    key: str
    name: str = ""
    cell: Cell = cells.text

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or self.key.rpartition(".")[2].replace("_", " ")

    @property
    def number(self) -> bool:
        """Whether it is written to the right."""
        return self.cell in (cells.size, cells.count, cells.eur, cells.percent, cells.seconds, cells.memory)


@dataclass(frozen=True)
class Part:
    """A list within a thing: where it stands, the view of its items, and what it is called."""

    key: str
    view: str
    title: str


@dataclass(frozen=True)
class View:
    """How one kind of thing is shown.

    Attributes:
        columns: in a list.
        fields: by itself; without them the columns.
        parts: lists within it.
    """

    columns: tuple[Field, ...]
    fields: tuple[Field, ...] = ()
    parts: tuple[Part, ...] = ()
