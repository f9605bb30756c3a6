"""What a table tells of few: small counts, rows of single persons, days.

The threshold of 10 is the one in use for health data in France (SNDS, minimum count of
published cells) and by the European Medicines Agency (Policy 0070, 11 as the least group).
See the Handbook on Statistical Disclosure Control (Hundepool et al.), chapter 5.
"""

from __future__ import annotations

import re

import polars as pl

from atoll.airlock.checks.found import Found
from atoll.airlock.checks.tabular import Table

#: Names of columns that count people, visits or events.
_COUNTS = re.compile(
    r"(?:^|[^a-z])(n|no|nb|num|count|counts|cnt|freq|frequency|number|total|totals|sum|size|len|"
    r"patients?|subjects?|persons?|people|cases?|controls?|events?|deaths?|visits?|admissions?|participants?|"
    r"effectifs?|nombre|malades?|d[eé]c[eè]s|s[eé]jours?|cas)(?:$|[^a-z])",
    re.I,
)
#: Names of columns of whole numbers that count nobody.
_KEYS = re.compile(
    r"(?:^|[^a-z])(age|year|month|week|day|hour|quarter|decile|quartile|quintile|rank|order|index|idx|level|grade|"
    r"stage|score|class|cluster|group|bin|category|code|arm|site|fold|step|epoch|lag|df|dof|degree|digits|version|"
    r"ann[eé]e|mois|semaine|jour|rang|niveau|classe|groupe)(?:$|[^a-z])",
    re.I,
)
_IDS = re.compile(
    r"(?:^|[^a-z])(id|ids|identifier|uuid|guid|key|mrn|ipp|nip|nir|ssn|pid|subjid|usubjid|patient_?id|person_?id|"
    r"subject_?id|encounter_?id|visit_?id|nhs|insee|s[eé]cu|iep|num_?dossier)(?:$|[^a-z])",
    re.I,
)
_PEOPLE = re.compile(
    r"(?:^|[^a-z])(mrn|ipp|nip|nir|ssn|nhs|iep|subjid|usubjid|(?:patient|person|subject|encounter)_?id|"
    r"(?:first|last|family|given|maiden|sur|full)[ _]?name|nom|pr[eé]nom|birth_?(?:date|day)|date_?of_?birth|dob|"
    r"date_?(?:de_?)?naissance|ddn|address|adresse|e-?mail|courriel|phone|t[eé]l[eé]phone)(?:$|[^a-z])",
    re.I,
)
_DAY = r"^\s*(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.]\d{1,2}[/.]\d{2,4})(?:[ T]\d{1,2}:\d{2}.*)?\s*$"
_WORD = re.compile(r"([a-z0-9])([A-Z])")

#: Rows from which on a table with an id of each row is taken for one of persons.
ROW_LEVEL_ROWS = 20
MANY_ROWS = 500
#: Beyond so many rows whole numbers are measurements rather than counts.
COUNTED_ROWS = 2000
MANY_DAYS = 20


def check_table(table: Table, threshold: int, found: Found) -> None:
    """Everything that one table tells of few people."""
    _small(table, threshold, found)
    _rows(table, found)
    _columns(table, found)


def counts(table: Table) -> tuple[str, ...]:
    """The columns that count, by name."""
    return tuple(name for name in table.whole if _fits(_COUNTS, name) and not _fits(_IDS, name))


def _small(table: Table, threshold: int, found: Found) -> None:
    counting = counts(table)
    for name, numbers in table.whole.items():
        rows = [row + 1 for row, v in enumerate(numbers) if v is not None and 0 < v < threshold]
        if not rows:
            continue
        where = _where(table, f"column {_position(table, name)}, row {rows[0]}")
        if name in counting:
            found.add(
                "small_cells",
                f"{len(rows)} counts are below {threshold}." if len(rows) > 1 else f"One count is below {threshold}.",
                where=where,
                todo="Suppress or round them, and what they could be computed from; or join categories.",
            )
        elif table.height <= COUNTED_ROWS and not _fits(_KEYS, name) and not _fits(_IDS, name):
            found.add(
                "small_numbers",
                f"{len(rows)} whole numbers are below {threshold}; if they count people, they are small cells."
                if len(rows) > 1
                else f"One whole number is below {threshold}; if it counts people, it is a small cell.",
                where=where,
                todo="Say in the purpose what the column is, or suppress them.",
            )


def _rows(table: Table, found: Found) -> None:
    height = table.height
    for series in table.data.get_columns():
        filled = series.drop_nulls()
        if height < ROW_LEVEL_ROWS or filled.len() < 0.95 * height or filled.n_unique() < 0.95 * filled.len():
            continue
        keyed = _fits(_IDS, series.name) or _opaque(filled)
        if keyed:
            found.add(
                "row_level",
                f"Each of {height} rows has an identifier of its own.",
                where=_where(table, f"column {_position(table, series.name)}"),
                todo="Aggregate; rows of persons do not leave.",
            )
            return
    if height >= MANY_ROWS:
        found.add(
            "many_rows",
            f"The table has {height} rows and {table.data.width} columns.",
            where=_where(table, ""),
            todo="Say in the purpose why so many are needed.",
        )
    elif height >= ROW_LEVEL_ROWS and table.data.width >= 5 and not counts(table) and table.data.n_unique() == height:
        found.add(
            "many_rows", f"{height} rows, all different, count nothing: they may be persons.", where=_where(table, "")
        )


def _columns(table: Table, found: Found) -> None:
    for number, series in enumerate(table.data.get_columns()):
        where = _where(table, f"column {number + 1}")
        if _fits(_PEOPLE, series.name) and series.n_unique() > 1 and series.name not in counts(table):
            found.add(
                "identifier_column",
                "The column's name says that it identifies people.",
                where=where,
                todo="Leave it out.",
            )
        days = series.drop_nulls()
        written = int(days.str.contains(_DAY).sum())
        if days.len() >= MANY_DAYS and written > 0.9 * days.len() and days.n_unique() >= MANY_DAYS:
            found.add("dates", f"{days.n_unique()} different days.", where=where, todo="Give months or years.")


def _opaque(values: pl.Series) -> bool:
    """Whether the values look like keys: long, without spaces, letters and digits."""
    fits = values.str.contains(r"^[A-Za-z0-9_-]{12,64}$") & values.str.contains(r"\d")
    return fits.sum() > 0.9 * values.len()


def _fits(pattern: re.Pattern[str], name: str) -> bool:
    words = _WORD.sub(r"\1 \2", name).replace("_", " ")
    return pattern.search(words) is not None or pattern.search(name) is not None


def _position(table: Table, name: str) -> int:
    return table.data.columns.index(name) + 1


def _where(table: Table, place: str) -> str:
    return ", ".join(part for part in (table.title, place) if part)
