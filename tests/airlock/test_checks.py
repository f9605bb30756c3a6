"""What the checks see, and what they let pass."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import openpyxl
import polars as pl
import pypdf
import pytest
from PIL import Image
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from atoll.airlock import Pseudonym
from atoll.airlock.checks.rules import RULES

CLEAN = b"group,mean,n\nA,1.5,120\nB,2.5,340\n"


def picture(form="PNG", **options):
    out = io.BytesIO()
    Image.effect_noise((40, 30), 50).convert("RGB").save(out, format=form, **options)
    return out.getvalue()


def archive(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return out.getvalue()


def workbook(change=lambda book: None):
    book = openpyxl.Workbook()
    book.active.append(["group", "n"])
    book.active.append(["A", 120])
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def document(change=lambda writer: None):
    writer = pypdf.PdfWriter()
    writer.add_blank_page(200, 200)
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def script(writer):
    run = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    )
    writer.root_object[NameObject("/OpenAction")] = run


def harmful(findings):
    return {check for check, finding in findings.items() if finding.severity.value != "info"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("table.csv", CLEAN),
        ("table.csv", b"groupe;moyenne;effectif\nA;1,5;120\n"),
        ("table.parquet", None),
        ("plot.png", picture()),
        ("plot.jpg", picture("JPEG", quality=80)),
        ("plot.jpg", picture("JPEG", progressive=True)),
        ("plot.gif", picture("GIF")),
        ("plot.webp", picture("WEBP")),
        ("report.txt", b"The effect was 1.3 (95% CI 1.1 to 1.5).\n"),
        ("model.py", b"import polars as pl\nprint(pl.__version__)\n"),
        ("page.html", b"<!doctype html><p>All is well.</p><table><tr><th>group<th>n<tr><td>A<td>120</table>"),
        ("plot.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0L5 5"/></svg>'),
        ("report.pdf", document()),
        ("result.json", json.dumps([{"group": "A", "n": 120}]).encode()),
    ],
)
def test_what_is_clean_passes(found, name, content):
    if content is None:
        out = io.BytesIO()
        pl.DataFrame({"group": ["A"], "n": [120]}).write_parquet(out)
        content = out.getvalue()
    assert harmful(found(name, content)) == set()


def test_a_clean_workbook_passes(found):
    assert harmful(found("table.xlsx", workbook())) <= {"metadata"}


@pytest.mark.parametrize(
    ("name", "content", "check"),
    [
        ("model.pkl", pickle.dumps({"a": 1}), "pickle"),
        ("table.csv", pickle.dumps({"a": 1}), "pickle"),
        ("notes.txt", pickle.dumps({"a": 1}, protocol=0), "pickle"),
        ("weights.zip", archive({"archive/data.pkl": b"x"}), "pickle"),
        ("plot.png", b"MZ\x90\0", "executable"),
        ("tool.csv", b"\x7fELF\x02\x01", "executable"),
        ("table.csv", picture(), "type_mismatch"),
        ("plot.png", CLEAN, "type_mismatch"),
        ("notes.txt", b"<html><script>1</script></html>", "type_mismatch"),
        ("data.rds", b"\x1f\x8b\x08", "type_not_allowed"),
        ("data.bin", b"\0\1\2\3", "type_not_allowed"),
        ("all.zip", archive({"a.csv": CLEAN}), "type_not_allowed"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "macros"),
        ("empty.csv", b"", "unreadable"),
        ("plot.png", picture()[:200], "unreadable"),
        ("plot.png", picture() + b"hidden", "trailing_bytes"),
        ("plot.jpg", picture("JPEG") + b"hidden", "trailing_bytes"),
        ("plot.gif", picture("GIF") + b"hidden", "trailing_bytes"),
        ("plot.png", picture() + archive({"rows.csv": CLEAN}), "hidden_archive"),
        ("report.pdf", document() + b"hidden", "trailing_bytes"),
        ("report.pdf", document(lambda w: w.add_attachment("rows.csv", CLEAN)), "embedded_file"),
        ("report.pdf", document(script), "active_content"),
        ("report.pdf", document(lambda w: w.encrypt("secret")), "encrypted"),
        ("page.html", b"<html><body><iframe src=x></iframe>", "active_content"),
        ("page.html", b"<html><p style='display:none'>a</p>", "hidden_text"),
        ("page.html", b"<html><script>var rows = " + b"[1,2,3]," * 2000 + b"</script>", "embedded_data"),
        ("plot.svg", b"<svg><script>1</script></svg>", "active_content"),
    ],
)
def test_hidden_and_harmful_content_is_seen(found, name, content, check):
    findings = found(name, content)
    assert check in findings, findings


def test_workbooks_tell_what_they_hide(found):
    def hide(book):
        book.create_sheet("rows").sheet_state = "veryHidden"

    def hide_row(book):
        book.active.row_dimensions[2].hidden = True

    assert found("t.xlsx", workbook(hide))["hidden_sheet"].severity.value == "refuse"
    assert "hidden_sheet" in found("t.xlsx", workbook(hide_row))
    with zipfile.ZipFile(io.BytesIO(workbook())) as plain:
        members = {name: plain.read(name) for name in plain.namelist()}
    assert "macros" in found("t.xlsx", archive({**members, "xl/vbaProject.bin": b"x"}))
    assert "embedded_file" in found("t.xlsx", archive({**members, "xl/embeddings/doc.docx": b"x"}))
    assert "pivot_cache" in found("t.xlsx", archive({**members, "xl/pivotCache/pivotCacheRecords1.xml": b"<a/>"}))
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    assert "active_content" in found("t.xlsx", archive({**members, "xl/sharedStrings.xml": bomb}))


def test_notebooks_are_looked_into(found):
    cell = {
        "cell_type": "code",
        "source": ["1"],
        "outputs": [
            {
                "output_type": "execute_result",
                "data": {
                    "text/html": "<table><tr><th>ward<th>patients<tr><td>A<td>3</table>",
                    "text/plain": "ada@example.org",
                },
            }
        ],
        "attachments": {"rows.csv": {"text/csv": "MQ=="}},
    }
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"widgets": {"state": {}}}, "cells": [cell]}
    seen = found("a.ipynb", json.dumps(book).encode())
    assert {"notebook_outputs", "embedded_file", "embedded_data", "small_cells", "identifier"} <= set(seen)
    assert "ada@example.org" not in json.dumps([f.model_dump(mode="json") for f in seen.values()])


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet", "json"])
def test_small_cells_are_found_in_every_form_of_table(found, form):
    frame = pl.DataFrame({"ward": ["A", "B", "C"], "patients": [120, 9, 10]})
    out = io.BytesIO()
    if form == "csv":
        content = frame.write_csv().encode()
    elif form == "json":
        content = json.dumps(frame.to_dicts()).encode()
    elif form == "parquet":
        frame.write_parquet(out)
        content = out.getvalue()
    else:
        book = openpyxl.Workbook()
        for row in (frame.columns, *frame.rows()):
            book.active.append(list(row))
        book.save(out)
        content = out.getvalue()
    small = found(f"t.{form}", content)["small_cells"]
    assert small.severity.value == "refuse"
    assert small.message.startswith("One count is below 10")
    assert "column 2, row 2" in small.where
    assert "small_cells" not in found(f"t.{form}", content, "in")
    assert "small_cells" not in found(f"t.{form}", content, threshold=5)


def test_whole_numbers_that_may_count_people_are_shown_to_reviewers(found):
    assert found("t.csv", b"ward,A\nx,3\ny,40\n")["small_numbers"].severity.value == "warn"
    assert "small_numbers" not in found("t.csv", b"quarter,mean\n1,3.5\n2,4.5\n")


def test_rows_of_persons_do_not_leave(found):
    rows = "".join(f"P{n},{40 + n},1.{n}\n" for n in range(25)).encode()
    assert found("t.csv", b"patient_id,age,score\n" + rows)["row_level"].severity.value == "refuse"
    keys = "".join(f"{n:032x},{40 + n}\n" for n in range(25)).encode()
    assert "row_level" in found("t.csv", b"k,age\n" + keys)
    assert "row_level" not in found("t.csv", b"patient_id,age,score\n" + rows[:60])
    assert "row_level" in found("notes.txt", b"patient_id,age,score\n" + rows)
    many = "".join(f"{n % 7},{n % 11}.5\n" for n in range(600)).encode()
    assert "many_rows" in found("t.csv", b"grade,score\n" + many)


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("write to ada.b+c@clinic.example.org today", "identifier"),
        ("assure: 2 94 03 75 120 005 22", "identifier"),
        ("his number is 536-90-4399.", "identifier"),
        ("born on 12/03/1954 in Lyon", "identifier"),
        ("date de naissance : 1954-03-12", "identifier"),
        ("-----BEGIN RSA PRIVATE KEY-----", "identifier"),
        ("call +33 6 12 34 56 78", "likely_identifier"),
        ("call 06.12.34.56.78", "likely_identifier"),
        ("subject PS-0123456789abcdef0123 did well", "pseudonym"),
        ("subject 0123456789abcdef01234567 did well", "likely_identifier"),
    ],
)
def test_identifiers_are_found_and_never_repeated(found, text, check):
    shapes = (Pseudonym(prefix="PS-", length=20), Pseudonym(prefix="", length=24))
    if "2 94" in text:
        number = "29403751200052"[:13]
        text = f"assure: {number}{97 - int(number) % 97:02d}"
    for name, content in (("a.txt", text), ("a.csv", f"note,n\n{text},120\n")):
        findings = found(name, content.encode(), pseudonyms=shapes)
        assert check in findings, (name, findings)
        told = json.dumps([f.model_dump(mode="json") for f in findings.values()])
        assert text.split()[-2] not in told or len(text.split()[-2]) < 5


def test_plain_results_name_nobody(found):
    text = "OR 1.23 (0.98-1.54), p=0.012; chi2 = 12.34 on 3 df; 2020-2024; 1234567890; 10.1016/j.x"
    assert not {"identifier", "likely_identifier", "pseudonym"} & set(found("a.txt", text.encode()))


def test_the_difference_with_an_earlier_release_is_told(found):
    before = b"ward,patients\nA,120\nB,340\nC,55\n"
    assert "released_before" in found("t.csv", before, earlier=[("old.csv", before)])
    after = b"ward,patients\nA,123\nB,340\nC,55\n"
    finding = found("t.csv", after, earlier=[("old.csv", before)])["difference"]
    assert finding.severity.value == "warn" and "air_0" in finding.message
    far = b"ward,patients\nA,220\nB,540\nC,155\n"
    assert "difference" not in found("t.csv", far, earlier=[("old.csv", before)])
    other = b"drug,patients\nX,123\nY,340\nZ,55\n"
    assert "difference" not in found("t.csv", other, earlier=[("old.csv", before)])


def test_archives_on_their_way_in(found):
    assert harmful(found("all.zip", archive({"a.csv": CLEAN, "b/c.csv": CLEAN}), "in")) == set()
    assert "executable" in found("all.zip", archive({"a.exe": b"hello"}), "in")
    assert "executable" in found("all.zip", archive({"a.txt": b"MZ\0"}), "in")
    assert "nested_archive" in found("all.zip", archive({"a.zip": archive({"b": b"c"})}), "in")
    assert "archive_path" in found("all.zip", archive({"../../etc/cron.d/x": b"c"}), "in")
    assert "archive_bomb" in found("all.zip", archive({"a.csv": bytes(40 * 2**20)}), "in")
    assert "trailing_bytes" in found("all.zip", archive({"a": b"b"}) + b"more", "in")
    lying = bytearray(archive({"a.csv": b"x" * 1000}))
    lying[lying.rfind(b"PK\x01\x02") + 24 : lying.rfind(b"PK\x01\x02") + 28] = (2**31).to_bytes(4, "little")
    assert "archive_bomb" in found("all.zip", bytes(lying), "in")


def test_every_check_has_a_rule_and_words():
    for name, rule in RULES.items():
        assert rule.out or rule.into, name
        assert rule.help.endswith("."), name
