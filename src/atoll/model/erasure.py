"""Erasures: a person is taken out of every dataset, and the proof of it stays. Who it was does not."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from atoll.model.record import Frozen, Record


class ErasedRows(Frozen):
    """What was erased of one table."""

    dataset: str
    table: str
    #: Rows that were about the person.
    rows: int
    #: Version of the dataset from which on they are gone.
    version: int


class Erasure(Record):
    """The wish that a person be erased, and once done its proof."""

    kind: ClassVar[str] = "erasure"

    #: The pseudonymisation domain whose person it is.
    domain: str
    reason: str
    asked_by: str
    asked_at: datetime
    operation: str
    #: Whom to look for, sealed by the master key; None once it is over.
    sealed: str | None
    #: Ids of the keys whose pseudonyms of the person are looked for.
    keys_searched: tuple[str, ...] = ()
    #: When it was proven that nothing of whom was looked for is left; None before.
    done_at: datetime | None = None
    #: Code of the error that ended it.
    failed_because: str = ""
    tables: tuple[ErasedRows, ...] = ()
    #: Versions that held the person, `<dataset>@<number>`, and can be read no more.
    versions: tuple[str, ...] = ()
    #: Data files that held the person and are gone; mounts, kept results and profiles that went with them.
    files: int = 0
    mounts: int = 0
    results: int = 0
    profiles: int = 0
    #: Data files of versions that can be read, looked into afterwards: none holds the person.
    files_searched: int = 0
    #: Ids of other keys that the domain had: pseudonyms that they made of the person could not be
    #: looked for, and may still be there. Destroyed ones; and all, where a pseudonym was given
    #: that any of several made.
    keys_unsearched: tuple[str, ...] = ()
    #: Deliveries whose files, which may name the person, still wait in quarantine.
    in_quarantine: tuple[str, ...] = ()
