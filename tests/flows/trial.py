"""A small trial to admit: contract, files, and the source that hands them over."""

from __future__ import annotations

import hashlib

from atoll.flows import receive_delivery, review_contract
from atoll.flows.rooms import Rooms
from atoll.model.contract import ContractVersion
from atoll.model.delivery import Delivery, ManifestFile
from atoll.model.person import Caller, Role, Source, SubjectKind
from atoll.ports.records import Put
from atoll.wiring import platform

CONTRACT = """\
dataset: trial
title: A small trial
domains:
  person:
    description: One pseudonym for each subject
tables:
  subjects:
    files: ["subjects*.csv"]
    format: csv
    subject: ID
    columns:
      ID: {treat: pseudonymize, domain: person, as: subject_id, required: true, reason: direct identifier}
      NAME: {treat: drop, reason: name}
      AGE: {treat: keep, type: integer, min: 0, max: 120}
      SEEN: {treat: shift_date, type: date}
  visits:
    files: ["visits*.csv"]
    format: csv
    subject: ID
    columns:
      ID: {treat: pseudonymize, domain: person, as: subject_id, required: true, reason: direct identifier}
      VISIT: {treat: keep, type: integer, required: true}
      AT: {treat: shift_date, type: datetime}
"""

SUBJECTS = b"ID,NAME,AGE,SEEN\nS-1,Ada,36,2020-02-01\nS-2,Ben,41,2020-03-01\nS-3,Cy,old,2020-04-01\n"
VISITS = b"ID,VISIT,AT\nS-1,1,2020-02-01T10:00:00Z\nS-1,2,2020-02-11T10:00:00Z\nS-2,1,2020-03-01T08:30:00Z\n"

LAB = Caller(subject_kind=SubjectKind.SOURCE, subject_id="src_lab", name="lab")
AUTHOR, REVIEWER = (
    Caller(subject_kind=SubjectKind.PERSON, subject_id=f"per_{name}", name=name, roles=frozenset({Role.STEWARD}))
    for name in ("author", "reviewer")
)


def put_in_force(rooms: Rooms, text: str) -> ContractVersion:
    """One steward proposes the contract, another approves it."""
    return review_contract.approve(rooms, REVIEWER, review_contract.propose(rooms, AUTHOR, text).id)


def add_lab(rooms: Rooms, dataset: str = "trial") -> None:
    """A source that may deliver to the dataset."""
    rooms.records.transact(
        [
            Put(
                Source(
                    id="src_lab", name="lab", title="Lab", datasets=frozenset({dataset}), created_at=rooms.clock.now()
                )
            )
        ]
    )


def hand_over(rooms: Rooms, files: dict[str, bytes], dataset: str = "trial") -> Delivery:
    """Open, upload and submit; the admission is queued."""
    manifest = tuple(
        ManifestFile(name=n, size_bytes=len(b), sha256=hashlib.sha256(b).hexdigest()) for n, b in files.items()
    )
    delivery, _ = receive_delivery.open_delivery(rooms, LAB, "lab", dataset, manifest)
    for index, file in enumerate(delivery.files):
        receive_delivery.receive_file(rooms, LAB, delivery.id, index, [files[file.name]])
    return receive_delivery.submit(rooms, LAB, delivery.id)


def admit(rooms: Rooms) -> None:
    """Run everything that is queued, in this thread."""
    platform.runner(rooms).run_open()
