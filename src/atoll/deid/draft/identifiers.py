"""What in a column may tell who somebody is, by its name and by its values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Likely:
    """An identifier that a column may hold.

    Attributes:
        kind: short, for machines: `email`, `nir`, `name`, ...
        words: what is suspected, for people.
        rule: where it is said to identify.
        by_value: found in the values themselves, not only in the name.
    """

    kind: str
    words: str
    rule: str
    by_value: bool


@dataclass(frozen=True)
class _ByName:
    kind: str
    words: str
    rule: str
    pattern: re.Pattern[str]


def _named(kind: str, words: str, rule: str, pattern: str) -> _ByName:
    return _ByName(kind, words, rule, re.compile(rf"(?:^|_)(?:{pattern})(?:_|$)"))


_HIPAA = "HIPAA 164.514(b)(2)(i)"
#: Words of column names, English and French, after `_words` split and lowered them.
_NAMES: tuple[_ByName, ...] = (
    _named(
        "name",
        "the name of a person",
        f"{_HIPAA}(A)",
        r"(?:first|last|middle|maiden|given|family|sur|full|patient|mother|father|birth)_?name|firstname|lastname"
        r"|surname|prefix|suffix|title|given|family|first|last|middle|maiden|prenom|nom|nom_naissance|initials|initiales|alias|name",
    ),
    _named(
        "address",
        "an address or place",
        f"{_HIPAA}(B)",
        r"address|adresse|street|rue|line|city|ville|commune|county|district|village|location|birth_?place|lieu",
    ),
    _named("position", "a position on the map", f"{_HIPAA}(B)", r"lat|lon|lng|latitude|longitude|gps|geo"),
    _named(
        "birth_date",
        "a date of birth",
        f"{_HIPAA}(C)",
        r"birth_?date|date_?of_?birth|dob|birthdate|brthdtc|naissance|ddn",
    ),
    _named(
        "phone", "a telephone or fax number", f"{_HIPAA}(D)", r"phone|telephone|tel|mobile|cell|portable|fax|telecom"
    ),
    _named("email", "an e-mail address", f"{_HIPAA}(F)", r"e?_?mail|courriel|email"),
    _named("ssn", "a social security number", f"{_HIPAA}(G)", r"ssn|social_?security(?:_number)?|nir|nss|insee|secu"),
    _named(
        "record_number",
        "a medical record number",
        f"{_HIPAA}(H)",
        r"mrn|medical_?record(?:_number)?|ipp|iep|nip|dossier",
    ),
    _named(
        "account",
        "an account, insurance or card number",
        f"{_HIPAA}(I),(J)",
        r"iban|account|acct|insurance_?id|member_?id|policy|card|compte|mutuelle",
    ),
    _named(
        "license",
        "a licence, certificate or passport",
        f"{_HIPAA}(K)",
        r"licen[cs]e|certificate|passport|drivers?|permis|passeport",
    ),
    _named("vehicle", "a vehicle's number", f"{_HIPAA}(L)", r"plate|vin|immatriculation|vehicle"),
    _named("device", "a device's number", f"{_HIPAA}(M)", r"udi|serial(?:_?(?:no|number))?|device_?id|lot"),
    _named("url", "an address on the web", f"{_HIPAA}(N)", r"url|website|link"),
    _named("ip", "an IP address", f"{_HIPAA}(O)", r"ip|ip_?address"),
    _named("picture", "a picture", f"{_HIPAA}(Q)", r"photo|image|picture|portrait|face"),
    _named(
        "free_text",
        "free text, in which anything may stand",
        "HIPAA 164.514(b)(2)(i)(A) to (R)",
        r"note|notes|comment|comments|commentaire|remark|remarks|narrative|text|texte|free_?text|memo|observation_text|div",
    ),
)

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_URL = re.compile(r"(?:https?|ftp)://\S+|www\.\S+\.\S+")
_IP = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}")
_SSN = re.compile(r"\d{3}-\d{2}-\d{4}")
_NIR = re.compile(r"[12378]\d{2}(?:0[1-9]|[1-9]\d)(?:\d{2}|2[AB])\d{3}\d{3}\d{2}")
_PHONE = re.compile(
    r"\+\d{1,3}[ .-]?\(?\d{1,4}\)?(?:[ .-]?\d{2,4}){2,5}"
    r"|0[1-9](?:[ .-]?\d{2}){4}"
    r"|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?: ?x\d+)?"
)
_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}")
_ADDRESS = re.compile(
    r"\d+[,]?\s+(?:(?:\S+\s+){0,5}(?:st|street|ave|avenue|road|rd|lane|drive|boulevard|way|court|place|square)\b"
    r"|(?:bis |ter )?(?:rue|avenue|boulevard|chemin|impasse|allee|allée|place|quai|route)\b)",
    re.IGNORECASE,
)
_HONORIFIC = re.compile(r"(?:mr|mrs|ms|miss|dr|prof|m|mme|mlle)\.?\s+[A-Z]", re.IGNORECASE)
_LONG_TEXT_CHARACTERS = 60
_LONG_TEXT_WORDS = 6


def is_nir(text: str) -> bool:
    """Whether the text is a French social security number, by its key: 97 - n mod 97.

    Source: INSEE, numéro de sécurité sociale; Corsica's 2A and 2B count as 19 and 18.
    """
    digits = text.replace(" ", "").upper()
    if not _NIR.fullmatch(digits):
        return False
    number = digits[:-2].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(digits[-2:])


def is_iban(text: str) -> bool:
    """Whether the text is an account number by ISO 13616: its rearranged digits are 1 modulo 97."""
    if not _IBAN.fullmatch(text):
        return False
    compact = text.replace(" ", "")
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


def _is_free_text(text: str) -> bool:
    return len(text) > _LONG_TEXT_CHARACTERS and len(text.split()) >= _LONG_TEXT_WORDS


#: Kind, words, rule, what a value must be, and the share of values from which a column is suspected.
_VALUES: tuple[tuple[str, str, str, Callable[[str], object], float], ...] = (
    ("email", "e-mail addresses", f"{_HIPAA}(F)", _EMAIL.search, 0.0),
    ("ssn", "social security numbers", f"{_HIPAA}(G)", _SSN.fullmatch, 0.0),
    ("nir", "French social security numbers, with a key that holds", f"{_HIPAA}(G)", is_nir, 0.0),
    ("iban", "account numbers (IBAN) with check digits that hold", f"{_HIPAA}(J)", is_iban, 0.0),
    ("url", "addresses on the web", f"{_HIPAA}(N)", _URL.search, 0.0),
    ("ip", "IP addresses", f"{_HIPAA}(O)", _IP.fullmatch, 0.0),
    ("phone", "telephone numbers", f"{_HIPAA}(D)", _PHONE.fullmatch, 0.05),
    ("address", "street addresses", f"{_HIPAA}(B)", _ADDRESS.match, 0.02),
    ("name", "names with a title", f"{_HIPAA}(A)", _HONORIFIC.match, 0.02),
    ("free_text", "long texts, in which anything may stand", f"{_HIPAA}(A) to (R)", _is_free_text, 0.05),
)


def likely_identifiers(name: str, label: str, values: Sequence[str]) -> Iterator[Likely]:
    """What the column may identify by, the surest first: values before names."""
    for kind, words, rule, matches, share in _VALUES:
        hits = sum(1 for value in values if matches(value.strip()))
        if hits and hits > share * len(values):
            yield Likely(kind, f"{hits} of {len(values)} values look like {words}", rule, by_value=True)
    for told in (name, label):
        words_of = split_words(told)
        for known in _NAMES:
            if words_of and known.pattern.search(words_of):
                yield Likely(known.kind, f"its name says {known.words}", known.rule, by_value=False)


def split_words(name: str) -> str:
    """A name or label as lower-case words joined by `_`: `BirthDate` and `birth date` alike."""
    broken = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", broken.lower()).strip("_")
