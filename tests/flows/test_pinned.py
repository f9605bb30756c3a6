"""A grant pinned to a version of its dataset: what is read of it stays the same, for as long as the grant stands."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from tests.flows.lakework import deliver, ended, newest
from tests.flows.mounting import STEWARD, LaterClock, add_people, give, workspace
from tests.flows.trial import CONTRACT, add_lab, admit, hand_over, put_in_force

from atoll.access import grants
from atoll.errors import AlreadyExists, Conflict, InvalidInput, StatementRefused
from atoll.flows import (
    expire_versions,
    grant_access,
    mount_datasets,
    read_lake,
    request_grant,
    reuse_result,
    run_query,
    run_query_ahead,
    version_retention,
)
from atoll.flows.governed_relations import governed_relations
from atoll.flows.sweep_mounts import sweep_mounts
from atoll.model.dataset import DatasetVersion
from atoll.model.grant import Grant, TableGrant
from atoll.model.person import PLATFORM, Caller, Role, SubjectKind
from atoll.model.query import QueryRecord
from atoll.ports.records import every
from atoll.settings import Settings
from atoll.wiring import platform

ADA = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_ada", name="ada", roles=frozenset({Role.SCIENTIST}))
COUNT = "select count(*) as n from trial.visits"


@pytest.fixture
def rooms(tmp_path):
    """Two versions of the trial: 6 visits in the first, 12 in the second."""
    made = platform.build(Settings(home=tmp_path / "home", query_workers=1))
    put_in_force(made, CONTRACT)
    add_lab(made)
    add_people(made)
    for number in (1, 2):
        deliver(made, number)
    yield dataclasses.replace(made, clock=LaterClock(made.clock))
    platform.close(made)


def counted(rooms, sql=COUNT) -> int:
    with run_query.run(rooms, ADA, "heart", sql) as running:
        (batch,) = running
    return batch.to_pylist()[0]["n"]


def expire(rooms, number: int) -> None:
    """As an erasure does: whatever protects it, the version can be read no more."""
    version = rooms.records.get(DatasetVersion, f"trial@{number}")
    rooms.records.put(version.but(expired_at=rooms.clock.now(), expired_by="operation/op_1"))


def actions(rooms, action):
    return [entry.event for entry in rooms.audit.tail(1000) if entry.event.action == action]


def test_queries_estimates_and_reuse_are_of_the_pinned_version_whatever_comes(rooms):
    grant = give(rooms, pinned=1)
    assert actions(rooms, "grant.add")[0].details["version"] == 1
    assert counted(rooms) == 6
    before = governed_relations(rooms, "heart", COUNT)
    estimate = run_query_ahead.estimate(rooms, ADA, "heart", COUNT)
    deliver(rooms, 3)
    assert newest(rooms).number == 3
    assert counted(rooms) == 6
    assert actions(rooms, "query.run")[-1].details["versions"] == ["trial@1"]
    after = governed_relations(rooms, "heart", COUNT)
    assert reuse_result.reuse_key("heart", COUNT, before) == reuse_result.reuse_key("heart", COUNT, after)
    assert run_query_ahead.estimate(rooms, ADA, "heart", COUNT) == estimate
    grant_access.revoke_grant(rooms, STEWARD, grant.id)
    give(rooms)
    assert actions(rooms, "grant.add")[-1].details["version"] == "latest"
    assert counted(rooms) == 18
    latest = governed_relations(rooms, "heart", COUNT)
    assert reuse_result.reuse_key("heart", COUNT, before) != reuse_result.reuse_key("heart", COUNT, latest)


def test_columns_are_those_of_the_pinned_version(rooms):
    wider = CONTRACT.replace("      VISIT:", "      ARM: {treat: keep, type: integer}\n      VISIT:", 1)
    put_in_force(rooms, wider)
    hand_over(rooms, {"visits3.csv": b"ID,ARM,VISIT,AT\nS-3-1,2,1,2020-02-01T10:00:00Z\n"})
    admit(rooms)
    assert newest(rooms).number == 3
    only_new = TableGrant(table="visits", columns=("arm",))
    with pytest.raises(InvalidInput, match="arm"):
        give(rooms, only_new, pinned=2)
    with pytest.raises(InvalidInput):
        give(rooms, TableGrant(table="visits", row_filter="arm = 2"), pinned=2)
    give(rooms, pinned=2)
    (table,) = [r for r in run_query_ahead.relations(rooms, ADA, "heart") if r.table == "visits"]
    assert {column.name for column in table.columns} == {"subject_id", "visit", "at"}
    with pytest.raises(StatementRefused):
        counted(rooms, "select count(arm) as n from trial.visits")


def test_a_machine_mounts_the_pinned_version_at_every_start(rooms):
    grant = give(rooms, pinned=1)
    (first,) = mount_datasets.mount_datasets(rooms, workspace(rooms))
    deliver(rooms, 3)
    (later,) = mount_datasets.mount_datasets(rooms, workspace(rooms, "wsp_2"))
    assert later.source == first.source
    assert actions(rooms, "workspace.mount")[-1].details["versions"] == ["trial@1"]
    # Nobody has it mounted, but the next machine will.
    for id in ("wsp_1", "wsp_2"):
        mount_datasets.unmount_datasets(rooms, id)
    assert sweep_mounts(rooms) == 0
    grant_access.revoke_grant(rooms, STEWARD, grant.id)
    assert sweep_mounts(rooms) == 1


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_pinned_version_does_not_expire_while_the_grant_is_in_force(rooms, how):
    deliver(rooms, 3)
    grant = give(rooms, pinned=1, expires_at=rooms.clock.now() + timedelta(days=20))
    for version in list(every(rooms.records, DatasetVersion)):
        rooms.records.put(version.but(committed_at=version.committed_at - timedelta(days=10)))

    def protections():
        found = version_retention.standings(rooms, "trial", kept=1, days=1)
        return {s.version.number: s.protection and s.protection.value for s in found}

    assert protections() == {3: "newest", 2: None, 1: "pinned"}
    ended(rooms, expire_versions.ask(rooms, STEWARD, "trial", kept=1, days=1))
    assert counted(rooms) == 6
    if how == "revoked":
        grant_access.revoke_grant(rooms, STEWARD, grant.id)
    else:
        rooms.clock.ahead = timedelta(days=21)
    assert protections() == {3: "newest", 1: None}


def test_a_pinned_version_that_was_erased_is_told_and_never_replaced_by_another(rooms):
    give(rooms, pinned=1)
    expire(rooms, 1)
    with pytest.raises(StatementRefused, match="pinned to can be read no more"):
        counted(rooms)
    assert actions(rooms, "query.refuse")[-1].allowed is False
    assert counted(rooms, "select 1 as n") == 1
    assert run_query_ahead.relations(rooms, ADA, "heart") == ()
    assert mount_datasets.mount_datasets(rooms, workspace(rooms)) == ()


def test_only_a_version_that_stands_is_granted(rooms, monkeypatch):
    with pytest.raises(InvalidInput, match="no version 9"):
        give(rooms, pinned=9)
    # It expires between the look and the write.
    standing = grants.standing

    def meanwhile(*given):
        monkeypatch.setattr(grants, "standing", standing)
        expire(rooms, 1)
        return standing(*given)

    monkeypatch.setattr(grants, "standing", meanwhile)
    with pytest.raises(AlreadyExists, match="same moment"):
        give(rooms, pinned=1)
    assert not list(every(rooms.records, Grant))
    with pytest.raises(Conflict, match="expired"):
        give(rooms, pinned=1)


def test_a_version_is_asked_for_and_given_with_the_decision(rooms):
    asked = request_grant.request_grant(
        rooms, ADA, project="heart", dataset="trial", tables=None, purpose="to repeat a paper", pinned=1
    )
    other = request_grant.approve(rooms, STEWARD, asked.id, "reviewed").grant
    assert other is not None
    assert rooms.records.get(Grant, other).pinned == 1
    assert actions(rooms, "grant.approve")[0].details["version"] == 1
    assert counted(rooms) == 6
    # What expires before the decision cannot be given.
    again = request_grant.request_grant(
        rooms, ADA, project="heart", dataset="trial", tables=None, purpose="the other half", pinned=2
    )
    expire(rooms, 2)
    with pytest.raises(Conflict, match="expired"):
        request_grant.approve(rooms, STEWARD, again.id, "reviewed")
    assert read_lake.granted_version(rooms, rooms.records.get(Grant, other)).number == 1
    assert read_lake.version(rooms, PLATFORM, "trial", 2).live is False


def test_a_statement_may_read_another_version_where_the_grant_is_not_pinned(rooms):
    give(rooms)
    started = rooms.records.get(DatasetVersion, "trial@1").committed_at
    assert counted(rooms) == 12
    assert counted(rooms, COUNT + " at (version => 1)") == 6
    assert counted(rooms, COUNT + f" v at (timestamp => '{started.isoformat()}') where v.visit is not null") == 6
    both = (
        "with old as (select * from trial.visits AT (VERSION => 1)) "
        "select count(*) as n from trial.visits new anti join old using (subject_id, visit)"
    )
    with run_query.run(rooms, ADA, "heart", both) as running:
        (batch,) = running
    assert batch.to_pylist() == [{"n": 6}]
    record = rooms.records.get(QueryRecord, running.query_id)
    assert record.versions == ("trial@1", "trial@2")
    assert record.stats.relations == ("trial.visits", "trial.visits@1")
    assert actions(rooms, "query.run")[-1].details["versions"] == ["trial@1", "trial@2"]
    estimated = run_query_ahead.estimate(rooms, ADA, "heart", COUNT + " AT (VERSION => 1)").estimate
    assert estimated.relations == ("trial.visits@1",) and estimated.rows
    keys = {reuse_result.reuse_key("heart", sql, governed_relations(rooms, "heart", sql)) for sql in (COUNT, both)}
    assert len(keys) == 2
    for point, reason in (
        ("version => 3", "no version 3"),
        ("timestamp => '2001-01-01'", "no version then"),
        ("version => 1 + 1", "AT takes"),
        ("version => '1'", "AT takes"),
        ("timestamp => now()", "AT takes"),
    ):
        with pytest.raises(StatementRefused, match=reason):
            counted(rooms, f"{COUNT} at ({point})")
    expire(rooms, 1)
    with pytest.raises(StatementRefused, match="has expired"):
        counted(rooms, COUNT + " at (version => 1)")


def test_no_version_shows_more_than_the_grant_gives(rooms):
    part = TableGrant(table="visits", columns=("subject_id", "visit"), row_filter="visit = 1")
    give(rooms, part)
    now, then = counted(rooms), counted(rooms, COUNT + " at (version => 1)")
    assert 0 < then < now < 12
    for hidden in (
        "select at from trial.visits at (version => 1)",
        "select 1 from trial.subjects at (version => 1)",
    ):
        with pytest.raises(StatementRefused):
            counted(rooms, hidden)
    with pytest.raises(StatementRefused, match=r"There is no table `absent\.visits`"):
        counted(rooms, "select count(*) as n from absent.visits at (version => 1)")


def test_a_pinned_grant_travels_nowhere(rooms):
    give(rooms, pinned=1)
    assert counted(rooms, COUNT + " at (version => 1)") == 6
    for point in ("version => 2", "timestamp => '2999-01-01'"):
        with pytest.raises(StatementRefused, match="pinned to version 1"):
            counted(rooms, f"{COUNT} at ({point})")


def test_an_older_version_stays_while_a_query_reads_it(rooms):
    give(rooms)
    deliver(rooms, 3)
    rooms.clock.ahead = timedelta(days=400)

    def protections() -> dict[int, str]:
        found = version_retention.standings(rooms, "trial", kept=1, days=0)
        return {standing.version.number: str(standing.protection) for standing in found}

    assert protections() == {3: "newest", 2: "None", 1: "None"}
    with run_query.run(rooms, ADA, "heart", COUNT + " at (version => 1)") as running:
        assert protections() == {3: "newest", 2: "None", 1: "read"}
        ended(rooms, expire_versions.ask(rooms, STEWARD, "trial", kept=1, days=0))
        assert sum(batch.num_rows for batch in running) == 1
    assert [v.live for v in read_lake.versions(rooms, PLATFORM, "trial")] == [True, False, True]
    ended(rooms, expire_versions.ask(rooms, STEWARD, "trial", kept=1, days=0))
    assert protections() == {3: "newest"}
    # One that was lost with its process protects nothing for ever.
    running = rooms.records.get(QueryRecord, running.query_id)
    assert running.reads is None and running.but(finished_at=None).reads == "now"
