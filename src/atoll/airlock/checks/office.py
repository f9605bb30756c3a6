"""Office documents (xlsx, docx, pptx): what they hide, carry and fetch. Old ones are not taken."""

from __future__ import annotations

import io
import re
import zipfile

from atoll.airlock.checks.archives import Refused, open_archive, read_member
from atoll.airlock.checks.found import Found
from atoll.airlock.checks.images import check_image
from atoll.airlock.checks.tabular import MAX_CELLS, Table

_ACTIVE = re.compile(r"vbaproject|vbadata|macrosheets/|activex/|ctrlprops/|customui/|dialogsheets/", re.I)
_EMBEDDED = re.compile(r"embeddings/|oleobject", re.I)
_PICTURE = re.compile(r"\.(png|jpe?g|gif)$", re.I)
_EXTERNAL = re.compile(rb'<Relationship\b[^>]*TargetMode\s*=\s*"External"[^>]*>', re.I)
_HYPERLINK = re.compile(rb'relationships/hyperlink"', re.I)
_ENTITY = re.compile(rb"<!(DOCTYPE|ENTITY)", re.I)
_HIDDEN_SHEET = re.compile(rb'<(?:\w+:)?sheet\b[^>]*\bstate\s*=\s*"(hidden|veryHidden)"')
_HIDDEN_LINE = re.compile(rb'<(?:\w+:)?(?:row|col)\b[^>]*\bhidden\s*=\s*"(?:1|true)"')
_VANISH = re.compile(rb"<w:(?:vanish|webHidden)\b(?![^>]*w:val\s*=\s*\"(?:0|false)\")")
_CHANGES = re.compile(rb"<w:(?:ins|del|moveFrom|moveTo)\b")
_HIDDEN_SLIDE = re.compile(rb'<p:sld\b[^>]*\bshow\s*=\s*"(?:0|false)"')
_TAG = re.compile(r"<[^>]+>")


def check_office(content: bytes, form: str, found: Found) -> tuple[str, tuple[Table, ...]]:
    """The document's text and, of a workbook, its sheets as tables. Raises `Refused`."""
    with open_archive(content, found) as archive:
        texts = []
        for name in archive.namelist():
            _by_name(name, found)
            if name.endswith((".xml", ".rels", ".vml")):
                part = read_member(archive, name, found)
                _by_content(name, part, found)
                if name.startswith(("word/", "ppt/", "docProps/")) or name.endswith("comments1.xml"):
                    texts.append(_TAG.sub(" ", part.decode("utf-8", "replace")))
            elif _PICTURE.search(name):
                check_image(read_member(archive, name, found), found, where="a picture")
    tables = _sheets(content, found) if form == "xlsx" else ()
    return "\n".join(texts), tables


def _by_name(name: str, found: Found) -> None:
    if _ACTIVE.search(name) or (name.endswith(".bin") and "printerSettings" not in name):
        found.add("macros", "The document holds macros, controls or binary parts.", todo="Save it without macros.")
    elif _EMBEDDED.search(name):
        found.add("embedded_file", "Another file is embedded in the document.", todo="Take it out.")
    elif "pivotCacheRecords" in name:
        found.add("pivot_cache", "A pivot table carries its source rows.", todo="Copy its values into a plain sheet.")
    elif "externalLinks/" in name and name.endswith(".xml"):
        found.add("external_link", "The workbook refers to another one, of which it keeps values.")
    elif re.search(r"comments\d*\.xml$|threadedComments/", name, re.I):
        found.add("comments", "The document has comments.", todo="Take them out, unless they are meant to leave.")
    elif name.startswith("customXml/item") and name.endswith(".xml"):
        found.add("embedded_data", "The document carries data that is not shown (custom XML).")


def _by_content(name: str, part: bytes, found: Found) -> None:
    if _ENTITY.search(part):
        found.add("active_content", "A part of the document declares entities, as attacks on readers do.")
        raise Refused
    if any(not _HYPERLINK.search(match) for match in _EXTERNAL.findall(part)):
        found.add("external_link", "The document fetches something when it is opened.")
    if _HIDDEN_SHEET.search(part):
        found.add("hidden_sheet", "The workbook has a hidden sheet.", todo="Show or remove it.")
    if _HIDDEN_LINE.search(part):
        found.add("hidden_sheet", "A sheet has hidden rows or columns.", todo="Show or remove them.")
    if _VANISH.search(part) or _HIDDEN_SLIDE.search(part):
        found.add("hidden_text", "The document has hidden text or slides.", todo="Show or remove them.")
    if name.startswith("word/") and _CHANGES.search(part):
        found.add("comments", "The document keeps tracked changes.", todo="Accept them all.")
    if name == "docProps/core.xml" and re.search(rb"<dc:creator>[^<]+<", part):
        found.add("metadata", "The document says who made it.", todo="Remove personal information from it.")


def _sheets(content: bytes, found: Found) -> tuple[Table, ...]:
    import openpyxl

    tables: list[Table] = []
    cells = 0
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            rows: list[tuple[object, ...]] = []
            for row in sheet.iter_rows(values_only=True):
                cells += len(row)
                if cells > MAX_CELLS:
                    found.add("too_large", "The workbook has more cells than a check reads.")
                    raise Refused  # noqa: TRY301 - passed on below
                if any(value is not None for value in row):
                    rows.append(row)
            if rows:
                tables.append(Table.of_rows(f"sheet {len(tables) + 1}", rows))
    except Refused:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OSError, zipfile.BadZipFile, SyntaxError):
        found.add("unreadable", "The workbook cannot be read.")
        raise Refused from None
    return tuple(tables)
