"""Canaries: values that exist nowhere else, made to pass the checks of the field they stand in."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from atoll.model.contract import ColumnRule, EnteringRule, Pseudonymize
from atoll.model.table import ColumnType

#: Every token starts so; 16 characters in all, so that even the cut bounds that Iceberg
#: keeps of a text column (16 characters) hold a whole token.
TOKEN_PREFIX = "CNRY"
TOKEN_LENGTH = 16
DIGITS_PREFIX = "7391852"
#: Dates lie in years that no real row has, three years apart: moved by at most a year,
#: none can fall upon another.
FIRST_YEAR = 2200
_YEARS_APART = 3


class Kind(StrEnum):
    """How a canary can be found again."""

    TOKEN = "token"
    DIGITS = "digits"
    DATE = "date"
    DATETIME = "datetime"
    #: Too short to be searched for in bytes (a ZIP code): found as a whole cell only.
    CELL = "cell"


@dataclass(frozen=True)
class Canary:
    """A planted value and where it was planted."""

    text: str
    kind: Kind
    file: str
    column: str
    treatment: str


@dataclass
class Mint:
    """Makes canaries, none twice, the same ones in every run."""

    made: dict[str, Canary] = field(default_factory=dict)
    #: (file, column) of every field that has got a canary.
    places: set[tuple[str, str]] = field(default_factory=set)
    _count: int = 0
    _dates: int = 0

    def token(self, file: str, column: str, treatment: str) -> str:
        """A new token."""
        self._count += 1
        return self._keep(_token(f"n{self._count}"), Kind.TOKEN, file, column, treatment)

    def pseudonym_source(self, domain: str, old: str, file: str, column: str) -> str:
        """The token of an id: the same for the same id in the same domain, in every file."""
        return self._keep(_token(f"{domain}/{old}"), Kind.TOKEN, file, column, "pseudonymize")

    def digits(self, file: str, column: str, treatment: str) -> str:
        """A new whole number of 14 digits."""
        self._count += 1
        return self._keep(f"{DIGITS_PREFIX}{self._count:07d}", Kind.DIGITS, file, column, treatment)

    def day(self, file: str, column: str, treatment: str) -> str:
        """A new date, YYYY-MM-DD."""
        return self._keep(self._next_day().isoformat(), Kind.DATE, file, column, treatment)

    def moment(self, file: str, column: str, treatment: str) -> str:
        """A new datetime, YYYY-MM-DDThh:mm:ssZ."""
        day = self._next_day()
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=3661 + 7 * self._dates)
        return self._keep(moment.strftime("%Y-%m-%dT%H:%M:%SZ"), Kind.DATETIME, file, column, treatment)

    def for_rule(self, rule: ColumnRule, old: str, file: str, column: str) -> str | None:
        """A canary that the rule's checks let through; None when there can be none."""
        treatment = str(getattr(rule, "treat", "drop"))
        if not isinstance(rule, EnteringRule):
            return self.token(file, column, treatment)
        if rule.values is not None or rule.max is not None:
            return None
        if rule.pattern is not None:
            return self._for_pattern(rule.pattern, file, column, treatment)
        if isinstance(rule, Pseudonymize):
            return self.pseudonym_source(rule.domain, old, file, column)
        match rule.type:
            case ColumnType.DATE | ColumnType.PARTIAL_DATE:
                return self.day(file, column, treatment)
            case ColumnType.DATETIME:
                return self.moment(file, column, treatment)
            case ColumnType.INTEGER | ColumnType.NUMBER:
                return self.digits(file, column, treatment)
            case ColumnType.STRING:
                return self.token(file, column, treatment)
        return None

    def _for_pattern(self, pattern: str, file: str, column: str, treatment: str) -> str | None:
        self._count += 1
        nine, five = f"{73000 + self._count % 999:05d}{self._count % 9973:04d}", f"{73000 + self._count % 999:05d}"
        if re.fullmatch(pattern, nine):
            return self._keep(nine, Kind.CELL, file, column, treatment)
        if re.fullmatch(pattern, five):
            return self._keep(five, Kind.CELL, file, column, treatment)
        return None

    def _next_day(self) -> date:
        self._dates += 1
        year = FIRST_YEAR + _YEARS_APART * self._dates
        if year > 9900:
            raise ValueError("too many dates planted; plant fewer rows")
        return date(year, 1 + self._dates % 12, 1 + self._dates % 28)

    def _keep(self, text: str, kind: Kind, file: str, column: str, treatment: str) -> str:
        self.places.add((file, column))
        self.made.setdefault(text, Canary(text, kind, file, column, treatment))
        return text


def keeps_tokens_out(rule: EnteringRule) -> bool:
    """Whether the rule's pattern holds back a row with a token in its place."""
    return rule.pattern is not None and re.fullmatch(rule.pattern, _token("any")) is None


def _token(seed: str) -> str:
    digest = base64.b32encode(hashlib.sha256(f"canary {seed}".encode()).digest()).decode()
    return TOKEN_PREFIX + digest[: TOKEN_LENGTH - len(TOKEN_PREFIX)]
