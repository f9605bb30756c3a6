"""`atoll repository` and `atoll package` against a platform, and that counts are told in good grammar."""

from __future__ import annotations

import json

import pytest
from tests.cli.test_budgets import run  # noqa: F401  the fixture

from atoll.cli.cells import counted, duration


def test_a_repository_is_made_listed_shown_and_has_no_backup_yet(run):  # noqa: F811
    made = run("sid", "repository", "create", "heart", "analysis", "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["address"] == "atoll:heart/analysis.git"
    assert run("sid", "repository", "create", "heart", "analysis").exit_code not in (0, 1)
    listed = run("sid", "repository", "list", "heart")
    assert "analysis" in listed.stdout
    assert "last backup" in listed.stdout
    assert "atoll:heart/analysis.git" in run("admin", "repository", "show", "heart", "analysis").stdout
    refused = run("sid", "repository", "restore", "heart", "analysis")
    assert refused.exit_code == 3
    assert "no such backup" in run("admin", "repository", "restore", "heart", "analysis").output
    assert json.loads(run("sid", "repository", "pushes", "heart", "--json").stdout) == []
    assert json.loads(run("sid", "package", "list", "heart", "--json").stdout) == []


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "-"), (0, "0 s"), (59.9, "59 s"), (3600, "1 h"), (12_000, "3 h 20 min"), (90_061, "1 d 1 h")],
)
def test_durations(seconds, told):
    assert duration(seconds) == told


def test_counts():
    assert [counted(number, "finding") for number in (0, 1, 2)] == ["0 findings", "1 finding", "2 findings"]
