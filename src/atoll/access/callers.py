"""From a person on record to the caller they are at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from atoll.model.person import Caller, Person, SubjectKind


@dataclass(frozen=True)
class DataRules:
    """What a person needs on record before data is open to them."""

    training: bool = False
    agreement: bool = False


NO_RULES = DataRules()


def caller_of(
    person: Person,
    now: datetime,
    rules: DataRules,
    *,
    token_id: str | None = None,
    address: str = "",
    request_id: str = "",
) -> Caller:
    """The person with the roles of this moment; data is closed to them where `rules` are not met."""
    return Caller(
        subject_kind=SubjectKind.PERSON,
        subject_id=person.id,
        name=person.login,
        roles=person.roles,
        address=address,
        request_id=request_id,
        at=now,
        lapsed=lapses(person, now.date(), rules),
    )


def lapses(person: Person, today: date, rules: DataRules) -> tuple[str, ...]:
    """Why data is closed to the person today, a sentence each; none when it is open."""
    asked = (
        ("training", rules.training, person.training_until),
        ("signed agreement", rules.agreement, person.agreement_until),
    )
    return tuple(_lapse(what, until) for what, needed, until in asked if needed and (until is None or until < today))


def _lapse(what: str, until: date | None) -> str:
    return f"no {what} is on record." if until is None else f"the {what} ended on {until.isoformat()}."
