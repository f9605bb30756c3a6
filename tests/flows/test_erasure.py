"""A person is erased: rows of others stay as they are, nothing of the person stays, and who it was is not told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.flows import upkeep_stories
from tests.flows.lakework import deliver, newest, rows_of, work
from tests.flows.trial import AUTHOR, CONTRACT, LAB, REVIEWER, add_lab, put_in_force

from atoll.deid import pseudonym_digits
from atoll.errors import Conflict, InvalidInput, NotFound, NotPermitted
from atoll.flows import change_key, erase_person, expire_versions, read_lake
from atoll.flows.lay_out_dataset import store
from atoll.flows.read_lake_profile import profile_datasets
from atoll.model.catalog import TableProfile
from atoll.model.key_change import KeyAct
from atoll.model.mount import DatasetMount
from atoll.model.person import PLATFORM
from atoll.model.query import KeptResult, QueryRecord
from atoll.ports.records import every
from atoll.settings import Settings
from atoll.wiring import platform

#: Another column of the same domain, which the rows are not about.
REFERRED = CONTRACT.replace(
    "      VISIT: {treat: keep, type: integer, required: true}\n",
    "      VISIT: {treat: keep, type: integer, required: true}\n"
    "      MOTHER: {treat: pseudonymize, domain: person, length: 20, prefix: M-, reason: names another person}\n",
)


@pytest.fixture
def rooms(tmp_path):
    made = platform.build(Settings(home=tmp_path / "home", query_workers=1))
    put_in_force(made, CONTRACT)
    add_lab(made)
    yield made
    platform.close(made)


def erase(rooms, **whom):
    erasure = erase_person.ask(rooms, REVIEWER, domain="person", reason="Objection", confirm="person", **whom)
    work(rooms)
    return erase_person.show(rooms, REVIEWER, erasure.id)


def test_rows_versions_files_mounts_profiles_and_results_go(rooms):
    for number in range(3):
        deliver(rooms, number)
    profile_datasets(rooms)
    expire_versions.keep(rooms, REVIEWER, "trial", 2, "kept, yet an erasure comes first")
    now = rooms.clock.now()
    for key, version in (("m2", "trial@2"), ("m1", "trial@1")):
        rooms.records.put(DatasetMount(id=key, project="heart", dataset="trial", dataset_version=version, grant="g"))
        store(rooms).make(key, lambda place: (place / "0.parquet").write_bytes(b"rows"))
    kept = KeptResult(file="qry_1", rows=1, size_bytes=4, columns=(), grants=(), expires_at=now + timedelta(days=1))
    for id, version in (("qry_1", "trial@3"), ("qry_2", "trial@1")):
        rooms.records.put(
            QueryRecord(
                id=id,
                project="heart",
                person="per_1",
                sql="select 1",
                versions=(version,),
                started_at=now,
                finished_at=now,
                result=kept.but(file=id),
            )
        )
    upkeep_stories.note_rows(rooms)
    erasure = erase(rooms, identifier="S-1-0")

    upkeep_stories._check_erasure(rooms)
    assert (erasure.mounts, erasure.results, erasure.profiles) == (1, 1, 2)
    assert not store(rooms).path("m2").exists()
    assert store(rooms).path("m1").exists()
    assert rooms.records.get(QueryRecord, "qry_1").result.removed_because == "erasure"
    assert not list(every(rooms.records, TableProfile))
    with pytest.raises(NotFound):
        rooms.lake.plan("trial", "visits", read_lake.version(rooms, PLATFORM, "trial", 2).tables[1].snapshot_id)
    # Raw files, which a replay may need, are told of, not touched.
    assert len(erasure.in_quarantine) == 3
    # Who it was is nowhere: not in the proof, the operation, or the audit.
    told = erasure.model_dump_json() + "".join(o.model_dump_json() for o in rooms.operations.find().records)
    told += "".join(entry.model_dump_json() for entry in rooms.audit.tail(1000))
    assert "S-1-0" not in told
    assert pseudonym_digits("S-1-0", rooms.keyring.keys("person"))[:16] not in told
    # The dataset goes on; another erasure of the same person finds nothing.
    deliver(rooms, 7)
    again = erase(rooms, identifier="S-1-0")
    assert (again.tables, again.versions, again.files) == ((), (), 0)
    assert again.done_at is not None and again.files_searched > 0


def test_by_pseudonym_and_where_others_rows_name_the_person(rooms):
    put_in_force(rooms, REFERRED)
    from tests.flows.trial import admit, hand_over

    csv = b"ID,VISIT,MOTHER,AT\nS-1,1,S-9,2020-02-01T10:00:00Z\nS-9,1,,2020-02-01T10:00:00Z\nS-2,1,S-1,\n"
    hand_over(rooms, {"visits.csv": csv})
    admit(rooms)
    digits = pseudonym_digits("S-9", rooms.keyring.keys("person"))
    erasure = erase(rooms, pseudonym="M-" + digits[:20])
    assert [(t.table, t.rows) for t in erasure.tables] == [("visits", 1)]
    rows = [
        dict(zip(("at", "mother", "subject_id", "visit"), row, strict=True))
        for row in rows_of(rooms, newest(rooms), "visits")
    ]
    assert len(rows) == 2
    assert sorted(row["mother"] is None for row in rows) == [False, True]
    assert not [row for row in rows if digits[:16] in str(row)]


def test_it_is_confirmed_and_only_stewards_may(rooms):
    deliver(rooms, 0)
    asked = {"domain": "person", "reason": "Objection"}
    with pytest.raises(InvalidInput, match="confirmed"):
        erase_person.ask(rooms, REVIEWER, **asked, confirm="yes", identifier="S-0-0")
    with pytest.raises(InvalidInput, match="whom"):
        erase_person.ask(rooms, REVIEWER, **asked, confirm="person")
    with pytest.raises(InvalidInput, match="no pseudonym"):
        erase_person.ask(rooms, REVIEWER, **asked, confirm="person", pseudonym="S-0-0")
    with pytest.raises(NotFound):
        erase_person.ask(rooms, REVIEWER, domain="nowhere", reason="x", confirm="nowhere", identifier="S-0-0")
    with pytest.raises(NotPermitted):
        erase_person.ask(rooms, LAB, **asked, confirm="person", identifier="S-0-0")
    assert not rooms.operations.open()


def test_a_file_that_cannot_be_removed_is_no_proof(rooms, monkeypatch):
    deliver(rooms, 0)
    monkeypatch.setattr(erase_person, "purge", lambda *_: {})
    erasure = erase(rooms, identifier="S-0-0")
    assert erasure.done_at is None
    assert (erasure.failed_because, erasure.sealed) == ("conflict", None)
    assert rooms.audit.tail(1)[0].event.action == "person.erase.fail"


def change(rooms, act):
    asked = change_key.ask(rooms, AUTHOR, "person", act, "so decided")
    change_key.approve(rooms, REVIEWER, asked.id, "agreed")


def about(rooms, erasure):
    """Rows taken out, by table; and what the operation said last."""
    log = [entry.body["message"] for entry in rooms.operations.log(erasure.operation)]
    return {t.table: t.rows for t in erasure.tables}, "".join(log)


def test_an_identifier_is_found_under_every_key_that_the_domain_had(rooms):
    deliver(rooms, 0)
    first = rooms.keyring.keys("person")
    change(rooms, KeyAct.ROTATE)
    deliver(rooms, 0, subjects=2)
    change(rooms, KeyAct.ROTATE)
    erasure = erase(rooms, identifier="S-0-0")
    rows, said = about(rooms, erasure)
    assert rows == {"subjects": 2, "visits": 4}
    assert (len(erasure.keys_searched), erasure.keys_unsearched) == (3, ())
    assert "Nothing of the person is left" in said
    shown = pseudonym_digits("S-0-0", first)[:32]
    assert not [row for row in rows_of(rooms, newest(rooms), "subjects") if shown in row]
    # Others stay under both pseudonyms.
    assert rows_of(rooms, newest(rooms), "subjects").total() == 3


def test_after_a_key_is_destroyed_by_pseudonym_only_and_the_proof_says_where_nobody_could_look(rooms):
    deliver(rooms, 0)
    shown = pseudonym_digits("S-0-1", rooms.keyring.keys("person"))[:32]
    change(rooms, KeyAct.DESTROY)
    with pytest.raises(Conflict, match="destroyed"):
        erase(rooms, identifier="S-0-0")
    erasure = erase(rooms, pseudonym=shown)
    rows, said = about(rooms, erasure)
    assert rows == {"subjects": 1, "visits": 2}
    # One key made all there is: the pseudonym is the person.
    assert erasure.keys_unsearched == ()
    assert "Nothing of the person is left" in said

    gone = erasure.keys_searched
    change(rooms, KeyAct.ROTATE)
    deliver(rooms, 0, subjects=2)
    erasure = erase(rooms, identifier="S-0-0")
    rows, said = about(rooms, erasure)
    # The row that the destroyed key made is still there, and the proof does not deny it.
    assert rows == {"subjects": 1, "visits": 2}
    assert (len(erasure.keys_searched), erasure.keys_unsearched) == (1, gone)
    assert "could not be looked for" in said and "Nothing of the person" not in said
    assert rooms.audit.tail(1)[0].event.details["keys_unsearched"] == list(gone)
    # A pseudonym may be of either key.
    erasure = erase(rooms, pseudonym=pseudonym_digits("S-0-1", rooms.keyring.keys("person"))[:32])
    assert (erasure.keys_searched, len(erasure.keys_unsearched)) == ((), 2)


def test_a_key_made_while_an_erasure_runs_is_told(rooms):
    deliver(rooms, 0)
    asked = erase_person.ask(rooms, REVIEWER, domain="person", reason="Objection", confirm="person", identifier="S-0-0")
    change(rooms, KeyAct.ROTATE)
    work(rooms)
    erasure = erase_person.show(rooms, REVIEWER, asked.id)
    assert erasure.keys_unsearched == (rooms.keyring.keys("person").key_id,)
