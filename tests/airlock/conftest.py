from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from atoll.airlock import Earlier, Job
from atoll.airlock.checks.look import look
from atoll.model.airlock import AirlockFile, Direction

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def found():
    """The checks on one file, in this process: check to severity, as found."""

    def run(name, content, direction="out", *, earlier=(), **more):
        old = tuple(Earlier(label=f"air_{n}", name=name, size_bytes=len(c)) for n, (name, c) in enumerate(earlier))
        job = Job(
            index=0,
            name=name,
            size_bytes=len(content),
            direction=Direction(direction),
            earlier=old,
            **more,
        )
        report = look(job, content, [(e.label, e.name, c) for e, (_, c) in zip(old, earlier, strict=True)])
        return {finding.check: finding for finding in report.findings}

    return run


def kept(stored, name="table.csv"):
    return AirlockFile(
        name=name,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        blob=stored.blob,
        sealed_key=stored.sealed_key,
        added_at=NOW,
    )


def digest(content):
    return hashlib.sha256(content).hexdigest()
