"""What a draft would do to one column, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from atoll.deid.draft.identifiers import likely_identifiers, split_words
from atoll.deid.draft.sample import SampleColumn
from atoll.deid.draft.types import is_other_date, type_of
from atoll.deid.presets import preset_rule
from atoll.model.contract import EnteringRule, Format
from atoll.model.table import ColumnType

#: Fewer rows than this with a value single out: the threshold of small cells.
_RARE = 5
_CODES_MAX = 100
_CODE_CHARACTERS = 60
_LONG_NUMBER_DIGITS = 6
_MOSTLY = 0.9

_DATES = (ColumnType.DATE, ColumnType.DATETIME, ColumnType.PARTIAL_DATE)
_NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)
_SUBJECT = re.compile(
    r"(?:^|_)(?:usubjid|(?:patient|subject|person|participant|personne|sujet)(?:_?(?:id|uid|no|number|num|identifier|key))?)$"
)
_PEOPLE = re.compile(r"(?:patient|subject|person|participant|sujet)s?|people|personnes")
_ID = re.compile(r"(?:^|_)(?:id|uid|uuid|guid|identifier|identifiant|key|no|num|number|numero|ref|reference)$|[a-z]id$")
_AGE = re.compile(r"(?:^|_)age(?:_|$)")
_ZIP = re.compile(r"(?:^|_)(?:zip|zip_?code|postal_?code|post_?code|code_?postal|cp)(?:_|$)")
_UUID = re.compile(r"(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}|urn:uuid:\S+|[A-Z][A-Za-z]+\?identifier=\S+")
_US_ZIP = re.compile(r"\d{5}(?:-\d{4})?")
#: Parts of FHIR resources where anything may stand.
_OPEN_FHIR = re.compile(r"(?:^|\.)(?:extension|modifierExtension|contained|text|meta|photo|note)(?:\[|\.|$)")


@dataclass(frozen=True)
class Judgement:
    """What would be done to a column.

    Attributes:
        treat: the treatment.
        fields: what else its rule says.
        reason: for the contract's reader.
        doubtful: it is dropped for want of certainty; a person should look.
    """

    treat: str
    reason: str
    fields: Mapping[str, object] = field(default_factory=dict)
    doubtful: bool = False


def is_subject(column: SampleColumn, table: str, resource: str | None) -> bool:
    """Whether the column says whom a row is about: by its name, or as the `id` of a table of people."""
    if resource is not None:
        person = resource == "Patient"
        return column.name == "id" if person else column.name in ("subject.reference", "patient.reference")
    words = split_words(column.name)
    return bool(_SUBJECT.search(words)) or (words == "id" and bool(_PEOPLE.fullmatch(table)))


def by_preset(column: SampleColumn, format: Format, subject: str | None, judged: Judgement) -> Judgement | None:
    """What a preset says of the column, where its values are such as its rule takes; None otherwise.

    What was judged to be dropped for its values or name says so more nearly than a preset that drops it, too.
    """
    known = None if column.name == subject else preset_rule(format, column.name)
    values = tuple(value for value in column.values if value.strip())
    if known is None or _several(column):
        return None
    rule = known.rule
    if rule.treat == judged.treat == "drop":
        return None
    if isinstance(rule, EnteringRule):
        kind = type_of(values) if values else None
        dated = rule.type is ColumnType.PARTIAL_DATE and kind in _DATES and subject is not None
        counted = rule.type is ColumnType.INTEGER and kind in _NUMBERS and _whole(values)
        if rule.type is not ColumnType.STRING and not dated and not counted:
            return None
    fields = rule.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"treat"})
    return Judgement(rule.treat, known.source, fields, doubtful=rule.treat == "drop")


def judge(column: SampleColumn, *, subject: str | None, resource: str | None, person_a_row: bool) -> Judgement:
    """What a draft does to the column of a table whose subject is `subject` (a column's name, or None).

    With `person_a_row` no person has two rows, so that what differs in every row is as good
    as a name. The first rule that applies decides; what none lets in is dropped.
    """
    values = tuple(value for value in column.values if value.strip())
    if not values:
        return _doubt("The sample has no value of it.")
    if resource is not None and _OPEN_FHIR.search(column.name):
        return _doubt("Anything may stand in this part of a resource.")
    for rule in (_as_id, _as_identifier, _as_date, _as_number):
        judged = rule(column, values, subject)
        if judged is not None:
            alike = judged.treat == "keep" and person_a_row and _all_different(values)
            return _doubt("Different for nearly every person: it may single somebody out.") if alike else judged
    return _as_text(values)


def _as_id(column: SampleColumn, values: tuple[str, ...], subject: str | None) -> Judgement | None:
    """The subject, references and record numbers keep their links by pseudonyms."""
    if _several(column):
        return None
    domain = "person" if column.name == subject else "record"
    references = bool(all(map(_REFERENCE.fullmatch, values)))
    if references and column.name != subject and all(value.startswith("Patient") for value in values):
        domain = "person"
    if column.name == subject:
        reason = "GDPR art. 4(5): a keyed pseudonym, the same for one person in every table."
    elif references or all(map(_UUID.fullmatch, values)) or _is_record_number(column, values):
        reason = "HIPAA 164.514(b)(2)(i)(R): a keyed pseudonym keeps the links between records."
    else:
        return None
    fields: dict[str, object] = {"domain": domain}
    if column.name == subject:
        fields["required"] = True
    if references:
        fields["reference"] = True
    return Judgement("pseudonymize", reason, fields)


def _is_record_number(column: SampleColumn, values: tuple[str, ...]) -> bool:
    named = bool(_ID.search(split_words(column.name)))
    return named and len(set(values)) > 1 and not any(likely_identifiers(column.name, column.label, values))


def _as_identifier(column: SampleColumn, values: tuple[str, ...], subject: str | None) -> Judgement | None:
    words = split_words(column.name)
    if _ZIP.search(words):
        if all(map(_US_ZIP.fullmatch, values)) and not _several(column):
            return Judgement("generalize", "HIPAA 164.514(b)(2)(i)(B): three digits, small areas 000.", {"to": "zip3"})
        return _doubt("A postal code that is not of the United States: HIPAA 164.514(b)(2)(i)(B) has no rule for it.")
    for likely in likely_identifiers(column.name, column.label, values):
        kind = type_of(values)
        if likely.kind == "birth_date" and kind in _DATES and not _several(column):
            return Judgement(
                "generalize",
                "HIPAA 164.514(b)(2)(i)(C): of a birth date the year; set `earliest`, so that it tells no age over 89.",
                {"type": kind.value, "to": "year"},
            )
        said = likely.words[0].upper() + likely.words[1:]
        return Judgement("drop", f"{said} ({likely.rule}).", doubtful=not likely.by_value)
    return None


def _as_date(column: SampleColumn, values: tuple[str, ...], subject: str | None) -> Judgement | None:
    kind = column.type if column.type in _DATES else type_of(values)
    if kind in _DATES:
        if subject is None:
            return _doubt("A date, in a table that does not say whom a row is about, so that it cannot be moved.")
        if _several(column):
            return _doubt("Several dates in one row.")
        fields: dict[str, object] = {"type": kind.value}
        if kind is ColumnType.PARTIAL_DATE:
            fields["partial"] = "shift"
        return Judgement("shift_date", "Intervals are kept, calendar dates are not.", fields)
    if is_other_date(values):
        return _doubt("Dates in a writing that is not read; have the source write them like 2030-01-31.")
    return None


def _as_number(column: SampleColumn, values: tuple[str, ...], subject: str | None) -> Judgement | None:
    kind = type_of(values)
    if kind is ColumnType.BOOLEAN and not _several(column):
        rare = len(set(values)) > 1 and min(Counter(values).values()) < _RARE
        return _doubt("Yes or no, one of them rare.") if rare else Judgement("keep", "Yes or no.", {"type": kind.value})
    if kind not in _NUMBERS or _several(column):
        return None
    if column.type is ColumnType.NUMBER and _AGE.search(split_words(column.name)) and _whole(values):
        kind = ColumnType.INTEGER
    if _AGE.search(split_words(column.name)) and kind is ColumnType.INTEGER:
        return Judgement(
            "generalize", "HIPAA 164.514(b)(2)(i)(C): ages over 89 become 90.", {"type": "integer", "to": "age_90"}
        )
    long = sum(len(value.lstrip("-").partition(".")[0]) >= _LONG_NUMBER_DIGITS for value in values)
    if kind is ColumnType.INTEGER and long > _MOSTLY * len(values) and _all_different(values):
        return _doubt("Long numbers, nearly all different: they may be numbers of records or people.")
    return Judgement("keep", "A number that names nobody; say its `unit` and bounds.", {"type": kind.value})


def _as_text(values: tuple[str, ...]) -> Judgement:
    counts = Counter(values)
    longest = max(map(len, counts))
    if len(counts) <= _CODES_MAX and longest <= _CODE_CHARACTERS and min(counts.values()) >= _RARE:
        return Judgement("keep", f"One of {len(counts)} codes, none rare in the sample; list them in `values`.")
    if len(counts) <= _CODES_MAX and longest <= _CODE_CHARACTERS:
        return _doubt(f"{len(counts)} different texts, some of them rare: they may single somebody out.")
    return _doubt(f"{len(counts)} different texts: nothing says that they identify nobody.")


def _all_different(values: tuple[str, ...]) -> bool:
    return len(values) > _RARE and len(set(values)) > _MOSTLY * len(values)


def _whole(values: tuple[str, ...]) -> bool:
    return all(float(value).is_integer() for value in values)


def _several(column: SampleColumn) -> bool:
    """Whether a row may have several values, which are joined when they are read."""
    return "[*]" in column.name


def _doubt(reason: str) -> Judgement:
    return Judgement("drop", reason, doubtful=True)
