"""Where everything stands in a SAS transport (XPT) file of version 5 or 8.

Source of the layouts: SAS Institute, TS-140, "Record Layout of a SAS Version 5 or 6
Data Set in SAS Transport (XPORT) Format", and "Record Layout of a SAS Version 8 or 9 Data
Set in SAS Transport Format" (long names and labels). All records are 80 bytes.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

import numpy as np

from atoll.deid.readers.refusal import FileRefused

RECORD_BYTES = 80
_LIBRARY = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"
_LIBRARY_V8 = b"HEADER RECORD*******LIBV8   HEADER RECORD!!!!!!!"
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}\Z")
_LABELS = b"HEADER RECORD*******LABELV"
_SCAN_BYTES = 3_000 * RECORD_BYTES
_TODO = "Write the file again as SAS transport version 5 or 8 with one data set, and deliver it anew."


@dataclass(frozen=True)
class _Version:
    """Header records of one version; `long` is version 8, with long names and labels and a count of rows."""

    member: bytes
    descriptor: bytes
    names: bytes
    rows: bytes
    long: bool


def _version(member: bytes, descriptor: bytes, names: bytes, rows: bytes, *, long: bool) -> _Version:
    records = [b"HEADER RECORD*******%-8bHEADER RECORD!!!!!!!" % word for word in (member, descriptor, names, rows)]
    return _Version(records[0], records[1], records[2], records[3], long)


_VERSIONS = {
    _LIBRARY: _version(b"MEMBER", b"DSCRPTR", b"NAMESTR", b"OBS", long=False),
    _LIBRARY_V8: _version(b"MEMBV8", b"DSCPTV8", b"NAMSTV8", b"OBSV8", long=True),
}


@dataclass(frozen=True)
class XptVariable:
    """One variable of a member.

    Attributes:
        name: as in the file, at most 8 characters in version 5, 32 in version 8.
        label: what it means, at most 40 characters in version 5, 256 in version 8.
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
        FileRefused: no transport file of version 5 or 8 (rule `format`), damaged (`damaged`),
            cut off (`cut_off`), or with several members (`members`).
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(len(_LIBRARY))
        version = _VERSIONS.get(head)
        if version is None:
            raise _refused("The file does not start as a SAS transport file.", "format")
        if size_bytes % RECORD_BYTES:
            raise _refused("The file is cut off: its size is not a multiple of 80 bytes.", "cut_off")
        file.seek(3 * RECORD_BYTES)
        name, label, variables, said = _describe(file, version)
        offset = file.tell()
        if _another_member(file, offset, version.member):
            raise _refused("The file holds several data sets.", "members")
        row_bytes = max(v.offset_bytes + v.length_bytes for v in variables)
        rows = _count_rows(file, offset, size_bytes - offset, row_bytes, said)
    return XptMember(name, label, variables, row_bytes, rows, offset)


def _describe(file: BinaryIO, version: _Version) -> tuple[str, str, tuple[XptVariable, ...], int | None]:
    """Read the member's headers; the file then stands at the first row.

    Gives its name, label, variables, and how many rows it says it has (version 8 only).
    """
    header = _record(file, version.member)
    namestr_bytes = _number(header[75:78])
    if namestr_bytes not in (136, 140):
        raise _refused("The header of the data set is damaged.")
    _record(file, version.descriptor)
    first, second = file.read(RECORD_BYTES), file.read(RECORD_BYTES)
    count = _number(_record(file, version.names)[53:58])
    if not count:
        raise _refused("The data set has no variables.")
    size_bytes = count * namestr_bytes
    names = file.read(size_bytes + -size_bytes % RECORD_BYTES)
    if len(names) < size_bytes:
        raise _refused("The file is cut off within the list of variables.", "cut_off")
    labels, rows = _labels(file) if version.long else ({}, _record(file, version.rows))
    if not rows.startswith(version.rows):
        raise _refused("A header record is missing or damaged.")
    said = _number(rows[48:63]) if version.long else None
    parts = [names[i * namestr_bytes : (i + 1) * namestr_bytes] for i in range(count)]
    variables = tuple(_variable(part, version, labels.get(number)) for number, part in enumerate(parts, 1))
    if len({v.name for v in variables}) < count:
        raise _refused("Two variables of the data set have the same name.")
    variables = _one_after_another(variables) if version.long else variables
    _check_places(variables)
    return _text(first[8 : 40 if version.long else 16]), _text(second[32:72]), variables, said


