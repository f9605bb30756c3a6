"""The files of a delivery as shares for a cluster: small ones whole, large ones in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atoll.deid import DomainKeys, FileReport, KnownNames
from atoll.deid.pieces import pieces_of
from atoll.deid.shares import Carried, Share, carry_out, join_pieces, sweep_tries
from atoll.deliveries import Content
from atoll.errors import Unavailable
from atoll.flows.rooms import Rooms
from atoll.model.contract import Contract
from atoll.operations import StepContext


@dataclass(frozen=True)
class FileJob:
    """A file that is read.

    Attributes:
        index: its place in the delivery.
        staging: for each table that takes it, the directory of its treated rows; none where no table does.
        held: where its rejected rows go.
        only: numbers of the rows that are meant; None for all.
        names: of persons, from all files of the delivery, that texts of this one lose.
    """

    index: int
    file: Content
    staging: Mapping[str, Path]
    held: Path
    only: frozenset[int] | None
    names: KnownNames = field(repr=False)


def spread_files(
    rooms: Rooms,
    context: StepContext,
    contract: Contract,
    keys: Mapping[str, DomainKeys],
    jobs: Sequence[FileJob],
    whole: int,
) -> Iterator[FileReport | None]:
    """The account of each file, carried out by workers; None where no table of the contract takes its name.

    Raises `Unavailable` when the cluster is lost, or a worker's disk fails or is another's.
    """
    del whole
    assert rooms.executor is not None
    shares = [_shares(job, contract, keys, rooms.settings.executor_share_bytes) for job in jobs]
    flat = [share for several in shares for share in several]
    context.say("Spread over the cluster.", files=len(jobs), shares=len(flat))
    try:
        carried = iter(rooms.executor.run(carry_out, flat, context.progress))
    finally:
        sweep_tries(place for job in jobs for place in (*job.staging.values(), job.held.parent))
    for job, several in zip(jobs, shares, strict=True):
        reports = [_report(next(carried)) for _ in several]
        if len(reports) > 1:
            yield join_pieces(reports, several, job.held)
        else:
            yield reports[0] if reports else None


def _shares(job: FileJob, contract: Contract, keys: Mapping[str, DomainKeys], share_bytes: int) -> list[Share]:
    """One for the file, or one for each piece; none where no table takes it."""
    if not job.staging:
        return []
    stem = f"{job.index:05d}"
    first, *others = job.staging
    cuts = () if others or job.only is not None else pieces_of(job.file.path, contract.tables[first], share_bytes)
    if not cuts:
        staged = {table: place / f"{stem}.parquet" for table, place in job.staging.items()}
        return [Share(contract, job.file.path, job.file.name, keys, staged, job.held, job.only, names=job.names)]
    return [
        Share(
            contract,
            job.file.path,
            job.file.name,
            keys,
            {first: job.staging[first] / f"{stem}-{number:04d}.parquet"},
            job.held.with_name(f".{job.held.name}.{number}"),
            piece=piece,
            names=job.names,
        )
        for number, piece in enumerate(cuts)
    ]


def _report(carried: Carried) -> FileReport:
    if carried.report is None:
        raise Unavailable(
            f"A worker could not carry out its share ({carried.trouble}).",
            where="the cluster",
            todo="See that workers have room, and see quarantine and lake at the same paths as the same account.",
        )
    return carried.report
