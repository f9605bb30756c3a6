"""The engine as a query process locks it stops what leaves it, were the guard not there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from atoll.errors import IntegrityBroken, InvalidInput, StatementRefused, Unavailable
from atoll.model.table import Column, ColumnType
from atoll.query.views import create_views, lock, open_engine

spec = importlib.util.spec_from_file_location("escapes", Path(__file__).with_name("escapes.py"))
escapes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(escapes)


@pytest.mark.parametrize("sql", escapes.OUTSIDE.values(), ids=escapes.OUTSIDE.keys())
def test_nothing_outside_is_reached(locked, sql):
    secret_frame = pa.table({"a": [1]})
    with pytest.raises((duckdb.Error, TypeError)):
        locked.execute(sql).fetchall()
    assert secret_frame.num_rows == 1


def test_only_the_planned_files_open_and_only_as_views(locked, visits):
    place = Path(visits.files[0].path).parent
    stranger = place / "stranger.parquet"
    stranger.write_bytes(Path(visits.files[0].path).read_bytes())
    for name in (stranger, place / "*.parquet", f"{place}/../visits/stranger.parquet"):
        with pytest.raises(duckdb.Error):
            locked.execute(f"FROM read_parquet('{name}')").fetchall()


def test_withheld_columns_cannot_be_named(locked):
    for column in ("note", "site", "filename", "file_row_number", "rowid", "visits.note", "clinic.visits.site"):
        with pytest.raises(duckdb.BinderException):
            locked.execute(f"SELECT {column} FROM clinic.visits").fetchall()


def test_the_row_filter_hides_false_and_null(locked):
    assert locked.execute("SELECT subject FROM clinic.visits ORDER BY id").fetchall() == [
        ("p1",),
        ("p2",),
        ("p1",),
        ("p3",),
    ]


def test_a_column_that_older_files_lack_is_null_there(locked):
    seen = locked.execute("SELECT id, seen_at IS NULL FROM clinic.visits ORDER BY id").fetchall()
    assert seen == [(0, True), (1, True), (3, False), (5, False)]


def test_a_table_without_files_is_empty_with_its_columns(visits, limits):
    connection = open_engine()
    create_views(connection, [visits.but(files=())])
    lock(connection, [], limits, None)
    assert connection.sql("FROM clinic.visits").to_arrow_table().schema.names == [c.name for c in visits.columns]
    assert connection.execute("SELECT count(*) FROM clinic.visits").fetchall() == [(0,)]


def test_a_column_no_file_has_is_null(labs):
    connection = open_engine()
    create_views(connection, [labs.but(columns=(*labs.columns, Column(name="later", type=ColumnType.DATE)))])
    assert connection.execute("SELECT DISTINCT later FROM clinic.labs").fetchall() == [(None,)]


def test_files_planned_alike_are_read_alike_and_checked(visits, labs):
    older, newer = visits.files
    as_planned = visits.but(files=(older.but(lacks=("seen_at",)), newer.but(lacks=())))
    connection = open_engine()
    create_views(connection, [as_planned])
    seen = "SELECT count(seen_at), count(*) FROM clinic.visits"
    assert connection.execute(seen).fetchall() == [(2, 4)]
    for wrong in ((older.but(lacks=()), newer.but(lacks=())), (newer.but(lacks=("seen_at",)),)):
        with pytest.raises(IntegrityBroken, match="planned"):
            create_views(open_engine(), [visits.but(files=wrong)])
    connection = open_engine()
    create_views(connection, [visits.but(files=(older.but(lacks=("seen_at",)),))])
    assert connection.execute(seen).fetchall() == [(0, 2)]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"dataset": "main"}, InvalidInput),
        ({"dataset": "Pg_Catalog"}, InvalidInput),
        ({"dataset": "information_schema"}, InvalidInput),
        ({"columns": ()}, InvalidInput),
        ({"row_filter": "nowhere = 1"}, IntegrityBroken),
        ({"row_filter": "true) OR (true"}, StatementRefused),
        ({"row_filter": "true UNION ALL SELECT 1"}, StatementRefused),
    ],
)
def test_a_relation_that_does_not_hold_is_refused(visits, change, error):
    with pytest.raises(error) as caught:
        create_views(open_engine(), [visits.but(**change)])
    assert "parquet" not in str(caught.value)


def test_wildcards_in_a_path_are_refused_and_missing_files_told_without_path(visits, tmp_path):
    for path, error in ((str(tmp_path / "*.parquet"), Unavailable), (str(tmp_path / "gone.parquet"), IntegrityBroken)):
        gone = visits.but(files=(visits.files[0].but(path=path),))
        with pytest.raises(error) as caught:
            create_views(open_engine(), [gone])
        assert str(tmp_path) not in str(caught.value)
