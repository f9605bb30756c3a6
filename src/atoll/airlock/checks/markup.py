"""Pages and drawings: what they run, fetch, carry and hide."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from atoll.airlock.checks.found import Found
from atoll.airlock.checks.tabular import Table

_RUNS = frozenset({"iframe", "object", "embed", "applet", "form", "base", "portal", "frame"})
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])", re.I)
_FETCH = re.compile(r"^\s*(?:https?:)?//", re.I)
_LONG_DATA = 4096


class _Page(HTMLParser):
    """Gathers a page's text, tables and what is remarkable."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.remarkable: dict[str, int] = {}
        self.tables: list[list[list[str]]] = []
        self._in: list[str] = []

    def note(self, what: str) -> None:
        """Count something remarkable."""
        self.remarkable[what] = self.remarkable.get(what, 0) + 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Tags that run, and attributes that run, fetch, carry or hide."""
        if tag == "script":
            self.note("script")
        if tag in _RUNS or tag == "foreignobject":
            self.note("frame")
        for name, value in attrs:
            text = value or ""
            if name.startswith("on") or re.match(r"\s*(javascript|vbscript):", text, re.I):
                self.note("handler")
            if name in ("src", "href", "xlink:href", "data", "action", "srcset") and tag != "a" and _FETCH.match(text):
                self.note("fetch")
            if text.lstrip().lower().startswith("data:") and len(text) > _LONG_DATA and "image/" not in text[:20]:
                self.note("data")
            if (name == "style" and _HIDING.search(text)) or name == "hidden":
                self.note("hidden")
            self.text.append(text if len(text) < _LONG_DATA else "")
        if tag in ("script", "style"):
            self._in.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """The end of a script or style."""
        if self._in and self._in[-1] == tag:
            self._in.pop()

    def handle_data(self, data: str) -> None:
        """Text, of scripts too: what they draw stands in them."""
        self.text.append(data)
        if self._in:
            if self._in[-1] == "script" and len(data) > _LONG_DATA:
                self.note("data")
        elif self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1] += data

    def handle_comment(self, data: str) -> None:
        """Comments are text that is not shown."""
        self.text.append(data)
        self.note("comment")


def check_markup(text: str, form: str, found: Found) -> tuple[str, tuple[Table, ...]]:
    """Look into HTML or SVG; its whole text, and its tables."""
    page = _Page()
    page.feed(text)
    page.close()
    said = page.remarkable
    drawing = form == "svg"
    if re.search(r"<!ENTITY", text, re.I):
        found.add("active_content", "The file declares entities, as attacks on readers do.")
    if said.get("script"):
        found.add(
            "active_content" if drawing else "script", f"{said['script']} scripts.", todo="Save a picture instead."
        )
    if said.get("handler") or said.get("frame"):
        found.add("active_content", "The file has frames, forms or handlers that run.", todo="Save it without.")
    if said.get("fetch"):
        found.add("external_link", f"{said['fetch']} things are fetched when it is opened.")
    if said.get("data"):
        found.add("embedded_data", f"{said['data']} blocks of data that are not seen.", todo="Save a picture instead.")
    if said.get("hidden"):
        found.add("hidden_text", f"{said['hidden']} parts are hidden.", todo="Show or remove them.")
    if said.get("comment"):
        found.add("comments", f"{said['comment']} comments.", todo="Remove them.")
    tables = tuple(
        Table.of_rows(f"table {number + 1}", [[cell.strip() or None for cell in row] for row in rows if row])
        for number, rows in enumerate(page.tables)
        if any(rows)
    )
    return "\n".join(page.text), tables
