"""`atoll budget` and `atoll cost forgotten` against a platform."""

from __future__ import annotations

import json

import pytest
from tests.client.live_platform import Atoll
from typer.testing import CliRunner

from atoll.cli.app import app


@pytest.fixture
def run(atoll: Atoll, monkeypatch: pytest.MonkeyPatch):
    def call(who: str, *arguments: str):
        monkeypatch.setenv("ATOLL_URL", atoll.url)
        monkeypatch.setenv("ATOLL_TOKEN", atoll.tokens[who])
        monkeypatch.setenv("COLUMNS", "200")
        return CliRunner().invoke(app, list(arguments))

    return call


def test_set_and_list(run):
    done = run("admin", "budget", "set", "project", "heart", "--eur", "250", "--warn", "0.9", "--warn", "0.4", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rule"]["warn_at"] == ["0.4", "0.9"]
    listed = run("sid", "budget", "list")
    assert listed.exit_code == 0
    assert "heart" in listed.stdout
    assert "250.0000 EUR" in listed.stdout
    assert json.loads(run("sid", "cost", "forgotten", "--json").stdout) == []
    assert run("sid", "cost", "report", "--by", "workspace").exit_code == 0


@pytest.mark.parametrize("options", [("--eur", "much"), ("--eur", "-1"), ("--eur", "1", "--block", "0.1")])
def test_what_does_not_hold_is_told(run, options):
    done = run("admin", "budget", "set", "project", "heart", *options)
    assert done.exit_code not in (0, 1)


def test_who_may_not_is_refused(run):
    assert run("sid", "budget", "set", "project", "heart", "--eur", "1").exit_code == 3
