"""The whole way by the command line, as the people and the source who walk it."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.client.live_platform import BAD, CANARY, CONTRACT, GOOD, MIXED, Atoll, running, settle, write
from typer.testing import CliRunner, Result

from atoll.cli.app import app

Run = Callable[..., Result]


def runner(atoll: Atoll) -> Run:
    """`run(who, *words, input=None)`: a command as somebody."""

    def run(who: str | None, *words: str, input: str | None = None) -> Result:
        environment = {"ATOLL_URL": atoll.url, "ATOLL_TOKEN": atoll.tokens[who] if who else None, "COLUMNS": "300"}
        done = CliRunner().invoke(app, list(words), env=environment, input=input, prog_name="atoll")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


@pytest.fixture
def run(atoll: Atoll) -> Run:
    return runner(atoll)


@pytest.fixture(scope="module")
def delivered(atoll: Atoll, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a delivery with good and bad rows, granted to the project `heart`."""
    path = write(tmp_path_factory.mktemp("way"), "patients.csv", GOOD + MIXED.partition("\n")[2])
    run = runner(atoll)
    done = run("lab", "deliver", "--source", "lab", "--dataset", "ward", str(path), "--json")
    assert done.exit_code == 0, done.stderr
    granted = run("sam", "grant", "add", "--project", "heart", "--dataset", "ward", "--reason", "Protocol")
    assert granted.exit_code == 0, granted.stderr
    return str(json.loads(done.stdout)["id"])


