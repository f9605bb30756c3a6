"""Which files of a table are worth rewriting, and in which company."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from atoll.model.table import DataFile

#: A file that has this part of the size wanted is left as it is.
_LARGE_ENOUGH = 0.75
#: Operations lay files out in directories named by their ids, deliveries by theirs.
_BY_OPERATION = "op_"


def rewritable(
    files: Sequence[DataFile], file_bytes: int, *, least_files: int, whole: bool = False
) -> tuple[DataFile, ...]:
    """The files that compaction should replace, in the order in which they came; none when it does not pay.

    It pays once `least_files` small files have come with deliveries. Small files that an
    earlier rewriting made are taken along then, yet do not count: where the layout wants
    many small files, they would be rewritten for ever. With `whole` every file is taken.
    """
    if whole:
        return tuple(sorted(files, key=_came))
    small = sorted((f for f in files if f.size_bytes < _LARGE_ENOUGH * file_bytes), key=_came)
    fresh = sum(not Path(f.path).parent.name.startswith(_BY_OPERATION) for f in small)
    return tuple(small) if fresh >= max(least_files, 2) else ()


def in_groups(files: Sequence[DataFile], group_bytes: int) -> Iterator[tuple[DataFile, ...]]:
    """The files in runs of about so many bytes, which are sorted together: what one engine can hold."""
    group: list[DataFile] = []
    held = 0
    for file in files:
        if group and held + file.size_bytes > group_bytes:
            yield tuple(group)
            group, held = [], 0
        group.append(file)
        held += file.size_bytes
    if group:
        yield tuple(group)


def _came(file: DataFile) -> tuple[str, str]:
    """Directories are named by ids, which sort by time."""
    path = Path(file.path)
    return path.parent.name.partition("_")[2], path.name
