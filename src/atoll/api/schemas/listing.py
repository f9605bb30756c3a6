"""Lists in pages, and how to ask for them."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from fastapi import Query

from atoll.model.record import Frozen

T = TypeVar("T")


class Listing(Frozen, Generic[T]):
    """A page of things; `cursor` asks for the next page, null when there is none."""

    items: tuple[T, ...]
    cursor: str | None = None


Cursor = Annotated[str | None, Query(max_length=500, description="`cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items of a page.")]
