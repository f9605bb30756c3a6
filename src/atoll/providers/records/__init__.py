"""The record store in a SQL database: SQLite (embedded) or PostgreSQL."""

from __future__ import annotations

from atoll.ports.records import RecordStore
from atoll.providers.records.engines import engine_for
from atoll.providers.records.schema import migrate
from atoll.providers.records.store import SqlRecordStore
from atoll.providers.records.watched import WatchedRecords


def open_record_store(url: str) -> RecordStore:
    """The store behind `sqlite:///FILE` or `postgresql+psycopg://...`, its tables made or upgraded.

    A SQLite file and its directory are made if absent (0600, 0700). Close it when done.
    Raises `InvalidInput` for a URL it cannot use, `Unavailable` when the database does
    not answer, `IntegrityBroken` when the file is damaged or a newer release made it.
    """
    engine = engine_for(url)
    try:
        migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return WatchedRecords(SqlRecordStore(engine))
