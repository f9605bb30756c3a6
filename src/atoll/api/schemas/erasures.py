"""Erasures of persons as the API takes and shows them: never who it was."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field, SecretStr

from atoll.model.erasure import ErasedRows, Erasure
from atoll.model.record import Frozen
from atoll.model.said import Sentence


class NewErasure(Frozen):
    """The wish that a person be erased from every dataset: one of identifier and pseudonym says whom."""

    #: The pseudonymisation domain that the identifier belongs to.
    domain: str = Field(min_length=1, max_length=64)
    #: As the sources write it. Not kept.
    identifier: SecretStr | None = Field(default=None, min_length=1, max_length=500)
    #: As the lake shows it. Not kept.
    pseudonym: SecretStr | None = Field(default=None, min_length=16, max_length=80)
    #: Why, without saying who.
    reason: str = Field(min_length=1, max_length=500)
    #: The name of the domain once more: an erasure cannot be undone.
    confirm: str = Field(max_length=64)


class ErasureAnswer(Frozen):
    """An erasure, and once it is done its proof."""

    id: str
    domain: str
    reason: str
    asked_by: str
    asked_at: datetime
    operation: str
    #: When it was proven that nothing of whom was looked for is left; None before.
    done_at: datetime | None
    failed_because: Sentence
    tables: tuple[ErasedRows, ...]
    #: Versions that held the person and can be read no more.
    versions: tuple[str, ...]
    #: Data files that held the person and are gone; what was made of them and went with them.
    files: int
    mounts: int
    results: int
    profiles: int
    #: Data files that can be read and were searched afterwards.
    files_searched: int
    #: Keys of the domain whose pseudonyms of the person were looked for.
    keys_searched: tuple[str, ...]
    #: Other keys that it had: what they made of the person could not be looked for and may still be there.
    keys_unsearched: tuple[str, ...]
    #: Deliveries whose files, which may name the person, still wait in quarantine.
    in_quarantine: tuple[str, ...]

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        """The erasure, without whom it is about."""
        return cls(**erasure.model_dump(exclude={"version", "sealed"}))
