"""Archives among a delivery's files: each member is admitted, and the counts add up."""

from __future__ import annotations

import gzip
import io
import zipfile

from tests.flows.test_replay import MENDED, PEOPLE, rows, shown
from tests.flows.trial import REVIEWER, SUBJECTS, VISITS, admit, hand_over, put_in_force

from atoll.flows.replay_delivery import replay
from atoll.flows.rooms import Rooms
from atoll.model.delivery import DeliveryState


def packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"march/{name}.csv", content)
    return out.getvalue()


def test_members_are_admitted_and_what_is_no_archive_is_held(trial: Rooms) -> None:
    files = {
        "march.zip": packed(subjects=SUBJECTS, notes=b"Zephyrine Quillfeather"),
        "visits.csv.gz": gzip.compress(VISITS),
        "broken.zip": packed(subjects=SUBJECTS)[:-9],
    }
    delivery = hand_over(trial, files)
    admit(trial)
    outcome = shown(trial, delivery).delivery.outcome
    assert outcome is not None
    told = {file.name: (file.rows_in, file.rows_committed, file.rule) for file in outcome.files}
    assert told == {
        "broken.zip": (None, 0, "archive_broken"),
        "march.zip/march/subjects.csv": (3, 2, ""),
        "march.zip/march/notes.csv": (None, 0, "unexpected_file"),
        "visits.csv.gz/visits.csv": (3, 3, ""),
    }
    assert (outcome.rows_in, outcome.rows_committed, outcome.rows_quarantined) == (6, 5, 1)
    assert outcome.bytes_in == sum(map(len, files.values()))
    assert rows(trial, "visits").height == 3
    for path in trial.settings.lake_path.rglob("*"):
        assert not path.is_file() or b"Quillfeather" not in path.read_bytes()


def test_what_was_held_of_a_member_enters_by_replay(trial: Rooms) -> None:
    delivery = hand_over(trial, {"march.zip": packed(subjects=PEOPLE, visits=VISITS), "broken.tgz": b"x"})
    admit(trial)
    put_in_force(trial, MENDED)
    replay(trial, REVIEWER, delivery.id)
    admit(trial)
    view = shown(trial, delivery)
    assert view.state is DeliveryState.COMMITTED
    assert view.delivery.outcome is not None
    assert [(f.name, f.rows_committed, f.rows_quarantined) for f in view.delivery.outcome.files] == [
        ("broken.tgz", 0, 0),
        ("march.zip/march/subjects.csv", 3, 0),
        ("march.zip/march/visits.csv", 3, 0),
    ]
    assert rows(trial, "subjects").height == 3


def test_purged_archives_leave_nothing_opened(trial: Rooms) -> None:
    delivery = hand_over(trial, {"march.zip": packed(visits=VISITS)})
    admit(trial)
    assert trial.quarantine.purge(delivery.id) > len(VISITS)
    left = [path for path in (trial.settings.quarantine_path / delivery.id).rglob("*") if path.is_file()]
    assert [path.parent.name for path in left] == ["held"]
