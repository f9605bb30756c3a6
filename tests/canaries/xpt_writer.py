"""A small writer of SAS transport version 5 files, for tests (layout: SAS TS-140)."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atoll.deid.readers.xpt_layout import RECORD_BYTES, read_member

_NAMESTR_BYTES = 140
_STAMP = b"25NOV26:00:00:00"


@dataclass(frozen=True)
class Variable:
    """A variable to write: numeric is 8 bytes wide, text as wide as said."""

    name: str
    numeric: bool = False
    width_bytes: int = 8
    label: str = ""
    format: str = ""


def write_xpt(
    path: Path,
    name: str,
    variables: Sequence[Variable],
    rows: Sequence[Sequence[str | float | bytes | None]],
    *,
    encoding: str = "cp1252",
) -> None:
    """Write one data set. Texts longer than their variable are an error; None is missing
    (`.` for numbers, blanks for text); bytes go in as they are; a number may be given as
    `.A` to `.Z` or `._`, a special missing value."""
    member = member_bytes(name, variables, rows, encoding=encoding)
    path.write_bytes(library_header() + member)


def library_header() -> bytes:
    """The three records that start every transport file."""
    return _header("LIBRARY", "0" * 30) + _pad(b"SAS     SAS     SASLIB  9.4     " + b" " * 32 + _STAMP) + _pad(_STAMP)


def member_bytes(
    name: str,
    variables: Sequence[Variable],
    rows: Sequence[Sequence[str | float | bytes | None]],
    *,
    encoding: str = "cp1252",
) -> bytes:
    """One member: headers, variables, rows, filled up to a whole record."""
    head = _header("MEMBER", "000000000000000001600000000140") + _header("DSCRPTR", "0" * 30)
    head += _pad(b"SAS     " + name.encode().ljust(8) + b"SASDATA 9.4     " + b" " * 32 + _STAMP)
    head += _pad(_STAMP + b" " * 56)
    head += _header("NAMESTR", f"000000{len(variables):04d}" + "0" * 20)
    offset, names = 0, b""
    for number, variable in enumerate(variables, 1):
        names += _namestr(variable, number, offset)
        offset += variable.width_bytes
    head += _fill(names) + _header("OBS", "0" * 30)
    body = b"".join(_field(v, value, encoding) for row in rows for v, value in zip(variables, row, strict=True))
    return head + _fill(body)


def read_rows(path: Path) -> tuple[str, list[Variable], list[list[bytes]]]:
    """Name, variables and the raw fields of a file's only member, to write them changed."""
    member = read_member(path)
    variables = [Variable(v.name, v.numeric, v.length_bytes, v.label, v.format) for v in member.variables]
    data = path.read_bytes()[member.data_offset_bytes :]
    rows = []
    for i in range(member.rows):
        row = data[i * member.row_bytes : (i + 1) * member.row_bytes]
        rows.append([row[v.offset_bytes : v.offset_bytes + v.length_bytes] for v in member.variables])
    return member.name, variables, rows


def ibm_bytes(value: float | str | None) -> bytes:
    """A number as IBM/360 floating point of 8 bytes."""
    if value is None:
        return b"." + bytes(7)
    if isinstance(value, str):
        return value[1].encode() + bytes(7)
    if value == 0:
        return bytes(8)
    fraction, exponent = math.frexp(abs(value))
    shift = -exponent % 4
    exponent16 = (exponent + shift) // 4 + 64
    if not 0 <= exponent16 < 128:
        raise ValueError("beyond the range of the format")
    bits = (exponent16 << 56) | round(math.ldexp(fraction, 56 - shift))
    return struct.pack(">Q", bits | (1 << 63 if value < 0 else 0))


def _field(variable: Variable, value: str | float | bytes | None, encoding: str) -> bytes:
    if isinstance(value, bytes):
        raw = value
    elif variable.numeric:
        raw = ibm_bytes(value)
    else:
        raw = ("" if value is None else str(value)).encode(encoding)
    if len(raw) > variable.width_bytes:
        raise ValueError(f"a value of {variable.name} is wider than {variable.width_bytes} bytes")
    return raw.ljust(variable.width_bytes, b" ")


def _namestr(variable: Variable, number: int, offset: int) -> bytes:
    head = struct.pack(">hhhh", 1 if variable.numeric else 2, 0, variable.width_bytes, number)
    texts = (
        variable.name.encode().ljust(8) + variable.label.encode("cp1252").ljust(40) + variable.format.encode().ljust(8)
    )
    tail = struct.pack(">hhh", 0, 0, 0) + bytes(2) + b" " * 8 + struct.pack(">hhi", 0, 0, offset)
    return (head + texts + tail).ljust(_NAMESTR_BYTES, b"\0")


def _header(kind: str, numbers: str) -> bytes:
    return _pad(f"HEADER RECORD*******{kind:8}HEADER RECORD!!!!!!!{numbers}".encode())


def _pad(record: bytes) -> bytes:
    return record.ljust(RECORD_BYTES, b" ")


def _fill(data: bytes) -> bytes:
    return data + b" " * (-len(data) % RECORD_BYTES)
