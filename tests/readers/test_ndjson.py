"""Nested rows: what a path takes, what no rule names, and what is no row."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from atoll.deid.readers.json_lines import MAX_LINE_BYTES, line_blocks
from atoll.deid.readers.ndjson import read_ndjson
from atoll.errors import ContractInvalid
from atoll.model.contract import TableContract
from atoll.model.identified import IdentifiedBatch

Build = Callable[..., TableContract]
KEEP, DROP = {"treat": "keep"}, {"treat": "drop"}


@pytest.fixture
def read(tmp_path: Path, table: Build) -> Callable[..., tuple[pl.DataFrame, IdentifiedBatch]]:
    def run(lines: list[object], columns: dict[str, object], **more: object) -> tuple[pl.DataFrame, IdentifiedBatch]:
        path = tmp_path / "rows.ndjson"
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        batch = read_ndjson(path, table(columns, **more)).batch
        return batch.rows.collect(engine="streaming"), batch

    return run


Read = Callable[..., tuple[pl.DataFrame, IdentifiedBatch]]


def test_paths_lead_to_values(read: Read) -> None:
    row = {"a": {"b": [{"c": "x"}, {"c": "y"}]}, "n": 5, "t": True, "z": None}
    columns = {
        "first": {"treat": "keep", "path": "a.b[0].c"},
        "all": {"treat": "keep", "path": "a.b[*].c"},
        "n": KEEP,
        "t": KEEP,
        "z": KEEP,
        "gone": KEEP,
    }
    frame, batch = read([row], columns)

    assert frame.drop("__raw").row(0) == (1, "x", "x|y", "5", "true", None, None)
    assert set(frame.drop("__row").dtypes) == {pl.String}
    assert batch.malformed == []


@pytest.mark.parametrize(
    "number", ["0.10", "1.0", "-0.0", "1e3", "1E-7", "12345678901234567890123", "0.1000000000000000055"]
)
def test_numbers_keep_their_text(read: Read, number: str) -> None:
    frame, _ = read([f'{{"n": {number}, "s": "as it is"}}'], {"n": KEEP, "s": KEEP})

    assert frame.select("n", "s").row(0) == (number, "as it is")


@pytest.mark.parametrize(
    ("columns", "row", "unnamed"),
    [
        ({"a": KEEP}, {"a": 1, "b": 2}, "b"),
        ({"name": DROP}, {"name": [{"family": "x"}, {"family": "y", "given": ["z"]}]}, None),
        ({"name[0].family": DROP}, {"name": [{"family": "x"}, {"family": "y"}]}, "name[1]"),
        ({"name[0].family": DROP}, {"name": [{"family": "x", "given": ["y"]}]}, "name[0].given"),
        ({"name[*].family": DROP}, {"name": [{"family": "x"}, {"family": "y"}]}, None),
        (
            {"name[*].family": DROP, "name[0].given": DROP},
            {"name": [{"family": "x", "given": [1]}, {"given": [1]}]},
            "name[1].given",
        ),
        ({"a.b": DROP}, {"a": "text in place of an object"}, "a"),
        ({"a.b": DROP}, {"a": [{"b": 1}]}, "a"),
        ({"a[0]": DROP}, {"a": {"b": 1}}, "a"),
        ({"a": DROP, "a.b": KEEP}, {"a": {"b": "x", "c": "y"}}, None),
        ({"a.b": DROP}, {"a": {}}, None),
        ({"a.b": DROP}, {"a": None}, None),
        ({"a": KEEP}, {"a": 1, "b": None}, "b"),
        ({"a": KEEP}, {"a": 1, "b": []}, "b"),
        ({"a": KEEP}, {"a": 1, "": 2}, "?"),
        ({"a": KEEP}, {"a": 1, "999-12-3456": 2}, "?"),
        ({"a": KEEP}, {"a": 1, "x" * 65: 2}, "?"),
        ({"a.b": KEEP}, {"a": {"b": 1, "Mr Somebody": {"c": 2}}}, "a.?"),
    ],
)
def test_fields_that_no_rule_names(read: Read, columns: dict[str, object], row: object, unnamed: str | None) -> None:
    frame, batch = read([row], columns)

    if unnamed is None:
        assert (frame.height, batch.malformed) == (1, [])
    else:
        assert frame.height == 0
        assert [(m.row, m.rule, m.message) for m in batch.malformed] == [
            (1, "unknown_field", f"Fields that no rule names: {unnamed}.")
        ]
        assert json.loads(batch.malformed[0].raw) == row


def test_unknown_fields_can_be_left_out_and_are_counted(read: Read) -> None:
    rows: list[object] = [{"a": 1, "b": 2}, {"a": 2}, {"a": 3, "b": 1, "c": {"d": 1}}, {"a": 4, "c": [1, 2]}]

    frame, batch = read(rows, {"a": KEEP}, unknown_fields="leave_out")

    assert frame["a"].to_list() == ["1", "2", "3", "4"]
    assert batch.unknown == {"b": 2, "c": 2}
    assert batch.malformed == []


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"a": 1',
        "nothing",
        '{"a": NaN}',
        '{"a": 1e999999} x',
        '"text"',
        "[1, 2]",
        "12",
        "null",
        '{"a": "\\ud800"}',
        '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"a": ' * 3_000 + "1" + "}" * 3_000,
    ],
)
def test_a_line_that_is_no_object_is_malformed_and_its_neighbours_are_not(read: Read, line: str) -> None:
    frame, batch = read([{"a": 1}, line, {"a": 3}], {"a": KEEP})

    assert frame["__row"].to_list() == [1, 3]
    assert [(m.row, m.rule, m.raw) for m in batch.malformed] == [(2, "malformed", line)]


def test_deep_nesting_under_a_dropped_path_breaks_nothing(read: Read) -> None:
    deep = '{"a": 0.50, "b": ' + "[" * 900 + "]" * 900 + "}"

    frame, batch = read([deep], {"a": KEEP, "b": DROP})

    assert frame.height + len(batch.malformed) == 1


def test_an_object_where_one_value_is_wanted_does_not_slip_in(read: Read) -> None:
    frame, batch = read([{"a": {"name": "somebody"}}, {"a": ["x", "y"]}, {"a": "x"}], {"a": KEEP})

    assert frame["a"].to_list() == ["x"]
    assert [m.rule for m in batch.malformed] == ["nested_value", "nested_value"]
    assert not any("somebody" in m.message for m in batch.malformed)


def test_bytes_that_are_not_utf8_are_malformed(tmp_path: Path, table: Build) -> None:
    (tmp_path / "f").write_bytes(b'{"a":"\xe9"}\n{"a":"\xc3\xa9"}')
    batch = read_ndjson(tmp_path / "f", table({"a": KEEP})).batch

    assert batch.rows.collect()["a"].to_list() == ["é"]
    assert [m.row for m in batch.malformed] == [1]


def test_byte_order_mark_crlf_blank_lines_and_no_last_line_end(tmp_path: Path, table: Build) -> None:
    (tmp_path / "f").write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\r\n  \n{"a":2}\r\n{"a":3}')
    batch = read_ndjson(tmp_path / "f", table({"a": KEEP})).batch

    assert batch.rows.select("__row", "a").collect().rows() == [(1, "1"), (2, "2"), (3, "3")]
    assert batch.malformed == []


def test_lines_split_over_blocks_are_whole(tmp_path: Path, table: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atoll.deid.readers.json_lines._BLOCK_BYTES", 7)
    (tmp_path / "f").write_text("\n".join(json.dumps({"a": "x" * (n % 11)}) for n in range(60)) + "\n")
    batch = read_ndjson(tmp_path / "f", table({"a": KEEP})).batch

    assert batch.rows.collect()["a"].to_list() == ["x" * (n % 11) for n in range(60)]


def test_an_endless_line_is_cut_and_told(tmp_path: Path, table: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atoll.deid.readers.json_lines.MAX_LINE_BYTES", 100)
    monkeypatch.setattr("atoll.deid.readers.json_lines._BLOCK_BYTES", 16)
    monkeypatch.setattr("atoll.deid.readers.ndjson.MAX_LINE_BYTES", 100)
    (tmp_path / "f").write_text('{"a":1}\n{"a":"' + "x" * 5000 + '"}\n{"a":3}\n')
    batch = read_ndjson(tmp_path / "f", table({"a": KEEP})).batch

    assert batch.rows.collect()["a"].to_list() == ["1", "3"]
    assert [(m.row, m.rule) for m in batch.malformed] == [(2, "malformed")]
    assert max(len(line) for lines in line_blocks(tmp_path / "f") for line in lines) == 101
    assert MAX_LINE_BYTES > 100


def test_reading_twice_notes_faults_once(read: Read) -> None:
    _, batch = read([{"a": 1}, "{", {"b": 1}], {"a": KEEP})

    pl.collect_all([batch.rows.select("a"), batch.rows.select("__row")])

    assert [m.row for m in batch.malformed] == [2, 3]


def test_only_asked_columns_and_rows_are_given(read: Read) -> None:
    _, batch = read([{"a": n, "b": n} for n in range(20)], {"a": KEEP, "b": KEEP})

    assert batch.rows.filter(pl.col("a") == "7").select("b").collect().rows() == [("7",)]
    assert batch.rows.head(3).collect()["a"].to_list() == ["0", "1", "2"]
    assert json.loads(batch.rows.select("__raw").collect().row(2)[0]) == {"a": 2, "b": 2}


@pytest.mark.parametrize("path", ["", ".", "a..b", "a[", "a[x]", "[0]", "a[-1]", "a[*", "a]b"])
def test_a_path_that_is_none_is_refused(tmp_path: Path, table: Build, path: str) -> None:
    with pytest.raises(ContractInvalid):
        read_ndjson(tmp_path / "f", table({"a": {"treat": "keep", "path": path or "."}}))
