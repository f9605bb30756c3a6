"""The first rows of a sample file, whatever its format, as texts by column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import polars as pl
import pyarrow.parquet as pq

from atoll.deid.readers.dataset_json_layout import read_layout
from atoll.deid.readers.paths import shown_path
from atoll.deid.readers.readings import readings
from atoll.deid.readers.sas7bdat import describe
from atoll.deid.readers.streamed import library_at_work
from atoll.deid.readers.xpt import read_xpt
from atoll.deid.readers.xpt_layout import read_member
from atoll.errors import DeliveryRefused, InvalidInput
from atoll.model.contract import CsvDialect, Format, Keep, TableContract
from atoll.model.table import ColumnType

#: Rows that are looked at; more would only make a draft slower, not surer.
SAMPLE_ROWS = 5_000
_COLUMNS_MAX = 2_000
_XPT_START = b"HEADER RECORD*******LIB"
_SAS_START = b"\0" * 12 + b"\xc2\xea\x81\x60"
_SEPARATORS = ",;\t|"
#: Display formats of SAS that make a number a day or a moment (SAS 9.4 Formats and Informats).
_SAS_DATES = ("DATE", "YYMMDD", "MMDDYY", "DDMMYY", "E8601DA", "IS8601DA")
_SAS_MOMENTS = ("DATETIME", "E8601DT", "IS8601DT")


@dataclass(frozen=True)
class SampleColumn:
    """One column of a sample.

    Attributes:
        name: as delivered; in nested formats the path.
        label: what the file says that it means, empty for most formats.
        values: the texts of the sample's rows that have one. Identified.
        type: what the format itself says, None where it says nothing.
    """

    name: str
    values: tuple[str, ...]
    label: str = ""
    type: ColumnType | None = None


@dataclass(frozen=True)
class Sample:
    """The first rows of a file.

    Attributes:
        name: the delivered file name.
        rows: how many rows were looked at.
        resource: FHIR: the resource type of the rows.
    """

    name: str
    format: Format
    columns: tuple[SampleColumn, ...]
    rows: int
    csv: CsvDialect = field(default_factory=CsvDialect)
    resource: str | None = None


def read_sample(name: str, path: Path) -> Sample:
    """Look at the beginning of a file. `path` may hold its beginning only, but for the binary formats.

    Raises `InvalidInput` for what is none of the formats that contracts know, or has no row.
    """
    with path.open("rb") as file:
        start = file.read(4096)
    try:
        if start.startswith(_XPT_START):
            sample = _xpt(name, path)
        elif start.startswith(_SAS_START):
            variables, _ = describe(path)
            described = {
                v.name: (_said(v.label, v.format), _sas_type(v.format) if v.numeric else ColumnType.STRING)
                for v in variables
            }
            sample = _flat(name, path, Format.SAS7BDAT, described)
        elif start.startswith(b"PAR1"):
            with library_at_work("The footer of the file is damaged."):
                names = pq.read_schema(path).names
            sample = _flat(name, path, Format.PARQUET, dict.fromkeys(names, ("", None)))
        elif b'"datasetJSONVersion"' in start:
            columns = read_layout(path).columns
            sample = _flat(name, path, Format.DATASET_JSON, dict.fromkeys(columns, ("", None)))
        elif start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
            sample = _ndjson(name, path)
        else:
            sample = _csv(name, path)
    except DeliveryRefused as refusal:
        raise InvalidInput(refusal.what, where=name, todo=refusal.todo) from None
    except (pl.exceptions.PolarsError, UnicodeDecodeError, csv.Error):
        raise _unreadable(name) from None
    if not sample.rows or not sample.columns or len(sample.columns) > _COLUMNS_MAX:
        raise InvalidInput(
            f"The sample has no row, or no columns, or more than {_COLUMNS_MAX}.",
            where=name,
            todo="Give a file with its header and some rows.",
        )
    return sample


def _xpt(name: str, path: Path) -> Sample:
    member = read_member(path)
    types = {v.name: _sas_type(v.format) if v.numeric else ColumnType.STRING for v in member.variables}
    rules = {column: Keep(treat="keep", type=kind) for column, kind in types.items()}
    table = TableContract(files=("*",), format=Format.XPT, columns=rules)
    frame = read_xpt(path, table).rows.head(SAMPLE_ROWS).collect()
    columns = tuple(
        SampleColumn(v.name, _texts(frame[v.name]), _said(v.label, v.format), types[v.name]) for v in member.variables
    )
    return Sample(name, Format.XPT, columns, frame.height)


def _said(label: str, display: str) -> str:
    """Label and display format of a SAS variable, as a comment keeps them."""
    return f"{label} [{display}]".strip() if display else label


def _flat(name: str, path: Path, kind: Format, columns: Mapping[str, tuple[str, ColumnType | None]]) -> Sample:
    """The first rows of a flat file, by its own reader; `columns` have a label and, where the file says, a type."""
    rules = {column: Keep(treat="keep", type=said or ColumnType.STRING) for column, (_, said) in columns.items()}
    table = TableContract(files=("*",), format=kind, columns=rules)
    [reading] = readings(path, table, path)
    frame = reading.batch.rows.head(SAMPLE_ROWS).collect()
    reading.proven(frame.height)
    found = tuple(SampleColumn(c, _texts(frame[c]), label, said) for c, (label, said) in columns.items())
    return Sample(name, kind, found, frame.height)


def _sas_type(display: str) -> ColumnType:
    if display.startswith(_SAS_MOMENTS):
        return ColumnType.DATETIME
    return ColumnType.DATE if display.startswith(_SAS_DATES) else ColumnType.NUMBER


def _csv(name: str, path: Path) -> Sample:
    data = path.read_bytes()
    text, encoding = _decoded(data)
    if "\0" in text:
        raise _unreadable(name)
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    frame = pl.read_csv(
        io.StringIO(text),
        separator=separator,
        infer_schema=False,
        n_rows=SAMPLE_ROWS,
        ignore_errors=False,
        truncate_ragged_lines=True,
    )
    columns = tuple(SampleColumn(column, _texts(frame[column])) for column in frame.columns)
    return Sample(name, Format.CSV, columns, frame.height, CsvDialect(separator=separator, encoding=encoding))


def _decoded(data: bytes) -> tuple[str, str]:
    try:
        # The sample may end within a character.
        return data.decode("utf-8-sig", errors="strict"), "utf-8"
    except UnicodeDecodeError as problem:
        if problem.start >= len(data) - 3:
            return data[: problem.start].decode("utf-8-sig"), "utf-8"
    return data.decode("cp1252", errors="replace"), "cp1252"


def _ndjson(name: str, path: Path) -> Sample:
    values: dict[str, list[str]] = {}
    resources: set[object] = set()
    rows = 0
    for line in path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()[:SAMPLE_ROWS]:
        row = _object(line)
        if row is None:
            continue
        rows += 1
        resources.add(row.get("resourceType"))
        for leaf, text in _leaves((), row):
            values.setdefault(leaf, []).append(text)
    [resource] = resources if len(resources) == 1 else [None]
    if isinstance(resource, str):
        values.pop("resourceType", None)
        columns = tuple(SampleColumn(leaf, tuple(texts)) for leaf, texts in values.items())
        return Sample(name, Format.FHIR, columns, rows, resource=resource)
    columns = tuple(SampleColumn(leaf, tuple(texts)) for leaf, texts in values.items())
    return Sample(name, Format.NDJSON, columns, rows)


def _object(line: bytes) -> Mapping[str, object] | None:
    """The row of a line; None for a blank one and for one that is cut off or no object."""
    try:
        row = orjson.loads(line) if line.strip() else None
    except orjson.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None


def _leaves(trail: tuple[str, ...], value: object) -> Iterator[tuple[str, str]]:
    """Every value with its path; the elements of an array share one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            safe = shown_path((key,))
            if safe != "?":
                yield from _leaves((*trail, safe), inner)
    elif isinstance(value, list):
        head = (*trail[:-1], f"{trail[-1]}[*]")
        for inner in value:
            yield from _leaves(head, inner)
    elif value is not None:
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        yield ".".join(trail), text


def _texts(column: pl.Series) -> tuple[str, ...]:
    return tuple(column.drop_nulls().cast(pl.String).to_list())


def _unreadable(name: str) -> InvalidInput:
    return InvalidInput(
        "The sample is neither CSV, newline-delimited JSON, Dataset-JSON, Parquet nor a SAS file.",
        where=name,
        todo="Give a file as it will be delivered.",
    )
