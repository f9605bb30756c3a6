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
from atoll.model.table import ColumnType

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
    #: Excel workbooks (xlsx, xlsm, xlsb, xls), a sheet for each table.
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
    """What shift_date does to a partial date."""

    #: Taken as the middle of its period, shifted, cut to its own precision again.
    SHIFT = "shift"
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

    With `earliest`, years before it become one category, `before 1937`: for birth years
    that would tell an age over 89 (HIPAA 164.514(b)(2)(i)(C)). Review it every year.
    """

    treat: Literal["generalize"]
    to: Literal["year", "month", "quarter", "zip3", "age_90", "bins"]
    width: float | None = Field(default=None, gt=0)
    earliest: int | None = Field(default=None, ge=1800, le=2200)


class Map(EnteringRule):
    """Replaced by the value in a table; `otherwise` says what happens to the rest."""

    treat: Literal["map"]
    to: dict[str, str | None]
    otherwise: Literal["reject", "null"] = "reject"


class Constant(EnteringRule):
    """Every value, null included, becomes this one."""

    treat: Literal["constant"]
    value: str | None


Rule = Annotated[
    Keep | Drop | Pseudonymize | ShiftDate | Generalize | Map | Constant,
    Field(discriminator="treat"),
]


class CsvDialect(Frozen):
    """How the CSV files of a table are written."""

    separator: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    encoding: Literal["utf-8", "cp1252", "latin-1"] = "utf-8"
    #: Texts that mean null, beside the empty field.
    nulls: tuple[str, ...] = ()


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
    columns: dict[str, Rule]


class Domain(Frozen):
    """A pseudonymisation domain: one key for pseudonyms and one for date offsets."""

    description: str
    #: Date offsets of its subjects lie within plus or minus this many days, never 0.
    max_shift_days: int = Field(default=365, ge=30, le=3650)


class Contract(Frozen):
    """The reviewed rules of one dataset."""

    dataset: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    title: str
    description: str = ""
    owner: str = ""
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
