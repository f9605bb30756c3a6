"""The restore drill: export, lose the home, import on a fresh platform; and archives that are refused."""

from __future__ import annotations

import json
import shutil
import tarfile
from io import BytesIO

import pytest
from tests.flows.lakework import deliver, ended, newest, rows_of, work
from tests.flows.trial import CONTRACT, REVIEWER, add_lab, put_in_force

from atoll.deid import DomainKey
from atoll.errors import AlreadyExists, Conflict, IntegrityBroken, InvalidInput, NotFound
from atoll.flows import (
    compact_dataset,
    erase_person,
    expire_versions,
    export_dataset,
    import_dataset,
    publish_contract,
    read_lake,
)
from atoll.lake import SealedReader, SealedWriter
from atoll.model.dataset import Dataset
from atoll.model.delivery import Delivery
from atoll.model.erasure import ErasedRows, Erasure
from atoll.model.person import PLATFORM
from atoll.model.query import QueryLimits, Relation
from atoll.ports.records import Delete, every
from atoll.settings import Settings
from atoll.wiring import platform

SQL = (
    "select age, count(*) as visits, count(distinct subject_id) as people"
    " from trial.visits join trial.subjects using (subject_id) group by age order by age"
)


def open_home(home):
    return platform.build(Settings(home=home, query_workers=1, compact_files=2))


def answer(rooms, number):
    version = read_lake.version(rooms, PLATFORM, "trial", number)
    relations = []
    for state in version.tables:
        plan = rooms.lake.plan("trial", state.table, state.snapshot_id)
        relations.append(
            Relation(
                dataset="trial",
                table=state.table,
                snapshot_id=state.snapshot_id,
                columns=plan.columns,
                row_filter=None,
                files=plan.files,
            )
        )
    limits = QueryLimits(memory_bytes=2**28, seconds=30.0, max_rows=1000, threads=1)
    with rooms.engine.run(SQL, relations, limits) as run:
        return [row for batch in run for row in batch.to_pylist()]


@pytest.fixture(scope="module")
def drill(tmp_path_factory):
    """An archive of six versions, of which one expired; what was seen before the home was lost; and its master key."""
    root = tmp_path_factory.mktemp("drill")
    rooms = open_home(root / "home")
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    for number in range(3):
        deliver(rooms, number)
    put_in_force(rooms, CONTRACT.replace("VISIT: {treat: keep,", "VISIT: {treat: keep, description: which,"))
    ended(rooms, compact_dataset.ask(rooms, REVIEWER, "trial"))
    deliver(rooms, 3)
    version = read_lake.version(rooms, PLATFORM, "trial", 1)
    rooms.records.put(version.but(expired_at=rooms.clock.now(), expired_by="op_x"))
    expire_versions.keep(rooms, REVIEWER, "trial", 2, "of a paper")
    told = export_dataset.export(rooms, "trial", root, account="root")
    assert rooms.audit.tail(1)[0].event.action == "dataset.export"
    with pytest.raises(NotFound):
        export_dataset.export(rooms, "nothing", root, account="root")
    seen = {
        "versions": read_lake.versions(rooms, PLATFORM, "trial"),
        "contracts": publish_contract.versions(rooms, "trial"),
        "rows": {(n, t): rows_of(rooms, read_lake.version(rooms, PLATFORM, "trial", n), t) for n, t in _kept()},
        "answers": {n: answer(rooms, n) for n in (2, 3, 4, 5)},
        "key": rooms.keyring.keys("person"),
    }
    platform.close(rooms)
    shutil.copy(root / "home" / "keys" / "master.key", root / "master.key")
    shutil.rmtree(root / "home")
    return root, told, seen


def _kept():
    return [(number, table) for number in (2, 3, 4, 5) for table in ("subjects", "visits")]


@pytest.fixture
def fresh(drill, tmp_path):
    """A platform in another place, with the same master key."""
    keys = tmp_path / "elsewhere" / "keys"
    keys.mkdir(mode=0o700, parents=True)
    shutil.copy(drill[0] / "master.key", keys / "master.key")
    rooms = open_home(tmp_path / "elsewhere")
    yield rooms
    platform.close(rooms)


def without_ids(versions):
    return [v.but(version=0, tables=tuple(s.but(snapshot_id=0) for s in v.tables)) for v in versions]


