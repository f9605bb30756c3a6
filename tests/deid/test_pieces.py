"""A file in pieces gives what the whole gives, whatever is in it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.readers.carry_out import contract_of, keys_of

from atoll.deid import FileReport, deidentify_parts
from atoll.deid.pieces import pieces_of
from atoll.deid.shares import Share, carry_out, join_pieces
from atoll.model.contract import Contract
from atoll.model.identified import HELD_ROWS_SCHEMA

CSV = contract_of("csv", "A: {treat: keep, type: integer}\nB: {treat: pseudonymize, domain: people}\nC: {treat: drop}")
LINES = contract_of("ndjson", "A: {treat: keep, type: integer}\nB: {treat: pseudonymize, domain: people}")
FHIR = contract_of("fhir", "A: {treat: keep, type: integer}", table="resource: X")

field = st.sampled_from(["1", "22", "x", "", '"a,b"', '"two\nlines"', '"say ""no"""', "é", "7", "8", "9"])
row = st.lists(field, min_size=2, max_size=4).map(",".join)
text = st.lists(st.one_of(row, row, st.sampled_from(["", '"open', 'a"b,1,2', "1,2,3"])), max_size=12)


def whole(contract: Contract, source: Path, place: Path) -> tuple[FileReport, pl.DataFrame, pl.DataFrame]:
    staged, held = place / "whole.parquet", place / "held.parquet"
    return _told(deidentify_parts(contract, source, "f", keys_of(contract), {"t": staged}, held), held)


def in_pieces(
    contract: Contract, source: Path, place: Path, share_bytes: int
) -> tuple[FileReport, pl.DataFrame, pl.DataFrame] | None:
    cuts = pieces_of(source, contract.tables["t"], share_bytes)
    if not cuts:
        return None
    assert [cut.end for cut in cuts[:-1]] == [cut.start for cut in cuts[1:]]
    assert cuts[-1].end == source.stat().st_size
    keys = keys_of(contract)
    shares = [
        Share(contract, source, "f", keys, {"t": place / f"{n}.parquet"}, place / f".h.{n}", piece=cut)
        for n, cut in enumerate(cuts)
    ]
    carried = [carry_out(share) for share in shares]
    assert [one.trouble for one in carried] == [""] * len(cuts)
    held = place / "joined.parquet"
    return _told(join_pieces([one.report for one in carried if one.report], shares, held), held)


def _told(report: FileReport, held: Path) -> tuple[FileReport, pl.DataFrame, pl.DataFrame]:
    frames = [pl.read_parquet(file.path) for file in report.all_staged]
    treated = pl.concat(frames) if frames else pl.DataFrame()
    rows = pl.read_parquet(held) if held.exists() else pl.DataFrame(schema=HELD_ROWS_SCHEMA)
    return report, treated, rows.sort("row", "column", "rule")


def assert_same(contract: Contract, data: bytes, share_bytes: int) -> bool:
    """Whether it could be cut."""
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "in"
        source.write_bytes(data)
        cut = in_pieces(contract, source, Path(directory), share_bytes)
        if cut is None:
            return False
        report, treated, held = whole(contract, source, Path(directory))
        assert (cut[0].rows_in, cut[0].rows_committed, cut[0].rows_held) == (
            report.rows_in,
            report.rows_committed,
            report.rows_held,
        )
        assert cut[1].equals(treated)
        assert cut[2].equals(held)
        left = {path.name for path in Path(directory).iterdir()}
        assert not [name for name in left if "try" in name or "piece" in name or ".h." in name]
        return True


@settings(max_examples=120, deadline=None)
@given(text, st.sampled_from(["\n", "\r\n"]), st.integers(8, 40))
def test_pieces_of_a_csv_are_its_rows(lines: list[str], end: str, share_bytes: int) -> None:
    assert_same(CSV, end.join(["A,B,C", *lines]).encode(), share_bytes)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(['{"A": 1, "B": "x"}', '{"A": "x"}', "", "{", '{"C": 1}', '["A"]', "  "]), max_size=9),
    st.integers(8, 60),
)
def test_pieces_of_json_lines_are_its_rows(lines: list[str], share_bytes: int) -> None:
    assert_same(LINES, "\n".join(lines).encode(), share_bytes)


@pytest.mark.parametrize(
    ("contract", "data", "is_cut"),
    [
        (CSV, b"A,B,C\n" + b"1,2,3\n" * 50, True),
        (CSV, b"A,B,C\n" + b'1,"2\n2",3\n' * 50, True),
        (CSV, b"A,B,C\n" + b"1,2,3\n" * 50 + b'1,"2,3\n', False),
        (CSV, b"A,X,C\n" + b"1,2,3\n" * 50, False),
        (LINES, b'{"A": 1, "B": "x"}\n' * 20, True),
        (FHIR, b'{"resourceType": "X", "A": 1}\n' * 20, True),
        (FHIR, b'{"resourceType": "X", "A": 1}\n{"resourceType": "Bundle"}\n' * 9, True),
        (FHIR, json.dumps({"resourceType": "Bundle", "entry": [{"resource": {}}] * 40}, indent=1).encode(), False),
    ],
)
def test_what_is_cut_and_what_is_read_whole(contract: Contract, data: bytes, is_cut: bool) -> None:
    assert assert_same(contract, data, 64) is is_cut
