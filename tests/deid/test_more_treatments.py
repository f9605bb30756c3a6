"""Bands, continents, codes, text with what tells taken out, values suppressed, rows named."""

from __future__ import annotations

import pytest
from tests.deid.conftest import contract_text

from atoll.deid import explain, parse_contract, table_schema
from atoll.deid.differences import differences
from atoll.errors import ContractInvalid


def only(admitted, name):
    assert admitted.report.rows_held == 0, admitted.held
    return admitted.treated[name].to_list()


def test_numbers_become_bands(admit):
    done = admit(
        "AGE: {treat: generalize, to: bands, edges: [18, 65, 90], type: integer}\n"
        "DOSE: {treat: generalize, to: bands, edges: [0.5, 10], type: number}",
        b"AGE,DOSE\n0,0.49\n17,0.5\n18,9.99\n64,10\n65,\n89,\n90,\n104,\n,1\n",
    )
    assert only(done, "age") == ["<=17", "<=17", "18-64", "18-64", "65-89", "65-89", "90+", "90+", None]
    assert only(done, "dose") == ["<0.5", "0.5-<10", "0.5-<10", ">=10", None, None, None, None, "0.5-<10"]


def test_countries_become_continents_and_codes_their_class(admit):
    done = admit(
        "LAND: {treat: generalize, to: continent}\nICD: {treat: generalize, to: code, length: 3}",
        b"LAND,ICD\nFR,F32.1\nusa,E11\nJPN,\n,J4\nXX,A00\nAtlantis,B00\n",
    )
    assert done.treated["land"].to_list() == ["Europe", "North America", "Asia", None]
    assert done.treated["icd"].to_list() == ["F32", "E11", None, "J4"]
    assert set(done.held["rule"]) == {"country"}


NOTES = {
    "Seen on 2020-03-14 and 14/03/20, again March 3, 2021.": "Seen on [DATE] and [DATE], again [DATE].",
    "Vu le 1er mars 2020, revu le 3 février.": "Vu le [DATE], revu le [DATE].",
    "Call +33 6 12 34 56 78 or (555) 867-5309 x12.": "Call [PHONE] or [PHONE].",
    "Mail ada.l@example.org, see https://example.org/p?id=7 now": "Mail [EMAIL], see [URL] now",
    "MRN A-123456, lot 98765": "MRN [NUMBER], lot [NUMBER]",
    "BP 120/80, HR 72, 2.5 mg daily for 14 days since 2019": "BP 120/80, HR 72, 2.5 mg daily for 14 days since 2019",
}


@pytest.mark.parametrize(("text", "expected"), NOTES.items())
def test_what_looks_like_an_identifier_leaves_the_text(admit, text, expected):
    done = admit("NOTE: {treat: redact_text}", f'NOTE\n"{text}"\n'.encode())
    assert only(done, "note") == [expected]


def test_names_of_the_row_leave_the_text_in_any_spelling(admit):
    columns = (
        "NAME: {treat: drop}\nMOTHER: {treat: drop}\nEXTRA: {treat: drop}\n"
        "NOTE: {treat: redact_text, patterns: [], names: [NAME, MOTHER, EXTRA]}"
    )
    rows = (
        "NAME,MOTHER,NOTE\n"
        'Élodie de la Tour-Martin,Ann Li,"ELODIE TOUR and her mother ann LI met Annual Martinson de la Tour’s"\n'
        "Bob,,Bob saw Elodie\n"
        ",,nobody is named here\n"
        "Cy,Dee,\n"
    )
    done = admit(columns, rows.encode())
    assert only(done, "note") == [
        "[NAME] [NAME] and her mother [NAME] [NAME] met Annual Martinson de la [NAME]’s",
        "[NAME] saw Elodie",
        "nobody is named here",
        None,
    ]


def test_a_value_is_suppressed_where_another_says_so(admit):
    done = admit(
        "AGE: {treat: keep, type: integer}\n"
        "SEX: {treat: keep, suppress_when: [{column: AGE, above: 89}, {column: SITE, values: [S9]}]}\n"
        "SITE: {treat: constant, value: x}\n"
        "NOTE: {treat: keep, suppress_when: [{column: SEX, missing: true}]}",
        b"AGE,SEX,SITE,NOTE\n40,F,S1,a\n95,F,S1,b\n40,M,S9,c\n,M,,d\n40,,S1,e\n",
    )
    assert only(done, "sex") == ["F", None, None, "M", None]
    assert only(done, "note") == ["a", "b", "c", "d", None]


