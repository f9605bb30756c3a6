"""Records with their indexes and unique values, and streams."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the five tables."""
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "records",
        sa.Column("kind", key, primary_key=True),
        sa.Column("id", key, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "record_indexes",
        sa.Column("kind", key, primary_key=True),
        sa.Column("name", key, primary_key=True),
        sa.Column("value", key, primary_key=True),
        sa.Column("id", key, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("record_indexes_of_record", "record_indexes", ["kind", "id"])
    op.create_table(
        "record_uniques",
        sa.Column("kind", key, primary_key=True),
        sa.Column("name", key, primary_key=True),
        sa.Column("value", key, primary_key=True),
        sa.Column("id", key, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("record_uniques_of_record", "record_uniques", ["kind", "id"])
    op.create_table(
        "streams",
        sa.Column("stream", key, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stream_entries",
        sa.Column("stream", key, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
