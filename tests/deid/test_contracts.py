"""Contracts: what holds is parsed, what does not is told whole and with its line."""

from __future__ import annotations

import jsonschema
import pytest
import yaml

from atoll.deid import contract_json_schema, explain, parse_contract, table_for, table_schema
from atoll.errors import ContractInvalid, NotFound
from atoll.model.table import ColumnType

GOOD = """\
dataset: lab
title: Laboratory
domains:
  people: {description: People}
tables:
  results:
    description: Results
    files: ["results*.csv", "RES-?.csv"]
    format: csv
    subject: Patient
    columns:
      Patient: {treat: pseudonymize, domain: people, as: person, required: true, reason: Article 4(5)}
      Taken: {treat: shift_date, type: datetime}
      Born: {treat: generalize, type: date, to: year, as: birth_year}
      Age: {treat: generalize, type: integer, to: age_90, unit: years}
      Sex: {treat: map, to: {"1": M, "2": F}}
      Name: {treat: drop, reason: identifies}
      Code: {treat: keep, values: [no, on, 01, 2012-11-05, 12:30]}
"""


def findings(text: str) -> tuple[str, ...]:
    with pytest.raises(ContractInvalid) as caught:
        parse_contract(text)
    return caught.value.findings


def test_values_are_text_as_they_are_read():
    rule = parse_contract(GOOD).tables["results"].columns["Code"]
    assert rule.values == ("no", "on", "01", "2012-11-05", "12:30")


def test_schema_of_the_lake():
    schema = table_schema(parse_contract(GOOD), "results")
    assert [(c.name, c.type, c.treatment, c.source_column) for c in schema.columns] == [
        ("person", ColumnType.STRING, "pseudonymize", "Patient"),
        ("taken", ColumnType.DATETIME, "shift_date", "Taken"),
        ("birth_year", ColumnType.STRING, "generalize", "Born"),
        ("age", ColumnType.INTEGER, "generalize", "Age"),
        ("sex", ColumnType.STRING, "map", "Sex"),
        ("code", ColumnType.STRING, "keep", "Code"),
    ]
    with pytest.raises(NotFound):
        table_schema(parse_contract(GOOD), "other")


@pytest.mark.parametrize(
    ("name", "table"),
    [("results.csv", "results"), ("RESULTS-2.CSV", "results"), ("in/res-1.csv", "results"), ("res-12.csv", None)],
)
def test_table_for_a_file(name, table):
    assert table_for(parse_contract(GOOD), name) == table


def test_the_json_schema_takes_what_is_parsed_and_refuses_what_is_not():
    validator = jsonschema.Draft202012Validator(contract_json_schema())
    document = yaml.safe_load(GOOD.replace("[no, on, 01, 2012-11-05, 12:30]", "['1']"))
    validator.validate(document)
    document["tables"]["results"]["columns"]["Name"]["treat"] = "hide"
    assert not validator.is_valid(document)


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("title: Laboratory\n", "", 1, "`title` is missing"),
        ("dataset: lab", "dataset: Lab!", 1, "pattern"),
        ("dataset: lab", "dataset: main", 1, "keeps for itself"),
        ("treat: keep,", "treat: kepe,", 18, "kepe"),
        ("treat: keep, ", "", 18, "no treatment"),
        ("unit: years", "units: years", 15, "units"),
        ('{"1": M, "2": F}', "{1: M}", 16, "text"),
        ("domain: people", "domain: persons", 12, "not one of the contract's domains"),
        ("subject: Patient", "subject: Nobody", 10, "no column"),
        ("subject: Patient", "subject: Code", 10, "pseudonymize column"),
        ("    subject: Patient\n", "", 12, "names no `subject`"),
        ("as: birth_year", "as: person", 14, "lake name"),
        ("as: person", "as: Person", 12, "pattern"),
        ("to: year", "to: zip3", 14, "string"),
        ("to: age_90", "to: bins", 15, "width"),
        ("to: age_90", "to: age_90, width: 3", 15, "bins only"),
        ("to: age_90", "to: age_90, earliest: 1937", 15, "year only"),
        ("type: datetime}", "type: integer}", 13, "shift_date"),
        ("type: datetime}", "type: datetime, partial: drop}", 13, "partial_date only"),
        ("treat: keep,", "treat: keep, min: 1,", 18, "bounds"),
        ("type: integer,", "type: integer, min: 9, max: 1,", 15, "above max"),
        ("treat: keep,", "treat: keep, pattern: '(',", 18, "regular expression"),
        ("values: [no, on, 01, 2012-11-05, 12:30]", "values: []", 18, "no value"),
        ("treat: keep,", "treat: keep, path: a.b,", 18, "nested"),
        ("format: csv", "format: fhir", 6, "resource"),
        ("format: csv", "format: csv\n    csv: {separator: '\"'}", 10, "differ"),
        ("format: csv", "format: csv\n    encoding: utf-8", 10, "xpt, sas7bdat and hl7 only"),
        ('files: ["results*.csv", "RES-?.csv"]', "files: []", 8, "at least one"),
        ("      Code:", "      Patient: {treat: drop}\n      Code:", 18, "twice"),
        ("      Code:", "      __row:", 18, "__"),
        ("      Code:", "      Wert (mg):", 18, "lake name"),
        ("Code: {treat: keep,", "'*': {treat: keep, as: all,", 18, "wildcard"),
        ("Code: {treat: keep,", "^C.*$: {treat: keep, as: all,", 18, "wildcard"),
    ],
)
def test_findings_have_their_line(old, new, line, words):
    found = findings(changed(old, new))
    assert any(words in finding and finding.startswith(f"line {line}:") for finding in found), found


def test_all_findings_come_at_once():
    text = (
        changed("domain: people", "domain: persons")
        .replace("to: year", "to: zip3")
        .replace("type: datetime}", "type: number}")
    )
    assert [finding.split(":")[0] for finding in findings(text)] == ["line 12", "line 13", "line 14"]


def test_tables_must_not_take_the_same_file():
    other = "  more:\n    files: ['*lts.csv']\n    format: csv\n    columns: {a: {treat: keep}}\n"
    assert any("same file" in finding for finding in findings(GOOD + other))
    parse_contract(GOOD + other.replace("*lts", "more*"))


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n", "a: *b\n", "\0", "&a [*a]"])
def test_what_is_no_mapping_is_refused(text):
    assert findings(text)


def test_explanation_tells_every_column_and_shows_no_key():
    told = explain(parse_contract(GOOD)).tables[0]
    assert [column.source for column in told.columns] == ["Patient", "Taken", "Born", "Age", "Sex", "Name", "Code"]
    assert told.columns[0].reason == "Article 4(5)"
    assert told.columns[5].words == "Does not enter."
    assert told.columns[5].lake_name is None
    assert "Patient" in told.columns[1].words
    assert '"birth_year"' in told.plan
    assert "0" * 64 not in told.plan


def test_a_layout_names_columns_of_the_lake():
    at = "    subject: Patient\n"
    good = GOOD.replace(at, at + "    layout: {partition: [birth_year], sort: [person, taken], file_bytes: 1000000}\n")
    assert parse_contract(good).tables["results"].layout.sort == ("person", "taken")
    told = findings(GOOD.replace(at, at + "    layout: {partition: [Born], sort: [person, person]}\n"))
    assert [("no column of the lake table" in t, "twice" in t) for t in told] == [(True, False), (False, True)]
    assert findings(GOOD.replace(at, at + "    layout: {file_bytes: 10}\n"))
