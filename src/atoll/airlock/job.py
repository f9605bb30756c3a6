"""What a checking process is told, and what it tells."""

from __future__ import annotations

from pydantic import Field

from atoll.model.airlock import AirlockFinding, Direction
from atoll.model.record import Frozen

#: Of files, in the order in which their content follows the job.
THRESHOLD = 10


class Pseudonym(Frozen):
    """How a domain's pseudonyms look: a prefix, then so many hexadecimal digits."""

    prefix: str
    length: int


class Earlier(Frozen):
    """A file that was released before, which a new one is held against."""

    #: Id of its request and its index there.
    label: str
    name: str
    size_bytes: int


class Limits(Frozen):
    """What one check may use."""

    seconds: float = Field(default=120.0, gt=0)
    memory_bytes: int = Field(default=3 * 2**30, gt=0)


class Job(Frozen):
    """One file to look into; its content follows the job, then that of `earlier`, by their sizes."""

    index: int
    name: str
    size_bytes: int
    direction: Direction
    #: Counts below this are small (at least 10 people, as statistical offices and health data agencies ask).
    threshold: int = THRESHOLD
    pseudonyms: tuple[Pseudonym, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    #: Make a preview instead of a check.
    preview: bool = False
    limits: Limits = Limits()


class Report(Frozen):
    """What was found."""

    #: The form of the content, e.g. `csv`; `unknown` when it is none that is known.
    form: str
    findings: tuple[AirlockFinding, ...] = ()
