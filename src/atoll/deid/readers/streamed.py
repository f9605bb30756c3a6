"""Rows that a reader of its own makes block by block, as a lazy Polars frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import polars as pl
from polars.io.plugins import register_io_source

from atoll.deid.readers.reading import Reading
from atoll.deid.readers.refusal import FileRefused
from atoll.model.identified import IdentifiedBatch, MalformedRow


@dataclass
class Notes:
    """What one pass over a file found beside its rows; see `IdentifiedBatch`."""

    malformed: list[MalformedRow] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    #: Numbers of the rows that the contract knows and leaves out.
    passed: list[int] = field(default_factory=list)


#: One pass over a file: frames with `__row` and every column of the schema, some
#: thousand rows at a time. Raises FileRefused when the file turns out to be none.
Pass = Callable[[Notes], Iterator[pl.DataFrame]]


def streamed(schema: Mapping[str, pl.DataType], read: Pass, name: str) -> Reading:
    """A reading of the rows that `read` makes.

    A `FileRefused` in the midst of a pass is kept and raised by `proven`: what Polars
    would make of it is no message for people.

    Args:
        schema: the columns beside `__row` (Int64).
        read: called once or more often, each time for the whole file.
        name: of the format, for the plan that `explain` shows.
    """
    refused: list[FileRefused] = []
    batch_notes = Notes()

    def frames(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        del batch_size
        notes = Notes()
        try:
            for whole in read(notes):
                frame = whole if n_rows is None else whole.head(n_rows)
                n_rows = None if n_rows is None else n_rows - frame.height
                frame = frame if with_columns is None else frame.select(with_columns)
                yield frame if predicate is None else frame.filter(predicate)
                if n_rows == 0:
                    return
        except FileRefused as refusal:
            refused.append(refusal)
        finally:
            # Put in place at once: a plan may read the source more than once, and side by side.
            batch_notes.malformed[:] = notes.malformed
            batch_notes.passed[:] = notes.passed
            batch_notes.unknown.update(notes.unknown)

    def proven(rows: int) -> bool:
        del rows
        if refused:
            raise refused[0]
        return True

    whole = {"__row": pl.Int64(), **schema}
    source = register_io_source(frames, schema=whole, is_pure=True, explain_name=name)
    batch = IdentifiedBatch(source, batch_notes.malformed, batch_notes.unknown, batch_notes.passed)
    return Reading(batch, proven)


@contextmanager
def library_at_work(what: str, todo: str = "", rule: str = "damaged") -> Iterator[None]:
    """Whatever a library raises on a broken file becomes a refusal of the file.

    Its own text may hold values of the file and is not passed on. Panics of Rust
    libraries are no `Exception`, so everything but an order to stop is taken.

    Raises `FileRefused`; `OSError` of the disk as it is.
    """
    try:
        yield
    except (FileRefused, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except OSError as problem:
        if problem.errno is not None:
            raise
        raise FileRefused(what, rule=rule, todo=todo) from None
    except BaseException:  # see above
        raise FileRefused(what, rule=rule, todo=todo) from None
