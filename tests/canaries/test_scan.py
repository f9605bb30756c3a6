"""The scanner must find what is there: a scanner that finds nothing proves nothing."""

from __future__ import annotations

import base64
import gzip
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.canaries.scan import describe, scan, scan_bytes
from tests.canaries.tokens import Canary, Kind, Mint


@pytest.fixture
def mint() -> Mint:
    return Mint()


def _made(mint: Mint) -> tuple[Canary, ...]:
    return tuple(mint.made.values())


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz", "a longer lead "])
@pytest.mark.parametrize("alphabet", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_at_every_alignment(mint: Mint, before: str, alphabet: object) -> None:
    token = mint.token("f", "c", "drop")
    text = b'{"data":"' + alphabet((before + token + ".").encode()) + b'"}'  # type: ignore[operator]

    assert {leak.form for leak in scan_bytes(text, _made(mint))} == {"base64"}


@pytest.mark.parametrize(
    ("write", "form"),
    [
        (lambda t: t.encode(), "token"),
        (lambda t: t.lower().encode(), "token"),
        (lambda t: f"xx{t[:12]}".encode(), "token"),
        (lambda t: t.encode().hex().encode(), "hex"),
        (lambda t: t.lower().encode().hex().upper().encode(), "hex"),
        (lambda t: t.encode("utf-16-le"), "utf-16"),
        (lambda t: gzip.compress(t.encode()), "token"),
        (lambda t: gzip.compress(gzip.compress(t.encode())), "token"),
        (lambda t: pa.compress(t.encode() * 20, codec="zstd", asbytes=True), "token"),
    ],
)
def test_every_form_of_a_token_is_found(mint: Mint, tmp_path: Path, write: object, form: str) -> None:
    token = mint.token("f", "c", "drop")
    (tmp_path / "file").write_bytes(write(token))  # type: ignore[operator]

    assert form in {leak.form for leak in scan(tmp_path, _made(mint))}


def test_a_few_letters_of_a_token_and_other_tokens_are_no_leak(mint: Mint, tmp_path: Path) -> None:
    token = mint.token("f", "c", "drop")
    (tmp_path / "file").write_text(f"{token[:6]} CNRYAAAABBBBCCCC AAAA9A9A {token[4:8]}")

    assert scan(tmp_path, _made(mint)) == []


def test_compressed_columns_and_statistics_of_parquet_are_read(mint: Mint, tmp_path: Path) -> None:
    token, day, moment = (
        mint.token("f", "c", "drop"),
        mint.day("f", "d", "shift_date"),
        mint.moment("f", "m", "shift_date"),
    )
    table = pa.table(
        {
            "words": ["a"] * 500 + [token] + ["b"] * 500,
            "day": pa.array([date(2020, 1, 1)] * 1000 + [date.fromisoformat(day)], pa.date32()),
            "moment": pa.array(
                [datetime(2020, 1, 1, tzinfo=UTC)] * 1000 + [datetime.fromisoformat(moment)], pa.timestamp("us", "UTC")
            ),
        }
    )
    pq.write_table(table, tmp_path / "x.parquet", compression="zstd", write_statistics=True)

    leaks = scan(tmp_path, _made(mint))

    assert {leak.canary.kind for leak in leaks} == {Kind.TOKEN, Kind.DATE, Kind.DATETIME}
    assert "parquet statistics" in {leak.within for leak in leaks}
    assert str(tmp_path) in describe(leaks)


def test_sqlite_cells_blobs_and_file_names_are_read(mint: Mint, tmp_path: Path) -> None:
    first, second, third = (mint.token("f", c, "drop") for c in "abc")
    with sqlite3.connect(tmp_path / "x.db") as database:
        database.execute("CREATE TABLE t (a TEXT, b BLOB)")
        database.execute("INSERT INTO t VALUES (?, ?)", (first, gzip.compress(second.encode())))
    database.close()
    (tmp_path / f"{third}.txt").touch()

    assert {leak.canary.text for leak in scan(tmp_path, _made(mint))} == {first, second, third}


def test_dates_digits_and_cells_are_found_as_text(mint: Mint) -> None:
    made = [mint.day("f", "d", "shift_date"), mint.moment("f", "m", "shift_date"), mint.digits("f", "n", "drop")]
    cell = mint.for_rule(_zip_rule(), "02139", "f", "ZIP")
    text = f'{made[0]} {made[1].replace("T", " ")} {made[2]} {{"zip":"{cell}"}}'.encode()

    assert {leak.canary.text for leak in scan_bytes(text, _made(mint))} == {*made, cell}
    assert scan_bytes(f"{cell}0 x{cell}x {made[0][:-1]}".encode(), _made(mint)) == []


def test_a_moment_is_found_as_an_integer_of_avro(mint: Mint) -> None:
    moment = datetime.fromisoformat(mint.moment("f", "m", "shift_date"))
    micros = round(moment.timestamp()) * 1_000_000
    block = b"abc" + micros.to_bytes(8, "little", signed=True)
    avro = b"Obj\x01" + b"\0" + b"s" * 16 + b"\x02" + bytes([len(block) * 2]) + block + b"s" * 16

    assert {(leak.within, leak.form) for leak in scan_bytes(avro, _made(mint))} >= {("avro", "integer")}


def test_what_is_excluded_is_not_read(mint: Mint, tmp_path: Path) -> None:
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine" / "held").write_text(mint.token("f", "c", "drop"))

    assert scan(tmp_path, _made(mint), exclude=[tmp_path / "quarantine"]) == []
    assert len(scan(tmp_path, _made(mint))) == 1


def _zip_rule() -> object:
    from atoll.model.contract import Generalize

    return Generalize(treat="generalize", to="zip3", pattern="[0-9]{5}")
