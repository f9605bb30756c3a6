"""redact_text: what tells of a person is taken out of free text, by patterns and by the record's own names.

Patterns find what looks like a date, a number, an address; names find what stands in other
columns of the same row, or for the same person in other tables of the delivery (the person's,
the mother's, the doctor's), in any case, with or without accents, as whole words. What neither
knows stays: this is no engine for notes.
"""

from __future__ import annotations

import polars as pl

from atoll.deid.source_column import SourceColumn
from atoll.deid.treatments.treatment import Setting, Treatment
from atoll.model.contract import RedactText, TextPattern

_MONTH = (
    r"(?:jan(?:uary|vier)?|feb(?:ruary)?|f[ée]v(?:r(?:ier)?)?|mar(?:ch|s)?|apr(?:il)?|avr(?:il)?|may|mai|june?|juin|"
    r"july?|juil(?:let)?|aug(?:ust)?|ao[uû]t|sep(?:t(?:ember|embre)?)?|oct(?:ober|obre)?|nov(?:ember|embre)?|"
    r"d[eé]c(?:ember|embre)?)\.?"
)
_DATE = (
    r"(?i)\b(?:\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?(?:T\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er)?[\s-]+(?:of\s+)?{_MONTH}(?:,?[\s-]+\d{{2,4}})?"
    rf"|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?"
    rf"|{_MONTH}\s+\d{{4}})\b"
)
#: In this order: an address on the web may hold a date, a date looks like a telephone number.
_PATTERNS: dict[TextPattern, tuple[str, str]] = {
    TextPattern.URL: (r"(?i)\b(?:https?://|ftp://|www\.)[^\s<>\"']+", "[URL]"),
    TextPattern.EMAIL: (r"(?i)[\p{L}\d._%+'-]+@[\p{L}\d-]+(?:\.[\p{L}\d-]+)*", "[EMAIL]"),
    TextPattern.DATE: (_DATE, "[DATE]"),
    TextPattern.PHONE: (r"(?:\+|\b00)?\(?\d(?:[\s./()-]{0,2}\d){6,14}(?:\s?(?:x|ext\.?)\s?\d{1,5})?\b", "[PHONE]"),
    TextPattern.NUMBER: (r"\b[\p{L}]{0,4}[-#]?\d(?:[-.]?\d){4,}[\p{L}]{0,2}\b", "[NUMBER]"),
}
_WORD = r"(\p{L}[\p{L}\p{M}]*)"
_MARK = "\x01"
#: Parts of names that are words of the language, too, and name nobody.
_PARTICLES = (
    *("de", "du", "des", "la", "le", "les", "el", "al", "da", "di", "dos", "del", "von", "van", "der", "den", "zu"),
    *("ter", "und", "et", "and", "jr", "sr", "mr", "mrs", "ms", "dr", "mme"),
)


def redact_text(column: SourceColumn, rule: RedactText, setting: Setting) -> Treatment:
    """The text with `[DATE]`, `[NAME]`, ... where something of that kind stood; null stays null."""
    text = column.text.str.replace_all(_MARK, "", literal=True)
    names: list[str | pl.Expr] = list(rule.names)
    if rule.names_from and setting.subject is not None:
        names.append(setting.known.of(rule.names_from, pl.col(setting.subject.key)))
    if names:
        fields = [text.alias("text"), pl.concat_str(names, separator=" ", ignore_nulls=True).alias("names")]
        text = pl.struct(fields).map_batches(_without_names, return_dtype=pl.String, is_elementwise=True)
    for kind, (pattern, label) in _PATTERNS.items():
        if kind in rule.patterns:
            text = text.str.replace_all(pattern, label)
    return Treatment(text)


def _without_names(rows: pl.Series) -> pl.Series:
    """Words of `text` that are words of the same row's `names` become `[NAME]`."""
    frame = rows.struct.unnest().with_row_index("row")
    names = (
        frame.select("row", _folded("names").str.extract_all(r"\p{L}{2,}").alias("folded"))
        .explode("folded")
        .drop_nulls()
        .filter(~pl.col("folded").is_in(_PARTICLES))
        .unique()
    )
    if names.is_empty():
        return frame["text"]
    pieces = (
        frame.select("row", pl.col("text").str.replace_all(_WORD, f"{_MARK}$1{_MARK}").str.split(_MARK).alias("piece"))
        .drop_nulls()
        .explode("piece")
        .with_columns(_folded("piece").alias("folded"))
        .join(names.with_columns(pl.lit(True).alias("name")), on=["row", "folded"], how="left", maintain_order="left")
        .with_columns(pl.when("name").then(pl.lit("[NAME]")).otherwise("piece").alias("piece"))
        .group_by("row", maintain_order=True)
        .agg(pl.col("piece").str.join(""))
    )
    return frame.join(pieces, on="row", how="left", maintain_order="left")["piece"].alias(rows.name)


def _folded(name: str) -> pl.Expr:
    return pl.col(name).str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
