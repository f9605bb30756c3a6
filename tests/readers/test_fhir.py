"""FHIR resources under the example's own contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from atoll.deid.readers.fhir import read_fhir
from atoll.model.contract import Contract, TableContract


@pytest.fixture(scope="module")
def contract() -> Contract:
    path = Path(__file__).parents[2] / "examples" / "fhir" / "contract.yaml"
    return Contract.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_every_field_of_every_example_is_named(contract: Contract, examples: Path) -> None:
    for table in contract.tables.values():
        path = examples / "fhir" / "data" / f"{table.resource}.000.ndjson"
        batch = read_fhir(path, table)
        frame = batch.rows.collect()
        assert batch.malformed == []
        assert frame.height == len(path.read_text(encoding="utf-8").splitlines())
        assert [name for name in frame.columns if frame[name].null_count() == frame.height] == []


def test_another_resource_type_is_held_and_none_too(tmp_path: Path, table: Callable[..., TableContract]) -> None:
    lines = [{"resourceType": "Patient", "id": "1"}, {"resourceType": "Person", "id": "2"}, {"id": "3"}]
    (tmp_path / "f").write_text("\n".join(map(json.dumps, lines)))
    batch = read_fhir(tmp_path / "f", table({"id": {"treat": "keep"}}, format="fhir", resource="Patient"))

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
    batch = read_fhir(tmp_path / "f", table)

    assert batch.rows.collect().height == 0
    assert len(batch.malformed) == 1


def test_the_faulty_delivery_shows_each_kind_of_fault(contract: Contract, examples: Path) -> None:
    batch = read_fhir(examples / "fhir" / "faulty" / "Condition.faulty.ndjson", contract.tables["condition"])

    assert batch.rows.collect()["__row"].to_list() == [1, 3, 4, 5, 11]
    assert [(m.row, m.rule) for m in batch.malformed] == [
        (2, "unknown_field"),
        (6, "resource_type"),
        (7, "unknown_field"),
        (8, "malformed"),
        (9, "nested_value"),
        (10, "malformed"),
    ]
