"""What a Dataset-JSON file says of itself, and its records when it is one JSON object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ijson
import orjson

from atoll.deid.readers.json_parts import json_items, open_json
from atoll.deid.readers.refusal import FileRefused

_HEAD_BYTES = 8 << 20
_COLUMNS_MAX = 20_000
_ROWS_IN_BLOCK = 4096
_TODO = "Write the data set again as Dataset-JSON 1.1 and deliver it anew."


@dataclass(frozen=True)
class Layout:
    """Names of the columns in the file's order, how many records it says it has, and its form."""

    columns: tuple[str, ...]
    records: int
    lines: bool


def read_layout(path: Path) -> Layout:
    """Raises `FileRefused` (see `read_dataset_json`)."""
    with open_json(path) as file:
        head = file.read(_HEAD_BYTES)
    if not head.lstrip().startswith(b"{"):
        raise _refused("The file does not start as Dataset-JSON, with an object.", "format")
    first, end, _ = head.lstrip().partition(b"\n")
    if end or len(head) < _HEAD_BYTES:
        try:
            described = orjson.loads(first)
        except orjson.JSONDecodeError:
            described = {}
        if "columns" in described and "rows" not in described:
            return _layout(described, lines=True)
    return _layout(_described(path), lines=False)


def json_rows(path: Path) -> Iterator[list[object]]:
    """The records of a file that is one object, some thousand at a time."""
    block: list[object] = []
    for row in json_items(path, "rows.item", todo=_TODO):
        block.append(row)
        if len(block) == _ROWS_IN_BLOCK:
            yield block
            block = []
    yield block


def _described(path: Path) -> dict[str, Any]:
    """The object without its rows; read no further than to them when the columns stand before."""
    found: dict[str, Any] = {}
    columns: list[dict[str, Any]] = []
    with open_json(path) as file:
        try:
            for prefix, event, value in ijson.parse(file, use_float=True):
                if prefix == "columns.item" and event == "start_map":
                    columns.append({})
                elif prefix == "columns.item.name" and columns:
                    columns[-1]["name"] = value
                elif "." not in prefix and event in ("string", "number"):
                    found[prefix] = value
                elif prefix == "rows" and event == "start_array":
                    found["rows"] = True
                    if columns and "records" in found:
                        break
                if len(columns) > _COLUMNS_MAX:
                    break
        except (ijson.JSONError, UnicodeDecodeError):
            raise _refused("The file is no JSON, or ends within it.", "damaged") from None
    if "rows" in found or not columns:
        return found | {"columns": columns}
    return found


def _layout(described: dict[str, Any], *, lines: bool) -> Layout:
    version = described.get("datasetJSONVersion")
    if not isinstance(version, str) or not version.startswith("1.1"):
        raise _refused("The file does not say that it is Dataset-JSON 1.1.", "format")
    columns = described.get("columns")
    columns = columns if isinstance(columns, list) else []
    names = [str(c["name"]) for c in columns if isinstance(c, dict) and isinstance(c.get("name"), str)]
    if not names or len(names) != len(columns) or not all(names) or len(names) > _COLUMNS_MAX:
        raise _refused("The file's list of columns is missing or damaged.", "damaged")
    if not lines and "rows" not in described:
        raise _refused("The file has no rows.", "damaged")
    records = described.get("records")
    if not isinstance(records, int):
        raise _refused("The file does not say how many records it has.", "damaged")
    return Layout(tuple(names), records, lines)


def _refused(what: str, rule: str) -> FileRefused:
    return FileRefused(what, rule=rule, todo=_TODO)
