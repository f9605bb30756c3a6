"""Progress on stderr: bars on a terminal, a line for each stage elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from atoll.cli.output import note_console

if TYPE_CHECKING:
    from rich.progress import TaskID

    from atoll.client.progress import OnProgress, Progress

_TITLES = {"hash": "Hashing", "upload": "Uploading", "admit": "Admitting", "machine": "Machine"}


@contextmanager
def progress_bars() -> Iterator[OnProgress]:
    """What to call with each progress; it is shown until the block ends."""
    console = note_console()
    if not console.is_terminal:
        yield _lines()
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[what]}", markup=False),
    )
    with Bars(*columns, console=console) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            stage = progress.stage.value
            if stage not in tasks:
                tasks[stage] = bars.add_task(_TITLES[stage], total=1.0, what="")
            part = progress.done / progress.total if progress.total else 1.0
            bars.update(tasks[stage], completed=part, what=progress.what)

        yield show


def _lines() -> OnProgress:
    """A line when a stage, or a step of an operation, begins."""
    console = note_console()
    told: set[tuple[str, str]] = set()

    def show(progress: Progress) -> None:
        stage = progress.stage.value
        what = progress.what if stage in ("admit", "machine") else ""
        if (stage, what) not in told:
            told.add((stage, what))
            console.print(f"{_TITLES[stage]}{': ' + what if what else ''} ...", markup=False)

    return show
