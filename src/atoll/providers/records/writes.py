"""One transaction's writes, as SQL on an open connection.

A condition that does not hold raises; the caller undoes the transaction. Locks are
taken in one order by everybody (records, unique values, streams, each sorted), so
that two transactions on PostgreSQL do not wait for each other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import PydanticSerializationError
from sqlalchemy import Connection, CursorResult, Table, delete, exc, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from atoll.errors import AlreadyExists, InvalidInput, VersionConflict
from atoll.model.record import Record, utc_now
from atoll.ports.records import Append, Delete, Put, Write
from atoll.providers.records.tables import record_indexes, record_uniques, records, stream_entries, streams

#: PostgreSQL refuses index entries above 2,704 bytes, DynamoDB keys above 1,024.
MAX_KEY_BYTES = 1024
MAX_WRITES = 50


def is_key(text: str) -> bool:
    """Whether every engine can keep `text` as a key: UTF-8, no NUL, at most 1,024 bytes."""
    try:
        return "\0" not in text and len(text.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError:
        return False


def key_text(text: str, what: str) -> str:
    """`text`, or `InvalidInput` when it cannot be a key; the message leaves the text out."""
    if not is_key(text):
        raise InvalidInput(
            f"The {what} holds a NUL character or improper Unicode, or is longer than {MAX_KEY_BYTES} bytes."
        )
    return text


def indexed(record: Record, names: Sequence[str]) -> set[tuple[str, str]]:
    """The (name, value) pairs of the record's attributes `names`, None left out."""
    values = ((name, getattr(record, name)) for name in names)
    return {(name, key_text(str(value), f"{name} of the {record.kind}")) for name, value in values if value is not None}


def checked(writes: Sequence[Write]) -> None:
    """Raises `ValueError` for a transaction that no store takes: a bug of the caller."""
    if len(writes) > MAX_WRITES:
        raise ValueError(f"{len(writes)} writes in one transaction, at most {MAX_WRITES} are possible")
    keys = [(w.record.kind, w.record.id) for w in writes if not isinstance(w, Append)]
    if len(keys) != len(set(keys)):
        raise ValueError("a record stands twice in one transaction")


def apply(connection: Connection, writes: Sequence[Write]) -> None:
    """Do all of the writes in the connection's transaction.

    Raises `VersionConflict`, `AlreadyExists`, `InvalidInput`.
    """
    changes = sorted((w for w in writes if not isinstance(w, Append)), key=lambda w: (w.record.kind, w.record.id))
    for change in changes:
        _record(connection, change)
    taken: list[dict[str, str]] = []
    for change in changes:
        # Values are given up by all records before any is taken: one transaction can hand one over.
        taken += _indexes(connection, change)
    for row in sorted(taken, key=lambda r: (r["kind"], r["name"], r["value"])):
        _take(connection, row)
    for append in sorted((w for w in writes if isinstance(w, Append)), key=lambda w: w.stream):
        _append(connection, append)


def _record(connection: Connection, change: Put | Delete) -> None:
    record = change.record
    here = (records.c.kind == record.kind, records.c.id == record.id, records.c.version == record.version)
    if isinstance(change, Delete):
        if _rows(connection.execute(delete(records).where(*here))) != 1:
            raise _conflict(record)
        return
    key = {"kind": record.kind, "id": key_text(record.id, f"id of the {record.kind}")}
    body = _record_json(record)
    if record.version > 0:
        changed = update(records).where(*here).values(version=record.version + 1, body=body)
        if _rows(connection.execute(changed)) != 1:
            raise _conflict(record)
        return
    try:
        connection.execute(insert(records).values(**key, version=1, body=body))
    except exc.IntegrityError:
        raise _conflict(record) from None


def _record_json(record: Record) -> str:
    try:
        return record.model_dump_json(exclude={"version"})
    except PydanticSerializationError:
        # Without the cause: its text can quote the value.
        raise InvalidInput(
            f"The {record.kind} holds something that JSON cannot say, such as improper Unicode.",
            where=f"{record.kind}/{record.id}",
        ) from None


