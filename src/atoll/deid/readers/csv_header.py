"""The header of a CSV file: its names, and where the data begin."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from pathlib import Path

from atoll.deid.readers.columns import check_columns
from atoll.deid.readers.refusal import FileRefused
from atoll.model.contract import CsvDialect, TableContract
from atoll.model.drift import Drift

#: A header longer than this is no header.
_HEADER_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class CsvHeader:
    """Names of the columns in the file's order, and the byte where the first data row begins."""

    names: tuple[str, ...]
    data_offset: int
    #: How they differ from the contract's although the file is read.
    drift: tuple[Drift, ...]


def read_header(path: Path, table: TableContract) -> CsvHeader:
    """The header of `path`, checked against the contract.

    Raises `FileRefused` (empty file, wrong encoding, line ends, no header) and
    `DeliveryRefused` (columns that are not the contract's).
    """
    with path.open("rb") as file:
        start = file.read(_HEADER_MAX_BYTES)
    if not start.strip(b"\r\n\t \xef\xbb\xbf"):
        raise FileRefused("The file is empty; it has no header.", rule="empty", todo="Deliver it with its header line.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in start[:4]:
        raise FileRefused("The file is UTF-16 or UTF-32, not " + table.csv.encoding + ".", rule="encoding")
    bom = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    line = _first_line(start[bom:], table.csv)
    names = _names(line, table.csv, bom=bom > 0)
    drift = check_columns(table, names)
    return CsvHeader(tuple(names), bom + len(line), drift)


def _first_line(text: bytes, dialect: CsvDialect) -> bytes:
    """The first logical line with its line end; a quoted name may hold line ends."""
    quote = dialect.quote.encode()
    end = -1
    while (end := text.find(b"\n", end + 1)) >= 0:
        if text.count(quote, 0, end) % 2 == 0:
            line = text[: end + 1]
            break
    else:
        if len(text) >= _HEADER_MAX_BYTES - 3:
            raise FileRefused("The file has no header line within its first MiB.", rule="header")
        line = text
    if b"\r" in line.removesuffix(b"\n").removesuffix(b"\r"):
        raise FileRefused("The file's lines end with CR alone.", rule="line_ends", todo="Deliver it with LF or CRLF.")
    return line


def _names(line: bytes, dialect: CsvDialect, *, bom: bool) -> list[str]:
    try:
        text = line.decode("utf-8" if bom else dialect.encoding)
    except UnicodeDecodeError:
        raise FileRefused(f"The header is not {dialect.encoding} text.", rule="encoding") from None
    try:
        rows = list(csv.reader([text], delimiter=dialect.separator, quotechar=dialect.quote, strict=True))
    except csv.Error:
        raise FileRefused("The header's quotes do not close.", rule="header") from None
    return rows[0] if rows else []
