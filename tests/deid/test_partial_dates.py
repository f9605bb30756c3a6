"""Dates that are not known to the day, as SDTM writes them, under each policy of a contract; study days stay true."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.deid.conftest import SECRET, contract_text

from atoll.deid import deidentify_file, explain, parse_contract
from atoll.deid.differences import differences
from atoll.deid.keyring import derive
from atoll.deid.typed import is_partial_date
from atoll.errors import ContractInvalid

SDTM = Path(__file__).parents[2] / "examples" / "sdtm"
COLUMNS = "id: {treat: pseudonymize, domain: people}\non: {treat: shift_date, type: partial_date, partial: %s}"
#: Examples of SDTMIG 3.2, 4.1.4.1.
FORMS = (
    *("2003-12-15T13:14:17.123", "2003-12-15T13:14:17", "2003-12-15T13:14", "2003-12-15T13", "2003-12-15"),
    *("2003-12", "2003", "2003-12-15T-:15", "2003-12-15T13:-:17", "2003---15", "--12-15", "-----T07:15"),
)


@pytest.mark.parametrize("text", FORMS)
def test_every_form_of_the_guide_is_a_date(text):
    assert pl.select(is_partial_date(pl.lit(text))).item()


def moved(admit, policy, *dates):
    data = "id,on\n" + "".join(f"7,{text}\n" for text in (*dates, "2012-11-05"))
    done = admit(COLUMNS % policy, data.encode(), table="subject: id")
    *others, whole = done.treated["on"].to_list()
    return others, date.fromisoformat(whole) - date(2012, 11, 5), done.held["rule"].to_list()


def test_shifted_ones_lose_what_stands_behind_the_unknown(admit):
    texts, offset, rules = moved(admit, "shift", "2003---15", "2003-12-15T-:15", "2003-12", "--12-15", "-----T07:15")
    middle, day, month = (str(d + offset) for d in (date(2003, 7, 2), date(2003, 12, 15), date(2003, 12, 15)))
    assert texts == [middle[:4], f"{day}T-:15", month[:7]]
    assert rules == ["partial_date"] * 2, "a year that is not known cannot be shifted"


def test_they_may_be_cut_to_the_year_stay_or_become_empty(admit):
    texts, offset, rules = moved(admit, "year", "2003-12", "2003---15", "--12")
    assert texts == [str(date(2003, 12, 15) + offset)[:4], str(date(2003, 7, 2) + offset)[:4]]
    assert rules == ["partial_date"]
    assert moved(admit, "keep", "2003-12", "--12-15")[0] == ["2003-12", "--12-15"]
    assert moved(admit, "drop", "2003-12", "--12-15")[0] == [None, None]
    assert moved(admit, "reject", "2003-12", "--12-15")[2] == ["partial_date"] * 2


def test_a_year_of_an_unknown_form_is_null_when_generalized(admit):
    done = admit("a: {treat: generalize, type: partial_date, to: year}", b"a\n--12-15\n2003---15\n")
    assert done.treated["a"].to_list() == [None, "2003"]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from([4, 7, 10])), min_size=1))
def test_no_policy_but_keep_lets_a_whole_date_through(tmp_path_factory, days):
    texts = [str(day)[:length] for day, length in days]
    place = tmp_path_factory.mktemp("dates")
    (place / "in.csv").write_text("id,on\n" + "".join(f"7,{text}\n" for text in texts))
    keys = {"people": derive("key", SECRET)}
    out: dict[str, list[str | None]] = {}
    for policy in ("shift", "year", "drop", "keep"):
        contract = parse_contract(contract_text(COLUMNS % policy, table="subject: id"))
        staged = place / f"{policy}.parquet"
        deidentify_file(contract, "results", place / "in.csv", "in.csv", keys, staged, place / "held.parquet")
        out[policy] = pl.read_parquet(staged)["on"].to_list()
    for text, shift, year, drop, keep in zip(texts, *out.values(), strict=True):
        if len(text) == 10:
            assert shift == year == drop == keep != text, "one offset whatever the policy for partial ones"
        else:
            assert (drop, keep) == (None, text)
            assert year == shift[:4]
            assert len(shift) == len(text)


def test_a_partial_date_that_stays_narrows_the_offset_down():
    columns = (
        "ID: {treat: pseudonymize, domain: people}\nAEDY: {treat: keep, type: integer}\n"
        "AEDTC: {treat: shift_date, type: partial_date, partial: %s}"
    )
    parse_contract(contract_text(columns % "shift", table="subject: ID"))
    with pytest.raises(ContractInvalid) as caught:
        parse_contract(contract_text(columns % "keep", table="subject: ID"))
    assert "narrows down" in " ".join(caught.value.findings)


def test_explain_says_the_policy_and_a_reviewer_sees_another():
    def told(policy):
        return parse_contract(contract_text(COLUMNS % policy, table="subject: id"))

    assert "true year or month" in explain(told("keep")).tables[0].columns[1].words
    assert "year is unknown waits" in explain(told("year")).tables[0].columns[1].words
    (change,) = differences(told("drop"), told("keep"))
    assert change.opens


def test_study_days_of_the_pilot_are_those_of_the_shifted_dates(tmp_path):
    """SDTMIG 4.4.4: day 1 is the reference start date, there is no day 0."""
    contract = parse_contract((SDTM / "contract.yaml").read_text())
    keys = {name: derive(name, name.encode()) for name in contract.domains}
    tables = {}
    for name in ("dm", "ae", "ex"):
        staged = tmp_path / f"{name}.parquet"
        source = SDTM / "data" / f"{name}.xpt"
        report = deidentify_file(contract, name, source, source.name, keys, staged, tmp_path / "held.parquet")
        assert report.rows_committed, report
        tables[name] = pl.read_parquet(staged)
    start = tables["dm"].select("usubjid", pl.col("rfstdtc").str.to_date(strict=False).alias("start"))
    compared = 0
    for name, stem in (("ae", "aest"), ("ae", "aeen"), ("ex", "exst"), ("ex", "exen")):
        rows = (
            tables[name]
            .join(start, on="usubjid", how="left")
            .select(pl.col(f"{stem}dtc").str.head(10).str.to_date(strict=False).alias("on"), "start", f"{stem}dy")
            .drop_nulls()
        )
        days = (pl.col("on") - pl.col("start")).dt.total_days()
        counted = rows.select((days + (days >= 0)).alias("counted"), pl.col(f"{stem}dy").alias("given"))
        assert counted.filter(pl.col("counted") != pl.col("given")).is_empty(), (name, stem)
        compared += counted.height
    assert compared > 1000
