"""The commands as a shell starts them: exit codes, streams, what needs no server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from atoll import errors
from atoll.cli.exit_codes import MEANINGS, ExitCode, exit_code_of
from atoll.errors import AtollError

NOBODY = "http://127.0.0.1:9"


def atoll(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATOLL_")}
    return subprocess.run(
        [sys.executable, "-c", "from atoll.cli.app import app; app(prog_name='atoll')", *arguments],
        env={**kept, "HOME": "/nonexistent", "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_tells_every_command_and_every_exit_code() -> None:
    told = atoll("--help").stdout
    commands = "source person project token login whoami contract deliver delivery dataset grant sql flows audit cost"
    for command in (*commands.split(), "operation", "settings"):
        assert f" {command} " in told
    for code, meaning in MEANINGS.items():
        assert f"{code.value}  {meaning}" in told
    assert set(MEANINGS) == set(ExitCode)


def test_every_domain_error_has_a_code_of_its_own() -> None:
    def tree(root: type[AtollError]) -> list[type[AtollError]]:
        return [root, *(leaf for branch in root.__subclasses__() for leaf in tree(branch))]

    for kind in tree(AtollError):
        if kind.__module__ != errors.__name__ or kind is AtollError:
            continue
        error = kind.__new__(kind)
        assert exit_code_of(error) not in (ExitCode.OK, ExitCode.UNEXPECTED), kind
    assert exit_code_of(AtollError("?")) is ExitCode.UNEXPECTED


def test_without_a_token_it_is_said_how_to_get_one() -> None:
    done = atoll("whoami")
    assert done.returncode == 3
    assert done.stdout == ""
    assert "ATOLL_TOKEN is not set" in done.stderr
    assert "atoll login" in done.stderr


def test_the_admins_token_is_pointed_at_and_never_taken(tmp_path: Path) -> None:
    (tmp_path / "admin-token").write_text("atoll_topsecret\n")
    done = atoll("whoami", ATOLL_HOME=str(tmp_path), ATOLL_URL=NOBODY)
    assert done.returncode == 3
    assert f'export ATOLL_TOKEN="$(cat {tmp_path}/admin-token)"' in done.stderr
    assert "topsecret" not in done.stderr


def test_nobody_listening_ends_with_unavailable() -> None:
    done = atoll("dataset", "list", "--json", ATOLL_TOKEN="t", ATOLL_URL=NOBODY)
    assert done.returncode == 9
    assert done.stdout == ""
    assert f"Atoll does not answer at {NOBODY};" in done.stderr
    assert "atoll up" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nonsense"], 2, "No such command"),
        (["deliver", "x"], 2, "--source"),
        (["cost", "report", "--by", "moon"], 2, "moon"),
        (["deliver", "missing.csv", "--source", "s", "--dataset", "d"], 6, "no such file"),
        (["contract", "check", "missing.yaml"], 6, "cannot be read"),
        (["sql", "select 1", "--project", "p", "--format", "csv", "--json"], 6, "contradict"),
        (["sql", "select 1", "--project", "p", "--format", "table", "-o", "x"], 6, "for the eye"),
        (["grant", "add", "--project", "p", "--dataset", "d", "--reason", "r", "--columns", "a"], 6, "which table"),
        (["grant", "add", "--project", "p", "--dataset", "d", "--reason", "r", "--expires", "soon"], 6, "no time"),
    ],
)
def test_what_is_wrong_here_is_told_before_anything_is_sent(arguments: list[str], code: int, words: str) -> None:
    done = atoll(*arguments, ATOLL_TOKEN="t", ATOLL_URL=NOBODY)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_starting_is_fast_because_nothing_heavy_is_loaded() -> None:
    heavy = ("polars", "pyarrow", "duckdb", "fastapi", "pyiceberg", "sqlalchemy", "httpx")
    check = f"import sys, atoll.cli.app; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_completion_is_offered() -> None:
    done = atoll("--show-completion", _ATOLL_COMPLETE="")
    assert "--show-completion" in atoll("--help").stdout
    assert done.returncode in (0, 1)


def test_no_colour_where_there_is_no_terminal() -> None:
    assert "\x1b" not in atoll("whoami").stderr
    assert "\x1b" not in atoll("--help").stdout
