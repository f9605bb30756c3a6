"""`deliver`, `delivery`: handing files over, and what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from atoll.cli.bars import progress_bars
from atoll.cli.exit_codes import ExitCode
from atoll.cli.options import AsJson, AtMost
from atoll.cli.output import note, show_many, show_one
from atoll.cli.session import client
from atoll.model.delivery import HOLDS, DeliveryState

delivery = typer.Typer(no_args_is_help=True, help="Files handed over together.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The delivery's id.")]


def deliver(
    path: Annotated[list[Path], typer.Argument(help="Files, or directories of files.")],
    source: Annotated[str, typer.Option(help="Who delivers.")],
    dataset: Annotated[str, typer.Option(help="What it is delivered to.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is admitted or not.")] = True,
    as_json: AsJson = False,
) -> None:
    """Deliver files: they are hashed, uploaded, and admitted under the dataset's contract.

    The same files again change nothing; a delivery that was broken off goes on where it was.
    """
    with client() as atoll, progress_bars() as on_progress:
        found = atoll.deliver(source, dataset, path, on_progress)
        if wait:
            found = atoll.wait_for_delivery(found["id"], on_progress)
    show_one("delivery", found, as_json=as_json)
    _end_by_outcome(found)


@delivery.command("list")
def list_(
    source: Annotated[str | None, typer.Option(help="Of this source.")] = None,
    dataset: Annotated[str | None, typer.Option(help="To this dataset.")] = None,
    state: Annotated[DeliveryState | None, typer.Option(help="In this state.")] = None,
    limit: AtMost = None,
    as_json: AsJson = False,
) -> None:
    """Deliveries that you may see."""
    with client() as atoll:
        found = atoll.deliveries.list(
            source=source, dataset=dataset, state=state.value if state else None, at_most=limit
        )
        show_many("delivery", found, as_json=as_json)


@delivery.command("show")
def show(
    delivery_id: Id,
    rows: Annotated[bool, typer.Option("--rows", help="Show the rejected rows instead, values masked.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="With --rows: so many.")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="With --rows: after so many.")] = 0,
    as_json: AsJson = False,
) -> None:
    """One delivery: its state, its files, what became of each; or its rejected rows."""
    with client() as atoll:
        if rows:
            held = atoll.deliveries.quarantine(delivery_id, limit=limit, offset=offset)
            show_many("quarantined_row", held, as_json=as_json)
        else:
            show_one("delivery", atoll.deliveries.show(delivery_id), as_json=as_json)


@delivery.command("replay")
def replay(
    delivery_id: Id,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is admitted or not.")] = True,
    as_json: AsJson = False,
) -> None:
    """Admit what is held of a delivery, under the contract in force now; each row enters once."""
    with client() as atoll, progress_bars() as on_progress:
        found = atoll.deliveries.replay(delivery_id)
        if wait:
            found = atoll.wait_for_delivery(delivery_id, on_progress)
    show_one("delivery", found, as_json=as_json)
    _end_by_outcome(found)


@delivery.command("reject")
def reject(
    delivery_id: Id,
    reason: Annotated[str, typer.Option(help="Why; the source reads it.")],
    as_json: AsJson = False,
) -> None:
    """Decide that nothing more of a delivery enters; what was committed stays."""
    with client() as atoll:
        show_one("delivery", atoll.deliveries.reject(delivery_id, reason), as_json=as_json)


def _end_by_outcome(found: dict[str, Any]) -> None:
    """Say what is to be done about rows or files that did not enter. Raises `typer.Exit` for a delivery that did not.

    A delivery that was committed ends well even when some rows wait in quarantine.
    """
    state = DeliveryState(found["state"])
    outcome = found.get("outcome") or {}
    where = f"`atoll delivery show {found['id']} --rows` shows them, values masked."
    if state is DeliveryState.COMMITTED and outcome.get("rows_quarantined"):
        note(f"{outcome['rows_quarantined']} rows wait in quarantine: {where}")
    if state is DeliveryState.REJECTED:
        note(f"Nothing could be committed. The rejected rows are in quarantine: {where}")
    if state is DeliveryState.HELD:
        reason = next((file["message"] for file in outcome.get("files", ()) if file["rule"] in HOLDS), "")
        note(f"Nothing is committed; the delivery waits in quarantine. {reason}")
    if state is DeliveryState.FAILED:
        failure = (found.get("operation") or {}).get("failure") or {}
        note(f"The admission failed at {failure.get('step', 'its start')}: {failure.get('message', 'no reason told')}")
        note("The files wait in quarantine; deliver them again once it is mended.")
    if state in (DeliveryState.REJECTED, DeliveryState.HELD, DeliveryState.FAILED):
        raise typer.Exit(ExitCode.DELIVERY)
