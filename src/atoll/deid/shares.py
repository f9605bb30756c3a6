"""An admission's work in shares, each a file or a piece of one, that workers carry out.

A share may be carried out twice, even at once, when a worker was thought lost. So each try
writes under names of its own and moves what is whole to the places where it belongs; both
tries give the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from atoll.deid.engine import deidentify_file
from atoll.deid.keyring import DomainKeys
from atoll.deid.known_names import NO_NAMES, KnownNames
from atoll.deid.parts import deidentify_parts
from atoll.deid.pieces import Piece, cut_out
from atoll.deid.report import FileReport
from atoll.model.contract import Contract
from atoll.model.table import StagedFile

_TRY = ".try-"


@dataclass(frozen=True)
class Share:
    """What one worker does. Printing one shows no key.

    Attributes:
        staged: for each table that takes the file, where its rows go.
        piece: the bytes meant; None: the whole file.
        Others as for `deidentify_parts`.
    """

    contract: Contract = field(repr=False)
    source: Path
    name: str = field(repr=False)
    keys: Mapping[str, DomainKeys] = field(repr=False)
    staged: Mapping[str, Path]
    held: Path
    only: frozenset[int] | None = field(default=None, repr=False)
    piece: Piece | None = None
    #: Identified, as the source is: they go to workers as keys do.
    names: KnownNames = field(default=NO_NAMES, repr=False)


@dataclass(frozen=True)
class Carried:
    """What became of a share: its account, or what kind of trouble the worker had with its disk or memory."""

    report: FileReport | None
    trouble: str = ""


def carry_out(share: Share) -> Carried:
    """Carry out a share; never raises: a worker would log what it was given."""
    mark = f"{_TRY}{secrets.token_hex(6)}-"
    staged = {table: _marked(path, mark) for table, path in share.staged.items()}
    held = _marked(share.held, mark)
    try:
        report = _report(share, staged, held)
        for mine, place in (*((staged[table], place) for table, place in share.staged.items()), (held, share.held)):
            if mine.exists():
                mine.replace(place)
            else:
                place.unlink(missing_ok=True)
    except OSError as problem:
        return Carried(None, f"{type(problem).__name__}: {problem.strerror}")
    except Exception as problem:  # its text may hold values
        return Carried(None, type(problem).__name__)
    else:
        return Carried(_at_home(report, share.staged))
    finally:
        for path in (*staged.values(), held):
            path.unlink(missing_ok=True)


def join_pieces(reports: Sequence[FileReport], shares: Sequence[Share], held: Path) -> FileReport:
    """The account of a file from those of its pieces, in order; their held rows go to `held` with the file's numbers.

    When one piece is refused the file is, and nothing of it is staged.
    """
    helds = [share.held for share in shares]
    refused = next((report for report in reports if report.rule), None)
    try:
        if refused is not None:
            for path in (held, *(path for share in shares for path in share.staged.values())):
                path.unlink(missing_ok=True)
            return refused
        _join_held(helds, [report.rows_in or 0 for report in reports], held)
    finally:
        for path in helds:
            path.unlink(missing_ok=True)
    files = [file for report in reports for file in report.all_staged]
    left_out: dict[str, int] = {}
    for report in reports:
        for name, rows in report.left_out.items():
            left_out[name] = left_out.get(name, 0) + rows
    return FileReport(
        name=reports[0].name,
        table=reports[0].table,
        rows_in=sum(report.rows_in or 0 for report in reports),
        rows_committed=sum(report.rows_committed for report in reports),
        rows_held=sum(report.rows_held for report in reports),
        left_out=left_out,
        staged=files[0] if files else None,
        also_staged=tuple(files[1:]),
        drift=tuple(dict.fromkeys(one for report in reports for one in report.drift)),
    )


def sweep_tries(directories: Iterable[Path]) -> None:
    """Remove what workers that were lost left behind."""
    for directory in set(directories):
        for path in directory.iterdir() if directory.is_dir() else ():
            if path.name.lstrip(".").startswith(_TRY.lstrip(".")):
                path.unlink(missing_ok=True)


def _report(share: Share, staged: Mapping[str, Path], held: Path) -> FileReport:
    if share.piece is None:
        return deidentify_parts(
            share.contract, share.source, share.name, share.keys, staged, held, only=share.only, known=share.names
        )
    [table] = staged
    place = held.with_name(f"{held.name}.piece")
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with cut_out(share.source, share.piece, place) as source:
        return deidentify_file(
            share.contract, table, source, share.name, share.keys, staged[table], held, known=share.names
        )


def _at_home(report: FileReport, places: Mapping[str, Path]) -> FileReport:
    """The account with the staged files where they belong."""

    def moved(file: StagedFile) -> StagedFile:
        return file.model_copy(update={"path": str(places[file.table])})

    staged = None if report.staged is None else moved(report.staged)
    return report.model_copy(update={"staged": staged, "also_staged": tuple(map(moved, report.also_staged))})


def _join_held(helds: Sequence[Path], rows: Sequence[int], held: Path) -> None:
    """The held rows of all pieces in one file, 0600, by rename."""
    frames, before = [], 0
    for path, count in zip(helds, rows, strict=True):
        frames.append(pl.scan_parquet(path, glob=False).with_columns(pl.col("row") + before))
        before += count
    whole = held.with_name(f".{held.name}.joined")
    whole.touch(mode=0o600)
    try:
        pl.concat(frames).sink_parquet(whole, compression="zstd")
        whole.replace(held)
    finally:
        whole.unlink(missing_ok=True)


def _marked(path: Path, mark: str) -> Path:
    return path.with_name(f"{mark}{path.name}")
