from __future__ import annotations

import stat
from pathlib import Path

import polars as pl
import pytest

from atoll.deliveries import Landing, Quarantine
from atoll.errors import IntegrityBroken, InvalidInput, NotFound
from atoll.model.identified import HELD_ROWS_SCHEMA

from .conftest import delivery_of, everything_below

CANARY = "Zephyrine Quillfeather"
DELIVERY = delivery_of(b"one", b"two")


def hold(quarantine: Quarantine, index: int, rows: int, **changes: str) -> None:
    frame = pl.DataFrame(
        [
            {
                "file": f"file-{index}.csv",
                "row": n + 1,
                "column": "birth",
                "rule": "type",
                "message": "is not a date",
                "masked": "99/99/9999",
                "raw": f'{{"name": "{CANARY}"}}',
                **changes,
            }
            for n in range(rows)
        ],
        schema=HELD_ROWS_SCHEMA,
    )
    frame.write_parquet(quarantine.rows_path(DELIVERY.id, index))


def test_masked_rows_come_in_order_of_file_and_row_without_the_raw_row(quarantine: Quarantine) -> None:
    for index in (10, 2, 0):
        hold(quarantine, index, 2)
    rows = quarantine.masked_rows(DELIVERY.id)
    assert [(r.file, r.row) for r in rows] == [(f"file-{i}.csv", n) for i in (0, 2, 10) for n in (1, 2)]
    assert rows[0].masked == "99/99/9999"
    assert rows[0].delivery == DELIVERY.id
    assert CANARY not in "".join(r.model_dump_json() for r in rows)


def test_pages_run_across_files_and_tell_every_fault_once(quarantine: Quarantine) -> None:
    hold(quarantine, 0, 7)
    hold(quarantine, 1, 6)
    pages = [quarantine.masked_rows(DELIVERY.id, limit=5, offset=offset) for offset in (0, 5, 10, 15)]
    assert [len(page) for page in pages] == [5, 5, 3, 0]
    flat = [(r.file, r.row) for page in pages for r in page]
    assert len(set(flat)) == 13
    assert flat == [(r.file, r.row) for r in quarantine.masked_rows(DELIVERY.id)]
    assert quarantine.count(DELIVERY.id) == 13


def test_a_delivery_without_held_rows_has_none_and_makes_no_directory(quarantine: Quarantine, place: Path) -> None:
    assert quarantine.masked_rows(DELIVERY.id) == ()
    assert quarantine.count(DELIVERY.id) == 0
    assert quarantine.size_bytes(DELIVERY.id) == 0
    assert not place.exists()


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (1001, 0), (10, -1)])
def test_a_page_out_of_bounds_is_refused(quarantine: Quarantine, limit: int, offset: int) -> None:
    with pytest.raises(InvalidInput):
        quarantine.masked_rows(DELIVERY.id, limit=limit, offset=offset)


@pytest.mark.parametrize("id", ["..", "dlv_../x", "dlv_" + "a" * 65, "", "dlv_a\n"])
def test_an_id_cannot_lead_out_of_quarantine(quarantine: Quarantine, id: str) -> None:
    for call in (quarantine.masked_rows, quarantine.purge, quarantine.size_bytes):
        with pytest.raises(NotFound):
            call(id)


def test_a_damaged_file_is_told_without_its_content(quarantine: Quarantine) -> None:
    quarantine.rows_path(DELIVERY.id, 0).write_text(CANARY * 10)
    for call in (quarantine.masked_rows, quarantine.count):
        with pytest.raises(IntegrityBroken) as caught:
            call(DELIVERY.id)
        assert CANARY not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__


def test_purge_removes_what_was_delivered_and_keeps_what_was_held(
    quarantine: Quarantine, landing: Landing, place: Path
) -> None:
    landing.receive(DELIVERY, 0, [b"one"])
    landing.receive(DELIVERY, 1, [b"two"])
    hold(quarantine, 0, 3)
    held_bytes = quarantine.rows_path(DELIVERY.id, 0).stat().st_size
    assert quarantine.size_bytes(DELIVERY.id) == held_bytes + 6

    assert quarantine.purge(DELIVERY.id) == 6

    assert everything_below(place) == [f"{DELIVERY.id}/held/0.parquet"]
    assert quarantine.size_bytes(DELIVERY.id) == held_bytes
    assert len(quarantine.masked_rows(DELIVERY.id)) == 3
    assert landing.received(DELIVERY) == (False, False)
    assert quarantine.purge(DELIVERY.id) == 0


def test_the_place_of_held_rows_is_private(quarantine: Quarantine, place: Path) -> None:
    directory = quarantine.rows_path(DELIVERY.id, 0).parent
    for path in (place, directory.parent, directory):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
