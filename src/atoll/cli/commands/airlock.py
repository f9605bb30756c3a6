"""`airlock`: files leave a project, or enter it, after checks and two reviews."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from atoll.cli.options import AsJson, AtMost
from atoll.cli.output import note, print_json, print_result, show_many, show_one
from atoll.cli.session import client
from atoll.errors import Conflict, InvalidInput
from atoll.model.airlock import AirlockState, Direction

airlock = typer.Typer(no_args_is_help=True, help="The only way out of a project, and in.")

Id = Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id.")]
Index = Annotated[int, typer.Argument(metavar="FILE", min=0, help="The file's place in the request, from 0.")]


@airlock.command("request")
def request(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What is to pass.")],
    project: Annotated[str, typer.Option(help="Of which project.", envvar="ATOLL_PROJECT")],
    purpose: Annotated[str, typer.Option(help="What for.")],
    destination: Annotated[str, typer.Option(help="Where they go and to whom; on the way in, whence they come.")],
    direction: Annotated[Direction, typer.Option(help="Which way.")] = Direction.OUT,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for what the checks find.")] = True,
    as_json: AsJson = False,
) -> None:
    """Ask for files to leave a project (or enter it): they are checked, then two people review them."""
    with client() as atoll:
        made = atoll.airlock.request(
            project, files, purpose=purpose, destination=destination, direction=direction.value
        )
        if wait:
            made = atoll.airlock.wait(made["id"])
    _show(made, as_json=as_json)
    if made["state"] == AirlockState.RETURNED:
        note(f"A check refuses a file. Change it: atoll airlock put {made['id']} FILE --at N, then submit.")
    elif made["state"] == AirlockState.REVIEW:
        note("Two reviewers decide now; each sees the other's word when both have.")


@airlock.command("put")
def put(
    request_id: Id,
    file: Annotated[Path, typer.Argument(help="The file.")],
    at: Annotated[int | None, typer.Option(min=0, help="Instead of this one; left out, behind the last.")] = None,
    name: Annotated[str | None, typer.Option(help="Under another name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put a file into a request that is not under review, or another in place of one."""
    with client() as atoll:
        index = len(atoll.airlock.show(request_id)["files"]) if at is None else at
        _show(atoll.airlock.put(request_id, index, file, name), as_json=as_json)


