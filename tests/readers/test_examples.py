"""The examples' contracts: whole, reasoned, and true to the files beside them."""

from __future__ import annotations

import csv
import fnmatch
from collections.abc import Iterator
from pathlib import Path

import pytest

from atoll.deid.contracts import parse_contract
from atoll.deid.readers.xpt_layout import read_member
from atoll.model.contract import Contract, Drop, EnteringRule, Keep, Pseudonymize, ShiftDate
from atoll.model.table import ColumnType

EXAMPLES = Path(__file__).parents[2] / "examples"
DATASETS = ["synthea", "sdtm", "fhir"]


@pytest.fixture(params=DATASETS)
def contract(request: pytest.FixtureRequest) -> Contract:
    return parse_contract((EXAMPLES / str(request.param) / "contract.yaml").read_text(encoding="utf-8"))


def entering(contract: Contract) -> Iterator[tuple[str, str, EnteringRule]]:
    for name, table in contract.tables.items():
        yield from ((name, c, r) for c, r in table.columns.items() if isinstance(r, EnteringRule))


def test_every_rule_has_its_reason(contract: Contract) -> None:
    bare = [f"{t}.{c}" for t, table in contract.tables.items() for c, r in table.columns.items() if len(r.reason) < 5]

    assert bare == []


def test_every_identifier_names_the_rule_it_follows(contract: Contract) -> None:
    sources = ("164.514", "GDPR", "PhUSE", "DICOM")
    unsourced = [
        f"{t}.{c}"
        for t, c, r in entering(contract)
        if isinstance(r, Pseudonymize | ShiftDate) and not any(s in r.reason for s in sources)
    ]

    assert unsourced == []


def test_no_date_enters_unmoved(contract: Contract) -> None:
    moments = (ColumnType.DATE, ColumnType.DATETIME, ColumnType.PARTIAL_DATE)

    assert [f"{t}.{c}" for t, c, r in entering(contract) if isinstance(r, Keep) and r.type in moments] == []


def test_one_person_is_in_one_domain(contract: Contract) -> None:
    for name, table in contract.tables.items():
        if table.subject is not None:
            rule = table.columns[table.subject]
            assert isinstance(rule, Pseudonymize), name
            assert rule.domain == "person", name
            assert rule.required, name


def test_each_file_belongs_to_one_table_and_each_table_has_one(contract: Contract) -> None:
    taken = []
    for file in (EXAMPLES / contract.dataset / "data").iterdir():
        tables = [
            n for n, t in contract.tables.items() if any(fnmatch.fnmatch(file.name.lower(), p.lower()) for p in t.files)
        ]
        assert len(tables) == 1, file.name
        taken += tables

    assert sorted(taken) == sorted(contract.tables)


@pytest.mark.parametrize("dataset", ["synthea", "sdtm"])
def test_every_column_of_every_file_is_named(dataset: str) -> None:
    contract = parse_contract((EXAMPLES / dataset / "contract.yaml").read_text(encoding="utf-8"))
    for file in (EXAMPLES / dataset / "data").iterdir():
        if file.suffix == ".csv":
            with file.open(newline="", encoding="utf-8") as text:
                columns = next(csv.reader(text))
        else:
            columns = [v.name for v in read_member(file).variables]
        table = next(t for t in contract.tables.values() if fnmatch.fnmatch(file.name, t.files[0]))
        assert sorted(columns) == sorted(table.columns), file.name


def test_direct_identifiers_are_dropped() -> None:
    """Names, numbers and places that no analysis needs, of all three datasets."""
    dropped = {
        "synthea": "patients SSN DRIVERS PASSPORT FIRST LAST MAIDEN ADDRESS CITY COUNTY LAT LON BIRTHPLACE",
        "sdtm": "dm SUBJID BRTHDTC ACTARMUD",
        "fhir": "patient name telecom identifier text address extension",
    }
    for dataset, words in dropped.items():
        contract = parse_contract((EXAMPLES / dataset / "contract.yaml").read_text(encoding="utf-8"))
        table, *columns = words.split()
        assert all(isinstance(contract.tables[table].columns[c], Drop) for c in columns)


def test_origin_and_licence_go_with_the_data() -> None:
    for dataset in DATASETS:
        text = (EXAMPLES / dataset / "LICENCE.md").read_text(encoding="utf-8")
        assert any(licence in text for licence in ("Apache License 2.0", "MIT License", "CC0 1.0"))
