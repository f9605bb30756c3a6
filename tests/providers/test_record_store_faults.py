"""What a store says when its database is away, damaged or not one."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from tests.providers.contender import Counter
from tests.services.postgres import PostgresServer
from tests.services.record_stores import sql_store

from atoll.errors import IntegrityBroken, InvalidInput, NotFound, Unavailable
from atoll.ports.records import Append, Put, RecordStore, Write
from atoll.providers.records import engines as engines_module
from atoll.providers.records import open_record_store
from atoll.providers.records import store as store_module
from atoll.providers.records.store import SqlRecordStore
from atoll.providers.records.writes import apply


def test_sqlite_files_are_private(tmp_path: Path) -> None:
    path = tmp_path / "home" / "records.db"
    store = open_record_store(f"sqlite:///{path}")
    store.put(Counter(id="x"))
    files = sorted(path.parent.iterdir())
    assert [f.name for f in files] == ["records.db", "records.db-shm", "records.db-wal"]
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.close()


def test_a_wider_sqlite_file_is_narrowed(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    path.touch(0o644)
    open_record_store(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_sqlite_runs_in_wal_and_syncs_each_commit(tmp_path: Path) -> None:
    store = open_record_store(f"sqlite:///{tmp_path / 'records.db'}")
    sql = sql_store(store)
    with sql._engine.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://u:hush@h/d",
        "postgresql://u:hush@h:port/d",
        "sqlite:////proc/no/where.db",
    ],
)
def test_urls_that_cannot_hold_records_are_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        open_record_store(url)
    assert "hush" not in str(refused.value)


def test_a_file_that_is_no_database_is_damaged_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(IntegrityBroken):
        open_record_store(f"sqlite:///{path}")
    assert path.read_bytes() == b"not a database at all" * 100


def test_a_store_of_a_newer_release_is_left_alone(store_url: str) -> None:
    store = open_record_store(store_url)
    sql = sql_store(store)
    with sql._writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(IntegrityBroken, match="9999"):
        open_record_store(store_url)


def test_a_writer_that_waits_too_long_is_told_to_come_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines_module, "LOCK_WAIT_SECONDS", 0.2)
    path = tmp_path / "records.db"
    store = open_record_store(f"sqlite:///{path}")
    store.put(Counter(id="x"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="SQLITE_BUSY"):
        store.put(Counter(id="y"))
    assert store.get(Counter, "x").version == 1, "readers do not wait for the writer"
    other.execute("ROLLBACK")
    store.put(Counter(id="y"))
    other.close()
    store.close()


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as away:
        open_record_store(f"postgresql+psycopg://someone:hush@/records?host={tmp_path}")
    assert "hush" not in str(away.value)
    with pytest.raises(Unavailable) as away:
        open_record_store(f"postgresql+psycopg:///records?host={tmp_path}&password=hush")
    assert "hush" not in str(away.value) and tmp_path.name in str(away.value)
    with pytest.raises(Unavailable):
        open_record_store("postgresql://someone:hush@127.0.0.1:1/records")


def test_a_server_that_goes_and_comes_back(own_postgres_server: PostgresServer) -> None:
    store = open_record_store(own_postgres_server.url(own_postgres_server.new_database()))
    counter = store.put(Counter(id="x"))
    own_postgres_server.stop()
    for asked in (
        store.check,
        lambda: store.get(Counter, "x"),
        lambda: store.put(counter),
        lambda: store.read("log"),
        lambda: store.transact([Append("log", [{}])]),
    ):
        with pytest.raises(Unavailable):
            asked()
    own_postgres_server.start()
    store.check()
    assert store.put(counter).version == 2
    store.close()


@pytest.mark.parametrize("state", ["40P01", "40001"])
def test_a_transaction_that_the_server_undid_is_run_again(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    store = open_record_store(postgres_url)
    undo, tried = 2, 0

    def undone(connection: Connection, writes: Sequence[Write]) -> None:
        nonlocal tried
        tried += 1
        apply(connection, writes)
        if tried <= undo:
            connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$"))

    monkeypatch.setattr(store_module, "apply", undone)
    store.transact([Put(Counter(id="x")), Append("log", [{}])])
    assert tried == 3 and store.get(Counter, "x").version == 1 and len(store.read("log")) == 1
    undo, tried = 99, 0
    monkeypatch.setattr(SqlRecordStore, "ATTEMPTS", 3)
    with pytest.raises(Unavailable):
        store.transact([Append("log", [{}])])
    assert tried == 3 and len(store.read("log")) == 1
    store.close()


def test_a_statement_that_the_server_refuses_is_told_without_values(store: RecordStore) -> None:
    sql = sql_store(store)
    with sql._writer.begin() as connection:
        connection.execute(text("DROP TABLE record_uniques"))
        connection.execute(text("DROP TABLE stream_entries"))
    with pytest.raises(IntegrityBroken) as refused:
        store.put(Counter(id="x", label="secret"))
    assert "secret" not in str(refused.value) and refused.value.__suppress_context__
    with pytest.raises(NotFound):
        store.get(Counter, "x")