def test_what_was_lost_is_there_again_and_goes_on(drill, fresh):
    root, told, seen = drill
    archive = root / told.path.rpartition("/")[2]
    assert archive.stat().st_mode & 0o777 == 0o600
    assert b"PAR1" not in archive.read_bytes()
    found = import_dataset.import_(fresh, archive, account="root")
    assert (found.dataset, found.versions, found.files) == ("trial", 5, told.files)
    assert without_ids(read_lake.versions(fresh, PLATFORM, "trial")) == without_ids(seen["versions"])
    assert [c.but(version=1) for c in publish_contract.versions(fresh, "trial")] == [
        c.but(version=1) for c in seen["contracts"]
    ]
    for number, table in _kept():
        assert rows_of(fresh, read_lake.version(fresh, PLATFORM, "trial", number), table) == seen["rows"][number, table]
    assert {n: answer(fresh, n) for n in (2, 3, 4, 5)} == seen["answers"]
    event = fresh.audit.tail(1)[0].event
    assert (event.action, event.details["export"], event.details["other_keys"]) == ("dataset.import", told.id, [])
    assert fresh.keyring.keys("person") == seen["key"]
    # The same delivery is known, another enters, maintenance and erasure go on.
    assert len(list(every(fresh.records, Delivery))) == 4
    add_lab(fresh)
    deliver(fresh, 7)
    assert newest(fresh).number == 6
    ended(fresh, compact_dataset.ask(fresh, REVIEWER, "trial"))
    erase_person.ask(fresh, REVIEWER, domain="person", identifier="S-1-0", reason="Objection", confirm="person")
    work(fresh)
    (erasure,) = erase_person.list_erasures(fresh, REVIEWER)
    assert erasure.done_at is not None and "trial@2" in erasure.versions
    with pytest.raises(AlreadyExists):
        import_dataset.import_(fresh, archive, account="root")