def _record(file: BinaryIO, marker: bytes) -> bytes:
    record = file.read(RECORD_BYTES)
    if not record.startswith(marker):
        raise _refused("A header record is missing or damaged.")
    return record


def _labels(file: BinaryIO) -> tuple[dict[int, str], bytes]:
    """Labels too long for a variable's description, by its number, and the record behind them."""
    record = file.read(RECORD_BYTES)
    if not record.startswith(_LABELS):
        return {}, record
    sizes = 5 if record.startswith(_LABELS + b"9") else 3  # with formats and informats, or without
    labels: dict[int, str] = {}
    used = 0
    for _ in range(_number(record[48:53])):
        head = file.read(2 * sizes)
        number, *lengths = struct.unpack(f">{len(head) // 2}H", head) if len(head) == 2 * sizes else (0,)
        texts = file.read(sum(lengths))
        if not lengths or len(texts) < sum(lengths):
            raise _refused("The file is cut off within the list of labels.", "cut_off")
        labels[number] = _text(texts[lengths[0] : lengths[0] + lengths[1]])
        used += len(head) + len(texts)
    file.read(-used % RECORD_BYTES)
    return labels, file.read(RECORD_BYTES)


def _variable(namestr: bytes, version: _Version, label: str | None) -> XptVariable:
    kind, length = int.from_bytes(namestr[0:2], "big"), int.from_bytes(namestr[4:6], "big")
    name = (_text(namestr[88:120]) if version.long else "") or _text(namestr[8:16])
    widths = range(2, 9) if kind == 1 else range(1, 1 << 15)
    if kind not in (1, 2) or length not in widths or not _VARIABLE_NAME.match(name):
        raise _refused("The description of a variable is damaged.")
    return XptVariable(
        name=name,
        label=_text(namestr[16:56]) if label is None else label,
        numeric=kind == 1,
        length_bytes=length,
        offset_bytes=int.from_bytes(namestr[84:88], "big"),
        format=_text(namestr[56:64]).upper(),
    )


def _one_after_another(variables: tuple[XptVariable, ...]) -> tuple[XptVariable, ...]:
    """Version 8: fields stand in the order of the variables.

    The writer that SAS publishes for it (%loc2xpt) copies the places of its own data set into
    the descriptions, where numbers stand first, and writes the rows in the order of the variables.
    """
    ends = accumulate(v.length_bytes for v in variables)
    return tuple(replace(v, offset_bytes=end - v.length_bytes) for v, end in zip(variables, ends, strict=True))


def _check_places(variables: tuple[XptVariable, ...]) -> None:
    """Fields must follow each other without gap or overlap."""
    expected = 0
    for variable in sorted(variables, key=lambda v: v.offset_bytes):
        if variable.offset_bytes != expected:
            raise _refused("The places of the variables in a row do not fit together.")
        expected += variable.length_bytes


def _another_member(file: BinaryIO, offset_bytes: int, header: bytes) -> bool:
    """Whether a second member's header stands on a record boundary after the first row."""
    file.seek(offset_bytes)
    buffer = bytearray(_SCAN_BYTES)  # whole records, and small enough for the cache
    while size := file.readinto(buffer):  # type: ignore[attr-defined]
        records = np.frombuffer(buffer, np.uint8, size // RECORD_BYTES * RECORD_BYTES).reshape(-1, RECORD_BYTES)
        # Two bytes of the header tell nearly every record apart from it.
        likely = np.flatnonzero((records[:, 0] == header[0]) & (records[:, 15] == header[15]))
        if any(bytes(records[i]).startswith(header) for i in likely):
            return True
    return False


def _count_rows(file: BinaryIO, offset_bytes: int, data_bytes: int, row_bytes: int, said: int | None) -> int:
    """Rows in the data; the last record is filled up with blanks (TS-140).

    Version 8 says how many there are (`said`); the data must be as long as that.

    A row of nothing but blanks within the last 79 bytes cannot be told from filling and
    is taken as filling, as SAS itself does.
    """
    if said is not None:
        if said * row_bytes > data_bytes:
            raise _refused(f"The file holds fewer than the {said} rows that it says it has.", "cut_off")
        if data_bytes - said * row_bytes >= RECORD_BYTES:
            raise _refused(f"The file holds more than the {said} rows that it says it has.")
        return said
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
