"""PDF documents: what they run and carry; their text."""

from __future__ import annotations

import io
from typing import Any

from atoll.airlock.checks.archives import hides_archive
from atoll.airlock.checks.found import Found

_MAX_PAGES = 300
_MAX_OBJECTS = 200_000
_RUNS = frozenset({"/JavaScript", "/JS", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/RichMedia", "/XFA"})
_CARRIES = frozenset({"/EmbeddedFiles", "/EmbeddedFile", "/FileAttachment"})


def check_pdf(content: bytes, found: Found) -> str:
    """Look into a PDF; its text."""
    import pypdf

    if hides_archive(content):
        found.add("hidden_archive", "An archive lies within the document.")
    end = content.rfind(b"%%EOF")
    if end < 0 or content[end + 5 :].strip(b"\r\n \0"):
        found.add("trailing_bytes", "There are bytes behind the document's end.", todo="Print it to a PDF anew.")
    if content.count(b"%%EOF") > 2:
        found.add("earlier_content", "The document keeps earlier states of itself.", todo="Print it to a PDF anew.")
    try:
        document = pypdf.PdfReader(io.BytesIO(content), strict=False)
        if document.is_encrypted:
            found.add("encrypted", "The document is encrypted.")
            return ""
        names = _names(document)
        texts = [page.extract_text() or "" for page in document.pages[:_MAX_PAGES]]
        texts += [str(value) for value in (document.metadata or {}).values()]
        pages = len(document.pages)
    except MemoryError:
        raise
    except Exception:  # the reader fails in many ways on what is no PDF, and its words may hold values
        found.add("unreadable", "The document cannot be read.")
        return ""
    if names & _RUNS:
        found.add("active_content", "The document runs or sends something.", todo="Print it to a PDF anew.")
    if names & _CARRIES:
        found.add("embedded_file", "Files are attached to the document.", todo="Take them out.")
    if "/Annot" in names and "/Popup" in names:
        found.add("comments", "The document has comments.", todo="Remove them.")
    if pages > _MAX_PAGES:
        found.add("too_large", f"The document has {pages} pages; a check reads {_MAX_PAGES}.")
    return "\n".join(texts)


def _names(document: Any) -> set[str]:  # noqa: ANN401 - objects of the reader
    """Every name in every object of the document, seen or not."""
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject

    names: set[str] = set()
    for number in range(min(len(document.xref_objStm) + sum(map(len, document.xref.values())) + 1, _MAX_OBJECTS)):
        try:
            waiting: list[Any] = [document.get_object(number)]
        except Exception:  # noqa: S112 - a broken object holds no name to run
            continue
        while waiting:
            one = waiting.pop()
            if isinstance(one, DictionaryObject):
                names.update(str(key) for key in one)
                waiting += list(one.values())
            elif isinstance(one, ArrayObject):
                waiting += list(one)
            elif isinstance(one, NameObject):
                names.add(str(one))
    names.update(str(key) for key in document.root_object)
    return names
