"""What a workbook's own XML says of its cells that readers of values do not tell.

An error (`#N/A`) and a formula whose value was never saved both read as an empty cell;
here they are found, so that nothing vanishes. Source of the form: ECMA-376-1, 18.3.1
(`c` with its type `t`, `f`, `v`), 12.3.24 (relationships of the workbook).
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from atoll.deid.readers.refusal import FileRefused
from atoll.deid.readers.streamed import library_at_work

#: Unpacked, all parts together. A workbook is held in memory while it is read.
UNPACKED_MAX_BYTES = 1 << 30
_PARTS_MAX = 10_000
_READ_BYTES = 1 << 18
_Start = Callable[[str, dict[str, str]], None]
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TODO = "Save the workbook as xlsx, without a password, and deliver it anew."
_DAMAGED = "The workbook is damaged."
_MESSAGES = {
    "cell_error": "A cell of the row holds an error in a value's place.",
    "no_value": "A formula of the row has no saved value.",
}


@dataclass(frozen=True)
class BadCell:
    """Why a row cannot be taken: the rule, and a sentence."""

    rule: str
    message: str


def check_workbook(path: Path) -> None:
    """Raises `FileRefused`: no xlsx (rule `format`), damaged, or too large when unpacked (`too_large`)."""
    with path.open("rb") as file:
        head = file.read(8)
    if head == _OLE:
        what = "The workbook is of the form before 2007 (xls), or locked by a password; neither is read."
        raise FileRefused(what, rule="format", todo=_TODO)
    if not head.startswith(b"PK\x03\x04"):
        raise FileRefused("The file does not start as an Excel workbook (xlsx).", rule="format", todo=_TODO)
    with library_at_work(_DAMAGED, _TODO), zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
    if len(parts) > _PARTS_MAX or sum(part.file_size for part in parts) > UNPACKED_MAX_BYTES:
        raise FileRefused("The workbook is too large when unpacked.", rule="too_large", todo="Deliver it in parts.")
    if "xl/workbook.bin" in names:
        raise FileRefused("The workbook is of the binary form (xlsb), which is not read.", rule="format", todo=_TODO)
    if "xl/workbook.xml" not in names:
        raise FileRefused("The archive is no workbook of the form xlsx.", rule="format", todo=_TODO)


def bad_cells(path: Path, sheet: int) -> dict[int, BadCell]:
    """Rows (from 0) with an error or a formula without a value, of the sheet at that place of the workbook."""
    with library_at_work(_DAMAGED, _TODO), zipfile.ZipFile(path) as archive:
        found = _Cells()
        _parse(archive, _part_of_sheet(archive, sheet), found.start, found.end, found.text)
        return {row: BadCell(rule, _MESSAGES[rule]) for row, rule in found.bad.items()}


def _part_of_sheet(archive: zipfile.ZipFile, sheet: int) -> str:
    ids: list[str] = []
    targets: dict[str, str] = {}

    def in_book(name: str, attributes: dict[str, str]) -> None:
        if name == "sheet":
            ids.append(next(v for k, v in attributes.items() if k.rpartition(":")[2] == "id" and ":" in k))

    def in_relations(name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            targets[attributes["Id"]] = attributes["Target"]

    _parse(archive, "xl/workbook.xml", in_book)
    _parse(archive, "xl/_rels/workbook.xml.rels", in_relations)
    target = targets[ids[sheet]]
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")


class _Cells:
    """Follows rows and cells of a sheet as its XML is read."""

    def __init__(self) -> None:
        self.bad: dict[int, str] = {}
        self._row = -1
        self._is_formula = self._has_value = self._in_value = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._row = int(attributes["r"]) - 1 if "r" in attributes else self._row + 1
        elif name == "c":
            self._is_formula, self._has_value = False, attributes.get("t") == "str"
            if attributes.get("t") == "e":
                self.bad.setdefault(self._row, "cell_error")
        elif name == "f":
            self._is_formula = True
        self._in_value = name in ("v", "is")

    def text(self, text: str) -> None:
        self._has_value |= self._in_value and bool(text.strip())

    def end(self, name: str) -> None:
        if name == "c" and self._is_formula and not self._has_value:
            self.bad.setdefault(self._row, "no_value")


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    start: _Start,
    end: Callable[[str], None] = lambda name: None,
    text: Callable[[str], None] = lambda text: None,
) -> None:
    parser = expat.ParserCreate()

    def refuse(*declared: object) -> None:
        del declared
        raise ValueError("a workbook declares no entities")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    parser.CharacterDataHandler = text
    with archive.open(part) as xml:
        while data := xml.read(_READ_BYTES):
            parser.Parse(data)
        parser.Parse(b"", True)
