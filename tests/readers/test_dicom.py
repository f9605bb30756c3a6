"""DICOM: headers as rows under the Basic Profile, and images to be looked at first."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from tests.readers.carry_out import carry_out, contract_of

from atoll.errors import ContractInvalid

DATA = Path(__file__).parent / "data" / "dicom"
COLUMNS = """
PatientID: {treat: pseudonymize, domain: people, as: patient}
StudyInstanceUID: {treat: pseudonymize, domain: people, as: study}
StudyDate: {treat: shift_date, type: date, as: studied_on}
Modality: {treat: keep}
PatientName: {treat: drop}
'ImageType[*]': {treat: keep, as: image_type}
'RequestAttributesSequence[0].RequestedProcedureID': {treat: drop}"""
TABLE = "subject: PatientID\nunknown_fields: leave_out"


def image(path: Path, **more: object) -> Path:
    found = pydicom.dcmread(DATA / "emri_small.dcm")
    found.PatientID, found.PatientName = "CNRYID", "CNRY^NAME"
    found.preamble = b"CNRYPREAMBLE".ljust(128, b"\0")
    found.file_meta.SourceApplicationEntityTitle = "CNRYTITLE"
    found.private_block(0x0009, "CNRYCREATOR", create=True).add_new(1, "LO", "CNRYPRIVATE")
    item = Dataset()
    item.RequestedProcedureID = "CNRYPROCEDURE"
    item.private_block(0x0011, "CNRYINNER", create=True).add_new(2, "LO", "CNRYDEEP")
    found.RequestAttributesSequence = [item]
    for keyword, value in more.items():
        setattr(found, keyword, value)
    found.save_as(path)
    return path


def test_a_header_is_a_row_and_nothing_else_enters(tmp_path: Path) -> None:
    done = carry_out(tmp_path, "dicom", COLUMNS, image(tmp_path / "i.dcm"), table=TABLE)

    assert done.report.rows_committed == 1
    assert done.treated["modality"].to_list() == ["MR"]
    assert "|" in done.treated["image_type"][0]
    assert str(done.treated["studied_on"][0]) != "2000-01-01"
    assert abs((done.treated["studied_on"][0] - date(2000, 1, 1)).days) <= 100
    assert b"CNRY" not in (tmp_path / "lake" / "t.parquet").read_bytes()
    assert "CNRY" not in repr(done.report)
    assert done.report.left_out["(0009,1001)"] == 1


def test_a_private_attribute_that_no_rule_names_holds_the_image(tmp_path: Path) -> None:
    done = carry_out(tmp_path, "dicom", COLUMNS, image(tmp_path / "i.dcm"), table="subject: PatientID")

    assert done.held["rule"].to_list() == ["unknown_field"]
    assert "CNRY" not in done.held["message"][0]


@pytest.mark.parametrize(
    ("more", "held"),
    [
        ({"BurnedInAnnotation": "YES"}, True),
        ({"BurnedInAnnotation": "NO", "Modality": "US"}, False),
        ({"BurnedInAnnotation": "", "Modality": "US"}, True),
        ({"BurnedInAnnotation": "", "Modality": "MR"}, False),
    ],
)
def test_images_that_may_show_text_are_held_for_review(tmp_path: Path, more: dict[str, str], held: bool) -> None:
    file = image(tmp_path / "i.dcm", **more)

    done = carry_out(tmp_path, "dicom", COLUMNS, file, table=TABLE)
    asked = carry_out(tmp_path, "dicom", COLUMNS, file, table=TABLE + "\nburned_in: metadata")

    assert done.held["rule"].to_list() == (["burned_in"] if held else [])
    assert asked.report.rows_committed == 1


def test_an_ultrasound_that_says_nothing_is_held(tmp_path: Path) -> None:
    done = carry_out(tmp_path, "dicom", COLUMNS, DATA / "US1_J2KI.dcm", table=TABLE)

    assert done.held["rule"].to_list() == ["burned_in"]


@pytest.mark.parametrize(
    ("rule", "retain", "words"),
    [
        ("PatientName: {treat: keep}", "", "under every option"),
        ("PatientID: {treat: keep}", "uids", "under every option"),
        ("StudyInstanceUID: {treat: keep}", "", "`uids`"),
        ("StudyInstanceUID: {treat: keep}", "uids", None),
        ("StudyDate: {treat: keep}", "", "`dates`"),
        ("PatientSex: {treat: keep}", "", "`patient_characteristics`"),
        ("PatientSex: {treat: keep}", "patient_characteristics", None),
        ("StudyDescription: {treat: keep}", "", "`descriptors`"),
        ("'(0009,1001)': {treat: keep, as: x}", "", "private"),
        ("NoSuchKeyword: {treat: keep}", "", "no attribute"),
        ("'RequestAttributesSequence[0].RequestedProcedureID': {treat: keep, as: x}", "", "under every option"),
        ("SOPClassUID: {treat: keep}", "", None),
        ("Rows: {treat: keep}", "", None),
    ],
)
def test_a_contract_may_not_keep_what_the_profile_takes_out(rule: str, retain: str, words: str | None) -> None:
    table = f"retain: [{retain}]"
    if words is None:
        contract_of("dicom", rule, table=table)
        return
    with pytest.raises(ContractInvalid) as caught:
        contract_of("dicom", rule, table=table)
    assert any(words in finding for finding in caught.value.findings)


@pytest.mark.parametrize("size", [0, 100, 131, 140, 180, 400, 1000, 1700, 2600, 3000])
def test_a_cut_off_header_is_no_row(tmp_path: Path, size: int) -> None:
    data = (DATA / "emri_small.dcm").read_bytes()[:size]

    done = carry_out(tmp_path, "dicom", COLUMNS, data, table=TABLE)

    assert done.treated.is_empty()
    assert done.report.rule in ("format", "damaged", "cut_off")
