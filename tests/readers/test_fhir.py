"""FHIR resources under the example's own contract."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import yaml
from tests.readers.carry_out import keys_of

from atoll.deid import FileReport, deidentify_parts, parse_contract
from atoll.deid.readers.fhir import read_fhir
from atoll.model.contract import Contract, TableContract


@pytest.fixture(scope="module")
def contract() -> Contract:
    path = Path(__file__).parents[2] / "examples" / "fhir" / "contract.yaml"
    return Contract.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_every_field_of_every_example_is_named(contract: Contract, examples: Path) -> None:
    for table in contract.tables.values():
        path = examples / "fhir" / "data" / f"{table.resource}.000.ndjson"
        batch = read_fhir(path, table).batch
        frame = batch.rows.collect()
        assert batch.malformed == []
        assert frame.height == len(path.read_text(encoding="utf-8").splitlines())
        assert [name for name in frame.columns if frame[name].null_count() == frame.height] == []


def test_another_resource_type_is_held_and_none_too(tmp_path: Path, table: Callable[..., TableContract]) -> None:
    lines = [{"resourceType": "Patient", "id": "1"}, {"resourceType": "Person", "id": "2"}, {"id": "3"}]
    (tmp_path / "f").write_text("\n".join(map(json.dumps, lines)))
    batch = read_fhir(tmp_path / "f", table({"id": {"treat": "keep"}}, format="fhir", resource="Patient")).batch

    assert batch.rows.collect()["id"].to_list() == ["1"]
    assert [(m.row, m.rule, m.message) for m in batch.malformed] == [
        (2, "resource_type", "resourceType is not Patient."),
        (3, "resource_type", "resourceType is not Patient."),
    ]


@pytest.mark.parametrize(
    ("resource", "change"),
    [
        ("Patient", {"photo": [{"url": "x"}]}),
        ("Encounter", {"text": {"div": "<div>x</div>"}}),
        ("Condition", {"note": [{"text": "x"}]}),
        ("DocumentReference", {"description": "x"}),
        ("Observation", {}),
    ],
)
def test_a_resource_with_a_field_that_no_rule_names_is_held(
    contract: Contract, examples: Path, tmp_path: Path, resource: str, change: dict[str, object]
) -> None:
    source = resource if change else "Procedure"
    table = next(t for t in contract.tables.values() if t.resource == source)
    with (examples / "fhir" / "data" / f"{source}.000.ndjson").open(encoding="utf-8") as file:
        row = {**json.loads(file.readline()), **change, "resourceType": resource}
    (tmp_path / "f").write_text(json.dumps(row))
    batch = read_fhir(tmp_path / "f", table).batch

    assert batch.rows.collect().height == 0
    assert len(batch.malformed) == 1


def test_the_faulty_delivery_shows_each_kind_of_fault(contract: Contract, examples: Path) -> None:
    batch = read_fhir(examples / "fhir" / "faulty" / "Condition.faulty.ndjson", contract.tables["condition"]).batch

    assert batch.rows.collect()["__row"].to_list() == [1, 3, 4, 5, 11]
    assert [(m.row, m.rule) for m in batch.malformed] == [
        (2, "unknown_field"),
        (6, "resource_type"),
        (7, "unknown_field"),
        (8, "malformed"),
        (9, "nested_value"),
        (10, "malformed"),
    ]


BUNDLES = """
dataset: d
title: D
domains: {people: {description: People}}
tables:
  patient:
    files: ['*.json']
    format: fhir
    resource: Patient
    columns: {id: {treat: pseudonymize, domain: people}, gender: {treat: keep}, name: {treat: drop}}
  observation:
    files: ['*.json']
    format: fhir
    resource: Observation
    columns:
      id: {treat: keep}
      value: {path: valueQuantity.value, treat: keep, type: number}
      note: {path: 'note[0].text', treat: keep, decode: base64}
  component:
    files: ['*.json']
    format: fhir
    resource: Observation
    each: component
    unknown_fields: leave_out
    columns:
      observation: {path: id, treat: keep}
      code: {path: 'component[*].code.text', treat: keep}
      value: {path: 'component[*].valueInteger', treat: keep, type: integer}
