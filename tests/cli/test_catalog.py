"""Catalog, requests for grants, audit and costs by the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.test_whole_way import runner
from tests.client.live_platform import GOOD, MIXED, Atoll, write
from typer.testing import Result

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def run(atoll: Atoll, tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = runner(atoll)
    path = write(tmp_path_factory.mktemp("catalog"), "patients-catalog.csv", GOOD + MIXED.partition("\n")[2])
    assert run("lab", "deliver", "--source", "lab", "--dataset", "ward", str(path)).exit_code == 0
    return run


def test_a_dataset_is_found_and_described(run: Run) -> None:
    found = json.loads(run("sid", "dataset", "search", "patients", "--json").stdout)
    assert found[0]["kind"] == "table"
    told = run("sid", "dataset", "describe", "ward").stdout
    assert "Replaced by a pseudonym" in told
    assert "FROM ward.patients" in told
    quality = json.loads(run("sid", "dataset", "quality", "ward", "--json").stdout)
    assert quality[0]["rows_in"] == quality[0]["rows_committed"] + quality[0]["rows_quarantined"]
    assert run("sid", "dataset", "quality", "ward").exit_code == 0
    assert run("sid", "dataset", "diff", "ward", "1", "1").exit_code == 0
    assert run("sid", "dataset", "diff", "ward", "1", "99").exit_code == 4
    shown = json.loads(run("sid", "dataset", "show", "ward", "--version", "1", "--json").stdout)
    assert shown["newest"]["number"] == 1
    then = run("sid", "dataset", "show", "ward", "--at", shown["newest"]["committed_at"])
    assert then.exit_code == 0, then.stderr
    assert run("sid", "dataset", "show", "ward", "--at", "2001-01-01").exit_code == 4
    assert run("sid", "dataset", "show", "ward", "--at", "2001-01-01", "--version", "1").exit_code == 6
    profile = run("sid", "dataset", "profile", "ward")
    assert profile.exit_code == 0, profile.stderr


def test_a_grant_is_asked_for_and_refused_and_given(run: Run) -> None:
    part = ("--table", "patients", "--columns", "age", "--filter", "age > 25")
    asked = run(
        "sid", "grant", "request", "--project", "heart", "--dataset", "ward", "--purpose", "Study", *part,
        "--version", "1", "--json"
    )  # fmt: skip
    assert asked.exit_code == 0, asked.stderr
    id = json.loads(asked.stdout)["id"]
    assert json.loads(asked.stdout)["version"] == 1
    assert id in run("sam", "grant", "requests", "--waiting").stdout
    assert run("sid", "grant", "approve", id, "--reason", "mine").exit_code == 3
    assert "no consent" in run("sam", "grant", "refuse", id, "--reason", "no consent").stdout
    assert run("sid", "grant", "withdraw", id).exit_code == 5
    again = run("sid", "grant", "request", "--project", "heart", "--dataset", "ward", "--purpose", "Study", "--json")
    given = run("sam", "grant", "approve", json.loads(again.stdout)["id"], "--reason", "reviewed", "--json")
    assert given.exit_code == 0, given.stderr
    assert run("sam", "grant", "revoke", json.loads(given.stdout)["grant"]).exit_code == 0


def test_a_grant_is_pinned_to_a_version(run: Run) -> None:
    add = ("grant", "add", "--project", "heart", "--dataset", "ward", "--reason", "to repeat")
    wrong = run("sam", *add, "--version", "77")
    assert (wrong.exit_code, "no version 77" in wrong.stderr) == (6, True)
    given = json.loads(run("sam", *add, "--version", "1", "--json").stdout)
    assert given["version"] == 1
    assert run("sam", "grant", "revoke", given["id"]).exit_code == 0


def test_audit_is_searched_and_exported(run: Run, tmp_path: Path) -> None:
    told = json.loads(run("ann", "audit", "tail", "--person", "sam", "--action", "grant.", "-n", "2", "--json").stdout)
    assert {entry["event"]["caller"]["name"] for entry in told} == {"sam"}
    assert run("ann", "audit", "tail", "--since", "yesterday").exit_code == 6
    out = tmp_path / "audit.ndjson"
    assert run("ann", "audit", "export", "--out", str(out)).exit_code == 0
    assert [json.loads(line)["number"] for line in out.read_text().splitlines()][:3] == [1, 2, 3]
    assert run("ann", "audit", "checkpoints").exit_code == 0
    assert run("sid", "audit", "export", "--out", str(out)).exit_code == 3


def test_costs_are_exported_and_months_closed_by_who_may(run: Run, tmp_path: Path) -> None:
    [month, *_] = json.loads(run("ann", "cost", "months", "--json").stdout)
    assert month["state"] == "open"
    out = tmp_path / "costs.csv"
    assert run("ann", "cost", "export", month["month"], "--focus", "--out", str(out)).exit_code == 0
    assert out.read_text().startswith("BilledCost,")
    assert run("ann", "cost", "close", month["month"]).exit_code == 3
    assert run("admin", "cost", "close", month["month"]).exit_code == 5
    wrong = run("admin", "cost", "correct", month["month"], "use_none", "--quantity", "1", "--reason", "test")
    assert wrong.exit_code == 4
    assert run("admin", "cost", "correct", "May", "use_none", "--quantity", "x", "--reason", "test").exit_code == 6