@pytest.mark.parametrize("where", ["head", "first", "middle", "last", "cut", "longer"])
def test_a_changed_byte_is_refused_and_nothing_of_it_stays(drill, fresh, tmp_path, where):
    content = bytearray((drill[0] / drill[1].path.rpartition("/")[2]).read_bytes())
    at = {"head": content.index(b'"key": "') + 30, "first": 600, "middle": len(content) // 2, "last": -1}
    if where == "cut":
        del content[-100:]
    elif where == "longer":
        content += b"x"
    else:
        content[at[where]] ^= 1
    changed = tmp_path / "changed.atoll"
    changed.write_bytes(content)
    with pytest.raises((IntegrityBroken, InvalidInput)):
        import_dataset.import_(fresh, changed, account="root")
    with pytest.raises(NotFound):
        read_lake.dataset(fresh, PLATFORM, "trial")
    assert not (fresh.lake.warehouse / "trial").exists()
    assert not (fresh.lake.warehouse / ".import").exists()


def rewritten(rooms, archive, target, change):
    """The archive as who has the master key could make it: `change` gets and gives a member's name and content."""
    content = archive.read_bytes()
    line = content.index(b"\n", len(export_dataset.MAGIC)) + 1
    head = json.loads(content[len(export_dataset.MAGIC) : line])
    key = rooms.keyring.open_sealed(head["key"], context=export_dataset.context(head["id"]))
    plain = BytesIO(SealedReader(BytesIO(content[line:]), key, head["id"]).read(2**30))
    with target.open("wb") as out, tarfile.open(fileobj=plain) as members:
        out.write(content[:line])
        sealed = SealedWriter(out, key, head["id"])
        with tarfile.open(fileobj=sealed, mode="w|") as tar:
            for member in members:
                name, text = change(member.name, members.extractfile(member).read())
                if name:
                    added = tarfile.TarInfo(name)
                    added.size = len(text)
                    tar.addfile(added, BytesIO(text))
        sealed.finish()
    return target


@pytest.mark.parametrize(
    "change",
    [
        lambda name, text: (name, text[:-9] + b"x" + text[-8:] if name.endswith(".parquet") else text),
        lambda name, text: (None if name.endswith("0.parquet") else name, text),
        lambda name, text: (name.replace("data/visits/", "data/../visits/"), text),
        lambda name, text: (None if name == "files.json" else name, text),
    ],
    ids=["checksum", "missing", "path", "list"],
)
def test_its_own_list_is_held_against_every_file(drill, fresh, tmp_path, change):
    archive = drill[0] / drill[1].path.rpartition("/")[2]
    with pytest.raises(IntegrityBroken, match="refused"):
        import_dataset.import_(fresh, rewritten(fresh, archive, tmp_path / "other.atoll", change), account="root")
    assert not (fresh.lake.warehouse / "trial").exists()


def test_an_import_that_died_is_begun_anew_and_another_master_key_opens_nothing(drill, fresh, tmp_path, monkeypatch):
    archive = drill[0] / drill[1].path.rpartition("/")[2]
    other = open_home(tmp_path / "other")
    with pytest.raises(IntegrityBroken, match="master key"):
        import_dataset.import_(other, archive, account="root")
    platform.close(other)

    class Killed(BaseException):
        pass

    def die(*_):
        raise Killed

    monkeypatch.setattr(fresh.audit, "record", die)
    with pytest.raises(Killed):
        import_dataset.import_(fresh, archive, account="root")
    monkeypatch.undo()
    assert (fresh.lake.warehouse / "trial").exists()
    with pytest.raises(NotFound):
        read_lake.dataset(fresh, PLATFORM, "trial")
    assert import_dataset.import_(fresh, archive, account="root").versions == 5
    assert answer(fresh, 5) == drill[2]["answers"][5]


def test_where_the_domain_has_another_key_an_erasure_finds_what_both_made(drill, fresh):
    archive = drill[0] / drill[1].path.rpartition("/")[2]
    fresh.records.transact(fresh.keyring.ensure("person"))
    own = fresh.keyring.keys("person")
    import_dataset.import_(fresh, archive, account="root")
    assert fresh.audit.tail(1)[0].event.details["other_keys"] == ["person"]
    assert fresh.keyring.every_key("person") == (own, drill[2]["key"])
    asked = {"domain": "person", "reason": "Objection", "confirm": "person"}
    erase_person.ask(fresh, REVIEWER, identifier="S-1-0", **asked)
    work(fresh)
    (erasure,) = erase_person.list_erasures(fresh, REVIEWER)
    assert {line.table: line.rows for line in erasure.tables} == {"subjects": 1, "visits": 2}
    assert (len(erasure.keys_searched), erasure.keys_unsearched) == (2, ())


def test_no_proof_forgets_a_key_that_was_destroyed_here_before_the_import(drill, fresh):
    archive = drill[0] / drill[1].path.rpartition("/")[2]
    fresh.records.transact(fresh.keyring.ensure("person"))
    fresh.records.put(fresh.keyring.destroyed(fresh.records.get(DomainKey, "person")))
    own = fresh.records.get(DomainKey, "person").key_id
    import_dataset.import_(fresh, archive, account="root")
    key = fresh.records.get(DomainKey, "person")
    assert (key.sealed, key.retired, set(key.gone)) == ("", (), {own, drill[2]["key"].key_id})
    assert fresh.keyring.every_key("person") == ()


def test_a_destroyed_key_does_not_come_back_and_an_erased_person_neither(drill, fresh):
    archive = drill[0] / drill[1].path.rpartition("/")[2]
    import_dataset.import_(fresh, archive, account="root")
    fresh.records.put(fresh.keyring.destroyed(fresh.records.get(DomainKey, "person")))
    fresh.records.transact([Delete(fresh.records.get(Dataset, "trial"))])
    import_dataset.import_(fresh, archive, account="root")
    key = fresh.records.get(DomainKey, "person")
    assert (key.sealed, key.retired, key.gone) == ("", (), (key.key_id,))
    now = fresh.clock.now()
    fresh.records.put(
        Erasure(
            id="ers_1",
            domain="person",
            reason="r",
            asked_by="a",
            asked_at=now,
            operation="op_1",
            sealed=None,
            done_at=now,
            tables=(ErasedRows(dataset="trial", table="visits", rows=1, version=6),),
        )
    )
    fresh.records.transact([Delete(fresh.records.get(Dataset, "trial"))])
    with pytest.raises(Conflict, match="erased"):
        import_dataset.import_(fresh, archive, account="root")


def test_the_host_commands(drill, fresh, tmp_path):
    from typer.testing import CliRunner

    from atoll.wiring import command_line

    archive = drill[0] / drill[1].path.rpartition("/")[2]
    home = str(fresh.settings.home_dir)
    done = CliRunner().invoke(command_line(), ["dataset", "import", str(archive), "--home", home])
    assert done.exit_code == 0 and "trial: 5 versions" in done.output
    again = CliRunner().invoke(command_line(), ["dataset", "import", str(archive), "--home", home])
    assert again.exit_code == 1 and "has the dataset" in again.output
    made = tmp_path / "made.atoll"
    done = CliRunner().invoke(command_line(), ["dataset", "export", "trial", str(made), "--home", home])
    assert done.exit_code == 0 and made.exists()
    assert CliRunner().invoke(command_line(), ["dataset", "export", "trial", str(made), "--home", home]).exit_code == 1
