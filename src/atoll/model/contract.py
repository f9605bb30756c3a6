"""Contracts: what a dataset's files look like and what is done to every column.

The YAML that people review is exactly this shape; the JSON Schema in
docs/reference is generated from it. What a contract does not name does not enter.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from atoll.model.person import NAME
from atoll.model.record import Frozen, Record
from atoll.model.table import ColumnType, Layout

COLUMN_NAME = r"^[a-z][a-z0-9_]{0,62}$"


class Format(StrEnum):
    """File formats that are read."""

    CSV = "csv"
    NDJSON = "ndjson"
    FHIR = "fhir"
    XPT = "xpt"
    #: CDISC Dataset-JSON 1.1, as one object or as NDJSON.
    DATASET_JSON = "dataset_json"
    PARQUET = "parquet"
    #: SAS data sets as SAS itself keeps them.
    SAS7BDAT = "sas7bdat"
    #: HL7 v2 messages, a segment for each table.
    HL7 = "hl7"
    #: DICOM part 10: the header of an image as one row; pixels do not enter.
    DICOM = "dicom"
    #: VCF 4, plain or gzip: a row for each variant of each sample.
    VCF = "vcf"
    #: Excel workbooks (xlsx, xlsm), a sheet for each table; xls and xlsb are refused.
    EXCEL = "excel"


class ColumnRule(Frozen):
    """What every column rule says, whatever the treatment."""

    #: Why this treatment: the rule or regulation it follows. Shown by `explain`.
    reason: str = ""
    #: Nested formats: where the value stands, dots and [n] or [*]: `name[0].family`.
    #: Without it the key of the rule is the path.
    path: str | None = None
    #: Nested formats: the delivered text is decoded before it is checked and treated: notes.
    decode: Literal["base64"] | None = None


class Condition(Frozen):
    """When another column of the row has one of some values, lies beyond a bound, or is empty.

    Exactly one of them is said. Bounds are for integer and number.
    """

    #: The column (key in `columns`), one that enters.
    column: str
    values: tuple[str, ...] | None = None
    above: float | None = None
    below: float | None = None
    missing: bool | None = None


class EnteringRule(ColumnRule):
    """A rule for a column that enters the lake in some form."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    #: Type of the delivered value, checked before the treatment.
    type: ColumnType = ColumnType.STRING
    #: The column's name in the lake; without it the source name in lower case.
    as_: str | None = Field(default=None, alias="as", pattern=COLUMN_NAME)
    description: str = ""
    unit: str | None = None
    #: A null here sends the row to quarantine.
    required: bool = False
    #: Inclusive bounds, for integer and number.
    min: float | None = None
    max: float | None = None
    #: The only values allowed (as delivered text), null aside.
    values: tuple[str, ...] | None = None
    #: A regular expression that the whole delivered text must match.
    pattern: str | None = None
    #: No two rows may have the same value, in this delivery and all before; null aside.
    unique: bool = False
    #: `table.column` (keys of the contract) in which each value must stand, now or from before; null aside.
    references: str | None = None
    #: The treated value becomes null where one of these holds.
    suppress_when: tuple[Condition, ...] = ()


class Keep(EnteringRule):
    """The value enters as it is."""

    treat: Literal["keep"]


class Drop(ColumnRule):
    """The column is known and does not enter."""

    treat: Literal["drop"]
    #: The column may be absent from a file.
    optional: bool = True


class Pseudonymize(EnteringRule):
    """HMAC-SHA256 with the domain's key, in hexadecimal, cut to `length` after `prefix`.

    Source of the method: NIST FIPS 198-1; ENISA, Pseudonymisation techniques and
    best practices (2019), keyed hash.
    """

    treat: Literal["pseudonymize"]
    #: The pseudonymisation domain, one of the contract's `domains`.
    domain: str
    prefix: str = Field(default="", pattern=r"^[A-Za-z]{0,8}[-_]?$")
    #: Hexadecimal digits kept: 32 are 128 bits.
    length: int = Field(default=32, ge=16, le=64)
    #: FHIR references: `Patient/ID`, `urn:uuid:ID` and `Type?identifier=system|ID`
    #: are reduced to ID before the key is applied, so that they equal the id's own pseudonym.
    reference: bool = False


