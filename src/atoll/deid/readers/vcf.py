"""VCF files (4.0 to 4.x), plain or gzip: a row for each variant of each sample.

Source of the form: The Variant Call Format Specification, VCFv4.3, 1.2 to 1.6. Of the
lines before the data only the names of the samples are used; what else they say (paths,
commands, pedigrees, `##SAMPLE`) does not enter.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from atoll.deid.readers.json_lines import MAX_LINE_BYTES
from atoll.deid.readers.nested_rows import ROWS_OF_A_RECORD, BadRecordError, Entry, NestedRows, Value, nested_reading
from atoll.deid.readers.reading import Reading
from atoll.deid.readers.refusal import FileRefused
from atoll.deid.readers.streamed import Notes, library_at_work
from atoll.model.contract import TableContract

_FIXED = ("CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
_LINES_IN_BLOCK = 2000
_RAW_MAX = 1 << 16
_GZIP = b"\x1f\x8b"
#: Text of variants packs to a twentieth, hardly ever to a hundredth; beyond this it is a bomb.
_UNPACKED_MAX_TIMES = 1000
_TODO = "Write the file again as VCF 4 and deliver it anew."


def read_vcf(path: Path, table: TableContract) -> Reading:
    """The variants of a file, one row for each sample, lazily.

    Rules name the columns of the file (`CHROM`, `POS`), `SAMPLE` (the name of the row's sample),
    `INFO.AF` and `FORMAT.GT`. All columns are String, `.` is null, a flag `true`. A file
    without samples has one row for each variant. Row numbers are the variant's times
    1,000,000,000 and the sample's place.

    Malformed are lines with another number of columns than the header (rule `ragged`),
    text that is not UTF-8 (`encoding`), and keys that no rule names (`unknown_field`).

    Raises:
        FileRefused: the file is none (rule `format`), or has no header or two samples of
            one name (`columns`). While reading: its compression is damaged (`damaged`) or it
            is larger than any VCF when unpacked (`too_large`).
    """
    with library_at_work("The file's compression is damaged, or cut off.", _TODO), _opened(path) as file:
        samples = _samples(file)
    return nested_reading(NestedRows(table), _Source(path, samples).entries, "VCF")


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _samples(file: BinaryIO) -> tuple[str, ...]:
    """The samples' names; the file then stands at the first variant."""
    first = True
    while line := file.readline(MAX_LINE_BYTES):
        if not line.strip():
            continue
        if first and not line.startswith(b"##fileformat=VCFv4"):
            raise FileRefused("The file does not start as VCF 4.", rule="format", todo=_TODO)
        first = False
        if line.startswith(b"##"):
            continue
        names = line.rstrip(b"\r\n").decode("utf-8", "replace").split("\t")
        wanted = ["#CHROM", *_FIXED[1:]]
        if names[:8] != wanted or (len(names) > 8 and names[8] != "FORMAT"):
            break
        samples = names[9:]
        if len(set(samples)) < len(samples):
            raise FileRefused("Two samples of the file have the same name.", rule="columns", todo=_TODO)
        return tuple(samples)
    if first:
        raise FileRefused("The file does not start as VCF 4.", rule="format", todo=_TODO)
    raise FileRefused("The file has no header line (#CHROM) with the columns of VCF.", rule="columns", todo=_TODO)


@dataclass(frozen=True)
class _Source:
    path: Path
    samples: Sequence[str]

    def entries(self, notes: Notes) -> Iterator[list[Entry]]:
        del notes
        most_bytes = self.path.stat().st_size * _UNPACKED_MAX_TIMES + MAX_LINE_BYTES
        block: list[Entry] = []
        number = read_bytes = 0
        with library_at_work("The file's compression is damaged, or cut off.", _TODO), _opened(self.path) as file:
            _samples(file)
            while line := file.readline(MAX_LINE_BYTES):
                read_bytes += len(line)
                if read_bytes > most_bytes:
                    raise FileRefused("The file is too large when unpacked.", rule="too_large", todo=_TODO)
                if not line.strip():
                    continue
                number += 1
                block += self._variant(number, line.rstrip(b"\r\n"))
                if number % _LINES_IN_BLOCK == 0:
                    yield block
                    block = []
        yield block

    def _variant(self, number: int, line: bytes) -> list[Entry]:
        try:
            cells = line.decode().split("\t")
            value = self._described(cells)
            if not self.samples:
                return [Entry(number, line, _raw, value)]
            keys = cells[8].split(":")
            base = number * ROWS_OF_A_RECORD
            calls = enumerate(zip(self.samples, cells[9:], strict=True), 1)
            return [
                Entry(base + at, line, _raw, {**value, "SAMPLE": sample, "FORMAT": _call(keys, cell)})
                for at, (sample, cell) in calls
            ]
        except UnicodeDecodeError:
            return [Entry(number, line, _raw, None, BadRecordError("encoding", "The line is not UTF-8 text."))]
        except BadRecordError as bad:
            return [Entry(number, line, _raw, None, bad)]

    def _described(self, cells: Sequence[str]) -> Value:
        wanted = 9 + len(self.samples) if self.samples else len(cells) if len(cells) in (8, 9) else 8
        if len(cells) != wanted:
            raise BadRecordError("ragged", f"The line has {len(cells)} columns where the header has {wanted}.")
        if any("\0" in cell for cell in cells):
            raise BadRecordError("nul", "The line holds a NUL byte.")
        value: Value = {name: _null(cell) for name, cell in zip(_FIXED[:7], cells[:7], strict=True)}
        pairs = [pair.partition("=") for pair in cells[7].split(";") if pair not in ("", ".")]
        if len({key for key, _, _ in pairs}) < len(pairs):
            raise BadRecordError("ragged", "A key of INFO stands twice.")
        value["INFO"] = {key: _null(text) if equals else "true" for key, equals, text in pairs}
        return value


def _call(keys: Sequence[str], cell: str) -> dict[str, object]:
    texts = cell.split(":")
    if len(texts) > len(keys) or len(set(keys)) < len(keys):
        raise BadRecordError("ragged", "A sample has more values than FORMAT has keys, or a key stands twice.")
    return {key: _null(text) for key, text in zip(keys, texts, strict=False)}


def _null(text: str) -> str | None:
    return None if text in (".", "") else text


def _raw(line: bytes) -> str:
    return line[:_RAW_MAX].decode("utf-8", "backslashreplace")