def _conflict(record: Record) -> VersionConflict:
    return VersionConflict(
        f"The {record.kind} was written by somebody else since it was read."
        if record.version
        else f"The {record.kind} is there already.",
        where=f"{record.kind}/{record.id}",
        todo="Read it again, then decide whether the change still applies.",
    )


def _indexes(connection: Connection, change: Put | Delete) -> list[dict[str, str]]:
    """Bring the index rows up to date; returns the unique rows that are still to be taken."""
    record = change.record
    key = {"kind": record.kind, "id": record.id}
    put = isinstance(change, Put)
    fresh = put and record.version == 0
    wanted = indexed(record, record.indexes) if put else set()
    new = _give_up(connection, record_indexes, record, wanted, fresh)
    if new:
        connection.execute(insert(record_indexes), [{**key, "name": n, "value": v} for n, v in sorted(new)])
    wanted = indexed(record, record.unique) if put else set()
    new = _give_up(connection, record_uniques, record, wanted, fresh)
    return [{**key, "name": n, "value": v} for n, v in new]


def _give_up(
    connection: Connection, table: Table, record: Record, wanted: set[tuple[str, str]], fresh: bool
) -> set[tuple[str, str]]:
    """Delete the record's rows that are not wanted; returns the wanted ones that are missing."""
    if fresh:
        return wanted
    mine = (table.c.kind == record.kind, table.c.id == record.id)
    present = {(row.name, row.value) for row in connection.execute(select(table.c.name, table.c.value).where(*mine))}
    for name, value in sorted(present - wanted):
        connection.execute(delete(table).where(*mine, table.c.name == name, table.c.value == value))
    return wanted - present


def _take(connection: Connection, row: dict[str, str]) -> None:
    try:
        connection.execute(insert(record_uniques).values(**row))
    except exc.IntegrityError:
        # The value is left out: it may be a login, and this text reaches logs.
        raise AlreadyExists(
            f"Another {row['kind']} has this {row['name']} already.",
            where=f"{row['kind']}/{row['id']}",
            todo=f"Choose another {row['name']}, or change the {row['kind']} that has it.",
        ) from None


def _append(connection: Connection, append: Append) -> None:
    stream = key_text(append.stream, "name of the stream")
    bodies = [_entry_json(stream, entry) for entry in append.entries]
    if not bodies and append.after is None:
        return
    last = _advance(connection, stream, len(bodies), append.after)
    if last is None and append.after in (None, 0):
        _make_head(connection, stream)
        last = _advance(connection, stream, len(bodies), append.after)
    if last is None:
        raise VersionConflict(
            "The stream has moved on since it was read.", where=stream, todo="Read its end again and retry."
        )
    if bodies:
        at = utc_now().isoformat(timespec="microseconds")
        first = last - len(bodies) + 1
        rows = [{"stream": stream, "number": first + i, "at": at, "body": body} for i, body in enumerate(bodies)]
        connection.execute(insert(stream_entries), rows)


def _entry_json(stream: str, entry: Mapping[str, Any]) -> str:
    """JSON text. Raises `TypeError` or `ValueError` for what JSON cannot say: a bug of the caller."""
    text = json.dumps(dict(entry), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInput("An entry holds text that is not proper Unicode.", where=stream) from None
    return text


def _advance(connection: Connection, stream: str, by: int, after: int | None) -> int | None:
    """Move the head, which locks it until the commit; None when it is not at `after` or not there."""
    moved = update(streams).where(streams.c.stream == stream).values(number=streams.c.number + by)
    if after is not None:
        moved = moved.where(streams.c.number == after)
    if _rows(connection.execute(moved)) != 1:
        return None
    number = connection.execute(select(streams.c.number).where(streams.c.stream == stream)).scalar_one()
    return int(number)


def _make_head(connection: Connection, stream: str) -> None:
    """Make the head of a new stream, unless another process just did."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(streams).values(stream=stream, number=0).on_conflict_do_nothing())


def _rows(result: CursorResult[Any]) -> int:
    return result.rowcount
