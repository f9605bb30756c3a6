"""Weekly hours over HTTP and on the command line."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from atoll.cli.commands.hours import weekly_hours
from atoll.errors import InvalidInput
from atoll.model.workspace import Observed, Workspace

OFFICE = {
    "zone": "Europe/Berlin",
    "hours": [{"weekdays": [1, 2, 3, 4, 5], "start": "08:00:00", "end": "18:00:00"}],
}


@pytest.fixture(scope="module")
def one(site):
    site.add_project("liver", "scientist")
    now = site.clock.now()
    site.rooms.records.put(
        Workspace(
            id="wsp_hours",
            name="mine",
            owner=site.ids["scientist"],
            owner_login="scientist",
            project="liver",
            product="jupyter@1",
            size="t3.small",
            backend="none",
            eur_per_hour=Decimal("0.02"),
            created_at=now,
            expires_at=now + timedelta(days=30),
            observed=Observed(at=now),
        )
    )
    return site


def test_hours_are_set_seen_and_taken_away(one):
    path = "/workspaces/wsp_hours/hours"
    assert one.get(path, "scientist").json() == {"hours": None, "idle": ""}
    set_ = one.send("PUT", path, "scientist", json={"hours": OFFICE})
    assert set_.status_code == 200, set_.text
    assert one.get(path, "scientist").json()["hours"]["zone"] == "Europe/Berlin"
    assert one.send("PUT", path, "scientist", json={"hours": None}).json()["hours"] is None
    assert [event.target for event in one.audited("workspace.hours")] == ["workspace/wsp_hours"] * 2


def test_what_does_not_hold_or_is_not_ones_own_is_refused(one):
    one.add_person("stranger", {"scientist"})
    path = "/workspaces/wsp_hours/hours"
    assert one.send("PUT", path, "stranger", json={"hours": OFFICE}).status_code == 404
    assert one.get(path, "stranger").status_code == 404
    for hours in ({**OFFICE, "zone": "Mars"}, {**OFFICE, "hours": []}, {"hours": [{"weekdays": [9]}]}):
        assert one.send("PUT", path, "scientist", json={"hours": hours}).status_code == 422


def test_hours_as_they_are_typed():
    made = weekly_hours(["mon-fri=08:00-18:00", "sat=10:00-24:00"], "UTC")
    assert [sorted(span.weekdays) for span in made.hours] == [[1, 2, 3, 4, 5], [6]]
    assert made.hours[1].end.isoformat() == "00:00:00"
    assert sorted(weekly_hours(["fri-mon=08:00-09:00"], "UTC").hours[0].weekdays) == [1, 5, 6, 7]
    for wrong in ("08:00-18:00", "mon=18:00-08:00", "someday=08:00-09:00", "mon=8-9", ""):
        with pytest.raises(InvalidInput):
            weekly_hours([wrong], "UTC")
