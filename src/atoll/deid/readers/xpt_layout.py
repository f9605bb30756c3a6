"""Where everything stands in a SAS transport (XPT) version 5 file.

Source of the layout: SAS Institute, TS-140, "Record Layout of a SAS Version 5 or 6
Data Set in SAS Transport (XPORT) Format". All records are 80 bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from atoll.deid.readers.refusal import FileRefused

RECORD_BYTES = 80
_LIBRARY = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
_LIBRARY_V8 = b"HEADER RECORD*******LIBV8   HEADER RECORD!!!!!!!"
_MEMBER = b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"
_DESCRIPTOR = b"HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!"
_NAMES = b"HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!"
_ROWS = b"HEADER RECORD*******OBS     HEADER RECORD!!!!!!!"
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,7}\Z")
_SCAN_BYTES = 50_000 * RECORD_BYTES
_TODO = "Write the file again as SAS transport version 5 with one data set, and deliver it anew."


@dataclass(frozen=True)
class XptVariable:
    """One variable of a member.

    Attributes:
        name: as in the file, at most 8 characters.
        label: what it means, at most 40 characters.
        numeric: IBM floating point of `length_bytes`, else text.
        length_bytes: width of the field in a row.
        offset_bytes: where the field starts in a row.
        format: name of the SAS display format, `DATE` for DATE9., empty when none.
    """

    name: str
    label: str
    numeric: bool
    length_bytes: int
    offset_bytes: int
    format: str


@dataclass(frozen=True)
class XptMember:
    """The only data set of a transport file.

    Attributes:
        name: the data set's name.
        label: the data set's label.
        variables: in the order of the file.
        row_bytes: width of one row.
        rows: how many there are; rows of blanks that only fill the last record are not.
        data_offset_bytes: where the first row starts in the file.
    """

    name: str
    label: str
    variables: tuple[XptVariable, ...]
    row_bytes: int
    rows: int
    data_offset_bytes: int


def read_member(path: Path) -> XptMember:
    """Read the description of the only member of a transport file.

    Raises:
        FileRefused: no transport file of version 5 (rule `format`), damaged (`damaged`),
            cut off (`cut_off`), or with several members (`members`).
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(len(_LIBRARY))
        if head == _LIBRARY_V8:
            raise _refused("SAS transport version 8 is not read, version 5 is.", "format")
        if head != _LIBRARY:
            raise _refused("The file does not start as a SAS transport file.", "format")
        if size_bytes % RECORD_BYTES:
            raise _refused("The file is cut off: its size is not a multiple of 80 bytes.", "cut_off")
        file.seek(3 * RECORD_BYTES)
        name, label, variables = _describe(file)
        offset = file.tell()
        if _another_member(file, offset):
            raise _refused("The file holds several data sets.", "members")
        row_bytes = max(v.offset_bytes + v.length_bytes for v in variables)
        rows = _count_rows(file, offset, size_bytes - offset, row_bytes)
    return XptMember(name, label, variables, row_bytes, rows, offset)


def _describe(file: BinaryIO) -> tuple[str, str, tuple[XptVariable, ...]]:
    """Read the member's headers; the file then stands at the first row."""
    header = _record(file, _MEMBER)
    namestr_bytes = _number(header[75:78])
    if namestr_bytes not in (136, 140):
        raise _refused("The header of the data set is damaged.")
    _record(file, _DESCRIPTOR)
    first, second = file.read(RECORD_BYTES), file.read(RECORD_BYTES)
    count = _number(_record(file, _NAMES)[54:58])
    if not count:
        raise _refused("The data set has no variables.")
    size_bytes = count * namestr_bytes
    names = file.read(size_bytes + -size_bytes % RECORD_BYTES)
    if len(names) < size_bytes:
        raise _refused("The file is cut off within the list of variables.", "cut_off")
    _record(file, _ROWS)
    variables = tuple(_variable(names[i * namestr_bytes : (i + 1) * namestr_bytes]) for i in range(count))
    if len({v.name for v in variables}) < count:
        raise _refused("Two variables of the data set have the same name.")
    _check_places(variables)
    return _text(first[8:16]), _text(second[32:72]), variables


def _record(file: BinaryIO, marker: bytes) -> bytes:
    record = file.read(RECORD_BYTES)
    if not record.startswith(marker):
        raise _refused("A header record is missing or damaged.")
    return record


def _variable(namestr: bytes) -> XptVariable:
    kind, length = int.from_bytes(namestr[0:2], "big"), int.from_bytes(namestr[4:6], "big")
    name = _text(namestr[8:16])
    widths = range(2, 9) if kind == 1 else range(1, 1 << 15)
    if kind not in (1, 2) or length not in widths or not _VARIABLE_NAME.match(name):
        raise _refused("The description of a variable is damaged.")
    return XptVariable(
        name=name,
        label=_text(namestr[16:56]),
        numeric=kind == 1,
        length_bytes=length,
        offset_bytes=int.from_bytes(namestr[84:88], "big"),
        format=_text(namestr[56:64]).upper(),
    )


def _check_places(variables: tuple[XptVariable, ...]) -> None:
    """Fields must follow each other without gap or overlap."""
    expected = 0
    for variable in sorted(variables, key=lambda v: v.offset_bytes):
        if variable.offset_bytes != expected:
            raise _refused("The places of the variables in a row do not fit together.")
        expected += variable.length_bytes


def _another_member(file: BinaryIO, offset_bytes: int) -> bool:
    """Whether a second member's header stands on a record boundary after the first row."""
    file.seek(offset_bytes)
    while block := file.read(_SCAN_BYTES):  # a multiple of 80 bytes, so no header is split
        at = block.find(_MEMBER)
        while at >= 0:
            if at % RECORD_BYTES == 0:
                return True
            at = block.find(_MEMBER, at + 1)
    return False


def _count_rows(file: BinaryIO, offset_bytes: int, data_bytes: int, row_bytes: int) -> int:
    """Rows in the data; the last record is filled up with blanks (TS-140).

    A row of nothing but blanks within the last 79 bytes cannot be told from filling and
    is taken as filling, as SAS itself does.
    """
    rows, rest = divmod(data_bytes, row_bytes)
    tail_bytes = min(data_bytes, RECORD_BYTES - 1)
    file.seek(offset_bytes + data_bytes - tail_bytes)
    tail = file.read(tail_bytes)
    if rest >= RECORD_BYTES or (rest and tail[-rest:].strip(b" ")):
        raise _refused("The file is cut off within a row.", "cut_off")
    filled = len(tail) - len(tail.rstrip(b" "))
    return rows - max(0, (filled - rest) // row_bytes)


def _number(text: bytes) -> int:
    if not text.strip().isdigit():
        raise _refused("A number in a header record is damaged.")
    return int(text)


def _text(raw: bytes) -> str:
    return raw.decode("cp1252", errors="replace").rstrip(" \0")


def _refused(what: str, rule: str = "damaged") -> FileRefused:
    return FileRefused(what, rule=rule, todo=_TODO)
