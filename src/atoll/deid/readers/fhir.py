"""FHIR R4: newline-delimited resources, bundles, and single resources.

Source of the forms: HL7, FHIR Bulk Data Access (Flat FHIR) 2.0, ndjson; FHIR R4, Bundle.
References stay as they are written; the treatment reduces them to ids. Of a bundle's
entry nothing but the resource enters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import ijson
import orjson

from atoll.deid.readers.json_parts import json_items, open_json
from atoll.deid.readers.ndjson import line_entries, read_ndjson
from atoll.deid.readers.nested_rows import BadRecordError, Entry, NestedRows, nested_reading
from atoll.deid.readers.reading import Reading
from atoll.deid.readers.refusal import FileRefused
from atoll.deid.readers.streamed import Notes
from atoll.model.contract import TableContract

_HEAD_BYTES = 8 << 20
_ENTRIES_IN_BLOCK = 500
_TODO = "Write the file again as FHIR R4, one resource a line or as a bundle, and deliver it anew."


def read_fhir(path: Path, table: TableContract, parts: Sequence[TableContract] = ()) -> Reading:
    """The resources of a file that are of the table's type, lazily, as `read_ndjson` reads rows.

    With `each` there is a row for every element of that array. `resourceType` needs no
    rule. A resource of a type that none of `parts` takes is malformed (rule `resource_type`),
    as is one with an unnamed modifier extension, even where unknown fields are left out
    (`modifier`).

    Raises:
        ContractInvalid: a rule's path is no path.
        FileRefused: while reading a bundle: no JSON, or cut off (`damaged`), or an entry
            is too large (`too_large`).
    """
    if table.resource is None:
        return read_ndjson(path, table)
    parts = parts or (table,)
    kin = [part for part in parts if part.resource == table.resource]
    rows = NestedRows(table, kin, implied=("resourceType",))
    types = {part.resource for part in parts}
    leads = parts[0] is table

    def entries(notes: Notes) -> Iterator[Iterable[Entry]]:
        del notes
        for block in line_entries(path) if is_lines(path) else _bundled(path):
            chosen = (_chosen(entry, table.resource, types, leads) for entry in block)
            yield (entry for entry in chosen if entry is not None)

    return nested_reading(rows, entries, "FHIR")


def _chosen(entry: Entry, resource: str | None, types: set[str | None], leads: bool) -> Entry | None:
    """The record when it is this table's or nobody's; None when another table has it."""
    kind = None if entry.value is None else entry.value.get("resourceType")
    if kind == resource:
        return entry
    if not leads or (isinstance(kind, str) and kind in types):
        return None
    if entry.value is None:
        return entry
    message = f"resourceType is not {resource}." if len(types) == 1 else "No table takes a resource of this type."
    return entry._replace(value=None, bad=BadRecordError("resource_type", message))


def is_lines(path: Path) -> bool:
    """Whether the first line is a resource by itself; a bundle or an object of many lines is not."""
    with open_json(path) as file:
        line = file.read(_HEAD_BYTES).lstrip().partition(b"\n")[0]
    try:
        first = orjson.loads(line)
    except orjson.JSONDecodeError:
        # A broken line of many is one bad row; the beginning of an object is not.
        return not line.rstrip().endswith((b"{", b",", b"[")) and b'"Bundle"' not in line[:4096]
    return not (isinstance(first, dict) and first.get("resourceType") == "Bundle")


def _bundled(path: Path) -> Iterator[Iterable[Entry]]:
    prefix, at = ("entry.item", "resource") if _kind(path) == "Bundle" else ("", None)
    block: list[Entry] = []
    for number, item in enumerate(json_items(path, prefix, todo=_TODO), 1):
        value = item.get(at) if at is not None and isinstance(item, dict) else item
        if isinstance(value, dict):
            block.append(Entry(number, value, _raw, value, None, _with_text_numbers))
        else:
            bad = BadRecordError("malformed", "The entry has no resource.")
            block.append(Entry(number, item, _raw, None, bad))
        if len(block) == _ENTRIES_IN_BLOCK:
            yield block
            block = []
    yield block


def _kind(path: Path) -> object:
    with open_json(path) as file:
        try:
            for prefix, event, value in ijson.parse(file):
                if prefix == "resourceType" and event == "string":
                    return value
        except (ijson.JSONError, ValueError):
            pass
    raise FileRefused("The file is no FHIR: it is no JSON, or says no resourceType.", rule="damaged", todo=_TODO)


def _raw(item: object) -> str:
    return orjson.dumps(item, default=str).decode()


def _with_text_numbers(value: object) -> dict[str, object]:
    """The record with fractions as text, written as short as they can be."""
    return {key: _texts(inner) for key, inner in value.items()} if isinstance(value, dict) else {}


def _texts(value: object) -> object:
    if isinstance(value, dict):
        return _with_text_numbers(value)
    if isinstance(value, list):
        return [_texts(inner) for inner in value]
    return str(value) if isinstance(value, float) else value