class PartialPolicy(StrEnum):
    """What shift_date does to a date that is not known to the day.

    That is `2012`, `2012-11`, and the forms of SDTMIG 4.4.2 with a part unknown in the middle
    (`2012---05`) or in front (`--11-05`, `-----T07:15`). A year that is not known cannot be
    shifted: under `shift` and `year` such a row waits in quarantine.
    """

    #: Taken as the middle of its period, shifted, cut to its own precision again; what stands
    #: behind an unknown part (the day of `2012---05`) is left out.
    SHIFT = "shift"
    #: As `shift`, and cut to the year.
    YEAR = "year"
    #: Stays as delivered, unshifted: it tells the true period. Not beside a study day that is kept.
    KEEP = "keep"
    #: Becomes null.
    DROP = "drop"
    #: Sends the row to quarantine.
    REJECT = "reject"


class ShiftDate(EnteringRule):
    """Moved by the subject's own offset in whole days, so that intervals are kept.

    Needs a table with `subject`. A date with a null subject becomes null.
    Source: HIPAA expert determination practice; PhUSE De-Identification Standard for SDTM 3.2.
    """

    treat: Literal["shift_date"]
    partial: PartialPolicy = PartialPolicy.REJECT


class Generalize(EnteringRule):
    """Made coarser.

    year, month, quarter: of a date, datetime or partial_date; gives `2012`, `2012-11`,
        `2012-Q4` (string; null when the precision is not there).
    zip3: first three digits; `000` for areas of 20,000 people or fewer
        (HIPAA 164.514(b)(2)(i)(B), 2000 census list).
    age_90: integer age, everything above 89 becomes 90 (HIPAA 164.514(b)(2)(i)(C)).
    bins: a number falls to the lower edge of its bin of `width`.
    bands: a number becomes the words of its band between `edges`: with 65, 75, 85 an
        integer gives `<=64`, `65-74`, `75-84`, `85+`, a number `<65`, `65-<75`, `75-<85`, `>=85`.
    continent: an ISO 3166-1 country code (two or three letters) becomes its continent:
        Africa, Antarctica, Asia, Europe, North America, Oceania, South America.
    code: a code of a hierarchy (ICD-10, ATC, ...) is cut to its first `length` characters.
    hierarchy: a code becomes the class that it stands in: of a `hierarchy` that is shipped
        (`icd10cm_chapters`), or of `classes` given here. The longest beginning that fits decides.

    With `earliest`, years before it become one category, `before 1937`: for birth years
    that would tell an age over 89 (HIPAA 164.514(b)(2)(i)(C)). Review it every year.
    """

    treat: Literal["generalize"]
    to: Literal["year", "month", "quarter", "zip3", "age_90", "bins", "bands", "continent", "code", "hierarchy"]
    width: float | None = Field(default=None, gt=0)
    earliest: int | None = Field(default=None, ge=1800, le=2200)
    #: Of bands: where each band but the first begins, ascending.
    edges: tuple[float, ...] | None = Field(default=None, min_length=1)
    #: Of code: how many characters stay.
    length: int | None = Field(default=None, ge=1, le=20)
    #: Of hierarchy: the name of one that is shipped.
    hierarchy: str | None = None
    #: Of hierarchy: class to its codes, as beginnings (`I2`) or ranges of them (`I20-I25`); case and points aside.
    classes: dict[Annotated[str, Field(min_length=1, max_length=100)], tuple[str, ...]] | None = None
    #: Of hierarchy: what happens to a code of no class.
    otherwise: Literal["reject", "null"] = "reject"


class Map(EnteringRule):
    """Replaced by the value in a table; `otherwise` says what happens to the rest."""

    treat: Literal["map"]
    to: dict[str, str | None]
    otherwise: Literal["reject", "null"] = "reject"


class TextPattern(StrEnum):
    """What redact_text finds by its look."""

    DATE = "date"
    PHONE = "phone"
    NUMBER = "number"
    EMAIL = "email"
    URL = "url"


