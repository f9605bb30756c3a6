"""What a reviewer is shown of a file: plain data, never the file itself."""

from __future__ import annotations

import base64
import io
import warnings

from atoll.airlock.checks import forms
from atoll.airlock.checks.archives import Refused, open_archive
from atoll.airlock.checks.found import Found
from atoll.airlock.checks.images import MAX_PIXELS
from atoll.airlock.checks.look import read, shown_form
from atoll.airlock.checks.tabular import Table
from atoll.airlock.job import Job
from atoll.airlock.preview_shape import Preview, PreviewTable

ROWS = 100
COLUMNS = 60
CELL_CHARACTERS = 200
TEXT_CHARACTERS = 100_000
IMAGE_PIXELS = 1600
TABLES = 20


def preview(job: Job, content: bytes) -> Preview:
    """The first rows of its tables, its text, or its picture drawn anew."""
    form = forms.form_of(content)
    shown = shown_form(job.name, form)
    if form in ("png", "jpeg", "gif", "tiff", "webp"):
        return _picture(content, shown)
    if form == "zip":
        return _listing(content, shown)
    known = form in {f for taken in forms.ENDINGS.values() for f in taken}
    if not known:
        return Preview(kind="none", form=shown)
    try:
        text, tables = read(job.name, form, content, Found(job.index, job.direction))
    except Refused:
        return Preview(kind="none", form=shown)
    if tables and form not in ("html", "notebook"):
        cut = any(t.height > ROWS or t.data.width > COLUMNS for t in tables) or len(tables) > TABLES
        return Preview(kind="table", form=shown, tables=tuple(map(_table, tables[:TABLES])), cut=cut)
    source = forms.text_of(content) if form in ("html", "svg", "notebook", "json", "text") else text
    whole = source or ""
    return Preview(kind="text", form=shown, text=whole[:TEXT_CHARACTERS], cut=len(whole) > TEXT_CHARACTERS)


def _table(table: Table) -> PreviewTable:
    head = table.data.select(table.data.columns[:COLUMNS]).head(ROWS)
    rows = tuple(tuple(None if v is None else v[:CELL_CHARACTERS] for v in row) for row in head.iter_rows())
    columns = tuple(name[:CELL_CHARACTERS] for name in head.columns)
    return PreviewTable(title=table.title, columns=columns, rows=rows, total_rows=table.height)


def _picture(content: bytes, form: str) -> Preview:
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        try:
            with Image.open(io.BytesIO(content)) as image:
                image.thumbnail((IMAGE_PIXELS, IMAGE_PIXELS))
                drawn = Image.new("RGBA", image.size)
                drawn.paste(image.convert("RGBA"))
        except Exception:  # a reader of pictures fails in many ways
            return Preview(kind="none", form=form)
    out = io.BytesIO()
    drawn.save(out, format="PNG")
    return Preview(kind="image", form=form, image=base64.b64encode(out.getvalue()).decode())


def _listing(content: bytes, form: str) -> Preview:
    from atoll.model.airlock import Direction

    try:
        with open_archive(content, Found(0, Direction.IN)) as archive:
            names = [f"{m.filename}\t{m.file_size}" for m in archive.infolist()]
    except Refused:
        return Preview(kind="none", form=form)
    text = "\n".join(names)
    return Preview(kind="text", form=form, text=text[:TEXT_CHARACTERS], cut=len(text) > TEXT_CHARACTERS)
