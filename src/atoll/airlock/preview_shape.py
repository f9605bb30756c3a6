"""What of a file is shown to who reviews it."""

from __future__ import annotations

from typing import Literal

from atoll.model.record import Frozen


class PreviewTable(Frozen):
    """The first rows of a table, every value as text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    #: Of the whole table.
    total_rows: int


class Preview(Frozen):
    """Plain data; nothing of it is to be taken for markup."""

    kind: Literal["table", "text", "image", "none"]
    form: str
    tables: tuple[PreviewTable, ...] = ()
    text: str = ""
    #: Whether there is more than is shown.
    cut: bool = False
    #: Base64 of a PNG, drawn anew from the pixels of the file.
    image: str = ""
