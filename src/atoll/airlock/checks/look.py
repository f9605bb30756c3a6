"""One file through all the checks for its form."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from atoll.airlock.checks import archives, disclosure, forms, identifiers
from atoll.airlock.checks.archives import Refused
from atoll.airlock.checks.differences import check_differences
from atoll.airlock.checks.found import Found
from atoll.airlock.checks.images import check_image
from atoll.airlock.checks.markup import check_markup
from atoll.airlock.checks.notebooks import check_notebook
from atoll.airlock.checks.office import check_office
from atoll.airlock.checks.pdf import check_pdf
from atoll.airlock.checks.tabular import Table, of_columnar, of_delimited, of_json
from atoll.airlock.job import Job, Report
from atoll.airlock.names import ending
from atoll.model.airlock import Direction

_IMAGES = frozenset({"png", "jpeg", "gif", "tiff", "webp"})
_DELIMITED = frozenset({"csv", "tsv"})
_SAID = re.compile(r"\b[nN]\s*[=:]\s*([1-9])\b(?!\s*[.,]?\d)")

Read = tuple[str, tuple[Table, ...]]


def look(job: Job, content: bytes, earlier: Sequence[tuple[str, str, bytes]]) -> Report:
    """Check one file; `earlier` are label, name and content of what was released before."""
    found = Found(job.index, job.direction)
    form = forms.form_of(content)
    if not _taken(job, form, content, found):
        return Report(form=form, findings=found.findings)
    try:
        text, tables = read(job.name, form, content, found)
    except Refused:
        return Report(form=form, findings=found.findings)
    identifiers.check_text(text, job.pseudonyms, found)
    if not tables and (said := _SAID.findall(text)):
        found.add(
            "small_numbers", f"{len(said)} times a text like `n = 3`.", todo="Say what it counts, or suppress it."
        )
    before = tuple(_earlier_tables(earlier)) if tables and job.direction is Direction.OUT else ()
    for table in tables:
        identifiers.check_values(table, job.pseudonyms, found)
        disclosure.check_table(table, job.threshold, found)
        check_differences(table, before, job.threshold, found)
        found.add("contents", f"A table of {table.height} rows and {table.data.width} columns.", where=table.title)
    return Report(form=shown_form(job.name, form), findings=found.findings)


def read(name: str, form: str, content: bytes, found: Found) -> Read:  # noqa: PLR0911 - one for each form
    """The text and the tables of a file of a form that is taken. Raises `Refused`."""
    if form == "zip":
        archives.check_zip(content, found)
        return "", ()
    if form in ("xlsx", "docx", "pptx"):
        return check_office(content, form, found)
    if form in _IMAGES:
        return check_image(content, found), ()
    if form == "pdf":
        return check_pdf(content, found), ()
    if archives.hides_archive(content):
        found.add("hidden_archive", "An archive lies within the file.")
    if form in ("parquet", "arrow"):
        try:
            return "", (of_columnar(content, form),)
        except ValueError:
            found.add("unreadable", "The file cannot be read.")
            raise Refused from None
    text = forms.text_of(content) or ""
    if form in ("html", "svg"):
        return check_markup(text, form, found)
    if form == "notebook":
        return check_notebook(text, found)
    return _plain(name, form, text)


def shown_form(name: str, form: str) -> str:
    """What people call it: text by its ending."""
    return ending(name) if form == "text" and ending(name) else form


def _plain(name: str, form: str, text: str) -> Read:
    kind = ending(name)
    reader: Callable[[str], Table | None] | None = None
    if kind in _DELIMITED:
        reader = of_delimited
    elif form == "json" or kind in ("ndjson", "jsonl"):
        reader = of_json
    elif kind in ("txt", "log", "md") and _looks_delimited(text):
        reader = of_delimited
    table = reader(text) if reader else None
    return ("", (table,)) if table is not None else (text, ())


def _looks_delimited(text: str) -> bool:
    """Whether most lines have the same number of separators: a table under another name."""
    lines = [line for line in text.splitlines()[:200] if line.strip()]
    for separator in ("\t", ";", ",", "|"):
        numbers = [line.count(separator) for line in lines]
        if len(lines) >= 3 and numbers[0] and sum(n == numbers[0] for n in numbers) >= 0.9 * len(numbers):
            return True
    return False


def _taken(job: Job, form: str, content: bytes, found: Found) -> bool:
    """Whether the form is one that is looked into further."""
    kind = ending(job.name)
    if form == "pickle":
        found.add("pickle", "The file is a pickle, which runs code when it is opened.", todo="Write Parquet or CSV.")
    elif form == "executable" or archives.is_program(job.name):
        found.add("executable", "The file is a program.")
    elif form == "ole":
        found.add("macros", "An old Office document, which may hold macros.", todo="Save it as xlsx, docx or pptx.")
    elif kind not in forms.ENDINGS or form in ("unknown", "compressed", "sqlite", "numpy", "hdf5", "rdata"):
        found.add(
            "type_not_allowed",
            "Files of this form cannot be checked, so they do not pass.",
            todo=f"Use one of: {', '.join(sorted(forms.ENDINGS))}.",
        )
    elif form not in forms.ENDINGS[kind]:
        found.add("type_mismatch", f"The content is {form}, which the name's ending does not say.", todo="Name it so.")
    elif job.direction is Direction.OUT and kind in forms.OUT_ONLY_SINGLE:
        found.add("type_not_allowed", "Archives do not leave: each file is looked at by itself.", todo="Unpack it.")
    elif not content:
        found.add("unreadable", "The file is empty.")
    else:
        return True
    return False


def _earlier_tables(earlier: Sequence[tuple[str, str, bytes]]) -> list[tuple[str, Table]]:
    tables: list[tuple[str, Table]] = []
    for label, name, content in earlier:
        try:
            _, found = read(name, forms.form_of(content), content, Found(0, Direction.OUT))
        except Refused:
            continue
        tables += [(label, table) for table in found]
    return tables
