"""What is planted must be everywhere that a contract calls identifying, and readable."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.canaries.plant import plant
from tests.canaries.scan import scan
from tests.canaries.tokens import FIRST_YEAR, Kind

from atoll.deid.readers.fhir import read_fhir
from atoll.deid.readers.xpt import read_xpt
from atoll.model.contract import Keep, Pseudonymize

EXAMPLES = Path(__file__).parents[2] / "examples"
#: Fields whose checks leave no room for a unique value.
NO_ROOM = {"sdtm": {"dm.AGE"}, "fhir": {"patient.multipleBirthBoolean"}, "synthea": set()}


@pytest.mark.parametrize("dataset", ["synthea", "sdtm", "fhir"])
def test_every_identifying_field_is_planted_and_found_again(dataset: str, tmp_path: Path) -> None:
    planted = plant(EXAMPLES / dataset, tmp_path)

    assert set(planted.unplanted) == NO_ROOM[dataset]
    assert all(count > 0 for count in planted.bad_rows.values())
    found = {leak.canary.text for leak in scan(tmp_path, planted.canaries)}
    missed = {c for c in planted.canaries if c.text not in found and c.kind is not Kind.CELL}
    assert sorted(missed, key=str) == []


def test_no_real_row_holds_a_canary(tmp_path: Path) -> None:
    planted = plant(EXAMPLES / "fhir", tmp_path)

    for dataset in ("synthea", "sdtm", "fhir"):
        assert scan(EXAMPLES / dataset / "data", planted.canaries) == []


def test_a_person_has_the_same_canary_in_every_table(tmp_path: Path) -> None:
    planted = plant(EXAMPLES / "fhir", tmp_path, subjects=1, bad=False)
    people = set()
    for name, table in planted.contract.tables.items():
        if table.subject and name != "device" and name != "allergy_intolerance":
            file = next(f for f in planted.files if f.name.startswith(str(table.resource) + "."))
            ids = read_fhir(file, table).batch.rows.select("patient").collect().to_series()
            people |= {i.rpartition("/")[2] for i in ids if "CNRY" in i}

    assert len(people) == 1


@pytest.mark.parametrize("dataset", ["sdtm", "fhir"])
def test_planted_rows_are_still_rows_and_bad_ones_are_told(dataset: str, tmp_path: Path) -> None:
    """Good rows read with no fault; those that cannot even be read are malformed."""
    planted = plant(EXAMPLES / dataset, tmp_path)
    for file in planted.files:
        name = file.name.split(".")[0].lower()
        table = next(t for t in planted.contract.tables.values() if t.files[0].lower().startswith(f"{name}."))
        batch = read_xpt(file, table) if dataset == "sdtm" else read_fhir(file, table).batch
        rows = batch.rows.select("__row").collect().to_series().to_list()
        held = [fault.row for fault in batch.malformed]
        assert sorted(rows + held) == list(range(1, len(rows) + len(held) + 1))
        assert held
        assert len(held) <= planted.bad_rows[file.name]
        assert min(held) > len(rows) + len(held) - planted.bad_rows[file.name]
        for canary in planted.canaries:
            assert not any(canary.text in fault.message for fault in batch.malformed)


def test_pseudonymised_ids_are_tokens_and_dates_are_far_away(tmp_path: Path) -> None:
    planted = plant(EXAMPLES / "sdtm", tmp_path, bad=False)

    rules = {c: r for t in planted.contract.tables.values() for c, r in t.columns.items()}
    for canary in planted.canaries:
        rule = rules[canary.column]
        assert not isinstance(rule, Keep)
        if isinstance(rule, Pseudonymize):
            assert canary.kind is Kind.TOKEN
        elif canary.kind is Kind.DATE:
            assert int(canary.text[:4]) > FIRST_YEAR
