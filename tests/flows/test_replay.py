"""What was held is admitted once under a mended contract, or rejected for good."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl
import pytest
from tests.flows.trial import AUTHOR, CONTRACT, LAB, REVIEWER, SUBJECTS, VISITS, admit, hand_over, put_in_force

from atoll.errors import Conflict, NotPermitted
from atoll.flows import read_lake, receive_delivery
from atoll.flows.purge_quarantine import purge_quarantine, retention_of
from atoll.flows.replay_delivery import reject, replay
from atoll.model.delivery import DeliveryState
from atoll.model.person import PLATFORM

MENDED = CONTRACT.replace("max: 120", "max: 140")
PEOPLE = SUBJECTS.replace(b"old", b"135")


def rows(rooms, table):
    version = read_lake.dataset(rooms, PLATFORM, "trial")[1]
    (state,) = [t for t in version.tables if t.table == table]
    plan = rooms.lake.plan("trial", table, state.snapshot_id)
    return pl.concat([pl.read_parquet(file.path) for file in plan.files], how="diagonal_relaxed")


def shown(rooms, delivery):
    return receive_delivery.show(rooms, LAB, delivery.id)


@pytest.fixture
def held(trial):
    """A delivery of three subjects, of whom one is held for her age."""
    delivery = hand_over(trial, {"subjects.csv": PEOPLE, "visits.csv": VISITS})
    admit(trial)
    assert shown(trial, delivery).delivery.outcome.rows_quarantined == 1
    return delivery


def test_what_was_held_enters_once_and_the_counts_add_up(trial, held):
    before = shown(trial, held).delivery.outcome
    put_in_force(trial, MENDED)
    replay(trial, REVIEWER, held.id)
    assert shown(trial, held).state is DeliveryState.ADMITTING
    admit(trial)
    view = shown(trial, held)
    after = view.delivery.outcome
    assert (view.state, after.rows_in) == (DeliveryState.COMMITTED, before.rows_in)
    assert (after.rows_committed, after.rows_quarantined) == (before.rows_in, 0)
    assert all(f.rows_in == f.rows_committed + f.rows_quarantined for f in after.files)
    (again,) = view.delivery.replays
    assert (again.rows_committed, again.contract, again.asked_by) == (1, "trial@2", "reviewer")
    assert rows(trial, "subjects").height == 3
    assert rows(trial, "subjects")["subject_id"].n_unique() == 3
    assert receive_delivery.quarantined(trial, LAB, held.id) == ()
    with pytest.raises(Conflict, match="Nothing of the delivery is held"):
        replay(trial, REVIEWER, held.id)


def test_the_same_person_has_the_same_pseudonym(trial, held):
    put_in_force(trial, MENDED)
    replay(trial, REVIEWER, held.id)
    admit(trial)
    other = hand_over(trial, {"visits2.csv": b"ID,VISIT,AT\nS-3,1,2020-02-01T10:00:00Z\n"})
    admit(trial)
    assert shown(trial, other).state is DeliveryState.COMMITTED
    assert set(rows(trial, "visits")["subject_id"]) <= set(rows(trial, "subjects")["subject_id"])


def test_what_is_still_wrong_stays_held(trial, held):
    put_in_force(trial, CONTRACT.replace("max: 120", "max: 130"))
    replay(trial, REVIEWER, held.id)
    admit(trial)
    outcome = shown(trial, held).delivery.outcome
    assert (outcome.rows_committed, outcome.rows_quarantined) == (5, 1)
    (row,) = receive_delivery.quarantined(trial, LAB, held.id)
    assert (row.row, row.column) == (3, "AGE")
    put_in_force(trial, MENDED)
    replay(trial, REVIEWER, held.id)
    admit(trial)
    assert [r.rows_committed for r in shown(trial, held).delivery.replays] == [0, 1]
    assert rows(trial, "subjects").height == 3


def test_a_file_that_was_held_whole_enters_whole(trial):
    delivery = hand_over(trial, {"people.csv": PEOPLE, "visits.csv": VISITS})
    admit(trial)
    put_in_force(trial, MENDED.replace('["subjects*.csv"]', '["subjects*.csv", "people.csv"]'))
    replay(trial, REVIEWER, delivery.id)
    admit(trial)
    outcome = shown(trial, delivery).delivery.outcome
    assert (outcome.rows_in, outcome.rows_committed) == (6, 6)
    assert rows(trial, "visits").height == 3


def test_a_replay_that_fails_leaves_everything_as_it_was(trial, held):
    before = shown(trial, held).delivery.outcome
    put_in_force(trial, CONTRACT.replace("type: integer, min: 0, max: 120", "type: string"))
    replay(trial, REVIEWER, held.id)
    admit(trial)
    view = shown(trial, held)
    assert (view.state, view.delivery.outcome, view.delivery.replays) == (DeliveryState.COMMITTED, before, ())
    assert "of type long" in view.operation.failure.message
    assert rows(trial, "subjects").height == 2
    assert len(receive_delivery.quarantined(trial, LAB, held.id)) == 1
    put_in_force(trial, MENDED)
    replay(trial, REVIEWER, held.id)
    admit(trial)
    assert rows(trial, "subjects").height == 3


def test_rows_that_a_contract_reads_otherwise_stay_held(trial, held):
    put_in_force(trial, MENDED.replace("    subject: ID\n", '    csv: {separator: ";"}\n    subject: ID\n', 1))
    replay(trial, REVIEWER, held.id)
    admit(trial)
    outcome = shown(trial, held).delivery.outcome
    assert (outcome.rows_committed, outcome.rows_quarantined) == (5, 1)
    assert len(receive_delivery.quarantined(trial, LAB, held.id)) == 1


def test_the_contract_that_held_them_is_no_reason_to_try_again(trial, held):
    with pytest.raises(Conflict, match="is the one that held these rows"):
        replay(trial, REVIEWER, held.id)


def test_who_may_and_when(trial, held):
    put_in_force(trial, MENDED)
    with pytest.raises(NotPermitted):
        replay(trial, LAB, held.id)
    with pytest.raises(NotPermitted):
        reject(trial, LAB, held.id, "no")
    replay(trial, REVIEWER, held.id)
    for decide in (lambda: replay(trial, AUTHOR, held.id), lambda: reject(trial, AUTHOR, held.id, "no")):
        with pytest.raises(Conflict, match="being admitted"):
            decide()


def test_a_rejected_rest_never_enters_and_its_files_go(trial, held):
    put_in_force(trial, MENDED)
    rejected = reject(trial, REVIEWER, held.id, "the ages were invented")
    assert shown(trial, held).state is DeliveryState.COMMITTED
    assert (rejected.rejection.by, rejected.rejection.reason) == ("reviewer", "the ages were invented")
    with pytest.raises(Conflict, match="was rejected"):
        replay(trial, REVIEWER, held.id)
    with pytest.raises(Conflict, match="rejected already"):
        reject(trial, REVIEWER, held.id, "again")
    assert purge_quarantine(trial) == 0


def test_each_zone_of_quarantine_has_its_time_and_each_dataset_its_own(trial, held):
    place = trial.settings.quarantine_path / held.id
    closed = reject(trial, REVIEWER, held.id, "the ages were invented").rejection.at
    days = {"delivered": 30, "held": 365}

    def left_after(number: float) -> set[str]:
        purge_quarantine(replace(trial, clock=At(closed + timedelta(days=number))))
        return {path.name for path in place.iterdir()} if place.exists() else set()

    assert {zone.value: kept.days for zone, kept in retention_of(trial, "trial").items()} == days
    assert left_after(29.9) == {"files", "held"}
    put_in_force(trial, MENDED + "retention: {held_days: 60}\n")
    assert left_after(30.1) == {"held"}
    assert shown(trial, held).delivery.purged_at is not None
    assert trial.quarantine.count(held.id) == 1
    assert left_after(59.9) == {"held"}
    assert left_after(60.1) == set()
    assert purge_quarantine(replace(trial, clock=At(closed + timedelta(days=99)))) == 0
    zones = [e.event.details["zone"] for e in trial.audit.tail(100) if e.event.action == "delivery.purge"]
    assert zones == ["delivered", "held"]


def test_what_waits_for_a_person_stays_however_long(trial, held):
    put_in_force(trial, MENDED + "retention: {delivered_days: 0, held_days: 0}\n")
    later = replace(trial, clock=At(trial.clock.now() + timedelta(days=9999)))
    assert purge_quarantine(later) == 0
    replay(trial, REVIEWER, held.id)
    admit(trial)
    assert purge_quarantine(later) == 2


@dataclass(frozen=True)
class At:
    """A clock that stands."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def test_a_delivery_is_rejected_before_it_is_submitted(trial):
    delivery, _ = receive_delivery.open_delivery(trial, LAB, "lab", "trial", _manifest())
    reject(trial, REVIEWER, delivery.id, "announced by mistake")
    assert shown(trial, delivery).state is DeliveryState.REJECTED
    with pytest.raises(Conflict):
        receive_delivery.receive_file(trial, LAB, delivery.id, 0, [SUBJECTS])
    page = receive_delivery.list_deliveries(trial, LAB, state=DeliveryState.REJECTED)
    assert [view.delivery.id for view in page.views] == [delivery.id]
    assert receive_delivery.list_deliveries(trial, LAB, state=DeliveryState.RECEIVING).views == ()


def test_nothing_is_rejected_of_what_has_entered(trial):
    delivery = hand_over(trial, {"visits.csv": VISITS})
    admit(trial)
    with pytest.raises(Conflict, match="has entered"):
        reject(trial, REVIEWER, delivery.id, "late")


def _manifest():
    import hashlib

    from atoll.model.delivery import ManifestFile

    return (ManifestFile(name="subjects.csv", size_bytes=len(SUBJECTS), sha256=hashlib.sha256(SUBJECTS).hexdigest()),)
