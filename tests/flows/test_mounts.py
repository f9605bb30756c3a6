"""Granted versions as directories: what machines of a project see, and when it goes."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from tests.flows import killed_maker
from tests.flows.mounting import STEWARD, LaterClock, add_people, give, workspace
from tests.flows.trial import SUBJECTS, VISITS, admit, hand_over

from atoll.errors import NotFound, NotPermitted, Unavailable
from atoll.flows import grant_access, lay_out_dataset, read_lake, run_query
from atoll.flows.mount_datasets import mount_datasets, unmount_datasets
from atoll.flows.sweep_mounts import sweep_mounts
from atoll.lake import mount_files
from atoll.model.grant import TableGrant
from atoll.model.mount import DatasetMount, MountedBy
from atoll.model.person import PLATFORM, Caller, Person, Project, Role, SubjectKind
from atoll.model.workspace import Desired, MachineState, Observed

ADA = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_ada", name="ada", roles=frozenset({Role.SCIENTIST}))
NARROW = TableGrant(table="visits", columns=("visit", "at"), row_filter="visit = 1")


@pytest.fixture
def lake(trial):
    hand_over(trial, {"subjects.csv": SUBJECTS, "visits.csv": VISITS})
    admit(trial)
    add_people(trial)
    return dataclasses.replace(trial, clock=LaterClock(trial.clock))


def files_of(rooms, table):
    version = read_lake.dataset(rooms, PLATFORM, "trial")[1]
    state = next(t for t in version.tables if t.table == table)
    return rooms.lake.plan("trial", table, state.snapshot_id).files


def names_in(directory):
    return os.listdir(directory)  # noqa: PTH208 - of a descriptor


def rows(mount, table):
    return pl.read_parquet(mount.source / table / "*.parquet")


def actions(rooms):
    return [entry.event.action for entry in rooms.audit.tail(1000)]


def test_a_whole_grant_is_links_to_exactly_the_planned_files(lake):
    give(lake)
    (mount,) = mount_datasets(lake, workspace(lake))
    assert (mount.target, mount.writable) == ("/data/trial", False)
    for table in ("subjects", "visits"):
        planned = files_of(lake, table)
        shown = sorted((mount.source / table).iterdir())
        assert [file.stat().st_ino for file in shown] == [Path(file.path).stat().st_ino for file in planned]
        assert not any(file.is_symlink() for file in shown)
        assert {file.suffix for file in shown} == {".parquet"}
    assert rows(mount, "visits").columns == ["subject_id", "visit", "at"]
    manifest = json.loads((mount.source / "manifest.json").read_text())
    assert (manifest["dataset"], manifest["version"], manifest["project"]) == ("trial", "trial@1", "heart")
    assert {t["table"]: t["granted"] for t in manifest["tables"]} == {"subjects": "whole", "visits": "whole"}


def test_on_another_disk_files_are_copied(lake, monkeypatch):
    def refused(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(mount_files.os, "link", refused)
    give(lake)
    (mount,) = mount_datasets(lake, workspace(lake))
    (planned,) = files_of(lake, "visits")
    (shown,) = (mount.source / "visits").iterdir()
    assert shown.stat().st_ino != Path(planned.path).stat().st_ino
    assert shown.read_bytes() == Path(planned.path).read_bytes()


def test_a_narrower_grant_shows_what_queries_show_and_nothing_else(lake):
    give(lake, NARROW)
    (mount,) = mount_datasets(lake, workspace(lake))
    assert sorted(entry.name for entry in mount.source.iterdir()) == ["manifest.json", "visits"]
    shown = rows(mount, "visits")
    with run_query.run(lake, ADA, "heart", "SELECT * FROM trial.visits") as query:
        asked = pl.concat([pl.from_arrow(batch) for batch in query])
    assert shown.sort("at").equals(asked.sort("at"))
    assert (shown.columns, shown.height) == (["visit", "at"], 2)
    (file,) = (mount.source / "visits").iterdir()
    assert pq.ParquetFile(file).metadata.row_group(0).column(0).compression == "ZSTD"
    hidden = rows_in_lake(lake)
    assert not any(value.encode() in file.read_bytes() for value in hidden["subject_id"].to_list())
    (table,) = json.loads((mount.source / "manifest.json").read_text())["tables"]
    assert (table["granted"], table["row_filter"]) == ("in part", "visit = 1")
    assert [column["name"] for column in table["columns"]] == ["visit", "at"]


def rows_in_lake(rooms):
    return pl.concat([pl.read_parquet(file.path) for file in files_of(rooms, "visits")])


def test_every_column_named_is_a_whole_table(lake):
    give(lake, TableGrant(table="visits", columns=("at", "subject_id", "visit")))
    (mount,) = mount_datasets(lake, workspace(lake))
    (planned,) = files_of(lake, "visits")
    (shown,) = (mount.source / "visits").iterdir()
    assert shown.stat().st_ino == Path(planned.path).stat().st_ino


def test_a_filter_that_lets_no_row_through_still_shows_the_columns(lake):
    give(lake, TableGrant(table="visits", row_filter="visit > 1000"))
    (mount,) = mount_datasets(lake, workspace(lake))
    assert (rows(mount, "visits").height, rows(mount, "visits").columns) == (0, ["subject_id", "visit", "at"])


def test_one_layout_serves_every_machine_of_the_project_and_none_of_another(lake):
    add_people(lake, "lung", "ben")
    give(lake, NARROW)
    give(lake, NARROW, project="lung")
    (first,) = mount_datasets(lake, workspace(lake))
    made = next((first.source / "visits").iterdir()).stat().st_ino
    month = lake.clock.now().strftime("%Y-%m")
    charged = len(list(lake.usage.records_of(month)))
    (second,) = mount_datasets(lake, workspace(lake, "wsp_2"))
    assert second.source == first.source
    assert next((second.source / "visits").iterdir()).stat().st_ino == made
    assert len(list(lake.usage.records_of(month))) == charged, "what is there is not charged again"
    (other,) = mount_datasets(lake, workspace(lake, "wsp_3", "lung", "ben"))
    assert other.source != first.source
    assert next((other.source / "visits").iterdir()).stat().st_ino != made


def test_several_at_once_make_it_once(lake):
    give(lake, NARROW)
    places = [workspace(lake, f"wsp_{number}") for number in range(4)]
    found, failed = [], []

    def mount(one):
        try:
            found.extend(mount_datasets(lake, one))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=mount, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len({mount.source for mount in found}) == 1
    charged = [r for r in lake.usage.records_of(lake.clock.now().strftime("%Y-%m")) if r.project == "heart"]
    assert sorted(r.metric for r in charged) == ["query_seconds", "scanned_bytes"]


def test_a_mount_is_told_once_for_each_start(lake):
    give(lake, NARROW)
    place = workspace(lake)
    for _ in range(2):
        mount_datasets(lake, place, "operation/op_1")
    assert actions(lake).count("workspace.mount") == 1
    (event,) = [e.event for e in lake.audit.tail(100) if e.event.action == "workspace.mount"]
    assert (event.caller.name, event.target, event.because) == ("ada", "workspace/wsp_1", "operation/op_1")
    assert event.details["versions"] == ["trial@1"]
    flows = [f for f in lake.flow_log.of_dataset("trial", 100) if f.job["name"] == "mount.heart"]
    (flow,) = flows
    assert [i["name"] for i in flow.inputs] == ["trial.visits"]
    assert [f["name"] for f in flow.inputs[0]["facets"]["schema"]["fields"]] == ["visit", "at"]
    assert flow.outputs == ({"namespace": "atoll://machines/heart", "name": "wsp_1/trial"},)
    mount_datasets(lake, place, "operation/op_2")
    assert actions(lake).count("workspace.mount") == 2
    assert lake.audit.verify().intact


def test_the_newest_version_is_mounted_and_the_old_one_stays_while_it_is_used(lake):
    give(lake, NARROW)
    old, new = workspace(lake), workspace(lake, "wsp_2")
    (before,) = mount_datasets(lake, old)
    hand_over(lake, {"visits-2.csv": VISITS.replace(b"S-1", b"S-9")})
    admit(lake)
    (after,) = mount_datasets(lake, new)
    assert (rows(before, "visits").height, rows(after, "visits").height) == (2, 4)
    assert sweep_mounts(lake) == 0
    gone = old.but(
        version=1,
        desired=Desired.STOPPED,
        observed_generation=1,
        observed=Observed(state=MachineState.STOPPED, at=old.created_at),
    )
    lake.records.put(gone)
    assert sweep_mounts(lake) == 1
    assert not before.source.exists()
    assert rows(after, "visits").height == 4
    # Nobody has it mounted, but the next machine will: the grant stands.
    unmount_datasets(lake, new.id)
    assert sweep_mounts(lake) == 0


@pytest.mark.parametrize("how", ["revoked", "expired"])
@pytest.mark.parametrize("tables", [(), (NARROW,)])
def test_when_the_grant_ends_the_files_vanish_from_running_machines(lake, how, tables):
    grant = give(lake, *tables, expires_at=lake.clock.now() + timedelta(hours=1))
    place = workspace(lake)
    (mount,) = mount_datasets(lake, place)
    # What a bind mount holds is the directory itself, whatever its name becomes.
    inside = os.open(mount.source / "visits", os.O_RDONLY | os.O_DIRECTORY)
    assert names_in(inside) == ["00000.parquet"]
    assert sweep_mounts(lake) == 0
    if how == "revoked":
        grant_access.revoke_grant(lake, STEWARD, grant.id)
    else:
        lake.clock.ahead = timedelta(hours=2)
    assert sweep_mounts(lake) == 1
    assert names_in(inside) == []
    os.close(inside)
    assert not mount.source.exists()
    assert mount_datasets(lake, place) == ()
    (event,) = [e.event for e in lake.audit.tail(100) if e.event.action == "mount.withdraw"]
    assert (event.because, event.details["granted"], event.details["workspaces"]) == (
        f"grant/{grant.id}",
        False,
        ["wsp_1"],
    )
    assert sweep_mounts(lake) == 0
    assert all(Path(file.path).exists() for file in files_of(lake, "visits")), "the lake keeps its files"


def test_a_new_grant_is_laid_out_anew(lake):
    grant = give(lake)
    place = workspace(lake)
    (whole,) = mount_datasets(lake, place)
    grant_access.revoke_grant(lake, STEWARD, grant.id)
    give(lake, NARROW)
    (narrow,) = mount_datasets(lake, place)
    assert narrow.source != whole.source
    assert rows(narrow, "visits").columns == ["visit", "at"]
    assert sweep_mounts(lake) == 1
    assert (whole.source.exists(), narrow.source.exists()) == (False, True)


def test_who_may_not_query_gets_no_mount(lake):
    give(lake)
    place = workspace(lake)
    project = lake.records.get(Project, "prj_heart")
    lake.records.put(project.but(members=frozenset()))
    with pytest.raises(NotFound):
        mount_datasets(lake, place)
    lake.records.put(lake.records.get(Project, "prj_heart").but(members=frozenset({"per_ada"})))
    person = lake.records.get(Person, "per_ada")
    lake.records.put(person.but(roles=frozenset({Role.ADMIN})))
    with pytest.raises(NotPermitted):
        mount_datasets(lake, place)
    lake.records.put(lake.records.get(Person, "per_ada").but(roles=frozenset({Role.SCIENTIST}), active=False))
    with pytest.raises(NotPermitted):
        mount_datasets(lake, place)
    assert lay_out_dataset.store(lake).list_keys() == ()


def test_without_a_grant_there_is_nothing(lake):
    assert mount_datasets(lake, workspace(lake)) == ()
    assert actions(lake).count("workspace.mount") == 1


def test_files_inside_cannot_be_written_by_their_mode(lake):
    give(lake, NARROW, TableGrant(table="subjects"))
    (mount,) = mount_datasets(lake, workspace(lake))
    for place, _, files in os.walk(mount.source):
        assert Path(place).stat().st_mode & 0o777 == 0o755
        for file in files:
            assert (Path(place) / file).stat().st_mode & 0o777 == 0o444


def test_a_killed_maker_leaves_nothing_that_is_seen(lake):
    give(lake, NARROW)
    place = workspace(lake)
    (granted,) = lay_out_dataset.granted_versions(lake, "heart")
    directory = lake.settings.home_dir / "mounts"
    ended = subprocess.run([sys.executable, killed_maker.__file__, str(directory), granted.key], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (directory / f"{granted.key}.part" / "half").is_dir()
    assert not (directory / granted.key).exists()
    (mount,) = mount_datasets(lake, place)
    assert sorted(entry.name for entry in mount.source.iterdir()) == ["manifest.json", "visits"]
    assert not (directory / f"{granted.key}.part").exists()
    # And one that nobody makes again is swept.
    subprocess.run([sys.executable, killed_maker.__file__, str(directory), "f" * 40], check=False)
    assert sweep_mounts(lake) == 1
    assert lay_out_dataset.store(lake).list_keys() == (granted.key,)


def test_died_between_directory_and_record(lake, monkeypatch):
    give(lake, NARROW)
    place = workspace(lake)

    def died(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(lay_out_dataset, "_charges", died)
    with pytest.raises(KeyboardInterrupt):
        mount_datasets(lake, place)
    monkeypatch.undo()
    (mount,) = mount_datasets(lake, place)
    record = lake.records.get(DatasetMount, mount.source.name)
    assert record.made_at is not None
    assert record.materialised == ("visits",)
    assert lake.records.get(MountedBy, place.id).told


def test_a_full_disk_is_told_and_leaves_nothing(lake, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    give(lake, NARROW)
    monkeypatch.setattr(lay_out_dataset, "write_rows", full)
    with pytest.raises(Unavailable, match="No space left"):
        mount_datasets(lake, workspace(lake))
    assert lay_out_dataset.store(lake).list_keys() == ()


def test_what_is_being_made_is_not_swept(lake, tmp_path):
    store = lay_out_dataset.store(lake)
    begun, go = threading.Event(), threading.Event()

    def slowly(directory):
        (directory / "x").write_text("x")
        begun.set()
        assert go.wait(10)

    maker = threading.Thread(target=store.make, args=("slow", slowly))
    maker.start()
    assert begun.wait(10)
    assert sweep_mounts(lake) == 0
    go.set()
    maker.join()
    assert (store.path("slow") / "x").exists()
    assert sweep_mounts(lake) == 1
