"""What names a person: in texts and in the values of tables. Findings tell the kind and place, never the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.us import ssn

from atoll.airlock.checks.found import Found
from atoll.airlock.checks.tabular import Table
from atoll.airlock.job import Pseudonym

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}(?![\w@])")
_NIR = re.compile(
    r"(?<![\dA-Za-z])[12]\s?\d{2}\s?(?:0[1-9]|1[0-2]|[2-9]\d)\s?(?:\d{2}|2[AB])\s?\d{3}\s?\d{3}\s?\d{2}(?!\d)"
)
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_NHS = re.compile(r"(?<!\d)\d{3}[ -]\d{3}[ -]\d{4}(?!\d)")
_PHONE = re.compile(
    r"(?<![\w.+-])(?:(?:\+|00)[1-9]\d{0,2}[ .-]?(?:\(0\))?|0)[1-9](?:[ .-]?\d{2}){4}(?![\w.-])"
    r"|(?<![\w.+-])\+[1-9]\d{9,13}(?!\d)"
)
_IP = re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d.])")
_UUID = re.compile(r"(?<![0-9A-Fa-f-])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f-])")
_BIRTH = re.compile(
    r"(?:born(?: on)?|birth(?: ?date)?|d\.?o\.?b\.?|n[eé]e? le|date de naissance|ddn)\W{0,4}"
    r"(?:\d{1,2}[/. -]\d{1,2}[/. -]\d{2,4}|\d{4}-\d{2}-\d{2})",
    re.I,
)
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|(?<!\w)atoll_[A-Za-z0-9_-]{43}(?!\w)|(?<!\w)AKIA[0-9A-Z]{16}(?!\w)"
)


def _always(_text: str) -> bool:
    return True


_Kind = tuple[str, str, re.Pattern[str], Callable[[str], bool]]
_KINDS: tuple[_Kind, ...] = (
    ("identifier", "an e-mail address", _EMAIL, _always),
    ("identifier", "a French social security number (NIR)", _NIR, lambda text: bool(nir.is_valid(text))),
    ("identifier", "a US social security number", _SSN, lambda text: bool(ssn.is_valid(text))),
    ("identifier", "a date of birth", _BIRTH, _always),
    ("identifier", "a key or token that opens something", _SECRET, _always),
    ("likely_identifier", "an NHS number", _NHS, lambda text: bool(nhs.is_valid(text))),
    ("likely_identifier", "a telephone number", _PHONE, _always),
    ("likely_identifier", "a network address", _IP, _always),
    ("likely_identifier", "a unique id (UUID)", _UUID, _always),
)


def check_text(text: str, pseudonyms: Sequence[Pseudonym], found: Found, *, title: str = "") -> None:
    """Look through a text, line by line."""
    _look(((text, lambda at: f"line {text.count(chr(10), 0, at) + 1}"),), pseudonyms, found, title)


def check_values(table: Table, pseudonyms: Sequence[Pseudonym], found: Found) -> None:
    """Look through a table, column by column."""
    for number, series in enumerate(table.data.get_columns()):
        values = series.fill_null("").to_list()
        starts = _starts(values)
        text = "\n".join(values)

        def place(at: int, starts: list[int] = starts, number: int = number) -> str:
            return f"column {number + 1}, row {_row(starts, at)}"

        _look(((text, place),), pseudonyms, found, table.title)
    _look(((" | ".join(table.data.columns), lambda _at: "the head"),), pseudonyms, found, table.title)


def _look(
    texts: Iterable[tuple[str, Callable[[int], str]]], pseudonyms: Sequence[Pseudonym], found: Found, title: str
) -> None:
    for text, place in texts:
        for check, words, pattern, valid in (*_KINDS, *_pseudonyms(pseudonyms)):
            hits = [match.start() for match in pattern.finditer(text) if valid(match.group(0))]
            if hits:
                where = ", ".join(part for part in (title, place(hits[0])) if part)
                many = f"{len(hits)} times: " if len(hits) > 1 else ""
                found.add(check, f"{many}this looks like {words}.", where=where, todo="Take it out.")


def _pseudonyms(known: Sequence[Pseudonym]) -> Iterator[_Kind]:
    """A prefix makes it certain; bare digits may be a checksum or the like."""
    for one in known:
        pattern = re.compile(rf"(?<![\w-]){re.escape(one.prefix)}[0-9a-f]{{{one.length}}}(?![0-9A-Za-z])")
        yield ("pseudonym" if one.prefix else "likely_identifier", "a pseudonym of a person", pattern, _always)


def _starts(values: Sequence[str]) -> list[int]:
    starts, at = [], 0
    for value in values:
        starts.append(at)
        at += len(value) + 1
    return starts


def _row(starts: Sequence[int], at: int) -> int:
    import bisect

    return bisect.bisect_right(starts, at)