def test_json_is_all_there_is_on_stdout_and_notes_are_beside_it(run: Run, atoll: Atoll, tmp_path: Path) -> None:
    path = write(tmp_path, "patients-json.csv", MIXED)
    done = run("lab", "deliver", "--source", "lab", "--dataset", "ward", str(path), "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["state"] == "committed"
    assert told["outcome"]["rows_quarantined"] == 2
    for word in (
        "Hashing",
        "Uploading",
        "Admitting",
        "2 rows wait in quarantine",
        f"delivery show {told['id']} --rows",
    ):
        assert word in done.stderr
    assert "\x1b" not in done.stderr


def test_a_delivery_is_told_with_what_became_of_each_file(run: Run, delivered: str) -> None:
    told = run("sam", "delivery", "show", delivered).stdout
    for words in (delivered, "committed", "patients.csv", "ward@1"):
        assert words in told
    rows = run("lab", "delivery", "show", delivered, "--rows")
    assert "aaa" in rows.stdout
    assert "AGE" in rows.stdout
    assert CANARY not in rows.stdout + told
    assert delivered in run("sam", "delivery", "list", "--dataset", "ward").stdout
    assert [d["id"] for d in json.loads(run("sam", "delivery", "list", "--json", "--limit", "1").stdout)]


def test_a_rejected_delivery_ends_with_seven_and_says_where_the_rows_are(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "patients-bad.csv", BAD)
    done = run("lab", "deliver", "--source", "lab", "--dataset", "ward", str(path))
    assert done.exit_code == 7
    assert "rejected" in done.stdout
    assert "quarantine" in done.stderr
    assert "--rows" in done.stderr
    again = run("lab", "deliver", "--source", "lab", "--dataset", "ward", str(path), "--json")
    assert again.exit_code == 7
    assert json.loads(again.stdout)["state"] == "rejected"


def test_a_failed_admission_ends_with_seven_and_the_reason(tmp_path: Path) -> None:
    home, path = tmp_path / "home", write(tmp_path, "patients.csv", GOOD)
    words = ("deliver", "--source", "lab", "--dataset", "ward", str(path))
    with running(home, workers=False) as before:
        settle(before)
        assert runner(before)("lab", *words, "--no-wait").exit_code == 0
    # With another master key the domain's key cannot be opened, however often it is tried.
    (home / "keys" / "master.key").write_text("ab" * 32)
    with running(home) as after:
        after.tokens.update(before.tokens)
        done = runner(after)("lab", *words)
    assert done.exit_code == 7, done.stderr
    assert "failed" in done.stdout
    assert "The admission failed at deidentify: " in done.stderr
    assert CANARY not in done.stdout + done.stderr


def test_a_file_broken_on_disk_is_mended_by_delivering_again(tmp_path: Path) -> None:
    home, path = tmp_path / "home", write(tmp_path, "patients.csv", GOOD)
    words = ("deliver", "--source", "lab", "--dataset", "ward", str(path))
    with running(home, workers=False) as before:
        settle(before)
        delivery = json.loads(runner(before)("lab", *words, "--no-wait", "--json").stdout)["id"]
    [landed] = (home / "quarantine" / delivery / "files").iterdir()
    landed.write_text(GOOD.replace("P-1,", "P-0,"))
    with running(home) as after:
        after.tokens.update(before.tokens)
        run = runner(after)
        until(lambda: "no longer what its manifest says" in run("sam", "delivery", "show", delivery).stdout)
        done = run("lab", *words)
    assert done.exit_code == 0, done.stderr
    assert "committed" in done.stdout
    assert CANARY not in done.stdout + done.stderr


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_without_waiting_the_command_ends_at_once(tmp_path: Path) -> None:
    with running(tmp_path / "home", workers=False) as idle:
        settle(idle)
        path = write(tmp_path, "patients.csv", GOOD)
        done = runner(idle)("lab", "deliver", "--source", "lab", "--dataset", "ward", "--no-wait", str(path))
        assert done.exit_code == 0
        assert "waiting" in done.stdout


def test_a_contract_is_checked_explained_and_published(run: Run, tmp_path: Path) -> None:
    good = write(tmp_path, "good.yaml", CONTRACT)
    bad = write(tmp_path, "bad.yaml", CONTRACT.replace("treat: drop", "treat: burn").replace("max: 120", "max: old"))
    held = run("sam", "contract", "check", str(good))
    assert (held.exit_code, held.stdout) == (0, "")
    assert "holds" in held.stderr

    broken = run("sam", "contract", "check", str(bad))
    assert broken.exit_code == 6
    lines = broken.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{bad}: line 13: ")
    assert lines[1].startswith(f"{bad}: line 14: ")
    told = run("sam", "contract", "check", str(bad), "--json")
    assert told.exit_code == 6
    assert len(json.loads(told.stdout)["findings"]) == 2
    assert run("sam", "contract", "propose", str(bad)).exit_code == 6

    explained = run("sam", "contract", "explain", str(good)).stdout
    for words in ("patients", "patient_id", "direct identifier", "dates identify"):
        assert words in explained
    assert run("sam", "contract", "explain", "ward").stdout == explained
    assert run("sam", "contract", "explain", "-", input=CONTRACT).stdout == explained
    assert len(run("sam", "contract", "explain", "ward", "--plan").stdout) > len(explained)
    assert run("sam", "contract", "explain", "ward", "--table", "nope").exit_code == 4
    assert run("sam", "contract", "show", "ward").stdout == CONTRACT
    assert "ward" in run("sam", "contract", "list").stdout
    assert run("lab", "contract", "propose", str(good)).exit_code == 3


def test_sql_in_every_format(run: Run, delivered: str, tmp_path: Path) -> None:
    ask = ("sql", "select patient_id, age from ward.patients where age < 30 order by age", "--project", "heart")
    table = run("sid", *ask)
    assert table.exit_code == 0, table.stderr
    assert len(table.stdout.splitlines()) == 10
    assert "9 rows in" in table.stderr
    assert "scanned" in table.stderr

    in_csv = list(csv.DictReader(io.StringIO(run("sid", *ask, "--format", "csv").stdout)))
    assert [row["age"] for row in in_csv] == [str(age) for age in range(21, 30)]
    for words in (("--json",), ("--format", "json")):
        assert len(json.loads(run("sid", *ask, *words).stdout)["rows"]) == 9

    file = tmp_path / "out.parquet"
    saved = run("sid", *ask, "-o", str(file))
    assert (saved.exit_code, saved.stdout) == (0, "")
    assert pq.read_table(file).num_rows == 9
    assert run("sid", *ask, "--rows", "2").stdout.count("\n") == 3
    assert run("sid", "sql", "-", "--project", "heart", input=ask[1]).stdout == table.stdout


def test_a_refused_statement_leaves_no_file(run: Run, delivered: str, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    done = run("sid", "sql", "select * from ward.nothing", "--project", "heart", "-o", str(file))
    assert done.exit_code == 6
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert list(tmp_path.iterdir()) == []


def test_an_auditor_reads_no_data_and_nobody_reads_without_a_grant(run: Run, delivered: str) -> None:
    assert run("ann", "sql", "select 1", "--project", "heart").exit_code == 3
    assert run("sam", "grant", "list", "--project", "heart").exit_code == 0
    [grant] = json.loads(run("sam", "grant", "list", "--project", "heart", "--json").stdout)
    assert "revoked" in run("sam", "grant", "revoke", grant["id"]).stdout
    assert run("sid", "sql", "select count(*) from ward.patients", "--project", "heart").exit_code == 6
    back = run(
        "sam",
        *("grant", "add", "--project", "heart", "--dataset", "ward", "--reason", "Protocol 2", "--expires", "90d"),
        *("--table", "patients", "--columns", "age", "--filter", "age > 25"),
    )
    assert "patients(age) where age > 25" in back.stdout
    counted = run("sid", "sql", "select min(age) a from ward.patients", "--project", "heart", "--format", "csv")
    assert counted.stdout.replace(chr(34), "").split() == ["a", "26"], counted.stderr
    run(
        "sam",
        "grant",
        "revoke",
        json.loads(run("sam", "grant", "list", "--project", "heart", "--json").stdout)[0]["id"],
    )
    assert run("sam", "grant", "add", "--project", "heart", "--dataset", "ward", "--reason", "Protocol").exit_code == 0


def test_datasets_flows_audit_and_costs(run: Run, delivered: str) -> None:
    assert "A small ward" in run("sam", "dataset", "list").stdout
    shown = run("sam", "dataset", "show", "ward").stdout
    assert "patients" in shown
    assert "patient_id string" in shown
    assert delivered in run("sam", "dataset", "versions", "ward").stdout
    assert "patients.csv" in run("ann", "flows", "ward").stdout or "patients" in run("ann", "flows", "ward").stdout
    assert len(run("ann", "audit", "tail", "-n", "3").stdout.splitlines()) == 4
    assert len(json.loads(run("ann", "audit", "tail", "-n", "3", "--json").stdout)) == 3
    verified = run("ann", "audit", "verify")
    assert verified.exit_code == 0
    assert "yes" in verified.stdout
    costs = run("ann", "cost", "report", "--by", "dataset")
    assert "ward" in costs.stdout
    assert "EUR" in costs.stdout
    assert json.loads(run("ann", "cost", "report", "--json").stdout)["currency"] == "EUR"
    assert run("ann", "cost", "report", "--month", "May").exit_code == 6


def test_operations_and_settings(run: Run, delivered: str) -> None:
    [newest, *_] = json.loads(run("admin", "operation", "list", "--json").stdout)
    shown = run("admin", "operation", "show", newest["id"]).stdout
    assert "succeeded" in shown
    assert "100 %" in shown
    assert run("admin", "operation", "log", newest["id"]).exit_code == 0
    assert run("admin", "operation", "cancel", newest["id"]).exit_code == 5
    assert run("admin", "operation", "show", "op_none").exit_code == 4
    settings = run("admin", "settings").stdout
    assert "query_memory_bytes" in settings
    assert run("sid", "settings").exit_code == 3


def test_people_projects_sources_and_tokens(run: Run, atoll: Atoll) -> None:
    added = run("admin", "person", "add", "tom", "--role", "auditor", "--password-stdin", input="a long enough word\n")
    assert added.exit_code == 0, added.stderr
    assert "tom" in run("admin", "person", "list").stdout
    assert run("admin", "person", "add", "tom").exit_code == 5
    signed_in = run(None, "login", "tom", "--password-stdin", input="a long enough word\n")
    assert signed_in.stdout.startswith("atoll_")
    assert len(signed_in.stdout.splitlines()) == 1
    assert run(None, "login", "tom", "--password-stdin", input="wrong\n").exit_code == 3
    atoll.tokens["tom"] = signed_in.stdout.strip()
    assert "auditor" in run("tom", "whoami").stdout
    assert "steward" in run("admin", "person", "roles", "tom", "steward").stdout
    made = run("tom", "token", "create", "laptop", "--expires", "1d")
    assert made.stdout.startswith("atoll_")
    listed = json.loads(run("tom", "token", "list", "--json").stdout)
    assert {t["label"] for t in listed} == {"laptop", "sign-in"}
    [laptop] = [t for t in listed if t["label"] == "laptop"]
    assert run("tom", "token", "revoke", laptop["id"]).exit_code == 0
    assert run("admin", "person", "deactivate", "tom").exit_code == 0
    assert run("tom", "whoami").exit_code == 3

    assert run("admin", "project", "add", "lung", "--title", "Lung study").exit_code == 0
    assert "sid" in run("admin", "project", "member", "add", "lung", "sid").stdout
    assert "sid" not in run("admin", "project", "member", "remove", "lung", "sid").stdout
    assert "Lung study" in run("admin", "project", "list").stdout
    assert run("admin", "source", "add", "clinic", "--dataset", "ward", "--title", "Clinic").exit_code == 0
    assert "clinic" in run("admin", "source", "list").stdout
    secret = json.loads(run("admin", "source", "token", "clinic", "--json").stdout)["token"]
    atoll.tokens["clinic"] = secret
    assert "clinic" in run("clinic", "whoami").stdout
    assert run("clinic", "dataset", "list").exit_code == 3


def test_a_contract_changes_by_two_people(run, tmp_path):
    changed = write(tmp_path, "changed.yaml", CONTRACT + "# looked at\n")
    proposed = json.loads(run("author", "contract", "propose", str(changed), "-m", "a comment", "--json").stdout)
    assert proposed["id"] in run("sam", "contract", "proposals", "--state", "waiting").stdout
    assert "+# looked at" in run("sam", "contract", "review", "ward").stdout
    assert run("author", "contract", "approve", "ward").exit_code == 3
    assert "author" in run("sam", "contract", "approve", proposed["id"], "--reason", "read").stdout
    assert run("sam", "contract", "approve", "ward").exit_code == 4
    assert "author" in run("sam", "contract", "versions", "ward").stdout
    assert "+# looked at" in run("sam", "contract", "diff", "ward", "1", "2").stdout
    for end in (("withdraw",), ("refuse", "--reason", "no need")):
        again = write(tmp_path, "again.yaml", CONTRACT + f"# {end[0]}\n")
        made = json.loads(run("author", "contract", "propose", str(again), "--json").stdout)
        who = "author" if end[0] == "withdraw" else "sam"
        assert run(who, "contract", end[0], made["id"], *end[1:]).exit_code == 0


def test_a_contract_is_drafted_from_samples(run, tmp_path):
    sample = write(tmp_path, "visits.csv", "patient_id,name,pulse\n" + "p-1,Ada,61\n" * 9)
    out = tmp_path / "draft.yaml"
    done = run("sam", "contract", "draft", str(sample), "--dataset", "visits", "-o", str(out))
    assert done.exit_code == 0, done.output
    assert run("sam", "contract", "check", str(out)).exit_code == 0
    assert "Ada" not in out.read_text()
    assert run("sam", "contract", "draft", str(sample), "--dataset", "visits", "-o", str(out)).exit_code == 6
