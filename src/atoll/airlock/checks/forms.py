"""What a file is, by its content; and which forms an ending may stand for."""

from __future__ import annotations

import io
import json
import pickletools
import re
import zipfile
from collections.abc import Mapping
from types import MappingProxyType

#: First bytes, and the form they tell. The first that fits counts.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"%PDF-", "pdf"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"\x7fELF", "executable"),
    (b"MZ", "executable"),
    (b"\xfe\xed\xfa\xce", "executable"),
    (b"\xfe\xed\xfa\xcf", "executable"),
    (b"\xcf\xfa\xed\xfe", "executable"),
    (b"\xca\xfe\xba\xbe", "executable"),
    (b"\0asm", "executable"),
    (b"\x1f\x8b", "compressed"),
    (b"BZh", "compressed"),
    (b"\xfd7zXZ\0", "compressed"),
    (b"\x28\xb5\x2f\xfd", "compressed"),
    (b"7z\xbc\xaf\x27\x1c", "compressed"),
    (b"Rar!\x1a\x07", "compressed"),
    (b"SQLite format 3\0", "sqlite"),
    (b"\x93NUMPY", "numpy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"RDX2\n", "rdata"),
    (b"RDX3\n", "rdata"),
    (b"RDA", "rdata"),
)
_MARKUP = re.compile(
    rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|svg|!doctype\s+svg)", re.I | re.S
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_CODE = frozenset(
    {
        "py",
        "r",
        "rmd",
        "qmd",
        "sql",
        "yaml",
        "yml",
        "toml",
        "ini",
        "cfg",
        "sh",
        "jl",
        "do",
        "sas",
        "stan",
        "tex",
        "bib",
        "log",
        "txt",
        "md",
        "rst",
    }
)

#: Ending to the forms that it may stand for; an ending that is not here is not taken.
ENDINGS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "csv": frozenset({"text"}),
        "tsv": frozenset({"text"}),
        "json": frozenset({"json"}),
        "ndjson": frozenset({"text", "json"}),
        "jsonl": frozenset({"text", "json"}),
        "ipynb": frozenset({"notebook"}),
        "html": frozenset({"html"}),
        "htm": frozenset({"html"}),
        "svg": frozenset({"svg"}),
        "png": frozenset({"png"}),
        "jpg": frozenset({"jpeg"}),
        "jpeg": frozenset({"jpeg"}),
        "gif": frozenset({"gif"}),
        "tif": frozenset({"tiff"}),
        "tiff": frozenset({"tiff"}),
        "webp": frozenset({"webp"}),
        "pdf": frozenset({"pdf"}),
        "parquet": frozenset({"parquet"}),
        "arrow": frozenset({"arrow"}),
        "feather": frozenset({"arrow"}),
        "xlsx": frozenset({"xlsx"}),
        "docx": frozenset({"docx"}),
        "pptx": frozenset({"pptx"}),
        "zip": frozenset({"zip"}),
        **{ending: frozenset({"text", "json"}) for ending in _CODE},
    }
)
#: On the way out each file is looked at by itself, so an archive is not taken.
OUT_ONLY_SINGLE = frozenset({"zip"})


def form_of(content: bytes) -> str:
    """The form by content alone: one of those above, `text`, or `unknown`."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    if content[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return _zip_form(content)
    if is_pickle(content):
        return "pickle"
    for signature, form in _SIGNATURES:
        if content.startswith(signature):
            return form
    text = text_of(content)
    return "unknown" if text is None else _text_form(content, text)


def text_of(content: bytes) -> str | None:
    """The text, when it is UTF-8 (or UTF-16 with its mark) without control characters; None otherwise."""
    try:
        coding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        text = content.decode(coding)
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


def is_pickle(content: bytes) -> bool:
    """Whether it is a whole pickle of any protocol; the oldest is plain text."""
    if not content or (content[:1] != b"\x80" and not content.rstrip().endswith(b".")):
        return False
    if content[:1] == b"\x80" and content[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return True
    if content[:1] not in b"(cI]}lidtNVSFLp":
        return False
    stream = io.BytesIO(content)
    try:
        for operation, _, _ in pickletools.genops(stream):
            if operation.name == "STOP":
                return not content[stream.tell() :].strip()
    except (ValueError, KeyError, IndexError, OverflowError):
        return False
    return False


def _zip_form(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return "unknown"
    if "[Content_Types].xml" in names:
        for folder, form in (("xl/", "xlsx"), ("word/", "docx"), ("ppt/", "pptx")):
            if any(name.startswith(folder) for name in names):
                return form
    if any(name.endswith("data.pkl") for name in names):
        return "pickle"
    return "zip"


def _text_form(content: bytes, text: str) -> str:
    found = _MARKUP.match(content[:65_536])
    if found:
        return "svg" if b"svg" in found.group(1).lower() else "html"
    if text.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return "text"
        notebook = isinstance(value, dict) and "nbformat" in value and isinstance(value.get("cells"), list)
        return "notebook" if notebook else "json"
    return "text"
