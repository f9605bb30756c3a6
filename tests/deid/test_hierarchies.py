"""Codes become classes of a hierarchy: shipped or the contract's own."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deid.conftest import contract_text

from atoll.deid import explain, parse_contract
from atoll.deid.hierarchies import hierarchies
from atoll.deid.source_column import SourceColumn
from atoll.deid.treatments.hierarchy import bounds, classes_of, hierarchy
from atoll.errors import ContractInvalid
from atoll.model.contract import Generalize

CHAPTERS = "A: {treat: generalize, to: hierarchy, hierarchy: icd10cm_chapters%s}"
OWN = (
    "A: {treat: generalize, to: hierarchy, classes: {heart: [I2, I30-I52], attack: [I21.0-I21.4], blood: [d50-d89]}%s}"
)


def test_codes_become_chapters(admit):
    done = admit(CHAPTERS % "", b"A\nI21.4\nf32\n C50.9 \nM9A.0\nT88\n\nT89\n9\n")
    assert done.treated["a"].to_list() == ["I00-I99", "F01-F99", "C00-D49", "M00-M99", "S00-T88", None]
    assert done.held["rule"].to_list() == ["hierarchy", "hierarchy"]
    assert admit(CHAPTERS % ", otherwise: 'null'", b"A\nT89\nI10\n").treated["a"].to_list() == [None, "I00-I99"]


def test_the_longest_beginning_decides(admit):
    done = admit(OWN % ", otherwise: 'null'", b"A\nI214\nI21.9\nI20\nI40.1\nI5\nD64.9\nZ00\n")
    assert done.treated["a"].to_list() == ["attack", "heart", "heart", "heart", None, "blood", None]


@settings(max_examples=80, deadline=None)
@given(st.from_regex(r"[A-Za-z][0-9][0-9A][0-9]{0,3}", fullmatch=True))
def test_a_code_shows_its_chapter_and_nothing_more(code):
    rule = Generalize(treat="generalize", to="hierarchy", hierarchy="icd10cm_chapters")
    column = SourceColumn("x", pl.col("x"), pl.col("x"), "x")
    (found,) = pl.DataFrame({"x": [code]}).select(hierarchy(column, rule).value).to_series()
    fitting = [
        name
        for name, entries in classes_of(rule).items()
        if any(low <= code[:3].upper() <= high for low, high in map(bounds, entries))
    ]
    assert ([found] if found else []) == fitting
    assert len(fitting) <= 1


def test_chapters_do_not_overlap_and_name_their_source():
    shipped = hierarchies()["icd10cm_chapters"]
    assert len(shipped.classes) == 22
    assert "public domain" in shipped.source
    spans = sorted(bounds(entry) for entries in shipped.classes.values() for entry in entries)
    assert all(one[1] < other[0] for one, other in pairwise(spans))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("to: hierarchy", "needs one of"),
        ("to: hierarchy, hierarchy: icd99", "none of icd10cm_chapters"),
        ("to: hierarchy, classes: {x: []}", "has no code"),
        ("to: hierarchy, classes: {x: [I30-I2]}", "no beginning of codes"),
        ("to: hierarchy, classes: {x: [I30-I20]}", "no beginning of codes"),
        ("to: hierarchy, classes: {x: [I20-I30], y: [I25-I40]}", "overlaps class `x`"),
        ("to: code, length: 3, hierarchy: icd10cm_chapters", "is for hierarchy only"),
        ("to: hierarchy, hierarchy: icd10cm_chapters, type: integer", "must be string"),
    ],
)
def test_hierarchies_that_cannot_be_followed_are_told(rule, words):
    with pytest.raises(ContractInvalid) as caught:
        parse_contract(contract_text(f"A: {{treat: generalize, {rule}}}"))
    assert words in " ".join(caught.value.findings)


def test_explain_names_the_classes():
    told = explain(parse_contract(contract_text(OWN % ""))).tables[0].columns[0].words
    assert "heart (I2, I30-I52)" in told
    assert "Chapters of ICD-10-CM" in explain(parse_contract(contract_text(CHAPTERS % ""))).tables[0].columns[0].words
