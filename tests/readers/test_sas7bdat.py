"""sas7bdat: values as in the same data set as XPT, special missing values, broken files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.readers.carry_out import carry_out

DATA = Path(__file__).parent / "data"
SAMPLE = """
mychar: {treat: keep}
mynum: {treat: keep, type: number}
mydate: {treat: keep, type: date}
dtime: {treat: keep, type: datetime}
mylabl: {treat: keep}
myord: {treat: keep, type: integer}
mytime: {treat: drop}"""


def test_numbers_days_and_moments_are_what_sas_shows(tmp_path: Path) -> None:
    done = carry_out(tmp_path, "sas7bdat", SAMPLE, DATA / "sample.sas7bdat")

    assert done.report.rows_committed == 5
    assert done.treated["mynum"].to_list() == [1.1, 1.2, -1000.3, -1.4, 1000.3]
    assert done.treated["mylabl"].to_list() == ["1", "2", "1", "2", "1"]
    assert [str(d) for d in done.treated["mydate"]] == ["2018-05-06", "1880-05-06", "1960-01-01", "1583-01-01", "None"]
    assert str(done.treated["dtime"][0]) == "2018-05-06 10:10:10+00:00"


def test_special_missing_values_are_kept_where_asked_for_and_counted_else(tmp_path: Path) -> None:
    columns = "\n".join(f"var{i}: {{treat: keep, type: number}}" for i in range(1, 10))
    asked = columns + "\nvar1.missing: {treat: keep, as: var1_missing}"

    done = carry_out(tmp_path, "sas7bdat", asked, DATA / "missing_test.sas7bdat")

    assert done.treated.row(0) == (None,) * 8 + (1.0, "A")
    assert done.report.left_out == {f"var{i}.missing": 1 for i in range(2, 8)}


@pytest.mark.parametrize("size", [0, 10, 300, 5000, 66_000])
def test_a_cut_off_file_is_refused_whole(tmp_path: Path, size: int) -> None:
    data = (DATA / "sample.sas7bdat").read_bytes()[:size]

    done = carry_out(tmp_path, "sas7bdat", SAMPLE, data)

    assert done.report.rule in ("format", "damaged", "cut_off")
    assert done.report.rows_in is None


def test_columns_must_be_those_of_the_contract(tmp_path: Path) -> None:
    done = carry_out(tmp_path, "sas7bdat", SAMPLE.replace("mylabl", "other"), DATA / "sample.sas7bdat")

    assert done.report.rule == "columns"
    assert "mylabl" in done.report.message


def test_a_data_set_is_read_where_pandas_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)

    assert carry_out(tmp_path, "sas7bdat", SAMPLE, DATA / "sample.sas7bdat").report.rows_committed == 5