def test_rows_are_named_by_some_of_their_columns(admit):
    table = "row_id: {domain: people, of: [ID, SEQ], prefix: R-, as: key}"
    columns = "ID: {treat: pseudonymize, domain: people}\nSEQ: {treat: keep, type: integer}"
    data = b"ID,SEQ\na,11\na1,1\na,\n,\na,12\n"
    once, again = (admit(columns, data, table=table).treated for _ in range(2))
    assert once.columns == ["key", "id", "seq"]
    assert once["key"].n_unique() == 5
    assert once["key"].str.starts_with("R-").all()
    assert once.equals(again)
    schema = table_schema(parse_contract(contract_text(columns, table=table)), "results")
    assert [c.name for c in schema.columns] == ["key", "id", "seq"]


@pytest.mark.parametrize(
    ("columns", "table", "words"),
    [
        ("A: {treat: generalize, to: bands, type: integer}", "", "bands need it"),
        ("A: {treat: generalize, to: bands, edges: [3, 1], type: integer}", "", "must ascend"),
        ("A: {treat: generalize, to: code, edges: [1]}", "", "is for bands only"),
        ("A: {treat: redact_text, names: [B]}", "", "`B`, which is no column"),
        ("A: {treat: redact_text, patterns: []}", "", "takes nothing out"),
        ("A: {treat: keep, suppress_when: [{column: A, above: 1}]}", "", "has a bound"),
        ("A: {treat: keep, suppress_when: [{column: A}]}", "", "exactly one"),
        ("A: {treat: keep, references: results.B}", "", "no column that enters"),
        ("A: {treat: keep, references: results.B}\nB: {treat: pseudonymize, domain: people}", "", "treated and typed"),
        ("A: {treat: keep}", "row_id: {domain: none, of: [Z]}", "`none` is not one"),
        ("A: {treat: keep, as: row_id}", "row_id: {domain: people, of: [A]}", "takes the lake name"),
        (
            "ID: {treat: pseudonymize, domain: people}\nX: {treat: shift_date, type: date}\n"
            "AESTDY: {treat: keep, type: integer}\nAESTDTC: {treat: keep, type: date}",
            "subject: ID",
            "tells by how many days",
        ),
    ],
)
def test_rules_that_cannot_be_carried_out_are_told(columns, table, words):
    with pytest.raises(ContractInvalid) as caught:
        parse_contract(contract_text(columns, table=table))
    assert words in " ".join(caught.value.findings)


def test_words_tell_what_is_done_and_a_reviewer_sees_what_opens():
    columns = (
        "AGE: {treat: keep, type: integer}\nNOTE: {treat: redact_text%s, suppress_when: [{column: AGE, above: 89}]}"
    )
    table = "max_held: 0.05\nrow_id: {domain: people, of: [AGE]}\nrisk: {quasi_identifiers: [AGE]}"
    before = parse_contract(contract_text(columns % "", table=table))
    (told,) = explain(before).tables
    assert "Becomes empty where AGE is above 89." in told.columns[1].words
    assert all(word in told.otherwise for word in ("row_id", "5.00%", "groups of fewer than 11 by AGE"))
    after = parse_contract(contract_text(columns % ", patterns: [date]"))
    changes = {change.column: change for change in differences(before, after)}
    assert changes["NOTE"].opens
    assert changes[None].kind == "changed"


def test_a_reviewer_is_told_of_another_retention():
    text = contract_text("    AGE: {treat: keep, type: integer}\n")
    longer = parse_contract(text + "retention: {held_days: 60}\n")
    (change,) = differences(parse_contract(text), longer)
    assert (change.kind, change.before, change.table) == ("added", "", "")
    assert change.after == "Once a delivery is closed, its held rows stay 60 days in quarantine."
    assert differences(longer, longer) == ()