class RedactText(EnteringRule):
    """Free text in which dates, telephone numbers, other numbers, addresses and known names become `[DATE]`, ...

    Numbers are those of five digits or more. Source of the kinds: HIPAA 164.514(b)(2)(i)(A), (C) to (R).
    What has no such look and is no name of the row stays, so let few see it.
    """

    treat: Literal["redact_text"]
    patterns: tuple[TextPattern, ...] = tuple(TextPattern)
    #: Columns (keys in `columns`) that hold names of the person, relatives or others; they may be dropped ones.
    names: tuple[str, ...] = ()
    #: Names in other tables (`table.column`, keys of the contract) of the person whom the row is about:
    #: both tables need a `subject` of one domain. They are looked for in the same delivery; a file of
    #: texts waits when no file of it brings them.
    names_from: tuple[str, ...] = ()


class Encrypt(EnteringRule):
    """Encrypted value by value with AES-SIV (RFC 5297); what enters the lake can be read by nobody.

    One person asks for values of named subjects, named values or a whole table to be opened
    and says why, another approves; the result is handed once to the person named, on record
    and for a limited time. The key is that of a domain that does nothing else. Destroyed, it
    takes the values with it.
    """

    treat: Literal["encrypt"]
    #: A domain (one of the contract's `domains`) whose key only encrypts.
    domain: str


class Constant(EnteringRule):
    """Every value, null included, becomes this one."""

    treat: Literal["constant"]
    value: str | None


Rule = Annotated[
    Keep | Drop | Pseudonymize | ShiftDate | Generalize | Map | RedactText | Encrypt | Constant,
    Field(discriminator="treat"),
]


class CsvDialect(Frozen):
    """How the CSV files of a table are written."""

    separator: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    encoding: Literal["utf-8", "cp1252", "latin-1"] = "utf-8"
    #: Texts that mean null, beside the empty field.
    nulls: tuple[str, ...] = ()


class RowId(Frozen):
    """A column that names each row: a pseudonym over the delivered values of some columns together."""

    as_: str = Field(default="row_id", alias="as", pattern=COLUMN_NAME)
    domain: str
    #: Columns (keys in `columns`) that together tell rows apart, such as subject and sequence number.
    of: tuple[str, ...] = Field(min_length=1)
    prefix: str = Field(default="", pattern=r"^[A-Za-z]{0,8}[-_]?$")
    length: int = Field(default=32, ge=16, le=64)

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


class RiskPolicy(Frozen):
    """How likely it may be that somebody is recognised in a table, and what happens above that.

    A group is all people with the same values in every quasi-identifier (an empty one is a
    value like others). k is the size of the smallest; the highest risk is 1 / k, the average
    risk the number of groups divided by the number of people.

    Source of the defaults: EMA Policy 0070, external guidance 5.4 (threshold of 0.09, groups of
    11), and Health Canada, Public Release of Clinical Information, 5.4, which take the same.
    """

    #: Columns (keys in `columns`) that others may know of a person: age, sex, place, dates.
    quasi_identifiers: tuple[str, ...] = Field(min_length=1)
    #: Columns that tell something when all of a group have the same value (l-diversity).
    sensitive: tuple[str, ...] = ()
    #: The least number of people in a group (k-anonymity).
    min_k: int = Field(default=11, ge=2, le=1000)
    #: The highest average risk.
    max_risk: float = Field(default=0.09, gt=0, le=1)
    #: The least number of different values of each sensitive column in a group (l-diversity).
    min_l: int | None = Field(default=None, ge=2, le=100)
    #: The highest part of people who are alone in their group (sample uniqueness).
    max_unique: float | None = Field(default=None, ge=0, le=1)
    #: Above a threshold the delivery waits whole in quarantine, or enters and the report says so.
    above: Literal["hold", "warn"] = "hold"


class DriftPolicy(Frozen):
    """What happens to a file whose columns are no longer quite those of the contract.

    Told of the file in each case. A new column never enters, and one that is missing or stands
    twice holds the file: about these nothing is to be chosen.
    """

    #: Columns come in another order than in the contract.
    reordered: Literal["admit", "hold"] = "admit"
    #: Most values of a column, or by the file's own word all, are of another kind. Admitted, rows that
    #: do not fit wait one by one.
    retyped: Literal["admit", "hold"] = "admit"


