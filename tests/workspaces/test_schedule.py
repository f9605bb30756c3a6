"""Weekly hours over time zones and changes of the clock, and the end of life."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.model.schedule import Hours, WeeklyHours
from atoll.model.workspace import LifetimeRule
from atoll.workspaces.schedule import Stage, last_start, next_start, stage, within

OFFICE = WeeklyHours(
    zone="Europe/Berlin", hours=(Hours(weekdays=frozenset({1, 2, 3, 4, 5}), start=time(8), end=time(18)),)
)
NIGHT = WeeklyHours(
    hours=(
        Hours(weekdays=frozenset({5}), start=time(22), end=time()),
        Hours(weekdays=frozenset({6}), start=time(), end=time(6)),
    )
)


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "inside"),
    [
        ("2026-03-02T08:00+01:00", True),
        ("2026-03-02T07:59:59+01:00", False),
        ("2026-03-02T17:59:59+01:00", True),
        ("2026-03-02T18:00+01:00", False),
        ("2026-03-01T12:00+01:00", False),
        # The same hour of the day in summer is another in UTC.
        ("2026-07-06T06:00+00:00", True),
        ("2026-03-02T06:30+00:00", False),
    ],
)
def test_office_hours(now, inside):
    assert within(OFFICE, at(now)) is inside


def test_over_midnight_is_one_span():
    for now in ("2026-03-06T23:00+00:00", "2026-03-07T05:59+00:00"):
        assert last_start(NIGHT, at(now)) == at("2026-03-06T22:00+00:00")
    assert last_start(NIGHT, at("2026-03-07T06:00+00:00")) is None
    assert next_start(NIGHT, at("2026-03-07T06:00+00:00")) == at("2026-03-13T22:00+00:00")


def test_the_hour_that_does_not_exist_breaks_nothing():
    odd = WeeklyHours(zone="Europe/Berlin", hours=(Hours(weekdays=frozenset({7}), start=time(2, 30), end=time(4)),))
    assert within(odd, at("2026-03-29T01:45+00:00"))
    assert not within(odd, at("2026-03-29T02:00+00:00"))


spans = st.builds(
    Hours,
    weekdays=st.frozensets(st.integers(1, 7), min_size=1),
    start=st.integers(0, 11).map(time),
    end=st.sampled_from([time(12), time(18, 30), time()]),
)
weeks = st.builds(
    WeeklyHours,
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    hours=st.lists(spans, min_size=1, max_size=3).map(tuple),
)
times = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


@given(weeks, times)
def test_inside_has_a_start_and_outside_has_none(week, now):
    begun = last_start(week, now)
    assert (begun is not None) is within(week, now)
    if begun is not None:
        assert begun <= now
        assert within(week, begun)
        # Hours that never end have no start: the search goes back ten days only.
        if now - begun < timedelta(days=8):
            assert last_start(week, begun) == begun, "a span begins once"


@given(weeks, times)
def test_hours_come_again(week, now):
    start = next_start(week, now)
    assert now < start <= now + timedelta(days=8)
    assert within(week, start)


@pytest.mark.parametrize(
    "facts",
    [
        {"weekdays": [], "start": "08:00", "end": "09:00"},
        {"weekdays": [8], "start": "08:00", "end": "09:00"},
        {"weekdays": [1], "start": "09:00", "end": "09:00"},
        {"weekdays": [1], "start": "08:00+01:00", "end": "09:00"},
    ],
)
def test_hours_that_do_not_hold_are_refused(facts):
    with pytest.raises(ValueError, match=r"."):
        Hours.model_validate(facts)


def test_zones_that_are_none_are_refused():
    for zone in ("Mars/Olympus", "../../etc/passwd", ""):
        with pytest.raises(ValueError, match="time zone"):
            WeeklyHours(zone=zone, hours=OFFICE.hours)


def test_the_stages_of_a_life():
    end = datetime(2026, 4, 1, tzinfo=UTC)
    rule = LifetimeRule(days=30, warn_days=3)
    hours = timedelta(hours=1)
    for now, expected in (
        (end - timedelta(days=3) - hours, Stage.STANDING),
        (end - timedelta(days=3), Stage.WARNED),
        (end - hours, Stage.WARNED),
        (end, Stage.EXPIRED),
        (end + timedelta(days=3) - hours, Stage.EXPIRED),
        (end + timedelta(days=3), Stage.OVER),
    ):
        assert stage(end, rule, now) is expected
    # Without a warning it still rests for a day before it goes.
    assert stage(end, LifetimeRule(warn_days=0), end + 23 * hours) is Stage.EXPIRED
    assert stage(end, LifetimeRule(warn_days=0), end + 24 * hours) is Stage.OVER
