"""Alembic's way in: runs the revisions on the connection that `schema.migrate` hands over."""

from __future__ import annotations

from alembic import context

from atoll.providers.records.tables import metadata

# The connection is in a transaction of its own already, and its owner commits.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
