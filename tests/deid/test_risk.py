"""Risk of being recognised: known figures, people told apart, thresholds."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atoll.deid import deidentify_file, parse_contract
from atoll.deid.keyring import derive
from atoll.deid.risk import RiskColumns, risk_columns, table_risk
from atoll.errors import ContractInvalid
from atoll.model.contract import RiskPolicy

DEMOGRAPHICS = Path(__file__).parent / "pilot" / "dm.xpt"
CONTRACT = """
dataset: pilot
title: Demographics
domains: {person: {description: Subjects}}
tables:
  dm:
    files: [dm.xpt]
    format: xpt
    subject: USUBJID
    risk: {quasi_identifiers: [%s]}
    columns:
      USUBJID: {treat: pseudonymize, domain: person, required: true}
      AGE: %s
      SEX: {treat: keep}
      RACE: {treat: keep}
"""
DROPPED = [
    "STUDYID",
    "DOMAIN",
    "SUBJID",
    "RFSTDTC",
    "RFENDTC",
    "RFXSTDTC",
    "RFXENDTC",
    "RFICDTC",
    "RFPENDTC",
    "DTHDTC",
    "DTHFL",
    "SITEID",
    "BRTHDTC",
    "AGEU",
    "ETHNIC",
    "ARMCD",
    "ARM",
    "ACTARMCD",
    "ACTARM",
    "ARMNRS",
    "ACTARMUD",
    "COUNTRY",
    "DMDTC",
    "DMDY",
    "INVID",
    "INVNAM",
]
YEARS = "{treat: keep, type: integer}"
BANDS = "{treat: generalize, to: bands, edges: [65, 75, 85], type: integer}"


@pytest.mark.parametrize(
    ("age", "by", "under"),
    [
        (YEARS, "AGE, SEX, RACE", 283),
        (BANDS, "AGE, SEX, RACE", 33),
        (BANDS, "AGE, SEX", 0),
    ],
)
def test_the_demographics_of_the_pilot_trial(tmp_path, age, by, under):
    text = CONTRACT % (by, age) + "".join(f"      {name}: {{treat: drop}}\n" for name in DROPPED)
    contract = parse_contract(text)
    staged = tmp_path / "dm.parquet"
    keys = {"person": derive("key", bytes(32))}
    report = deidentify_file(contract, "dm", DEMOGRAPHICS, "dm.xpt", keys, staged, tmp_path / "held.parquet")
    assert report.rows_committed == 306, report
    (columns,) = risk_columns(contract)
    risk = table_risk(pl.scan_parquet(staged), columns)
    assert (risk.people, risk.people_under_k) == (306, under)
    assert sum(bar.people for bar in risk.sizes) == 306
    assert (risk.smallest_group >= 11) is (under == 0)
    assert risk.passes is (under == 0), risk.exceeded
    if age is BANDS:
        assert set(pl.read_parquet(staged)["age"]) == {"<=64", "65-74", "75-84", "85+"}
    if under == 33:
        by_column = {one.column: one.people_under_k for one in risk.without}
        assert by_column["race"] == 0, "what leaving RACE out comes to is what the bands with SEX come to"


def columns(policy, subject=None):
    return RiskColumns("t", policy, policy.quasi_identifiers, policy.sensitive, subject)


ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([None, "a", "b"]), st.integers(0, 5), st.integers(0, 2)), max_size=60
)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_figures_are_those_of_counting_by_hand(drawn):
    frame = pl.DataFrame(drawn, schema={"x": pl.Int64, "y": pl.String, "who": pl.Int64, "ill": pl.Int64}, orient="row")
    policy = RiskPolicy(quasi_identifiers=("x", "y"), sensitive=("ill",), min_k=3, min_l=2)
    risk = table_risk(frame.with_columns(pl.col("who").cast(pl.String)).lazy(), columns(policy, "who"))
    groups: dict[tuple, set] = {}
    ills: dict[tuple, set] = {}
    for x, y, who, ill in drawn:
        groups.setdefault((x, y), set()).add(who)
        ills.setdefault((x, y), set()).add(ill)
    sizes = [len(people) for people in groups.values()]
    assert (risk.rows, risk.groups, risk.people) == (len(drawn), len(groups), sum(sizes))
    assert risk.smallest_group == min(sizes, default=0)
    assert risk.people_under_k == sum(size for size in sizes if size < 3)
    assert risk.unique_people == sizes.count(1)
    (diversity,) = risk.diversity
    assert diversity.least == min(map(len, ills.values()), default=0)
    assert diversity.people_under == sum(len(groups[g]) for g in groups if len(ills[g]) < 2)
    without = {one.column: one for one in risk.without}
    by_x: dict[int, int] = {}
    for (x, _), people in groups.items():
        by_x[x] = by_x.get(x, 0) + len(people)
    assert without["y"].smallest_group == min(by_x.values(), default=0)
    assert bool(risk.exceeded) is bool(
        drawn and (risk.people_under_k or risk.average_risk > 0.09 or diversity.least < 2)
    )


def test_no_value_is_in_the_report():
    policy = RiskPolicy(quasi_identifiers=("x",), sensitive=("y",), min_l=2, max_unique=0.1)
    frame = pl.LazyFrame({"x": ["CANARY-1", "CANARY-2"], "y": ["CANARY-3", "CANARY-4"]})
    risk = table_risk(frame, columns(policy))
    assert len(risk.exceeded) == 4
    assert "CANARY" not in risk.model_dump_json()


def test_a_policy_names_columns_that_enter():
    wrong = CONTRACT % ("AGE, NOPE, USUBJID", YEARS)
    with pytest.raises(ContractInvalid) as caught:
        parse_contract(wrong.replace("RACE]", "RACE], min_l: 2").replace("USUBJID]", "USUBJID], min_l: 2"))
    told = " ".join(caught.value.findings)
    assert "`NOPE`" in told
    assert "the subject itself" in told
    assert "min_l" in told
