"""No canary comes through de-identification, and exactly the bad rows are held."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest
from tests.canaries.plant import plant
from tests.canaries.scan import describe, scan

from atoll.deid.engine import deidentify_file
from atoll.deid.keyring import DomainKeys, derive
from atoll.model.contract import Contract

EXAMPLES = Path(__file__).parents[2] / "examples"
#: Rows of the real data that hold an address and are held for it (see examples/README.md).
HELD_ANYWAY = {"observations.csv": 18}


def keys_of(contract: Contract) -> dict[str, DomainKeys]:
    return {name: derive(name, name.encode()) for name in contract.domains}


def table_of(contract: Contract, name: str) -> str:
    found = [t for t, c in contract.tables.items() if any(fnmatch.fnmatch(name.lower(), p.lower()) for p in c.files)]
    assert len(found) == 1, name
    return found[0]


@pytest.mark.parametrize("dataset", ["synthea", "sdtm", "fhir"])
def test_no_canary_comes_through(dataset: str, tmp_path: Path) -> None:
    planted = plant(EXAMPLES / dataset, tmp_path / "in", subjects=3)
    (tmp_path / "staged").mkdir()
    (tmp_path / "held").mkdir()
    accounts = []
    for file in planted.files:
        report = deidentify_file(
            planted.contract,
            table_of(planted.contract, file.name),
            file,
            file.name,
            keys_of(planted.contract),
            tmp_path / "staged" / f"{len(accounts)}.parquet",
            tmp_path / "held" / f"{len(accounts)}.parquet",
        )
        accounts.append(report)

    assert {r.name: r.rows_held for r in accounts} == {
        name: bad + HELD_ANYWAY.get(name, 0) for name, bad in planted.bad_rows.items()
    }
    assert all(r.rows_in == r.rows_committed + r.rows_held for r in accounts)
    leaks = scan(tmp_path / "staged", planted.canaries)
    assert not leaks, describe(leaks)
    told = "".join(repr(r) for r in accounts).encode()
    assert not any(canary.text.encode() in told for canary in planted.canaries)
    assert scan(tmp_path / "held", planted.canaries)


@pytest.mark.parametrize(
    ("dataset", "held"),
    [
        ("synthea", {"observations-faulty.csv": 8, "patients.csv": 4, "conditions.csv": None}),
        ("sdtm", {"ae.xpt": 6, "dm.xpt": 3}),
        ("fhir", {"Condition.faulty.ndjson": 9, "Patient.faulty.ndjson": 2}),
    ],
)
def test_the_faulty_deliveries_are_as_their_readme_says(
    dataset: str, held: dict[str, int | None], tmp_path: Path
) -> None:
    contract = plant(EXAMPLES / dataset, tmp_path / "unused", bad=False).contract
    for file in (EXAMPLES / dataset / "faulty").iterdir():
        table = table_of(contract, file.name)
        report = deidentify_file(
            contract, table, file, file.name, keys_of(contract), tmp_path / "staged.parquet", tmp_path / "held.parquet"
        )
        expected = held.pop(file.name)
        if expected is None:
            assert (report.rows_in, report.rule) == (None, "columns")
        else:
            assert report.rows_held == expected
    assert held == {}
