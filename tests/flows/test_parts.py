"""A file that fills several tables: committed to all of them, replayed, and told in the lineage."""

from __future__ import annotations

import json

import pytest
from tests.flows.trial import LAB, REVIEWER, admit, hand_over, put_in_force

from atoll.flows import read_lake, receive_delivery
from atoll.flows.replay_delivery import replay
from atoll.model.delivery import DeliveryState
from atoll.model.person import PLATFORM

CONTRACT = """
dataset: trial
title: Bundles
domains: {people: {description: People}}
tables:
  patients:
    files: ['*.json']
    format: fhir
    resource: Patient
    columns: {id: {treat: pseudonymize, domain: people}, name: {treat: drop}}
  observations:
    files: ['*.json']
    format: fhir
    resource: Observation
    columns: {id: {treat: keep}}
  components:
    files: ['*.json']
    format: fhir
    resource: Observation
    each: component
    columns:
      observation: {path: id, treat: keep}
      value: {path: 'component[*].valueInteger', treat: keep, type: integer}
"""
RESOURCES = [
    {"resourceType": "Patient", "id": "p1", "name": [{"family": "Miller"}]},
    {"resourceType": "Observation", "id": "o1", "component": [{"valueInteger": 1}, {"valueInteger": 2}]},
    {"resourceType": "Observation", "id": "o2", "status": "final", "component": [{"valueInteger": 3}]},
]
BUNDLE = json.dumps({"resourceType": "Bundle", "entry": [{"resource": r} for r in RESOURCES]}).encode()


@pytest.fixture
def delivered(trial):
    put_in_force(trial, CONTRACT)
    delivery = hand_over(trial, {"bundle.json": BUNDLE})
    admit(trial)
    return delivery


def counts(trial):
    version = read_lake.dataset(trial, PLATFORM, "trial")[1]
    plans = [trial.lake.plan("trial", state.table, state.snapshot_id) for state in version.tables]
    return {plan.table: sum(file.rows for file in plan.files) for plan in plans}


def test_a_bundle_fills_its_tables_and_what_is_held_enters_later_with_its_children(trial, delivered):
    view = receive_delivery.show(trial, LAB, delivered.id)
    (file,) = view.delivery.outcome.files
    assert (file.rows_in, file.rows_committed, file.rows_quarantined) == (5, 4, 1)
    assert file.tables == {"patients": 1, "observations": 1, "components": 2}
    assert counts(trial) == file.tables

    mended = CONTRACT.replace("{id: {treat: keep}}", "{id: {treat: keep}, status: {treat: drop}}")
    put_in_force(trial, mended)
    replay(trial, REVIEWER, delivered.id)
    admit(trial)

    view = receive_delivery.show(trial, LAB, delivered.id)
    (file,) = view.delivery.outcome.files
    assert view.state is DeliveryState.COMMITTED
    assert (file.rows_committed, file.rows_quarantined) == (6, 0)
    assert file.rows_in == file.rows_committed + file.rows_quarantined
    assert counts(trial) == file.tables == {"patients": 1, "observations": 2, "components": 3}
