"""A small delivery through every room, and what must be so afterwards."""

from __future__ import annotations

import polars as pl
import pytest
from tests.flows.trial import CONTRACT, LAB, SUBJECTS, VISITS, admit, hand_over, put_in_force

from atoll.errors import AlreadyExists, Conflict, ContractInvalid, DeliveryRefused, InvalidInput, NotFound, NotPermitted
from atoll.flows import read_lake, receive_delivery
from atoll.model.delivery import DeliveryState, ManifestFile
from atoll.model.operation import OperationState
from atoll.model.person import PLATFORM, Caller, SubjectKind

FILES = {"subjects.csv": SUBJECTS, "visits.csv": VISITS}


def rows_of(rooms, dataset, table):
    version = read_lake.dataset(rooms, PLATFORM, dataset)[1]
    state = next(t for t in version.tables if t.table == table)
    plan = rooms.lake.plan(dataset, table, state.snapshot_id)
    return pl.concat([pl.read_parquet(f.path) for f in plan.files])


def test_good_rows_enter_bad_rows_wait(trial):
    delivery = hand_over(trial, FILES)
    assert receive_delivery.show(trial, LAB, delivery.id).state is DeliveryState.WAITING
    admit(trial)
    view = receive_delivery.show(trial, LAB, delivery.id)
    assert view.state is DeliveryState.COMMITTED
    outcome = view.delivery.outcome
    assert (outcome.rows_in, outcome.rows_committed, outcome.rows_quarantined) == (6, 5, 1)
    assert outcome.contract == "trial@1"
    assert outcome.dataset_version == 1
    assert set(outcome.key_ids) == {"person"}
    subjects, visits = rows_of(trial, "trial", "subjects"), rows_of(trial, "trial", "visits")
    assert subjects.columns == ["subject_id", "age", "seen"]
    assert subjects.height == 2
    assert visits.height == 3
    assert set(visits["subject_id"]) <= set(subjects["subject_id"])
    (held,) = receive_delivery.quarantined(trial, LAB, delivery.id)
    assert (held.file, held.row, held.column, held.masked) == ("subjects.csv", 3, "AGE", "aaa")


def test_intervals_are_kept_and_dates_moved(trial):
    hand_over(trial, FILES)
    admit(trial)
    visits = rows_of(trial, "trial", "visits").sort("visit")
    one = visits.filter(pl.len().over("subject_id") == 2)
    assert (one["at"][1] - one["at"][0]).days == 10
    subjects = rows_of(trial, "trial", "subjects")
    assert "2020-02-01" not in subjects["seen"].cast(pl.String).to_list()
    joined = subjects.join(visits.group_by("subject_id").agg(pl.col("at").min()), on="subject_id")
    assert (joined["seen"] == joined["at"].dt.date()).all(), "one offset for a subject in every table"


def test_how_columns_differ_stands_on_the_delivery(trial):
    moved = b"NAME,ID,AGE,SEEN\nAda,S-1,36,2020-02-01\n"
    delivery = hand_over(trial, {"subjects.csv": moved, "visits.csv": b"ID,VISIT,AT,PHONE\nS-1,1,,061\n"})
    admit(trial)
    files = receive_delivery.show(trial, LAB, delivery.id).delivery.outcome.files
    assert [(d.kind, d.table, d.column) for file in files for d in file.drift] == [
        ("reordered", "subjects", "NAME"),
        ("new", "visits", "PHONE"),
    ]
    assert [file.accepted for file in files] == [True, False]


def test_the_same_delivery_twice_changes_nothing(trial):
    first = hand_over(trial, FILES)
    admit(trial)
    audit = len(trial.audit.read(0, 1000))
    second = hand_over(trial, FILES)
    admit(trial)
    assert second.id == first.id
    assert len(read_lake.versions(trial, PLATFORM, "trial")) == 1
    assert rows_of(trial, "trial", "subjects").height == 2
    assert len(trial.audit.read(0, 1000)) == audit


def test_deliveries_add_up_to_versions(trial):
    hand_over(trial, FILES)
    admit(trial)
    hand_over(trial, {"visits-2.csv": VISITS.replace(b"S-1", b"S-9")})
    admit(trial)
    newest, before = read_lake.versions(trial, PLATFORM, "trial")
    assert (newest.number, before.number) == (2, 1)
    rows = {t.table: t.rows for t in newest.tables}
    assert rows == {"subjects": 2, "visits": 6}
    assert {t.table: t.rows for t in before.tables} == {"subjects": 2, "visits": 3}
    assert newest.rows_added == 3


def test_a_delivery_without_a_good_row_is_rejected_and_kept(trial):
    delivery = hand_over(trial, {"subjects.csv": b"ID,NAME,AGE,SEEN\n,Ada,36,2020-02-01\n"})
    admit(trial)
    view = receive_delivery.show(trial, LAB, delivery.id)
    assert view.state is DeliveryState.REJECTED
    assert view.delivery.outcome.rows_quarantined == 1
    assert view.received == (True,)
    assert read_lake.versions(trial, PLATFORM, "trial") == ()


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"unknown.txt": b"hello"}, "unexpected_file"),
        ({"visits.csv": b"ID,VISIT,AT,EXTRA\nS-1,1,2020-02-01T10:00:00Z,x\n"}, "columns"),
        ({"visits.csv": b"ID,AT\nS-1,2020-02-01T10:00:00Z\n"}, "columns"),
    ],
)
def test_a_file_that_does_not_fit_is_held_whole_and_the_others_enter(trial, files, rule):
    delivery = hand_over(trial, {"subjects.csv": SUBJECTS, **files})
    admit(trial)
    outcome = receive_delivery.show(trial, LAB, delivery.id).delivery.outcome
    assert outcome.committed
    (held,) = [f for f in outcome.files if not f.accepted]
    assert held.rule == rule
    assert held.message
    assert held.rows_committed == 0
    assert outcome.rows_in == outcome.rows_committed + outcome.rows_quarantined


