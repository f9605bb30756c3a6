"""Sources, admissions, maintenance, erasures and readers for a simulated while: no committed row is lost or doubled.

Two of each take turns at every write, by a schedule drawn from a seed, and those who work on operations
are killed now and then. An hour of it: `ATOLL_SIMULATED_SECONDS=3600`, other schedules: `ATOLL_SIMULATED_SEEDS=1,2,3`.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from tests.flows.mounting import add_people, give
from tests.flows.simulated import Schedule, SimulatedClock, take_turns
from tests.flows.trial import CONTRACT, REVIEWER, add_lab, hand_over, put_in_force

from atoll.errors import AlreadyExists, StatementRefused
from atoll.flows import compact_dataset, erase_person, expire_versions, read_lake, run_query, version_retention
from atoll.flows.rooms import Rooms
from atoll.model.dataset import Dataset, DatasetVersion, MadeBy
from atoll.model.person import PLATFORM, Caller, Role, SubjectKind
from atoll.model.query import QueryRecord
from atoll.ports.records import every
from atoll.settings import Settings
from atoll.wiring import platform

SECONDS = float(os.environ.get("ATOLL_SIMULATED_SECONDS", "240"))
SEEDS = [int(seed) for seed in os.environ.get("ATOLL_SIMULATED_SEEDS", "7").split(",")]
ADA = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_ada", name="ada", roles=frozenset({Role.SCIENTIST}))
PEOPLE, VISITS = 3, 2


class Hospital:
    """What happens, and what must therefore be in each version of `trial.visits`."""

    def __init__(self, rooms: Rooms, schedule: Schedule) -> None:
        self.rooms = rooms
        self.schedule = schedule
        self.delivered: dict[str, int] = {}
        self.erased: dict[str, tuple[int, int]] = {}
        self.read = self.travelled = self.missed = 0

    def visits(self, number: int, person: int | None = None) -> set[int]:
        people = range(PEOPLE) if person is None else (person,)
        return {number * 10 + k * VISITS + v for k in people for v in range(VISITS)}

    def expected(self) -> dict[int, set[int]]:
        """Visits by number of the version, as the records tell how it came about."""
        found: dict[int, set[int]] = {0: set()}
        for version in sorted(every(self.rooms.records, DatasetVersion, {"dataset": "trial"}), key=lambda v: v.number):
            before = found[version.number - 1]
            if version.made_by is MadeBy.DELIVERY:
                found[version.number] = before | self.visits(self.delivered[version.delivery])
            elif version.made_by is MadeBy.ERASURE:
                found[version.number] = before - self.visits(*self.erased[version.operation])
            else:
                found[version.number] = before
        return found

    def deliver(self) -> None:
        while not self.schedule.over():
            self.hand_over()
            self.schedule.pause(60)

    def hand_over(self) -> None:
        number = len(self.delivered) + 1
        self.delivered[f"to come {number}"] = number
        lines = "".join(
            f"S-{number}-{k},{number * 10 + k * VISITS + v},2020-02-01T10:00:00Z\n"
            for k in range(PEOPLE)
            for v in range(VISITS)
        )
        delivery = hand_over(self.rooms, {f"visits{number}.csv": f"ID,VISIT,AT\n{lines}".encode()})
        self.delivered[delivery.id] = self.delivered.pop(f"to come {number}")

    def work(self, runner) -> None:
        while not self.schedule.over():
            with self.schedule.mortal():
                runner(self.rooms).run_open()
            self.schedule.pause(5)

    def steward(self) -> None:
        while not self.schedule.over():
            self.schedule.pause(30)
            what = self.schedule.random.choice(("compact", "expire", "erase"))
            try:
                if what == "compact":
                    compact_dataset.ask(self.rooms, REVIEWER, "trial", whole=True)
                elif what == "expire":
                    expire_versions.ask(self.rooms, REVIEWER, "trial", kept=2, days=0)
                else:
                    self.erase()
            except AlreadyExists:
                continue

    def erase(self) -> None:
        dataset = self.rooms.records.get(Dataset, "trial")
        done = set(self.erased.values())
        there = [
            (self.delivered[version.delivery], k)
            for version in every(self.rooms.records, DatasetVersion, {"dataset": "trial"})
            for k in range(PEOPLE)
            if version.delivery and (self.delivered[version.delivery], k) not in done
        ]
        if dataset.latest and there:
            number, k = self.schedule.random.choice(there)
            erasure = erase_person.ask(
                self.rooms,
                REVIEWER,
                domain="person",
                identifier=f"S-{number}-{k}",
                reason="Objection",
                confirm="person",
            )
            self.erased[erasure.operation] = (number, k)

    def look(self) -> None:
        while not self.schedule.over():
            self.schedule.pause(15)
            latest = self.rooms.records.get(Dataset, "trial").latest
            if not latest:
                continue
            back = self.schedule.random.randrange(4)
            at = f" AT (VERSION => {max(latest - back, 1)})" if back else ""
            try:
                with run_query.run(self.rooms, ADA, "heart", f"SELECT visit FROM trial.visits{at}") as running:
                    self.schedule.pause(5)
                    told = Counter(row["visit"] for batch in running for row in batch.to_pylist())
            except StatementRefused as refused:
                assert at and "expired" in str(refused), refused
                self.missed += 1
                continue
            (version,) = self.rooms.records.get(QueryRecord, running.query_id).versions
            assert told == Counter(self.expected()[int(version.partition("@")[2])]), version
            self.read += 1
            self.travelled += bool(at)


@pytest.fixture(params=SEEDS)
def hospital(request, tmp_path, monkeypatch):
    schedule = Schedule(request.param, datetime.now(UTC), SECONDS)
    monkeypatch.setattr(platform, "SystemClock", lambda: SimulatedClock(schedule))
    monkeypatch.setattr(version_retention, "_LEAST_GRACE", timedelta(seconds=120))
    settings = Settings(
        home=tmp_path / "home",
        query_workers=1,
        query_seconds=60,
        compact_files=2,
        orphan_hours=1,
        operation_lease_seconds=60,
    )
    rooms = platform.build(settings)
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    add_people(rooms)
    give(rooms)
    made = Hospital(rooms, schedule)
    made.hand_over()
    platform.runner(rooms).run_open()
    take_turns(monkeypatch, schedule)
    yield made
    platform.close(rooms)


def test_nothing_is_lost_or_doubled(hospital):
    rooms, schedule = hospital.rooms, hospital.schedule
    schedule.run(
        {
            "source": hospital.deliver,
            "another source": hospital.deliver,
            "admission": lambda: hospital.work(platform.runner),
            "another admission": lambda: hospital.work(platform.runner),
            "upkeep": lambda: hospital.work(platform.upkeep_runner),
            "another upkeep": lambda: hospital.work(platform.upkeep_runner),
            "steward": hospital.steward,
            "reader": hospital.look,
            "another reader": hospital.look,
        }
    )
    for _ in range(200):
        if not rooms.operations.open():
            break
        schedule.now += timedelta(seconds=30)
        platform.runner(rooms).run_open()
        platform.upkeep_runner(rooms).run_open()
    assert {operation.state.value for operation in rooms.operations.find(limit=1000).records} == {"succeeded"}
    print(
        f"{schedule.turns} turns, {schedule.kills} kills, {len(hospital.delivered)} deliveries, "
        f"{len(hospital.erased)} erasures, {hospital.read} reads, {hospital.travelled} of them of older versions, "
        f"{hospital.missed} of versions that had expired"
    )
    versions = read_lake.versions(rooms, PLATFORM, "trial")
    assert Counter(v.delivery for v in versions if v.delivery) == Counter(hospital.delivered.keys())
    expected = hospital.expected()
    gone = {visit for erased in hospital.erased.values() for visit in hospital.visits(*erased)}
    for version in versions:
        if version.live:
            state = version.tables[0]
            files = rooms.lake.plan("trial", "visits", state.snapshot_id).files
            held = Counter(visit for file in files for visit in pq.read_table(file.path)["visit"].to_pylist())
            assert held == Counter(expected[version.number]), version.id
            assert not gone & set(held)
    everything = {visit for number in hospital.delivered.values() for visit in hospital.visits(number)}
    assert expected[versions[0].number] == everything - gone
    assert hospital.read and schedule.kills
