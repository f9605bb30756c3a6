"""A contract's text from sample files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atoll.deid.contracts import parse_contract
from atoll.deid.draft.identifiers import split_words
from atoll.deid.draft.judging import Judgement, by_preset, is_subject, judge
from atoll.deid.draft.sample import Sample, SampleColumn, read_sample
from atoll.errors import ContractInvalid
from atoll.model.contract import Format
from atoll.model.record import Frozen
from atoll.model.said import Sentence

_KEY_MAX = 60
_FLAT = (Format.CSV, Format.XPT, Format.SAS7BDAT, Format.PARQUET, Format.DATASET_JSON)


@dataclass(frozen=True)
class SampleFile:
    """A sample: the name that such files have, and where its beginning lies."""

    name: str
    path: Path


class DraftedColumn(Frozen):
    """What the draft does to one column."""

    table: str
    column: str
    treatment: str
    reason: Sentence
    #: Dropped for want of certainty: look at it first.
    doubtful: bool


class Draft(Frozen):
    """A contract to be read, mended and proposed."""

    text: str
    columns: tuple[DraftedColumn, ...]
    #: What must be mended before it can be proposed.
    findings: tuple[Sentence, ...]


@dataclass(frozen=True)
class _Table:
    name: str
    pattern: str
    sample: Sample
    subject: str | None
    rules: Mapping[str, Judgement]


def draft_contract(dataset: str, files: Sequence[SampleFile]) -> Draft:
    """Draft a contract for files like these. Nothing of their values is in it.

    Raises `InvalidInput` for a sample that cannot be read.
    """
    tables = [_table(pattern, sample) for pattern, sample in _grouped(files)]
    text = "\n".join(_lines(dataset, tables)) + "\n"
    try:
        parse_contract(text)
        findings: tuple[str, ...] = ()
    except ContractInvalid as broken:
        findings = broken.findings or (broken.what,)
    columns = tuple(
        DraftedColumn(table=t.name, column=c, treatment=j.treat, reason=j.reason, doubtful=j.doubtful)
        for t in tables
        for c, j in t.rules.items()
    )
    return Draft(text=text, columns=columns, findings=findings)


def _grouped(files: Sequence[SampleFile]) -> Iterator[tuple[str, Sample]]:
    """One sample for each table: files whose names differ by numbers only are of one."""
    samples: dict[str, Sample] = {}
    for file in files:
        sample = read_sample(file.name, file.path)
        pattern = _pattern(file.name)
        known = samples.get(pattern)
        samples[pattern] = sample if known is None else _joined(known, sample)
    yield from samples.items()


def _pattern(name: str) -> str:
    return re.sub(r"\d[\d_-]*", "*", name)


def _joined(known: Sample, more: Sample) -> Sample:
    columns = {column.name: column for column in known.columns}
    for column in more.columns:
        before = columns.get(column.name)
        values = column.values if before is None else (*before.values, *column.values)
        columns[column.name] = SampleColumn(column.name, values, column.label, column.type)
    return Sample(known.name, known.format, tuple(columns.values()), known.rows + more.rows, known.csv, known.resource)


def _table(pattern: str, sample: Sample) -> _Table:
    name = _key(re.split(r"[*.]", pattern)[0], set())
    found = [column for column in sample.columns if column.values and is_subject(column, name, sample.resource)]
    subject = found[0].name if found else None
    person_a_row = bool(found) and len(set(found[0].values)) == sample.rows
    rules = {}
    for c in sample.columns:
        judged = judge(c, subject=subject, resource=sample.resource, person_a_row=person_a_row)
        rules[c.name] = by_preset(c, sample.format, subject, judged) or judged
    return _Table(name, pattern, sample, subject, rules)


def _lines(dataset: str, tables: Sequence[_Table]) -> Iterator[str]:
    doubtful = sum(judged.doubtful for table in tables for judged in table.rules.values())
    yield "# A draft made from samples. Read every line: it knows nothing but what it saw."
    yield f"# {doubtful} columns are dropped for want of certainty; each says why, marked with (?)."
    yield f"dataset: {dataset}"
    yield f"title: {json.dumps(dataset.replace('_', ' ').capitalize())}"
    yield 'description: ""'
    yield 'owner: ""'
    used = {str(j.fields["domain"]) for t in tables for j in t.rules.values() if "domain" in j.fields}
    if used:
        yield "domains:"
    words = {
        "person": "The people that rows are about.",
        "record": "Visits, samples, claims and all other records.",
        "site": "Study sites.",
        "investigator": "Investigators.",
    }
    for domain in sorted(used):
        yield f"  {domain}:"
        yield f"    description: {words[domain]}"
    yield "tables:"
    for table in tables:
        yield from _table_lines(table)


def _table_lines(table: _Table) -> Iterator[str]:
    sample = table.sample
    keys = _keys(table)
    yield f"  {table.name}:"
    yield f"    files: [{json.dumps(table.pattern)}]"
    yield f"    format: {sample.format.value}"
    if sample.resource:
        yield f"    resource: {json.dumps(sample.resource)}"
    if sample.format is Format.CSV and (sample.csv.separator != "," or sample.csv.encoding != "utf-8"):
        yield f"    csv: {{separator: {json.dumps(sample.csv.separator)}, encoding: {sample.csv.encoding}}}"
    if table.subject is not None:
        yield f"    subject: {json.dumps(keys[table.subject])}"
    else:
        yield "    # No column says whom a row is about; dates cannot be moved without one."
    yield "    columns:"
    taken: set[str] = set()
    for column in sample.columns:
        yield from _column_lines(sample, column, keys[column.name], table.rules[column.name], taken)


def _column_lines(sample: Sample, column: SampleColumn, key: str, judged: Judgement, taken: set[str]) -> Iterator[str]:
    yield f"      {json.dumps(key, ensure_ascii=False)}:"
    if sample.format not in _FLAT:
        yield f"        path: {json.dumps(column.name, ensure_ascii=False)}"
    yield f"        treat: {judged.treat}"
    for name, value in judged.fields.items():
        yield f"        {name}: {json.dumps(value)}"
    if judged.treat != "drop":
        name = _key(key, taken)
        taken.add(name)
        if name != key.lower():
            yield f"        as: {name}"
        if column.label:
            yield f"        description: {json.dumps(column.label, ensure_ascii=False)}"
    yield f"        reason: {json.dumps(('(?) ' if judged.doubtful else '') + judged.reason, ensure_ascii=False)}"


def _keys(table: _Table) -> dict[str, str]:
    """The contract's key of each column: its name in flat formats, a short name for a path."""
    if table.sample.format in _FLAT:
        return {column.name: column.name for column in table.sample.columns}
    keys: dict[str, str] = {}
    for column in table.sample.columns:
        keys[column.name] = _key(column.name, set(keys.values()))
    return keys


def _key(text: str, taken: set[str]) -> str:
    """A name that the lake allows, unlike all in `taken`."""
    words = split_words(text)[:_KEY_MAX].strip("_") or "column"
    base = words if words[0].isalpha() else f"c_{words}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base[: _KEY_MAX - 4]}_{number}", number + 1
    return name
