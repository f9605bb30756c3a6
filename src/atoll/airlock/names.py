"""Names that are safe to show, to store below a folder, and to hand to a browser."""

from __future__ import annotations

import re
import unicodedata

from atoll.errors import InvalidInput

MAX_CHARACTERS = 120
_NAME = re.compile(r"^[\w(][\w .,()+=@-]*$")
#: Names of devices on Windows, with or without an ending.
_DEVICE = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def safe_name(name: str) -> str:
    """The name in one spelling (NFC). Raises `InvalidInput`; the message does not repeat it.

    Letters, digits, space and `_ . , ( ) + = @ -`, not led by a dot, dash or space; so no
    path, no control or turning characters, nothing that hides what the file is.
    """
    plain = unicodedata.normalize("NFC", name)
    if len(plain) > MAX_CHARACTERS or len(plain.encode()) > 200 or not _NAME.fullmatch(plain) or plain[-1] in " .":
        raise InvalidInput(
            f"A file's name has at most {MAX_CHARACTERS} letters, digits, spaces and _ . , ( ) + = @ -.",
            where="name",
            todo="Give it a plain name with its ending, like table-1.csv.",
        )
    if _DEVICE.match(plain):
        raise InvalidInput("Some systems take this name for a device.", where="name", todo="Choose another name.")
    return plain


def ending(name: str) -> str:
    """The last ending in lower case, without its dot; empty when there is none."""
    head, dot, tail = name.rpartition(".")
    return tail.lower() if head and dot else ""
