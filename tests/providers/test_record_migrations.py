"""The migrations make exactly the tables that the store works with."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from tests.services.record_stores import sql_store

from atoll.ports.records import RecordStore
from atoll.providers.records import open_record_store
from atoll.providers.records.engines import WRITES, engine_for
from atoll.providers.records.schema import ADVISORY_LOCK, alembic_config
from atoll.providers.records.tables import metadata


def test_migrations_equal_the_metadata(store: RecordStore) -> None:
    sql = sql_store(store)
    with sql._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_sqlite_tables_are_the_same_to_the_letter(tmp_path: Path) -> None:
    migrated = open_record_store(f"sqlite:///{tmp_path / 'migrated.db'}")
    sql = sql_store(migrated)
    plain = create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    metadata.create_all(plain)
    query = text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'")
    with sql._engine.connect() as one, plain.connect() as other:
        assert dict(one.execute(query).all()) == dict(other.execute(query).all())
    migrated.close()
    plain.dispose()


def test_keys_on_postgresql_compare_by_code_point(postgres_url: str) -> None:
    store = open_record_store(postgres_url)
    sql = sql_store(store)
    query = text(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND collation_name = 'C' AND table_name != 'alembic_version'"
    )
    with sql._engine.connect() as connection:
        found = {tuple(row) for row in connection.execute(query)}
    keys = {"kind", "id", "name", "value", "stream"}
    wanted = {(t.name, c.name) for t in metadata.tables.values() for c in t.columns if c.name in keys}
    assert found == wanted
    store.close()


def test_there_is_one_head_and_a_way_to_it() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert len(script.get_heads()) == 1
    assert all(revision.doc for revision in script.walk_revisions())


def test_who_opens_while_another_migrates_waits_for_it(store_url: str) -> None:
    """Another process is about to commit the first migration: it must be neither repeated nor refused."""
    engine = engine_for(store_url)
    config = alembic_config()
    with ThreadPoolExecutor(1) as pool:
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            opening = pool.submit(open_record_store, store_url)
            with pytest.raises(TimeoutError):
                opening.result(timeout=1)
        opened = opening.result(timeout=60)
    opened.check()
    opened.close()
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(config: Config, revision: str) -> None:
        upgrade(config, revision)
        raise RuntimeError("power cut")

    upgrade = command.upgrade
    monkeypatch.setattr(command, "upgrade", fails)
    with pytest.raises(RuntimeError):
        open_record_store(store_url)
    monkeypatch.undo()
    engine = engine_for(store_url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    open_record_store(store_url).close()
