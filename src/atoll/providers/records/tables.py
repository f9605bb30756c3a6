"""The tables of the record store, the same on SQLite and PostgreSQL.

    records          one row for each record: its version and its body as JSON text
    record_indexes   one row for each declared index value of a record
    record_uniques   one row for each value that may stand only once
    streams          the last number of each stream
    stream_entries   the entries, numbered without a gap

Bodies are text and not a JSON type: the store never looks inside, and what was
written comes back byte for byte. The migrations make exactly these tables; a test
holds the two together.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

#: Names and keys compare by code point, so that the order of ids and every cursor
#: mean the same on all engines, whatever the locale of the database.
KEY = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()

records = Table(
    "records",
    metadata,
    Column("kind", KEY, primary_key=True),
    Column("id", KEY, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

record_indexes = Table(
    "record_indexes",
    metadata,
    Column("kind", KEY, primary_key=True),
    Column("name", KEY, primary_key=True),
    Column("value", KEY, primary_key=True),
    Column("id", KEY, primary_key=True),
    Index("record_indexes_of_record", "kind", "id"),
    sqlite_with_rowid=False,
)

record_uniques = Table(
    "record_uniques",
    metadata,
    Column("kind", KEY, primary_key=True),
    Column("name", KEY, primary_key=True),
    Column("value", KEY, primary_key=True),
    Column("id", KEY, nullable=False),
    Index("record_uniques_of_record", "kind", "id"),
    sqlite_with_rowid=False,
)

streams = Table(
    "streams",
    metadata,
    Column("stream", KEY, primary_key=True),
    Column("number", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

stream_entries = Table(
    "stream_entries",
    metadata,
    Column("stream", KEY, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    #: ISO 8601, UTC, microseconds.
    Column("at", Text, nullable=False),
    Column("body", Text, nullable=False),
)
