from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from atoll.deliveries import Landing, Quarantine
from atoll.model.delivery import Delivery, ManifestFile, manifest_id

MAX_BYTES = 10_000_000


def delivery_of(*contents: bytes) -> Delivery:
    """A delivery that announces these contents truly."""
    files = tuple(
        ManifestFile(name=f"file-{n}.csv", size_bytes=len(c), sha256=hashlib.sha256(c).hexdigest())
        for n, c in enumerate(contents)
    )
    identity = manifest_id("lab", "ward", files)
    return Delivery(
        id=f"dlv_{identity[:26]}",
        manifest_id=identity,
        source="lab",
        dataset="ward",
        files=files,
        opened_by="lab",
        opened_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "quarantine"


@pytest.fixture
def landing(place: Path) -> Landing:
    return Landing(place, MAX_BYTES)


@pytest.fixture
def quarantine(place: Path) -> Quarantine:
    return Quarantine(place)


def everything_below(place: Path) -> list[str]:
    """Every file below a directory, parts included, relative and sorted."""
    return sorted(str(p.relative_to(place)) for p in place.rglob("*") if p.is_file())
