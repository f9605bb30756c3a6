"""Listings in another order: declared fields only, the whole set, and pages that hold while rows come and go."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from decimal import Decimal

import pytest

from atoll.api import ordering
from atoll.api.ordering import Ordering
from atoll.api.schemas.listing import Listing
from atoll.errors import InvalidInput, LimitExceeded


@dataclass(frozen=True)
class Row:
    id: str
    name: str = "x"
    cost: Decimal | None = None


class Store:
    """Rows in order of id, newest first, as the record store pages them."""

    def __init__(self, rows):
        self.rows = list(rows)
        self.asked = []

    def ask(self, cursor, limit):
        self.asked.append(limit)
        rows = [r for r in sorted(self.rows, key=lambda r: r.id, reverse=True) if cursor is None or r.id < cursor]
        return Listing(items=tuple(rows[:limit]), cursor=rows[limit - 1].id if len(rows) > limit else None)


ORDER = Ordering[Row]("name", "cost")


def walk(store, sort, limit, between=lambda: None, find=None):
    cursor, told = None, []
    while True:
        page = ORDER.page(store.ask, sort=sort, find=find, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        told += [row.id for row in page.items]
        if (cursor := page.cursor) is None:
            return told
        between()


def test_each_order_tells_every_row_once_and_what_has_no_value_last():
    store = Store(Row(f"r{n:03}", name=f"n{n % 7}", cost=None if n % 5 == 0 else Decimal(n % 11)) for n in range(100))
    for sort in ("cost", "-cost", "name", "-name"):
        told = walk(store, sort, 9)
        assert sorted(told) == sorted(r.id for r in store.rows)
        rows = {r.id: r for r in store.rows}
        values = [getattr(rows[id], sort.removeprefix("-")) for id in told]
        there = [v for v in values if v is not None]
        assert there == sorted(there, reverse=sort.startswith("-"))
        assert None not in values[: len(there)]


def test_figures_are_ordered_as_figures_and_texts_without_case_and_accents():
    store = Store([Row("a", "École", Decimal(9)), Row("b", "eclair", Decimal(10)), Row("c", "Zoo", Decimal("9.5"))])
    assert walk(store, "cost", 10) == ["a", "c", "b"]
    assert walk(store, "name", 10) == ["b", "a", "c"]


def test_rows_that_come_and_go_make_no_other_be_skipped_or_told_twice():
    store = Store(Row(f"r{n:03}", name=f"n{n % 3}") for n in range(30))
    stay = {r.id for r in store.rows[10:]}
    left = iter(range(10))

    def change():
        number = next(left, None)
        if number is not None:
            store.rows = [r for r in store.rows if r.id != f"r{number:03}"]
            store.rows.append(Row(f"s{number:03}", name="n0"))

    told = walk(store, "name", 4, change)
    assert len(told) == len(set(told))
    assert stay <= set(told)


def test_without_an_order_the_store_is_asked_for_one_page_only():
    store = Store(Row(f"r{n:05}") for n in range(500))
    page = ORDER.page(store.ask, sort=None, cursor=None, limit=20)
    assert ([r.id for r in page.items[:2]], store.asked) == (["r00499", "r00498"], [20])


def test_a_search_is_told_in_pages_from_the_whole_set():
    store = Store(Row(f"r{n:05}", name=f"n{n}é") for n in range(600))
    assert walk(store, None, 10, find="N59 é") == [f"r{n:05}" for n in (*range(599, 589, -1), 59)]
    assert walk(store, None, 10, find="r00007") == ["r00007"]
    assert walk(store, "name", 3, find="n59E") == ["r00059"]


def test_more_rows_than_are_put_in_order_is_said(monkeypatch):
    monkeypatch.setattr(ordering, "LOOKED_AT_MOST", 2000)
    store = Store(Row(f"r{n:05}") for n in range(2001))
    with pytest.raises(LimitExceeded, match="2000 rows"):
        walk(store, "name", 10)
    store.rows.pop()
    assert len(walk(store, "name", 1000)) == 2000


def test_a_cursor_holds_for_its_own_order_only():
    store = Store(Row(f"r{n}", cost=Decimal(n)) for n in range(3))
    cursor = ORDER.page(store.ask, sort="cost", cursor=None, limit=1).cursor
    for sort, wrong in (
        ("-cost", cursor),
        ("cost", "r1"),
        ("cost", "é"),
        ("cost", base64.urlsafe_b64encode(json.dumps(["cost", True, "n", "x", "r1"]).encode()).decode()),
        ("cost", base64.urlsafe_b64encode(json.dumps(["cost", True, "n", "NaN", "r1"]).encode()).decode()),
        ("cost", base64.urlsafe_b64encode(b'{"a": 1}').decode()),
    ):
        with pytest.raises(InvalidInput):
            ORDER.page(store.ask, sort=sort, cursor=wrong, limit=1)


def fields_of(pattern):
    return pattern.removeprefix("^-?").removesuffix("$").removeprefix("(?:").removesuffix(")").split("|")


def test_every_listing_takes_the_orders_that_it_declares_and_no_other(site):
    """Over the real store; what a listing asks for besides is given."""
    site.add_person("zed", {"scientist"})
    site.add_project("heart", "scientist")
    site.add_project("zebra", "scientist")
    listings = {}
    for path, methods in site.app.openapi()["paths"].items():
        for one in methods.get("get", {}).get("parameters", ()):
            if one["name"] == "sort":
                listings[path] = fields_of(one["schema"]["anyOf"][0]["pattern"])
    assert len(listings) >= 12
    for path, fields in listings.items():
        address = path.removeprefix("/api/v1").replace("{name}", "heart") + "?project=heart&month=2030-01"
        if "{id}" in path:
            continue  # the rows of a delivery: see the hand-over in test_deliveries.py
        who = next(one for one in ("admin", "scientist", "steward", "auditor") if site.get(address, one).is_success)
        for sort in (way + field for field in fields for way in ("", "-")):
            answer = site.get(f"{address}&sort={sort}&limit=2", who)
            assert answer.status_code == 200, (path, sort, answer.text)
        assert site.get(f"{address}&sort=secret", who).status_code == 422
        assert site.get(f"{address}&sort={fields[0]}&cursor=nothing", who).status_code == 422


def test_people_in_order_of_their_logins(site):
    """The cursor goes on where the page ended."""
    told, address = [], "/people?sort=-login&limit=2"
    cursor = ""
    while cursor is not None:
        page = site.get(address + (f"&cursor={cursor}" if cursor else ""), "admin").json()
        told += [one["login"] for one in page["items"]]
        cursor = page["cursor"]
    assert told == sorted(told, reverse=True)
    assert len(told) == len(site.get("/people?limit=1000", "admin").json()["items"])
    assert site.get("/people?sort=login&find=STEW", "admin").json()["items"][0]["login"] == "steward"
