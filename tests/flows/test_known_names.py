"""Names in other tables of a delivery, through every room."""

from __future__ import annotations

from tests.deid.test_known_names import CONTRACT
from tests.flows.test_admission import rows_of
from tests.flows.trial import LAB, add_lab, admit, hand_over, put_in_force

from atoll.flows import receive_delivery


def test_relatives_leave_the_notes_of_their_patient_only(rooms):
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    files = {
        "notes.csv": b"PATIENT,NOTE\n1,ADA came with Mary and Ben\n2,Ada is a first name here; ben left\n3,nobody\n",
        "contacts.csv": b"OF,NAME\n1,Mary Lovelace\n1,\n2,Ben Zu\n",
        "patients.csv": "ID,NAME\n1,Áda Lovelace\n2,Cy\n".encode(),
    }
    delivery = hand_over(rooms, files)
    admit(rooms)
    assert rows_of(rooms, "trial", "notes")["note"].to_list() == [
        "[NAME] came with [NAME] and Ben",
        "Ada is a first name here; [NAME] left",
        "nobody",
    ]
    left = [path for path in rooms.settings.quarantine_path.rglob("*") if "read" in path.name]
    assert left == [], "nothing that was gathered stays behind"
    assert receive_delivery.show(rooms, LAB, delivery.id).delivery.outcome.rows_committed == 8


def test_texts_wait_when_nobody_brings_the_names(rooms):
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    files = {
        "notes.csv": b"PATIENT,NOTE\n1,Mary\n",
        "patients.csv": b"ID,NAME\n1,Ada\n",
        "contacts.csv": b"OF,WHO\n1,Mary\n",
    }
    delivery = hand_over(rooms, files)
    admit(rooms)
    by_name = {file.name: file for file in receive_delivery.show(rooms, LAB, delivery.id).delivery.outcome.files}
    notes, patients, contacts = (by_name[name] for name in files)
    assert (notes.accepted, notes.rule, notes.rows_in) == (False, "names", None)
    assert "contacts.NAME" in notes.message
    assert (patients.accepted, contacts.rule) == (True, "columns")
