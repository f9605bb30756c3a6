"""The platform's side of a check: a process for each file, which may be hostile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from atoll.airlock.checks.found import Found
from atoll.airlock.job import Job, Report
from atoll.airlock.preview_shape import Preview
from atoll.model.airlock import Direction

_SCAN_SECONDS = 300
_INFECTED = 1


def check_file(job: Job, content: bytes, earlier: Sequence[bytes] = ()) -> Report:
    """What the checks find. A file on which they fail, or that takes too much, is refused by them."""
    answer = _run(job, content, earlier)
    try:
        report = Report.model_validate_json(answer or b"")
    except ValidationError:
        found = Found(job.index, job.direction)
        found.add("too_large", "The file needs more time or memory than a check may use.")
        report = Report(form="unknown", findings=found.findings)
    if job.direction is Direction.IN:
        found = Found(job.index, job.direction)
        _scan(content, found)
        report = report.but(findings=(*report.findings, *found.findings))
    return report


def preview_file(job: Job, content: bytes) -> Preview:
    """What is shown of a file; of one that cannot be read, nothing."""
    answer = _run(job.but(preview=True), content, ())
    try:
        return Preview.model_validate_json(answer or b"")
    except ValidationError:
        return Preview(kind="none", form="unknown")


def _run(job: Job, content: bytes, earlier: Sequence[bytes]) -> bytes | None:
    text = b"".join((job.model_dump_json().encode(), b"\n", content, *earlier))
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "atoll.airlock.worker", str(os.getpid())],
            input=text,
            stdout=subprocess.PIPE,
            # What a reader prints may hold values: it is not kept.
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC", "POLARS_MAX_THREADS": "1"},
            timeout=job.limits.seconds,
            start_new_session=True,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError):
        return None
    return done.stdout if done.returncode == 0 else None


def _scan(content: bytes, found: Found) -> None:
    """Ask ClamAV, where the host has it: the daemon's client, or the program itself."""
    program = shutil.which("clamdscan") or shutil.which("clamscan")
    if program is None:
        found.add(
            "not_scanned", "No virus scanner is installed here, so none looked.", todo="Install ClamAV on the host."
        )
        return
    try:
        done = subprocess.run(
            [program, "--no-summary", "-"],
            input=content,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SCAN_SECONDS,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError):
        found.add("not_scanned", "The virus scanner did not answer.")
        return
    if done.returncode == _INFECTED:
        found.add("virus", "The virus scanner knows it as harmful.")
    elif done.returncode:
        found.add("not_scanned", "The virus scanner did not answer.")
