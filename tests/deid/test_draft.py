"""Drafts let nothing in that a reviewed contract keeps out, and hold no value of the sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.deid import parse_contract
from atoll.deid.draft import SampleFile, draft_contract
from atoll.deid.draft.identifiers import is_iban, is_nir, likely_identifiers
from atoll.errors import InvalidInput

EXAMPLES = Path(__file__).parents[2] / "examples"


def drafted(tmp_path, **files: str | bytes):
    samples = []
    for name, content in files.items():
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        samples.append(SampleFile(name.replace("__", "."), path))
    return draft_contract("ward", samples)


def treatments(draft, table=None):
    return {c.column: c.treatment for c in draft.columns if table in (None, c.table)}


@pytest.mark.parametrize("dataset", ["synthea", "sdtm", "fhir"])
def test_real_files_are_drafted_into_a_contract_that_holds(dataset):
    files = [SampleFile(p.name, p) for p in sorted((EXAMPLES / dataset / "data").iterdir())]
    draft = draft_contract(dataset, files)
    assert draft.findings == ()
    mine = parse_contract(draft.text)
    reviewed = parse_contract((EXAMPLES / dataset / "contract.yaml").read_text())
    assert set(mine.tables) <= set(reviewed.tables)
    opened = []
    for name, table in mine.tables.items():
        known = {rule.path or key: rule for key, rule in reviewed.tables[name].columns.items()}
        for key, rule in table.columns.items():
            strict = known.get(rule.path or key)
            treated = strict is not None and strict.treat not in ("keep", "map")
            # What is only not wanted, or rare among the many, is for a person to see.
            if treated and rule.treat == "keep" and "164.514" in strict.reason:
                opened.append(f"{name}.{rule.path or key}: {strict.reason}")
    assert opened == []


def test_people_are_linked_and_their_dates_moved(tmp_path):
    rows = "".join(f"p{n % 9},2024-01-{n % 28 + 1:02d},{120 + n % 9},{'MF'[n % 2]}\n" for n in range(60))
    draft = drafted(tmp_path, visits__csv="patient_id,visited_on,systolic,sex\n" + rows)
    assert draft.findings == ()
    assert treatments(draft) == {
        "patient_id": "pseudonymize", "visited_on": "shift_date", "systolic": "keep", "sex": "keep",
    }  # fmt: skip
    rules = parse_contract(draft.text).tables["visits"]
    assert (rules.subject, rules.files) == ("patient_id", ("visits.csv",))


def test_without_a_subject_dates_do_not_enter(tmp_path):
    draft = drafted(tmp_path, log__csv="seen,code\n" + "2024-01-02,a\n" * 20)
    assert treatments(draft) == {"seen": "drop", "code": "keep"}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("ada@example.org", "email"),
        ("078-05-1120", "ssn"),
        ("2 55 08 14 168 025 38".replace(" ", ""), "nir"),
        ("+33 6 12 34 56 78", "phone"),
        ("06 12 34 56 78", "phone"),
        ("(617) 555-0134", "phone"),
        ("FR14 2004 1010 0505 0001 3M02 606", "iban"),
        ("https://example.org/p/1", "url"),
        ("192.0.2.17", "ip"),
        ("12 rue de la Paix", "address"),
        ("784 Stamm Lock Street", "address"),
        ("Mme Dupont", "name"),
        ("seen today by the nurse who called the daughter at home about the fall last night", "free_text"),
    ],
)
def test_identifiers_are_known_by_their_values(value, kind):
    found = list(likely_identifiers("x", "", [value] * 20))
    assert kind in {likely.kind for likely in found}
    assert all(value not in likely.words for likely in found)


@pytest.mark.parametrize("value", ["255081416802539", "2550814168025381", "155081416802A38", "M"])
def test_a_number_whose_key_does_not_hold_is_no_nir(value):
    assert not is_nir(value)


def test_corsican_numbers_hold():
    thirteen = "185022A004123"
    key = 97 - int(thirteen.replace("2A", "19")) % 97
    assert is_nir(f"{thirteen}{key:02d}")


def test_an_account_number_needs_its_check_digits():
    assert is_iban("FR1420041010050500013M02606")
    assert not is_iban("FR1520041010050500013M02606")


@pytest.mark.parametrize(
    "name",
    ["FirstName", "nom", "prenom", "e_mail", "courriel", "PhoneNumber", "MRN", "adresse", "ville", "passport", "SSN",
     "ip", "latitude", "serial_number", "commentaire", "iban", "IPP"],
)  # fmt: skip
def test_identifiers_are_known_by_their_names(tmp_path, name):
    draft = drafted(tmp_path, t__csv=f"{name},code\n" + "x,a\n" * 20)
    (column,) = [c for c in draft.columns if c.column == name]
    assert (column.treatment, column.doubtful) == ("drop", True)


def test_one_value_among_many_is_enough(tmp_path):
    rows = "a\n" * 400 + "ada@example.org\n"
    draft = drafted(tmp_path, t__csv="code\n" + rows)
    assert treatments(draft) == {"code": "drop"}
    assert "1 of 401 values" in draft.columns[0].reason
    assert any("lets no column enter" in finding for finding in draft.findings)


def test_no_value_of_the_sample_is_in_the_draft(tmp_path):
    rows = "".join(f"Zebulon{n},Q{n % 3}xw,{7000 + n},2024-05-{n % 28 + 1:02d}\n" for n in range(100))
    draft = drafted(tmp_path, t__csv="subject,code,amount,day\n" + rows)
    for value in ("Zebulon", "Q0xw", "7042", "2024-05"):
        assert value not in draft.text
        assert all(value not in column.reason for column in draft.columns)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_dialect_is_seen(tmp_path, separator):
    text = f"patient{separator}prénom{separator}n\n" + f"p1{separator}Zoé{separator}1\n" * 8
    draft = drafted(tmp_path, t__csv=text.encode("cp1252"))
    table = parse_contract(draft.text).tables["t"]
    assert (table.csv.separator, table.csv.encoding) == (separator, "cp1252")


def test_other_writings_of_dates_are_said(tmp_path):
    draft = drafted(tmp_path, t__csv="patient,day\n" + "p1,31/12/2023\n" * 9)
    assert "writing that is not read" in {c.column: c.reason for c in draft.columns}["day"]


def test_nested_rows_and_their_arrays(tmp_path):
    line = '{"patient": "p%d", "vitals": {"pulse": %d}, "tags": ["a", "b"], "seen": "2024-01-02"}\n'
    draft = drafted(tmp_path, t__ndjson="".join(line % (n % 5, 60 + n % 7) for n in range(50)))
    assert draft.findings == ()
    assert treatments(draft) == {
        "patient": "pseudonymize", "vitals.pulse": "keep", "tags[*]": "keep", "seen": "shift_date",
    }  # fmt: skip


def test_files_that_differ_by_a_number_are_one_table(tmp_path):
    draft = drafted(tmp_path, lab_2024_01__csv="patient,n\n" + "p1,1\n" * 9, lab_2024_02__csv="patient,m\np2,1.5\n")
    table = parse_contract(draft.text).tables["lab"]
    assert table.files == ("lab_*.csv",)
    assert set(table.columns) == {"patient", "n", "m"}


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\x01\x02" * 50, b"{not json\n{nor this\n", b"a,b\n"])
def test_what_is_no_sample_is_refused_without_a_value(tmp_path, content):
    with pytest.raises(InvalidInput) as refused:
        drafted(tmp_path, t__csv=content)
    assert refused.value.where == "t.csv"


@pytest.mark.parametrize(
    ("file", "kind", "words"),
    [
        ("dates_xpt_v8.xpt", "xpt", "this variable counts the number of seconds since 1960"),
        ("sample.sas7bdat", "sas7bdat", "[TIME20.3]"),
        ("dm.ndjson", "dataset_json", "USUBJID"),
    ],
)
def test_other_flat_formats_are_drafted_with_labels_and_formats(file, kind, words):
    path = Path(__file__).parents[1] / "readers" / "data" / file

    text = draft_contract("d", [SampleFile(file, path)]).text

    assert f"format: {kind}" in text
    assert words in text