@airlock.command("put-shared")
def put_shared(
    request_id: Id,
    path: Annotated[str, typer.Argument(metavar="PATH", help="Below /project, such as results/table-1.csv.")],
    at: Annotated[int | None, typer.Option(min=0, help="Instead of this one; left out, behind the last.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put a file of the project's share into a request that is to leave."""
    with client() as atoll:
        index = len(atoll.airlock.show(request_id)["files"]) if at is None else at
        _show(atoll.airlock.put_from_share(request_id, index, path), as_json=as_json)


@airlock.command("remove")
def remove(request_id: Id, index: Index, as_json: AsJson = False) -> None:
    """Take a file out of a request that is not under review."""
    with client() as atoll:
        _show(atoll.airlock.remove(request_id, index), as_json=as_json)


@airlock.command("submit")
def submit(request_id: Id, as_json: AsJson = False) -> None:
    """Hand a changed request to checks and reviewers again."""
    with client() as atoll:
        atoll.airlock.submit(request_id)
        _show(atoll.airlock.wait(request_id), as_json=as_json)


@airlock.command("list")
def list_(
    project: Annotated[str | None, typer.Option(help="Of this project.")] = None,
    state: Annotated[AirlockState | None, typer.Option(help="In this state.")] = None,
    direction: Annotated[Direction | None, typer.Option(help="This way.")] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Asked for by you.")] = False,
    to_review: Annotated[bool, typer.Option("--to-review", help="That wait for your review.")] = False,
    limit: AtMost = None,
    as_json: AsJson = False,
) -> None:
    """Requests that you may see, newest first."""
    with client() as atoll:
        found = atoll.airlock.list(
            project=project,
            state=state.value if state else None,
            direction=direction.value if direction else None,
            mine=mine,
            to_review=to_review,
            at_most=limit,
        )
        show_many("airlock_request", found, as_json=as_json)


@airlock.command("show")
def show(request_id: Id, as_json: AsJson = False) -> None:
    """One request: its files, what was found in them, reviews once both are there, releases."""
    with client() as atoll:
        _show(atoll.airlock.show(request_id), as_json=as_json)


@airlock.command("preview")
def preview(request_id: Id, index: Index, as_json: AsJson = False) -> None:
    """The first rows or the text of a file, for who asked and for reviewers."""
    with client() as atoll:
        shown = atoll.airlock.preview(request_id, index)
    if as_json:
        print_json(shown)
        return
    for table in shown["tables"]:
        lines = ["\t".join(table["columns"])]
        lines += ["\t".join("" if value is None else value for value in row) for row in table["rows"]]
        print_result(_plain("\n".join(lines)))
    if shown["text"]:
        print_result(_plain(shown["text"]))
    if shown["kind"] in ("image", "none"):
        note("Look at it in the web application." if shown["kind"] == "image" else "Nothing of it can be shown.")


@airlock.command("review")
def review(
    request_id: Id,
    reason: Annotated[str, typer.Option(help="Why; it is shown once both have decided.")],
    approve: Annotated[list[int] | None, typer.Option(help="Let this file through; may be given again.")] = None,
    refuse: Annotated[list[int] | None, typer.Option(help="Keep this file back; may be given again.")] = None,
    approve_all: Annotated[bool, typer.Option("--approve-all", help="Let every file through.")] = False,
    refuse_all: Annotated[bool, typer.Option("--refuse-all", help="Keep every file back.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide on every file of a request; look at them with `preview` first."""
    with client() as atoll:
        files = atoll.airlock.show(request_id)["files"]
        said: dict[int, bool] = dict.fromkeys(range(len(files)), approve_all) if approve_all or refuse_all else {}
        said |= dict.fromkeys(approve or (), True) | dict.fromkeys(refuse or (), False)
        if sorted(said) != list(range(len(files))) or (approve_all and refuse_all):
            raise InvalidInput(f"Decide on each of the {len(files)} files.", todo="Use --approve N and --refuse N.")
        decisions = [
            {"index": index, "sha256": files[index]["sha256"], "approve": yes, "reason": reason}
            for index, yes in sorted(said.items())
        ]
        _show(atoll.airlock.review(request_id, decisions), as_json=as_json)


@airlock.command("grant")
def grant(
    request_id: Id,
    index: Index,
    person: Annotated[str | None, typer.Option(help="A member of the project; left out, who asked.")] = None,
    as_json: AsJson = False,
) -> None:
    """As a reviewer: let somebody fetch a released file once more."""
    with client() as atoll:
        _show(atoll.airlock.grant(request_id, index, person), as_json=as_json)


@airlock.command("withdraw")
def withdraw(request_id: Id, as_json: AsJson = False) -> None:
    """Take your request back."""
    with client() as atoll:
        _show(atoll.airlock.withdraw(request_id), as_json=as_json)


@airlock.command("revoke")
def revoke(request_id: Id, as_json: AsJson = False) -> None:
    """As a reviewer: take a release back."""
    with client() as atoll:
        _show(atoll.airlock.revoke(request_id), as_json=as_json)


@airlock.command("fetch")
def fetch(
    request_id: Id,
    index: Index,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where to; left out, its own name here.")] = None,
) -> None:
    """Fetch a file that was released to you. Each grant is good for one download."""
    with client() as atoll:
        files = atoll.airlock.show(request_id)["files"]
        if not 0 <= index < len(files):
            raise InvalidInput("The request has no such file.", where=f"file {index}")
        target = out or Path(files[index]["name"])
        if target.exists():
            # Said before the download, which cannot be had twice.
            raise Conflict("There is a file of this name.", where=str(target), todo="Name another with --out.")
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                size_bytes = atoll.airlock.fetch(request_id, index, file)
            part.rename(target)
        except OSError as problem:
            raise InvalidInput(f"The file cannot be written: {problem.strerror}.", where=str(target)) from None
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
    note(f"{size_bytes} bytes are in {target}.")


def _show(found: dict[str, object], *, as_json: bool) -> None:
    if not as_json:
        files = found["files"]
        assert isinstance(files, list)
        found = {**found, "findings": [finding for file in files for finding in file["findings"] or ()]}
    show_one("airlock_request", found, as_json=as_json)


def _plain(text: str) -> Text:
    return Text(text)
