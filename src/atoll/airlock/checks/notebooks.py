"""Jupyter notebooks: what their outputs, attachments and widgets hold."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from atoll.airlock.checks.found import Found
from atoll.airlock.checks.images import check_image
from atoll.airlock.checks.markup import check_markup
from atoll.airlock.checks.tabular import Table


def check_notebook(text: str, found: Found) -> tuple[str, tuple[Table, ...]]:
    """Look into a notebook; its text (code, words, outputs) and the tables shown in it."""
    book = json.loads(text)
    texts: list[str] = []
    tables: list[Table] = []
    outputs = 0
    for number, cell in enumerate(book["cells"]):
        if not isinstance(cell, dict):
            continue
        where = f"cell {number + 1}"
        texts.append(_joined(cell.get("source")))
        if cell.get("attachments"):
            found.add("embedded_file", "The cell has attachments.", where=where, todo="Remove them.")
        for output in cell.get("outputs") or ():
            if isinstance(output, dict):
                outputs += 1
                _output(output, where, texts, tables, found)
    if outputs:
        found.add(
            "notebook_outputs",
            f"{outputs} outputs of cells.",
            todo="Clear all outputs, unless they are meant to leave.",
        )
    if isinstance(book.get("metadata"), dict) and "widgets" in book["metadata"]:
        found.add("embedded_data", "The notebook keeps the state of its widgets.", todo="Clear it.")
    return "\n".join(texts), tuple(tables)


def _output(output: dict[str, Any], where: str, texts: list[str], tables: list[Table], found: Found) -> None:
    texts.append(_joined(output.get("text")) + "\n" + _joined(output.get("traceback")))
    data = output.get("data")
    for kind, value in data.items() if isinstance(data, dict) else ():
        body = _joined(value) if not isinstance(value, dict) else json.dumps(value)
        if kind == "text/html":
            page, shown = check_markup(body, "html", found)
            texts.append(page)
            tables += [Table(f"{where}, {table.title}", table.data) for table in shown]
        elif kind in ("image/png", "image/jpeg", "image/gif"):
            try:
                texts.append(check_image(base64.b64decode(body), found, where=where))
            except (binascii.Error, ValueError):
                found.add("unreadable", "A picture in the notebook cannot be read.", where=where)
        else:
            texts.append(body)
            if not kind.startswith("text/") and len(body) > 1000:
                found.add("embedded_data", "An output carries data for scripts to draw.", where=where)


def _joined(value: object) -> str:
    if isinstance(value, list):
        return "".join(str(part) for part in value)
    return value if isinstance(value, str) else ""