def test_files_that_are_not_what_the_manifest_says_are_refused(trial):
    manifest = (ManifestFile(name="visits.csv", size_bytes=len(VISITS), sha256="0" * 64),)
    delivery, _ = receive_delivery.open_delivery(trial, LAB, "lab", "trial", manifest)
    with pytest.raises(DeliveryRefused):
        receive_delivery.receive_file(trial, LAB, delivery.id, 0, [VISITS])
    with pytest.raises(Conflict, match="not here"):
        receive_delivery.submit(trial, LAB, delivery.id)


def test_files_changed_on_disk_after_arrival_fail_the_admission(trial):
    delivery = hand_over(trial, FILES)
    path = trial.landing.path(delivery, 0)
    path.chmod(0o600)
    path.write_bytes(SUBJECTS.replace(b"36", b"37"))
    admit(trial)
    view = receive_delivery.show(trial, LAB, delivery.id)
    assert view.state is DeliveryState.FAILED
    assert view.operation.state is OperationState.FAILED
    assert read_lake.versions(trial, PLATFORM, "trial") == ()
    actions = [e.event.action for e in trial.audit.read(0, 1000)]
    assert actions[-1] == "delivery.fail"
    assert not trial.landing.received(delivery)[0], "the broken file was set aside"
    with pytest.raises(Conflict, match="not here"):
        receive_delivery.submit(trial, LAB, delivery.id)
    receive_delivery.receive_file(trial, LAB, delivery.id, 0, [SUBJECTS])
    receive_delivery.submit(trial, LAB, delivery.id)
    admit(trial)
    assert receive_delivery.show(trial, LAB, delivery.id).state is DeliveryState.COMMITTED
    assert rows_of(trial, "trial", "subjects").height == 2


def test_a_source_delivers_in_its_own_name_to_its_own_datasets(trial):
    manifest = (ManifestFile(name="visits.csv", size_bytes=1, sha256="0" * 64),)
    other = Caller(subject_kind=SubjectKind.SOURCE, subject_id="src_x", name="other")
    with pytest.raises(NotFound):
        receive_delivery.open_delivery(trial, other, "lab", "trial", manifest)
    with pytest.raises(NotPermitted):
        receive_delivery.open_delivery(trial, LAB, "lab", "elsewhere", manifest)
    delivery, _ = receive_delivery.open_delivery(trial, LAB, "lab", "trial", manifest)
    with pytest.raises(NotFound):
        receive_delivery.show(trial, other, delivery.id)


@pytest.mark.parametrize("name", ["../up.csv", "a/b.csv", "..", "nul\0.csv", "line\nbreak.csv", "a\\b.csv"])
def test_file_names_that_are_paths_are_refused(trial, name):
    manifest = (ManifestFile(name=name, size_bytes=1, sha256="0" * 64),)
    with pytest.raises(InvalidInput):
        receive_delivery.open_delivery(trial, LAB, "lab", "trial", manifest)


def test_a_mended_contract_is_used_by_the_next_delivery(trial):
    put_in_force(trial, CONTRACT.replace("type: integer, min: 0, max: 120", "type: string"))
    delivery = hand_over(trial, {"subjects.csv": SUBJECTS})
    admit(trial)
    outcome = receive_delivery.show(trial, LAB, delivery.id).delivery.outcome
    assert (outcome.contract, outcome.rows_committed) == ("trial@2", 3)


def test_one_admission_at_a_time_for_a_delivery(trial):
    delivery = hand_over(trial, FILES)
    again = receive_delivery.submit(trial, LAB, delivery.id)
    assert again.operation_id == delivery.operation_id
    with pytest.raises(AlreadyExists):
        from atoll.flows import admit_delivery

        trial.records.put(admit_delivery.plan(trial, LAB, delivery))


def test_what_was_used_is_on_record(trial):
    delivery = hand_over(trial, FILES)
    admit(trial)
    events = trial.flow_log.of_dataset("trial", 100)
    assert any(e.eventType == "COMPLETE" and e.outputs for e in events)
    month = trial.clock.now().strftime("%Y-%m")
    report = trial.usage.report(month, "dataset")
    assert {line.key for line in report.lines} == {"trial"}
    assert report.total_eur > 0
    assert trial.audit.verify().intact
    actions = [e.event.action for e in trial.audit.read(0, 1000)]
    assert actions == [
        "contract.propose",
        "contract.publish",
        "delivery.open",
        "delivery.receive",
        "delivery.receive",
        "delivery.submit",
        "dataset.commit",
        "delivery.admit",
    ]
    assert f"delivery/{delivery.id}" in {e.event.target for e in trial.audit.read(0, 1000)}


def test_a_domain_has_one_range_of_offsets_in_all_datasets(trial):
    other = CONTRACT.replace("dataset: trial", "dataset: other")
    put_in_force(trial, other)
    wider = CONTRACT.replace("dataset: trial", "dataset: third").replace(
        "    description: One pseudonym for each subject\n", "    description: One\n    max_shift_days: 100\n"
    )
    with pytest.raises(ContractInvalid) as refused:
        put_in_force(trial, wider)
    assert "max_shift_days" in refused.value.findings[0]
