"""Listings put into another order, and searched, on the server.

The record store orders by id alone, which is by time of making. Any other order is made here, over the
listing as it is paged: no more rows are held than a page has, and no more than `LOOKED_AT_MOST` are looked
at, beyond which the caller is told to filter. A cursor holds the sort key of the last row and its id, so
that what comes and goes meanwhile makes no other row be skipped or told twice.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from operator import attrgetter, itemgetter
from typing import Annotated, Any, Generic, Protocol, TypeVar

from fastapi import Query

from atoll.api.schemas.listing import Cursor, Limit, Listing
from atoll.errors import InvalidInput, LimitExceeded

T = TypeVar("T")
Row_co = TypeVar("Row_co", covariant=True)
Value = str | int | Decimal | date | None

#: Most rows that are looked through for another order than the store's own; see `Ordering.page`.
LOOKED_AT_MOST = 10_000
_AT_ONCE = 1000
#: Texts are compared by so many letters; those that are alike so far stand in order of id.
_LETTERS = 40

Find = Annotated[
    str | None,
    Query(
        max_length=200,
        description="Rows in which all of these words stand, or of this id. A page may be short and have a cursor.",
    ),
]

_TEXT, _NUMBER = "t", "n"
#: What is not there stands at the end, whichever way: (mark of it, kind of value, value, id).
_Key = tuple[bool, str, str | Decimal, str]


class _Page(Protocol[Row_co]):
    @property
    def items(self) -> tuple[Row_co, ...]: ...
    @property
    def cursor(self) -> str | None: ...


#: A page of the listing in its own order: cursor and limit to the page.
Ask = Callable[[str | None, int], _Page[T]]


class Ordering(Generic[T]):
    """The fields that a listing can be ordered by, and is searched in where they are texts.

    `Ordering("source", rows_in=lambda d: d.outcome and d.outcome.rows_in)`: attributes of the answer by
    their names, or what a function makes of it. `id` gives the text that tells a row from all others.
    """

    def __init__(
        self, *names: str, id: Callable[[T], str] = attrgetter("id"), **made: Callable[[T], Value | bool]
    ) -> None:
        self.fields: Mapping[str, Callable[[T], Any]] = {name: attrgetter(name) for name in names} | made
        self._id = id

    @property
    def sort(self) -> Any:  # noqa: ANN401 - what FastAPI takes between `Annotated`'s brackets
        """The query parameter, for `Annotated[str | None, ORDER.sort]`; other fields than the declared are refused."""
        names = "|".join(self.fields)
        return Query(
            pattern=rf"^-?(?:{names})$",
            description=f"Order by one of `{'`, `'.join(self.fields)}`; with `-` before it the other way round. "
            f"Holds for up to {LOOKED_AT_MOST} rows: filter where there are more.",
        )

    def page(
        self, ask: Ask[T], *, sort: str | None, find: str | None = None, cursor: Cursor, limit: Limit
    ) -> Listing[T]:
        """A page in the order asked for; without `sort` and `find` the listing's own page.

        Raises `LimitExceeded` when more rows than `LOOKED_AT_MOST` would have to be ordered, and
        `InvalidInput` for a cursor of another order.
        """
        words = _plain(find or "").split()
        if sort is not None:
            return self._ordered(ask, sort, words, cursor, limit)
        if words:
            return self._searched(ask, words, cursor, limit)
        page = ask(cursor, limit)
        return Listing(items=page.items, cursor=page.cursor)

    def _ordered(self, ask: Ask[T], sort: str, words: list[str], cursor: str | None, limit: int) -> Listing[T]:
        down = sort.startswith("-")
        value_of = self.fields[sort.removeprefix("-")]
        last = None if cursor is None else _opened(cursor, sort)

        def keyed() -> Iterator[tuple[_Key, T]]:
            for row in _every(ask):
                key = _key(value_of(row), self._id(row), down=down)
                beyond = last is None or (key < last if down else key > last)
                if beyond and self._meets(row, words):
                    yield key, row

        chosen = (heapq.nlargest if down else heapq.nsmallest)(limit + 1, keyed(), key=itemgetter(0))
        rows = chosen[:limit]
        return Listing(
            items=tuple(row for _, row in rows), cursor=_closed(sort, rows[-1][0]) if len(chosen) > limit else None
        )

    def _searched(self, ask: Ask[T], words: list[str], cursor: str | None, limit: int) -> Listing[T]:
        found: list[T] = []
        looked = 0
        # Never more rows at once than may still be told, so that the cursor stands behind the last one told.
        while looked < LOOKED_AT_MOST:
            most = limit - len(found)
            page = ask(cursor, most)
            found += (row for row in page.items if self._meets(row, words))
            looked, cursor = looked + most, page.cursor
            if cursor is None or 2 * len(found) >= limit:
                break
        return Listing(items=tuple(found), cursor=cursor)

    def _meets(self, row: T, words: list[str]) -> bool:
        if not words:
            return True
        values = (field(row) for field in self.fields.values())
        text = _plain(" ".join(value for value in values if isinstance(value, str)))
        return all(word in text or word == self._id(row) for word in words)


def number_in(cursor: str) -> int:
    """The number that is the cursor of a listing which counts. Raises `InvalidInput`."""
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 12):
        raise _other_cursor()
    return int(cursor)


def _every(ask: Ask[T]) -> Iterator[T]:
    cursor: str | None = None
    for _ in range(LOOKED_AT_MOST // _AT_ONCE):
        page = ask(cursor, _AT_ONCE)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return
    raise LimitExceeded(
        f"More than {LOOKED_AT_MOST} rows would have to be put in order.",
        where="sort",
        todo="Filter, so that fewer are left; or leave the order as it is.",
    )


def _key(value: Value | bool, id: str, *, down: bool) -> _Key:
    """Values as they compare; booleans and whole numbers as numbers, moments as texts of one length."""
    if value is None:
        return (not down, _TEXT, "", id)
    if isinstance(value, datetime):
        return (down, _TEXT, value.astimezone(UTC).isoformat(timespec="microseconds"), id)
    if isinstance(value, date):
        return (down, _TEXT, value.isoformat(), id)
    if isinstance(value, str):
        return (down, _TEXT, _plain(value)[:_LETTERS], id)
    return (down, _NUMBER, Decimal(value), id)


def _plain(text: str) -> str:
    """Without case and accents, as one looks a name up."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _closed(sort: str, key: _Key) -> str:
    mark, kind, value, id = key
    text = json.dumps([sort, mark, kind, str(value), id], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _opened(cursor: str, sort: str) -> _Key:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        made_for, mark, kind, value, id = json.loads(text)
        told = Decimal(value) if kind == _NUMBER else str(value)
        key = (bool(mark), str(kind), told, str(id))
    except (binascii.Error, ValueError, TypeError, InvalidOperation):
        raise _other_cursor() from None
    if made_for != sort or (isinstance(told, Decimal) and not told.is_finite()):
        raise _other_cursor()
    return key


def _other_cursor() -> InvalidInput:
    return InvalidInput("The cursor is not of this order.", where="cursor", todo="Begin again without a cursor.")