"""


def bundle(*resources: object) -> bytes:
    entries = [{"fullUrl": f"urn:uuid:{n}", "resource": r} for n, r in enumerate(resources)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=1).encode()


def admitted(
    tmp_path: Path, data: bytes, text: str = BUNDLES
) -> tuple[FileReport, dict[str, pl.DataFrame], pl.DataFrame]:
    rules = parse_contract(text)
    (tmp_path / "b.json").write_bytes(data)
    staged = {name: tmp_path / "lake" / name / "0.parquet" for name in rules.tables}
    held = tmp_path / "q" / "0.parquet"
    report = deidentify_parts(rules, tmp_path / "b.json", "b.json", keys_of(rules), staged, held)
    frames = {name: pl.read_parquet(path) for name, path in staged.items() if path.exists()}
    return report, frames, pl.read_parquet(held) if held.exists() else pl.DataFrame()


PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female", "name": [{"family": "Miller"}]}
NOTE = base64.b64encode("résumé: well".encode()).decode()
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o1",
    "valueQuantity": {"value": 0.10},
    "note": [{"text": NOTE}],
    "component": [{"code": {"text": "sys"}, "valueInteger": 120}, {"code": {"text": "dia"}, "valueInteger": 80}],
}


@pytest.mark.parametrize("form", ["bundle", "one line", "lines", "lone"])
def test_resources_of_a_bundle_go_to_their_tables_and_arrays_to_child_tables(tmp_path: Path, form: str) -> None:
    resources = [PATIENT, OBSERVATION] if form != "lone" else [OBSERVATION]
    data = {
        "bundle": bundle(*resources),
        "one line": json.dumps(json.loads(bundle(*resources))).encode(),
        "lines": "\n".join(map(json.dumps, resources)).encode(),
        "lone": json.dumps(OBSERVATION, indent=2).encode(),
    }[form]

    report, frames, held = admitted(tmp_path, data)

    assert held.is_empty()
    assert report.rows_in == report.rows_committed == len(resources) + 2
    assert frames["observation"].rows() == [("o1", 0.1, "résumé: well")]
    assert frames["component"].rows() == [("o1", "sys", 120), ("o1", "dia", 80)]
    assert ("patient" in frames) is (form != "lone")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"contained": [{"resourceType": "Patient", "name": "CNRYCONTAINED"}]}, "unknown_field"),
        ({"extension": [{"url": "x", "valueString": "CNRYEXTENSION"}]}, "unknown_field"),
        ({"valueQuantity": {"value": 1, "extension": [{"url": "CNRYDEEP"}]}}, "unknown_field"),
        ({"modifierExtension": [{"url": "CNRYMODIFIER"}]}, "unknown_field"),
        ({"note": [{"text": "not base64 CNRYNOTE"}]}, "base64"),
        ({"note": [{"text": base64.b64encode(b"\xff\xfe").decode()}]}, "base64"),
        ({"resourceType": "Person"}, "resource_type"),
    ],
)
def test_what_no_rule_names_is_held_once_and_gives_no_child_rows(tmp_path: Path, change: object, rule: str) -> None:
    report, frames, held = admitted(tmp_path, bundle(PATIENT, {**OBSERVATION, **change}))  # type: ignore[dict-item]

    assert held.select("row", "rule").rows() == [(2, rule)]
    assert "observation" not in frames
    assert (report.rows_in, report.rows_committed, report.rows_held) == ((4, 3, 1) if rule == "base64" else (2, 1, 1))
    assert b"CNRY" not in b"".join(p.read_bytes() for p in (tmp_path / "lake").rglob("*.parquet"))


def test_an_unnamed_modifier_is_held_even_where_unknown_fields_are_left_out(tmp_path: Path) -> None:
    text = BUNDLES.replace(
        "resource: Observation\n    columns", "resource: Observation\n    unknown_fields: leave_out\n    columns"
    )
    strange = {"extension": [{"url": "x"}]}
    report, _, held = admitted(tmp_path, bundle({**OBSERVATION, **strange}), text)
    assert (report.left_out, held.is_empty()) == ({"extension": 1}, True)

    for modifier in ({"modifierExtension": [{"url": "x"}]}, {"implicitRules": "x"}):
        report, _, held = admitted(tmp_path, bundle({**OBSERVATION, **modifier}), text)
        assert held.select("row", "rule").rows() == [(1, "modifier")]


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"resourceType": "Bundle", "entry": [{"resource": {"id"', b"\x00" * 50, b"[]"]
)
def test_a_broken_bundle_never_passes_in_silence(tmp_path: Path, data: bytes) -> None:
    report, frames, _ = admitted(tmp_path, data)

    assert frames == {}
    assert (report.rule == "damaged") or report.rows_in == report.rows_held
    assert data == b"" or report.rule or report.rows_held


def test_an_entry_without_a_resource_is_held(tmp_path: Path) -> None:
    data = bundle(PATIENT).replace(b'"resource":', b'"other":')

    report, _, held = admitted(tmp_path, data)

    assert (report.rows_in, held["rule"].to_list()) == (1, ["malformed"])
