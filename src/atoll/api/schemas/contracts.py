"""Contracts as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from atoll.model.contract import ContractVersion
from atoll.model.record import Frozen


class ContractText(Frozen):
    """The YAML of a contract."""

    text: Annotated[str, Field(max_length=2**20)]


class ContractChecked(Frozen):
    """The contract holds."""

    dataset: str
    tables: tuple[str, ...]


class ContractAnswer(Frozen):
    """A published contract, its text byte for byte as it was reviewed."""

    id: str
    dataset: str
    number: int
    text: str
    sha256: str
    published_by: str
    published_at: datetime

    @classmethod
    def of(cls, version: ContractVersion) -> Self:
        """The published contract."""
        return cls(
            id=version.id,
            dataset=version.dataset,
            number=version.number,
            text=version.text,
            sha256=version.sha256,
            published_by=version.published_by,
            published_at=version.published_at,
        )
