"""Canaries in the hiding places of every format that the examples do not have.

    hidden = plant_formats(tmp_path / "formats")
    # put hidden.contract in force, deliver hidden.files, then:
    leaks = scan(home, hidden.canaries, exclude=[quarantine])

Where they stand: cells that the contract drops or treats, and beside them what a file says
of itself: names of sheets, members, data sets and columns, labels, comments, properties,
key-value metadata, headers, preambles, private attributes, segments and messages that are
held, notes in plain text and in base64.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pydicom
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName
from pydicom.dataset import Dataset
from tests.canaries.tokens import Canary, Mint
from tests.canaries.xpt_writer import Variable, write_xpt

DATA = Path(__file__).parents[1] / "readers" / "data"

CONTRACT = """
dataset: hidden
title: Files with canaries in every hiding place
domains:
  people: {description: People}
tables:
  members:
    files: ['member*.csv', 'bare.csv', 'labels.csv']
    format: csv
    subject: WHO
    columns: &flat
      WHO: {treat: pseudonymize, domain: people}
      N: {treat: keep, type: number}
      SECRET: {treat: drop}
      NOTE: {treat: redact_text, names: [SECRET]}
  sheets:
    files: ['*.xlsx']
    format: excel
    sheet: Visits
    other_sheets: [Notes, Lists]
    columns: *flat
  columnar:
    files: ['*.parquet']
    format: parquet
    columns: *flat
  transport:
    files: ['*.xpt']
    format: xpt
    columns: *flat
  sas:
    files: ['*.sas7bdat']
    format: sas7bdat
    columns:
      mychar: {treat: drop}
      mynum: {treat: keep, type: number}
      mydate: {treat: drop}
      dtime: {treat: drop}
      mylabl: {treat: drop}
      myord: {treat: keep, type: integer}
      mytime: {treat: drop}
  described:
    files: [dataset.json, dataset.ndjson]
    format: dataset_json
    columns: *flat
  nested:
    files: [nested.ndjson]
    format: ndjson
    columns:
      who: {treat: pseudonymize, domain: people, path: person.id}
      family: {treat: pseudonymize, domain: people, path: 'person.names[0].family'}
      note: {treat: redact_text, path: note.data, decode: base64, names: [family]}
  notes:
    files: [bundle.json]
    format: fhir
    resource: DocumentReference
    unknown_fields: leave_out
    columns:
      id: {treat: pseudonymize, domain: people}
      author: {treat: pseudonymize, domain: people, path: 'author[0].display'}
      note: {treat: redact_text, path: 'content[0].attachment.data', decode: base64, names: [author]}
  patient:
    files: ['*.hl7']
    format: hl7
    segment: PID
    other_segments: [OBR]
    columns:
      person: {treat: pseudonymize, domain: people, path: PID-3.1}
      family: {treat: drop, path: PID-5}
      number: {treat: drop, path: PID-1}
      sex: {treat: keep, path: PID-8}
  result:
    files: ['*.hl7']
    format: hl7
    segment: OBX
    columns:
      person: {treat: pseudonymize, domain: people, path: PID-3.1}
      family: {treat: pseudonymize, domain: people, path: PID-5.1}
      number: {treat: keep, path: OBX-1}
      kind: {treat: drop, path: OBX-2}
      code: {treat: keep, path: OBX-3}
      value: {treat: redact_text, path: OBX-5, names: [family]}
  remark:
    files: ['*.hl7']
    format: hl7
    segment: NTE
    columns:
      number: {treat: keep, path: NTE-1}
      text: {treat: drop, path: NTE-3}
  images:
    files: ['*.dcm']
    format: dicom
    unknown_fields: leave_out
    columns:
      PatientID: {treat: pseudonymize, domain: people}
      StudyInstanceUID: {treat: pseudonymize, domain: people}
      Modality: {treat: keep}
      PatientName: {treat: drop}
  variants:
    files: ['*.vcf', '*.vcf.gz']
    format: vcf
    columns:
      CHROM: {treat: keep}
      POS: {treat: keep, type: integer}
      ID: {treat: drop}
      REF: {treat: keep}
      ALT: {treat: keep}
      QUAL: {treat: drop}
      FILTER: {treat: drop}
      INFO: {treat: drop}
      SAMPLE: {treat: pseudonymize, domain: people}
      FORMAT.GT: {treat: keep, as: gt}
