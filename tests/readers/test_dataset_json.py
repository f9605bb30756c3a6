"""Dataset-JSON: the same table as XPT, in both forms, and every way a file can be broken."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from tests.readers.carry_out import carry_out, keys_of

from atoll.deid import deidentify_file, parse_contract
from atoll.model.contract import Contract, Format

DATA = Path(__file__).parent / "data"
COLUMNS = "A: {treat: keep}\nN: {treat: keep, type: integer}\nX: {treat: drop}"
OBJECT = b'{"datasetJSONVersion": "1.1.0", "records": 2, "columns": [{"name": "A"},{"name": "N"}], '


def as_dataset_json(contract: Contract) -> Contract:
    tables = {n: t.model_copy(update={"format": Format.DATASET_JSON}) for n, t in contract.tables.items()}
    return contract.model_copy(update={"tables": tables})


def as_object(lines: Path, target: Path) -> Path:
    head, *rows = lines.read_text(encoding="utf-8").splitlines()
    target.write_text(json.dumps(json.loads(head) | {"rows": [json.loads(r) for r in rows]}), encoding="utf-8")
    return target


@pytest.mark.parametrize("name", ["dm", "ae"])
@pytest.mark.parametrize("form", ["lines", "object"])
def test_the_same_table_as_xpt_and_as_dataset_json_is_the_same_in_the_lake(
    examples: Path, tmp_path: Path, name: str, form: str
) -> None:
    contract = parse_contract((examples / "sdtm" / "contract.yaml").read_text(encoding="utf-8"))
    xpt = examples / "sdtm" / "data" / f"{name}.xpt"
    lines = DATA / f"{name}.ndjson"
    other = lines if form == "lines" else as_object(lines, tmp_path / f"{name}.json")
    reports, frames = [], []
    for number, (rules, file) in enumerate([(contract, xpt), (as_dataset_json(contract), other)]):
        staged = tmp_path / f"{number}.parquet"
        reports.append(
            deidentify_file(rules, name, file, file.name, keys_of(contract), staged, tmp_path / f"h{number}.parquet")
        )
        frames.append(pl.read_parquet(staged))

    assert reports[0].rule == reports[1].rule == ""
    assert (reports[0].rows_in, reports[0].rows_held) == (reports[1].rows_in, reports[1].rows_held)
    assert frames[0].height > 0
    assert frames[0].equals(frames[1])


def dataset(rows: list[object], **more: object) -> bytes:
    head = {"datasetJSONVersion": "1.1.0", "records": len(rows), "columns": [{"name": n} for n in "ANX"], **more}
    return "\n".join(json.dumps(line) for line in [head, *rows]).encode()


def test_values_become_text_as_xpt_shows_them(tmp_path: Path) -> None:
    data = dataset([["a ", 1, None], ["", 2.0, 3.5], [True, None, ""], [0.1, 3, ""]])

    done = carry_out(tmp_path, "dataset_json", COLUMNS, data)

    assert done.treated.rows() == [("a", 1), (None, 2), ("true", None), ("0.1", 3)]


def test_records_that_are_none_are_held_one_by_one(tmp_path: Path) -> None:
    data = dataset([["a", 1, 2], ["b", 1], {"A": 1}, ["c", [1], 2], ["d", "x", 2], ["e", 5, 6]])

    done = carry_out(tmp_path, "dataset_json", COLUMNS, data)

    assert done.treated["a"].to_list() == ["a", "e"]
    held = sorted(done.held.select("row", "rule").rows())
    assert held == [(2, "ragged"), (3, "malformed"), (4, "nested_value"), (5, "type")]
    assert done.report.rows_in == 6


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "format"),
        (b"A,N,X\n1,2,3\n", "format"),
        (b'{"clinicalData": {}}', "format"),
        (dataset([["a", 1, 2]], datasetJSONVersion="1.0.0"), "format"),
        (dataset([["a", 1, 2]], columns="ANX"), "damaged"),
        (dataset([["a", 1, 2]], columns=[{"name": n} for n in "ANN"]), "columns"),
        (dataset([["a", 1, 2]], columns=[{"name": n} for n in "ANXZ"]), "columns"),
        (dataset([["a", 1, 2]] * 9, records=12), "cut_off"),
        (dataset([["a", 1, 2]] * 9, records=2), "records"),
        (b'{"datasetJSONVersion": "1.1.0", "columns": [{"name": "A"}', "damaged"),
        (OBJECT + b'"rows": [["a", 1], ["b"', "damaged"),
        (OBJECT + b'"rows": [["a", 1], ["b", 2 x]]}', "damaged"),
        (b'{"datasetJSONVersion": "1.1.0", "columns": [{"name": "A"},{"name": "N"}]}', "damaged"),
        (OBJECT + b'"other": 1}', "cut_off"),
    ],
)
def test_a_file_that_is_none_is_refused_by_rule(tmp_path: Path, data: bytes, rule: str) -> None:
    done = carry_out(tmp_path, "dataset_json", COLUMNS, data)

    assert (done.report.rule, done.report.rows_in) == (rule, None)
    assert len(done.report.message) > 20
    assert done.treated.is_empty()


def test_rows_before_the_columns_are_read_too(tmp_path: Path) -> None:
    data = b'{"rows": [["a", 1]], ' + OBJECT[1:-2].replace(b": 2", b": 1") + b"}"

    assert carry_out(tmp_path, "dataset_json", COLUMNS, data).treated.rows() == [("a", 1)]
