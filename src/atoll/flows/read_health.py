"""How the platform stands, part by part: for whoever operates it."""

from __future__ import annotations

import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path

from atoll.access import permissions
from atoll.access.scopes import Scope
from atoll.errors import AtollError
from atoll.flows.rooms import Rooms
from atoll.model.person import Caller
from atoll.operations import DutyStanding
from atoll.ports.backend import Finding

#: A query takes a warm process with it; the next one stands ready well within this.
ENGINE_PATIENCE_SECONDS = 5.0
_VERSIONS = ("atoll", "duckdb", "polars", "pyiceberg", "pyarrow", "sqlalchemy", "fastapi")


@dataclass(frozen=True)
class PartStanding:
    """A part that requests or people need."""

    name: str
    good: bool
    #: What is wrong and what to do; empty when it is good.
    problem: str
    took_seconds: float


@dataclass(frozen=True)
class Health:
    """How all parts stand."""

    parts: tuple[PartStanding, ...]
    #: What each backend finds on its host, by name.
    backends: dict[str, tuple[Finding, ...]]
    duties: tuple[DutyStanding, ...]
    versions: dict[str, str]
    looked_at: datetime


def works(part: Callable[[], object]) -> str:
    """Why a part does not work; empty when it does."""
    try:
        answer = part()
    except (AtollError, OSError) as error:
        return str(error) or type(error).__name__
    return "It does not answer in time; its log says why." if answer is False else ""


def needed(rooms: Rooms) -> dict[str, Callable[[], object]]:
    """What every request needs, by name, as something that raises or is false when it does not work."""
    return {
        "records": rooms.records.check,
        "engine": lambda: rooms.engine.wait_ready(ENGINE_PATIENCE_SECONDS),
        "lake": lambda: _writable(rooms.settings.lake_path),
    }


def show_health(rooms: Rooms, caller: Caller) -> Health:
    """Try every part; what is tried takes a second or two."""
    permissions.require(caller, Scope.SETTINGS_READ)
    return Health(
        parts=tuple(_tried(rooms)),
        backends={name: _examined(backend.doctor) for name, backend in rooms.backends.items()},
        duties=rooms.duties.all(),
        versions={"python": platform.python_version(), **{name: metadata.version(name) for name in _VERSIONS}},
        looked_at=rooms.clock.now(),
    )


def _tried(rooms: Rooms) -> Iterator[PartStanding]:
    parts = needed(rooms)
    parts["quarantine"] = lambda: _writable(rooms.settings.quarantine_path)
    if rooms.sign_on.directory is not None:
        parts["directory"] = rooms.sign_on.directory.check
    if rooms.sign_on.issuer is not None:
        parts["issuer"] = rooms.sign_on.issuer.check
    for name, part in parts.items():
        began = time.monotonic()
        problem = works(part)
        yield PartStanding(name, not problem, problem, round(time.monotonic() - began, 4))


def _examined(doctor: Callable[[], tuple[Finding, ...]]) -> tuple[Finding, ...]:
    problem = ""
    try:
        return doctor()
    except (AtollError, OSError) as error:
        problem = str(error) or type(error).__name__
    return (Finding("examination", False, problem, "Run `atoll doctor` on the host."),)


def _writable(directory: Path) -> None:
    with tempfile.TemporaryFile(dir=directory):
        pass
