"""What the de-identification of one file came to."""

from __future__ import annotations

from pydantic import Field

from atoll.model.drift import Drift
from atoll.model.record import Frozen
from atoll.model.table import StagedFile


class FileReport(Frozen):
    """The account of one file: rows_in = rows_committed + rows_held, or rows_in is None.

    It holds names, counts and rules, never a value of the file.
    """

    name: str
    table: str
    #: Rows read; None when the file could not be read at all and is held whole.
    rows_in: int | None
    rows_committed: int = 0
    #: Rows held; a row with two faults stands twice in the held file and counts once.
    rows_held: int = 0
    #: Fields left out because no rule names them, with the number of rows that have them.
    left_out: dict[str, int] = {}
    #: The treated file, None when no row came through.
    staged: StagedFile | None = None
    #: Treated files of further tables, where a file fills several.
    also_staged: tuple[StagedFile, ...] = ()
    #: In a replay: which of the rows asked for the file still has, whether a table takes them,
    #: as one row or as many, or none does any more. Not kept on record.
    met: frozenset[int] = Field(default=frozenset(), exclude=True)
    #: How its columns differ from what the contract says.
    drift: tuple[Drift, ...] = ()
    #: Why the file as a whole was refused.
    rule: str = ""
    message: str = ""

    @property
    def all_staged(self) -> tuple[StagedFile, ...]:
        """Every treated file, of one table or of several."""
        return self.also_staged if self.staged is None else (self.staged, *self.also_staged)
