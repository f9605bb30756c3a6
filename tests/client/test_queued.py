"""Queries that run by themselves, by the client and by the command line; `atoll.sql` outside a machine."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from tests.client.live_platform import GOOD, Atoll, write
from typer.testing import CliRunner

import atoll as package
from atoll.cli.app import app
from atoll.errors import InvalidInput, NotAuthenticated, NotFound, StatementRefused

COUNT = "select count(*) as n, max(age) as oldest from ward.patients"


@pytest.fixture(scope="module")
def ward(atoll: Atoll, tmp_path_factory: pytest.TempPathFactory) -> Atoll:
    path = write(tmp_path_factory.mktemp("ward"), "patients.csv", GOOD)
    with atoll.as_("lab") as lab:
        lab.wait_for_delivery(lab.deliver("lab", "ward", [path])["id"], timeout_seconds=60)
    with atoll.as_("sam") as steward:
        if not any(g["dataset"] == "ward" and g["revoked_at"] is None for g in steward.grants.list(project="heart")):
            steward.grants.add("heart", "ward", reason="Protocol")
    return atoll


def test_asked_followed_and_read(ward: Atoll) -> None:
    with ward.as_("sid") as sid:
        told: list[str] = []
        done = sid.queued.wait(sid.queued.ask("heart", COUNT)["id"], lambda q: told.append(q["state"]), seconds=60)
        assert done["state"] == "done" and set(told) <= {"queued", "running"}
        assert sid.queued.rows(done["id"])["rows"] == [[10, 30]]
        out = io.BytesIO()
        sid.queued.save(done["id"], "arrow", out)
        assert pa.ipc.open_stream(out.getvalue()).read_all().to_pylist() == [{"n": 10, "oldest": 30}]
        assert sid.queued.ask("heart", COUNT)["answered_by"] == done["id"]
        sid.queued.forget(done["id"])
        with pytest.raises(NotFound):
            sid.queued.rows(done["id"])
        with pytest.raises(StatementRefused, match=r"Did you mean ward\.patients"):
            sid.queued.wait(sid.queued.ask("heart", "from ward.patient")["id"], seconds=60)
        assert [r["table"] for r in sid.queued.relations("heart")] == ["patients"]
        assert sid.queued.estimate("heart", COUNT)["relations"] == ["ward.patients"]


def test_sql_outside_a_machine_to_arrow_polars_and_pandas(ward: Atoll, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATOLL_URL", ward.url)
    monkeypatch.delenv("ATOLL_PROJECT", raising=False)
    with pytest.raises(InvalidInput):
        package.sql(COUNT)
    monkeypatch.setenv("ATOLL_TOKEN", ward.tokens["sid"])
    assert package.sql(COUNT, project="heart").to_pylist() == [{"n": 10, "oldest": 30}]
    monkeypatch.setenv("ATOLL_PROJECT", "heart")
    frame = package.sql(COUNT, to="polars")
    assert isinstance(frame, pl.DataFrame) and frame.rows() == [(10, 30)]
    assert package.sql(COUNT, to="pandas")["n"].tolist() == [10]
    monkeypatch.delenv("ATOLL_TOKEN")
    with pytest.raises(NotAuthenticated):
        package.sql(COUNT)


def test_the_command_line(ward: Atoll, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATOLL_URL", ward.url)
    monkeypatch.setenv("ATOLL_TOKEN", ward.tokens["sid"])

    def atoll(*words: str) -> str:
        result = CliRunner().invoke(app, ["query", *words])
        assert result.exit_code == 0, result.output
        return result.stdout

    priced = json.loads(atoll("estimate", COUNT, "--project", "heart", "--json"))
    assert priced["scanned_bytes"] > 0 and priced["currency"] == "EUR"
    done = json.loads(atoll("run", COUNT, "--project", "heart", "--wait", "--fresh", "--json"))
    assert done["state"] == "done"
    assert "done" in atoll("show", done["id"]) and done["id"] in atoll("list", "heart")
    file = tmp_path / "out.csv"
    atoll("result", done["id"], "-o", str(file))
    assert file.read_text().splitlines() == ['"n","oldest"', "10,30"]
    assert "age integer" in atoll("tables", "heart")
    saved = json.loads(atoll("save", "Count", COUNT, "--project", "heart", "--json"))
    assert "Count" in atoll("saved", "heart")
    atoll("drop", saved["id"])
    assert "Count" not in atoll("saved", "heart")
    atoll("forget", done["id"])
    assert CliRunner().invoke(app, ["query", "cancel", done["id"]]).exit_code != 0
