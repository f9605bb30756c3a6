"""A platform where one scientist owns a thing of every kind, and outsiders of every kind look on."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from tests.api.conftest import open_site

from atoll.flows.manage_products import ensure_shipped
from atoll.model.opening import Opening
from atoll.model.person import PLATFORM
from atoll.model.proof import Proof
from atoll.providers.simulator import SimulatedBackend
from atoll.wiring import platform

CONTRACT = """\
dataset: trial
title: A small trial
tables:
  visits: {files: ["*.csv"], format: csv, columns: {AGE: {treat: keep}, CODE: {treat: keep}}}
"""


class Owned:
    """`ids[segment]` is the id of the owner's thing below `/api/v1/<segment>/`."""

    def __init__(self, site):
        self.site = site
        site.add_person("outsider", {"scientist"})
        site.add_person("mate", {"scientist"})
        site.add_source("rival", ["trial"])
        site.put_in_force(CONTRACT)
        site.add_dataset("other")
        site.add_project("heart", "scientist", "mate")
        site.add_project("lung", "outsider")
        self.ids = {
            "projects": "heart",
            "tokens": self.made("POST", "/tokens", "scientist", label="mine")["record"]["id"],
            "queries": self.made("POST", "/queries/async", "scientist", project="heart", sql="select 1 as one")["id"],
            "saved-queries": self.made(
                "POST", "/saved-queries?project=heart", "scientist", name="mine", sql="select 1 as one"
            )["id"],
            "grants": self.made(
                "POST", "/grants", "steward", project="heart", dataset="trial", tables=None, reason="asked for"
            )["id"],
            "grant-requests": self.made(
                "POST", "/grant-requests", "scientist", project="heart", dataset="other", purpose="a paper"
            )["id"],
            "workspaces": self.made(
                "POST",
                "/workspaces",
                "scientist",
                product="jupyter",
                project="heart",
                confirm_eur_per_hour="0.0738",
            )["workspace"]["id"],
            "airlock-requests": self.made(
                "POST", "/airlock-requests", "scientist", project="heart", purpose="a paper", destination="a journal"
            )["id"],
            "deliveries": self.made(
                "POST",
                "/deliveries",
                "lab",
                source="lab",
                dataset="trial",
                files=[{"name": "a.csv", "size_bytes": 1, "sha256": hashlib.sha256(b"a").hexdigest()}],
            )["id"],
        }
        self.made("POST", "/projects/heart/repositories", "scientist", name="notes")
        operation = site.rooms.operations.plan(
            story="make_proof", subject="proof/prf_mine", steps=("prove",), caller=PLATFORM, deadline_seconds=60
        )
        site.rooms.records.put(operation)
        proof = Proof(
            id="prf_mine",
            workspace=self.ids["workspaces"],
            asked_by=site.ids["scientist"],
            asked_by_name="scientist",
            asked_at=site.clock.now(),
            product="jupyter@1",
            backend="simulator",
            bombs=False,
            operation_id=operation.id,
        )
        site.rooms.records.put(proof)
        self.ids["proofs"] = proof.id
        opening = Opening(
            id="opn_mine",
            dataset="trial",
            number=1,
            table="visits",
            columns=("code",),
            cells=1,
            reason="a finding",
            asked_by="steward",
            asker_id=site.ids["steward"],
            asked_at=site.clock.now(),
            recipient="scientist",
            recipient_id=site.ids["scientist"],
            hours=24,
            expires_at=site.clock.now() + timedelta(days=7),
        )
        site.rooms.records.put(opening)
        self.ids["openings"] = opening.id

    def made(self, method, path, who, **body):
        answer = self.site.send(method, path, who, json=body)
        assert answer.status_code in (200, 201, 202), (path, answer.text)
        return answer.json()


@pytest.fixture(scope="module")
def owned(tmp_path_factory):
    site, rooms = open_site(
        tmp_path_factory.mktemp("owned"),
        lambda clock: {"simulator": SimulatedBackend(clock)},
        host_vcpu=100,
        host_memory_bytes=2**40,
        query_workers=0,
    )
    ensure_shipped(site.rooms)
    yield Owned(site)
    platform.close(rooms)
