from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from atoll.cli.commands.grants import table_grants
from atoll.cli.options import parse_expiry
from atoll.errors import InvalidInput
from atoll.model.grant import TableGrant


def test_nothing_named_is_every_table() -> None:
    assert table_grants([], [], []) is None


def test_one_table_takes_bare_columns_and_filter() -> None:
    assert table_grants(["person"], ["id, born"], ["born > TIMESTAMP '2020-01-01 10:00:00'"]) == [
        TableGrant(table="person", columns=("id", "born"), row_filter="born > TIMESTAMP '2020-01-01 10:00:00'")
    ]


def test_several_tables_name_theirs() -> None:
    assert table_grants(["person", "visit"], ["visit:id"], ["person:born > 1950"]) == [
        TableGrant(table="person", row_filter="born > 1950"),
        TableGrant(table="visit", columns=("id",)),
    ]


@pytest.mark.parametrize(
    ("tables", "columns", "filters"),
    [
        ([], ["id"], []),
        (["person", "visit"], ["id"], []),
        (["person", "visit"], [], ["born > 1950"]),
        (["person"], ["id", "born"], []),
    ],
)
def test_what_is_not_clear_is_refused_and_never_widened(
    tables: list[str], columns: list[str], filters: list[str]
) -> None:
    with pytest.raises(InvalidInput):
        table_grants(tables, columns, filters)


def test_expiry_is_a_time_with_a_zone() -> None:
    assert parse_expiry(None) is None
    now = datetime.now().astimezone()
    in_days = parse_expiry("90d")
    assert in_days is not None
    assert abs(in_days - now - timedelta(days=90)) < timedelta(minutes=1)
    assert parse_expiry("2027-06-30T18:00:00+00:00") == datetime.fromisoformat("2027-06-30T18:00:00+00:00")
    local = parse_expiry("2027-06-30")
    assert local is not None
    assert local.utcoffset() is not None


@pytest.mark.parametrize("text", ["soon", "", "90", "d", "-3d", "2027-13-01"])
def test_an_expiry_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="no time"):
        parse_expiry(text)