class TableContract(Frozen):
    """One lake table and the files that fill it."""

    description: str = ""
    #: Shell patterns on the delivered file name, case ignored.
    files: tuple[str, ...]
    format: Format
    csv: CsvDialect = CsvDialect()
    #: FHIR: the only resourceType accepted.
    resource: str | None = None
    #: Nested formats: an array of the record (`component`, `contact.telecom`); there is a row for
    #: each of its elements, which paths call `component[*]`. Without it a row for each record.
    each: str | None = None
    #: Excel: the sheet that fills the table. Several tables may take the same file, each its
    #: sheet; so may FHIR tables, each its `resource`.
    sheet: str | None = None
    #: Excel: sheets that are known and do not enter; any other sheet, hidden or not, is refused.
    other_sheets: tuple[str, ...] = ()
    #: HL7: the segment that fills the table. Several tables take the same file, each its own.
    segment: str | None = Field(default=None, pattern=r"^[A-Z][A-Z0-9]{2}$")
    #: HL7: segments that are known and do not enter; a message with any other is held.
    other_segments: tuple[str, ...] = ()
    #: DICOM: options of PS3.15 annex E that let attributes stay which the Basic Profile takes out.
    retain: tuple[Literal["uids", "dates", "patient_characteristics", "device", "institution", "descriptors"], ...] = ()
    #: DICOM: an image that may show identifying text is held for review, or its header enters.
    burned_in: Literal["hold", "metadata"] = "hold"
    #: Encoding of text: XPT; HL7, where given (else UTF-8); sas7bdat, where given (else its own).
    encoding: Literal["cp1252", "utf-8", "latin-1"] = "cp1252"
    #: The column (key in `columns`) that says whom a row is about; shift_date needs it.
    subject: str | None = None
    #: Nested formats: a row with a field that no rule names goes to quarantine, or
    #: the field is left out and counted.
    unknown_fields: Literal["quarantine", "leave_out"] = "quarantine"
    #: How the table's files are laid out by compaction.
    layout: Layout = Layout()
    #: What is reported of the risk that somebody is recognised, and held above which.
    risk: RiskPolicy | None = None
    #: An id of each row, made of some of its columns.
    row_id: RowId | None = None
    #: Flat formats: what happens when columns come in another order, or are of another kind.
    drift: DriftPolicy = DriftPolicy()
    #: More than this part of the rows held, 0 to 1, and the delivery waits whole: too much is wrong with it.
    max_held: float | None = Field(default=None, ge=0, le=1)
    columns: dict[str, Rule]


class Domain(Frozen):
    """A pseudonymisation domain: one key for pseudonyms and one for date offsets."""

    description: str
    #: Date offsets of its subjects lie within plus or minus this many days, never 0.
    max_shift_days: int = Field(default=365, ge=30, le=3650)


class Retention(Frozen):
    """How long quarantine keeps what a closed delivery needs no more; what waits for a person stays."""

    #: Days that files stay as delivered; without it the setting `raw_retention_days`.
    delivered_days: int | None = Field(default=None, ge=0, le=36_500)
    #: Days that rows which were held stay; without it the setting `held_retention_days`.
    held_days: int | None = Field(default=None, ge=0, le=36_500)


class Contract(Frozen):
    """The reviewed rules of one dataset."""

    dataset: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    title: str
    description: str = ""
    owner: str = ""
    #: What quarantine keeps of closed deliveries: `delivered_days` their files, `held_days` rows that were held.
    retention: Retention = Retention()
    domains: dict[Annotated[str, Field(pattern=NAME)], Domain] = {}
    tables: dict[Annotated[str, Field(pattern=COLUMN_NAME)], TableContract]


class ContractVersion(Record):
    """A published contract. Its id is `<dataset>@<number>`."""

    kind: ClassVar[str] = "contract"
    indexes: ClassVar[tuple[str, ...]] = ("dataset",)

    dataset: str
    #: 1, 2, 3, ... for each dataset.
    number: int
    #: The YAML as it was reviewed, byte for byte.
    text: str
    sha256: str
    #: Who wrote or brought it; empty on versions from before contracts were reviewed.
    proposed_by: str = ""
    #: Who reviewed it and put it in force.
    published_by: str
    published_at: datetime
