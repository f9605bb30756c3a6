"""`atoll opening`, from the question to the file, through the API."""

from __future__ import annotations

import csv
import hashlib
import stat

import pytest
from tests.api.conftest import API, open_site
from tests.flows.test_open_values import CONTRACT, FILE
from typer.testing import CliRunner

from atoll.cli.app import app
from atoll.cli.commands import openings
from atoll.client import AtollClient
from atoll.wiring import platform


@pytest.fixture
def site(tmp_path):
    site, rooms = open_site(tmp_path / "home", query_workers=0)
    site.put_in_force(CONTRACT)
    manifest = [{"name": "subjects.csv", "size_bytes": len(FILE), "sha256": hashlib.sha256(FILE).hexdigest()}]
    opened = site.post("/deliveries", "lab", source="lab", dataset="trial", files=manifest).json()
    site.send("PUT", f"/deliveries/{opened['id']}/files/0", "lab", content=FILE)
    assert site.send("POST", f"/deliveries/{opened['id']}/submit", "lab").status_code in (200, 202)
    platform.runner(rooms).run_open()
    yield site
    platform.close(rooms)


def test_from_the_question_to_the_file(site, monkeypatch, tmp_path):
    def run(who, *words):
        made = AtollClient("http://testserver", site.tokens[who], transport=site.client._transport)
        monkeypatch.setattr(openings, "client", lambda: made)
        return CliRunner().invoke(app, ["opening", *words])

    asked = run("steward", "ask", "trial.subjects", "--whole", "--column", "name", "--reason", "a finding", "--json")
    assert asked.exit_code == 0, asked.output
    (opening,) = site.get("/openings", "steward").json()["items"]
    assert (opening["state"], opening["cells"], opening["whole"]) == ("waiting", 2, True)
    assert run("steward", "approve", opening["id"], "--reason", "mine").exit_code != 0
    assert run("reviewer", "approve", opening["id"], "--reason", "agreed").exit_code == 0
    out = tmp_path / "names.csv"
    assert run("reviewer", "take", opening["id"], "--out", str(out)).exit_code != 0
    assert not out.exists(), "nothing is left of what was refused"
    assert run("steward", "take", opening["id"], "--out", str(out)).exit_code == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert {row["value"] for row in csv.DictReader(out.open())} == {"Ada Quux", "Ben Quux"}
    assert run("steward", "take", opening["id"], "--out", str(out)).exit_code != 0, "the file is never written over"
    assert out.exists()
    again = site.post(f"/openings/{opening['id']}/take", "steward")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert "Quux" not in site.get(f"/openings/{opening['id']}", "steward").text + site.get("/openings", "auditor").text
    assert "handed" in run("steward", "list").output
    assert site.client.get(f"{API}/openings", headers=site.head("scientist")).json()["items"] == []
