"""`dataset export` and `import`, on the host: they need its lake and its master key, and no server."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from atoll.errors import AtollError

if TYPE_CHECKING:
    from atoll.flows.rooms import Rooms

_Home = Annotated[Path | None, typer.Option(help="The platform's home (ATOLL_HOME).")]


def export(
    name: Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's name.")],
    target: Annotated[Path, typer.Argument(metavar="FILE_OR_DIRECTORY", help="A new file, or a directory for it.")],
    home: _Home = None,
) -> None:
    """On the platform's host: a dataset with contracts and history in one archive, sealed by the master key."""
    from atoll.flows import export_dataset

    with _rooms(home) as rooms:
        told = export_dataset.export(rooms, name, target, account=getpass.getuser())
    typer.echo(f"{told.path}: {told.dataset}, {told.versions} versions, {told.files} data files, as {told.id}")
    typer.echo("Keep the master key as well, and elsewhere: nothing else opens the archive.", err=True)


def import_(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What `dataset export` wrote.")],
    home: _Home = None,
) -> None:
    """On the platform's host: bring a dataset back that the platform does not have."""
    from atoll.flows import import_dataset

    with _rooms(home) as rooms:
        told = import_dataset.import_(rooms, source, account=getpass.getuser())
    typer.echo(f"{told.dataset}: {told.versions} versions, {told.files} data files, from {told.id}")


@contextmanager
def _rooms(home: Path | None) -> Iterator[Rooms]:
    from atoll.settings import Settings
    from atoll.wiring import platform

    try:
        rooms = platform.build(Settings(query_workers=0) if home is None else Settings(home=home, query_workers=0))
        try:
            yield rooms
        finally:
            platform.close(rooms)
    except AtollError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
