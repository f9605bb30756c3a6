"""A checking process: `python -m atoll.airlock.worker PARENT_PID`. It looks into one file and ends.

From stdin: one line, the job in JSON, then the contents of the file and of the earlier
ones. To stdout: the report or preview in JSON. It gets no secret and no path.
"""

from __future__ import annotations

import os
import sys

from atoll.airlock.checks.found import Found
from atoll.airlock.checks.look import look
from atoll.airlock.confine import confine
from atoll.airlock.job import Job, Report
from atoll.airlock.preview import preview


def main() -> None:
    """Read the job, give up what is not needed, look, tell, end."""
    source = sys.stdin.buffer
    job = Job.model_validate_json(source.readline())
    # Imported before the file is looked at.
    import openpyxl  # noqa: F401
    import PIL.Image
    import pypdf  # noqa: F401

    PIL.Image.init()
    confine(int(sys.argv[1]), job.limits.memory_bytes, job.limits.seconds)
    content = source.read(job.size_bytes)
    earlier = [(e.label, e.name, source.read(e.size_bytes)) for e in job.earlier]
    try:
        told = preview(job, content) if job.preview else look(job, content, earlier)
    except (MemoryError, RecursionError):
        told = failed(job, "too_large", "The file needs more memory than a check may use.")
    except Exception:  # what a reader says of a hostile file may hold its values
        told = failed(job, "unreadable", "The file cannot be read as what it says it is.")
    sys.stdout.buffer.write(told.model_dump_json().encode())
    sys.stdout.flush()
    os._exit(0)


def failed(job: Job, check: str, message: str) -> Report:
    """A report that lets nothing through."""
    found = Found(job.index, job.direction)
    found.add(check, message)
    return Report(form="unknown", findings=found.findings)


if __name__ == "__main__":
    main()