"""
#: Files of `plant_formats` that must be held whole, and by which rule.
REFUSED = {"bare.csv": "columns", "labels.csv": "columns", "strange.xlsx": "sheets", "march.rar.zip": "archive_nested"}


@dataclass(frozen=True)
class Hidden:
    """A delivery of every format.

    Attributes:
        files: the files to deliver.
        canaries: all values planted, those of `named` aside.
        named: canaries in names of files and members, which are kept and shown with their delivery.
    """

    files: tuple[Path, ...]
    canaries: tuple[Canary, ...]
    named: tuple[Canary, ...]


def plant_formats(target: Path) -> Hidden:
    """Write a file of each format, with canaries wherever the format has room for one."""
    target.mkdir(parents=True, exist_ok=True)
    mint, names = Mint(), Mint(_count=500_000)
    for name, write in _WRITERS.items():

        def say(place: str, file: str = name) -> str:
            return mint.token(file, place, "hidden")

        write(target / name, say)
    shown = names.token("members", "name", "file name")
    (target / f"member {shown}.csv").write_bytes(_csv(lambda place: mint.token("named", place, "hidden")))
    with zipfile.ZipFile(target / "named.zip", "w") as archive:
        inner = names.token("members", "name", "member name")
        archive.writestr(f"of/{inner}/member.csv", _csv(lambda place: mint.token("named.zip", place, "hidden")))
    return Hidden(tuple(sorted(target.iterdir())), tuple(mint.made.values()), tuple(names.made.values()))


Say = Callable[[str], str]


def _rows(say: Say) -> list[tuple[str, float, str, str]]:
    """Three rows: id, number, name, and a note that has the name."""
    rows = []
    for n in range(3):
        secret = say("cell")
        rows.append((say("id"), n + 0.5, secret, f"Seen {secret.title()} today."))
    return rows


_NAMES = ("WHO", "N", "SECRET", "NOTE")


def _csv(say: Say) -> bytes:
    return "\n".join([",".join(_NAMES), *(",".join(map(str, row)) for row in _rows(say))]).encode()


def _bare(path: Path, say: Say) -> None:
    """No header: the first row stands in its place, and looks like one."""
    path.write_text("\n".join(f"{say('header')},{say('header')},{say('header')},{say('header')}" for _ in range(2)))


def _labels(path: Path, say: Say) -> None:
    """A sound header with one more column, which somebody named by what it holds."""
    path.write_text(f'{",".join(_NAMES)},"{say("column")}, born 1950"\n1,2,3,4,5\n')


def _zip(path: Path, say: Say) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        member = zipfile.ZipInfo("member.csv")
        member.comment, member.extra = say("member comment").encode(), b"\xfe\xca\x10\x00" + say("extra").encode()
        archive.writestr(member, _csv(say))
        archive.comment = say("archive comment").encode()


def _nested_zip(path: Path, say: Say) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.zip", say("nested"))


def _tar(path: Path, say: Say) -> None:
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        content = _csv(say)
        member = tarfile.TarInfo("member2.csv")
        member.size, member.uname = len(content), say("owner")
        member.pax_headers = {"comment": say("pax comment")}
        archive.addfile(member, io.BytesIO(content))


def _gzip(path: Path, say: Say) -> None:
    out = io.BytesIO()
    with gzip.GzipFile(say("original name"), "wb", fileobj=out) as packed:
        packed.write(_csv(say))
    path.write_bytes(out.getvalue())


def _excel(path: Path, say: Say) -> None:
    book = openpyxl.Workbook()
    sheet, notes, lists = book.active, book.create_sheet("Notes"), book.create_sheet("Lists")
    sheet.title, notes.sheet_state, lists.sheet_state = "Visits", "hidden", "veryHidden"
    for row in [_NAMES, *_rows(say)]:
        sheet.append(row)
    sheet["B2"].comment = Comment(say("comment"), say("comment's author"))
    sheet["A2"].hyperlink = f"https://example.org/{say('link')}"
    sheet.oddHeader.center.text = say("page header")
    notes.append([say("hidden sheet")])
    lists.append([say("very hidden sheet")])
    book.properties.creator, book.properties.title = say("author"), say("title")
    book.defined_names["list"] = DefinedName("list", attr_text=f'"{say("defined name")}"')
    book.save(path)


def _strange_excel(path: Path, say: Say) -> None:
    book = openpyxl.Workbook()
    book.active.title = say("sheet name")
    book.active.append(_NAMES)
    book.save(path)


def _parquet(path: Path, say: Say) -> None:
    columns = [pa.array(column) for column in zip(*_rows(say), strict=True)]
    fields = [pa.field(n, c.type, metadata={"label": say("field")}) for n, c in zip(_NAMES, columns, strict=True)]
    table = pa.table(columns, schema=pa.schema(fields, metadata={"author": say("metadata")}))
    pq.write_table(table, path)


def _xpt(path: Path, say: Say) -> None:
    variables = [Variable(n, n == "N", 8 if n == "N" else 40, label=say("label"), format=n) for n in _NAMES]
    write_xpt(path, "LB", variables, _rows(say))


def _sas7bdat(path: Path, say: Say) -> None:
    data = bytearray((DATA / "sample.sas7bdat").read_bytes())
    name = say("data set's name").encode()
    data[92 : 92 + len(name)] = name
    path.write_bytes(data)


def _described(say: Say) -> dict[str, object]:
    columns = [{"name": n, "itemOID": say("item"), "label": say("label"), "dataType": "string"} for n in _NAMES]
    return {
        "datasetJSONVersion": "1.1.0",
        "originator": say("originator"),
        "fileOID": say("file id"),
        "label": say("label"),
        "name": say("name"),
        "records": 3,
        "columns": columns,
    }


def _dataset_json(path: Path, say: Say) -> None:
    path.write_text(json.dumps(_described(say) | {"rows": _rows(say)}))


def _dataset_lines(path: Path, say: Say) -> None:
    path.write_text("\n".join(json.dumps(line) for line in [_described(say), *_rows(say)]))


def _ndjson(path: Path, say: Say) -> None:
    lines = []
    for _ in range(2):
        family = say("nested name")
        note = base64.b64encode(f"Dear {family}, come back.".encode()).decode()
        person = {"id": say("id"), "names": [{"family": family}]}
        lines.append({"person": person, "note": {"data": note}})
    lines.append(json.loads(json.dumps(lines[0])) | {f"of {say('key')}!": {"deep": [{"deeper": say("unknown")}]}})
    lines.append({"person": {"id": [say("array")]}})
    path.write_text("\n".join(map(json.dumps, lines)) + f'\n{{"person": "{say("cut off")}')


def _bundle(path: Path, say: Say) -> None:
    entries = []
    for _ in range(2):
        author = say("author")
        note = base64.b64encode(f"Signed: {author}.".encode()).decode()
        resource = {
            "resourceType": "DocumentReference",
            "id": say("id"),
            "author": [{"display": author}],
            "content": [{"attachment": {"data": note, "title": say("title")}}],
            "text": {"div": f"<div>{say('narrative')}</div>"},
            "contained": [{"resourceType": "Patient", "name": [{"text": say("contained")}]}],
            "extension": [{"url": "http://example.org/x", "valueString": say("extension")}],
        }
        entries.append({"fullUrl": f"https://example.org/{say('url')}", "resource": resource})
    modified = json.loads(json.dumps(entries[0]["resource"])) | {"modifierExtension": [{"url": say("modifier")}]}
    entries += [{"resource": modified}, {"resource": {"resourceType": "Person", "id": say("other type")}}]
    path.write_text(json.dumps({"resourceType": "Bundle", "id": say("bundle's id"), "entry": entries}))


def _hl7(path: Path, say: Say) -> None:
    def message(*segments: str) -> str:
        head = f"MSH|^~\\&|{say('application')}|{say('facility')}|||20200101||ORU^R01|{say('control id')}|P|2.5.1"
        return "\r".join([head, *segments]) + "\r"

    def person(family: str) -> str:
        return f"PID|1||{say('id')}||{family}^{say('given name')}|||F"

    first, second = say("family name"), say("family name")
    sound = message(
        person(first),
        f"OBR|1||{say('order')}||||20200101",
        f"OBX|1|TX|7||Told {first.lower()}",
        f"NTE|1||{say('note')}",
    )
    held = message(person(second), f"ZPI|{say('Z segment')}")
    broken = message(person(say("family name")), f"{say('no segment')} as it came")
    more = message(person(say("family name")) + f"|||{say('address')}", f"OBX|1|TX|7||a~{say('repetition')}")
    path.write_bytes((sound + held + broken + more).encode())


def _dicom(path: Path, say: Say, **more: str) -> None:
    image = pydicom.dcmread(DATA / "dicom" / "emri_small.dcm")
    image.PatientID, image.PatientName = say("id"), say("name")
    image.preamble = say("preamble").encode().ljust(128, b"\0")
    image.file_meta.SourceApplicationEntityTitle = say("title of the sender")
    image.private_block(0x0009, say("private creator"), create=True).add_new(1, "LO", say("private attribute"))
    item = Dataset()
    item.RequestedProcedureID = say("nested attribute")
    item.private_block(0x0011, say("nested creator"), create=True).add_new(2, "LO", say("nested private"))
    image.RequestAttributesSequence = [item]
    image.ImageComments = say("comments")
    for keyword, value in more.items():
        setattr(image, keyword, value)
    image.save_as(path)


def _burned_in(path: Path, say: Say) -> None:
    _dicom(path, say, BurnedInAnnotation="YES")


def _vcf(say: Say) -> bytes:
    head = ["##fileformat=VCFv4.2", f"##source={say('source')}", f"##SAMPLE=<ID={say('sample line')}>"]
    head.append(
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", say("s"), say("s")])
    )
    body = [f"1\t{n}\t{say('id')}\tA\tG\t.\t.\tDB={say('info')}\tGT\t0|1\t1|1" for n in (10, 20)]
    body += [f"1\t30\t{say('ragged')}\tA", f"1\t40\t.\tA\tG\t.\t.\t.\tGT:XX\t0|1:{say('unknown key')}\t1|1"]
    return ("\n".join([*head, *body]) + "\n").encode()


_WRITERS: dict[str, Callable[[Path, Say], None]] = {
    "bare.csv": _bare,
    "labels.csv": _labels,
    "march.zip": _zip,
    "march.rar.zip": _nested_zip,
    "april.tar.gz": _tar,
    "member3.csv.gz": _gzip,
    "book.xlsx": _excel,
    "strange.xlsx": _strange_excel,
    "table.parquet": _parquet,
    "lb.xpt": _xpt,
    "sample.sas7bdat": _sas7bdat,
    "dataset.json": _dataset_json,
    "dataset.ndjson": _dataset_lines,
    "nested.ndjson": _ndjson,
    "bundle.json": _bundle,
    "messages.hl7": _hl7,
    "image.dcm": _dicom,
    "burned.dcm": _burned_in,
    "calls.vcf": lambda path, say: path.write_bytes(_vcf(say)) and None,
    "calls2.vcf.gz": lambda path, say: path.write_bytes(gzip.compress(_vcf(say))) and None,
}
