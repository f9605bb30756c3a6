"""Machines by the command line, against a platform that makes wishes true on a simulated backend."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.test_whole_way import Run, runner
from tests.client.live_platform import Atoll, running, settle

from atoll.cli.exit_codes import ExitCode
from atoll.ports.backend import Probe
from atoll.providers.simulator.backend import SimulatedBackend

PRODUCT = """\
name: bench
title: A bench
environment: jupyter
service: jupyter
sizes: [t3.nano]
idle: {action: none}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Atoll]:
    home: Path = tmp_path_factory.mktemp("machines") / "home"
    with running(home, machines=True, query_workers=0, host_vcpu=64, host_memory_bytes=2**40) as made:
        settle(made)
        made.person("mia", "scientist")
        with made.as_("admin") as admin:
            admin.projects.add_member("heart", "mia")
        yield made


@pytest.fixture
def run(site: Atoll) -> Run:
    return runner(site)


def test_the_catalog_is_shown_with_prices(run: Run) -> None:
    listed = run("sid", "product", "list")
    assert listed.exit_code == 0, listed.stderr
    assert "jupyter@1" in listed.stdout
    assert "0.0092 to 0.9200 EUR" in listed.stdout
    shown = run("sid", "product", "show", "batch").stdout
    assert "What is run, by bash in the home." in shown
    assert "batch@1" in shown
    sizes = run("sid", "size", "list").stdout
    assert "m5.2xlarge" in sizes
    assert "32 GiB" in sizes
    assert "60.6700 EUR" in sizes
    text = run("sid", "product", "show", "terminal", "--text").stdout
    assert text.startswith("# A shell in the browser")


def test_a_product_by_its_operator(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bench.yaml"
    file.write_text(PRODUCT.replace("t3.nano", "t3.tiny") + "fallback: {mount: none}\n")
    broken = run("admin", "product", "publish", str(file))
    assert broken.exit_code == 6
    assert f"{file}: line 5: `sizes.0` `t3.tiny` is no size" in broken.stdout
    assert f"{file}: line 7: `fallback.mount` cannot fall back" in broken.stdout
    file.write_text(PRODUCT)
    made = run("admin", "product", "publish", str(file), "--project", "heart", "--json")
    assert json.loads(made.stdout)["projects"] == ["heart"]
    assert run("sid", "product", "publish", str(file)).exit_code == 3
    assert json.loads(run("admin", "product", "deprecate", "bench@1", "--json").stdout)["state"] == "deprecated"
    warned = run("sid", "workspace", "create", "bench", "--project", "heart", "--dry-run")
    assert "bench@1 is deprecated" in warned.stdout
    assert json.loads(run("admin", "product", "retire", "bench@1", "--json").stdout)["state"] == "retired"
    assert run("sid", "workspace", "create", "bench", "--project", "heart", "--dry-run").exit_code == 5


def test_nothing_is_launched_unless_the_price_is_agreed_to(run: Run) -> None:
    asked = run("sid", "workspace", "create", "jupyter", "--project", "heart", "--size", "m5.large")
    assert asked.exit_code == 6
    assert "m5.large (2 vCPU, 8 GiB): 0.0875 EUR for an hour of running, 15.1700 EUR" in asked.stderr
    assert "--yes" in asked.stderr
    assert json.loads(run("sid", "workspace", "list", "--json").stdout) == []


def test_the_life_of_a_workspace(run: Run) -> None:
    made = run(
        "sid", "workspace", "create", "jupyter", "--project", "heart", "--name", "mine", "--yes", "--wait", "--json"
    )
    assert made.exit_code == 0, made.stderr
    workspace = json.loads(made.stdout)
    assert workspace["state"] == "running"
    assert "Machine: provisioning" in made.stderr
    assert [step["done"] for step in workspace["operation"]["steps"]] == [True] * len(workspace["operation"]["steps"])

    def order(*words: str) -> dict[str, object]:
        done = run("sid", "workspace", *words, "--json")
        assert done.exit_code == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found

    assert order("hibernate", "mine", "--wait")["state"] == "hibernated"
    assert order("wake", "mine", "--wait")["state"] == "running"
    resized = order("resize", "mine", "t3.small", "--yes", "--wait")
    assert (resized["state"], resized["size"], resized["eur_per_hour"]) == ("running", "t3.small", "0.0369")
    assert order("stop", "mine", "--wait")["state"] == "stopped"
    assert order("wake", "mine", "--wait")["state"] == "running"
    assert order("share", "mine", "mia")["shared_with"] == ["mia"]
    assert order("unshare", "mine", "mia")["shared_with"] == []

    log = run("sid", "workspace", "log", "mine")
    assert "start_workspace" in log.stdout
    assert "hibernate_workspace" in log.stdout
    shown = run("sid", "workspace", "show", "mine").stdout
    assert "mine" in shown
    assert "running" in shown

    assert order("terminate", "mine", "--yes", "--wait")["state"] == "terminated"
    assert run("sid", "workspace", "show", "mine").exit_code == 4
    assert "mine" not in run("sid", "workspace", "list").stdout
    assert "mine" in run("sid", "workspace", "list", "--all").stdout


def test_a_machine_is_proved_and_the_evidence_is_kept(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "proof.json"
    done = run("sid", "workspace", "prove", "--product", "terminal", "--bombs", "--output", str(file))
    assert done.exit_code == 0, done.stderr
    assert "harm a neighbour" in done.stdout
    assert "Machine: start" in done.stderr
    proof = json.loads(file.read_text())
    assert (proof["passed"], proof["workspace"], proof["product"]) == (True, None, "terminal@1")
    canonical = json.dumps(proof["evidence"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(canonical.encode()).hexdigest() == proof["sha256"]
    assert proof["id"] in run("sid", "workspace", "proofs").stdout
    assert proof["id"] not in run("mia", "workspace", "proofs").stdout

    made = run(
        "sid", "workspace", "create", "terminal", "--project", "heart", "--name", "bad", "--yes", "--wait", "--json"
    )
    assert made.exit_code == 0, made.stderr
    leak = Probe("network", "reach it", held=False, detail="reached")
    monkeypatch.setattr(SimulatedBackend, "probe", lambda *_: (leak,))
    leaky = run("sid", "workspace", "prove", "bad", "--json")
    assert leaky.exit_code == ExitCode.ISOLATION
    assert json.loads(leaky.stdout)["came_through"] == 1
    assert "1 of 2 attempts came through." in leaky.stderr
    assert json.loads(run("sid", "workspace", "proofs", "bad", "--json").stdout)[0]["passed"] is False
    assert run("mia", "workspace", "prove", json.loads(made.stdout)["id"]).exit_code == ExitCode.NOT_FOUND
    assert run("sid", "workspace", "terminate", "bad", "--yes", "--wait").exit_code == 0
    assert run("sid", "workspace", "prove", json.loads(made.stdout)["id"]).exit_code == ExitCode.CONFLICT


def test_a_batch_job_takes_its_script_from_a_file(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "job.sh"
    script.write_text("echo done\n")
    refused = run("sid", "workspace", "create", "batch", "--project", "heart", "--size", "t3.nano", "--yes")
    assert refused.exit_code == 6
    assert "script is missing" in refused.stderr
    words = ("create", "batch", "--project", "heart", "--size", "t3.nano", "--set", f"script=@{script}", "--yes")
    made = json.loads(run("sid", "workspace", *words, "--json").stdout)
    assert made["parameters"] == {"script": "echo done\n"}
    assert run("sid", "workspace", "terminate", made["id"], "--yes", "--wait").exit_code == 0


def test_terminating_asks_first_and_others_cannot(run: Run) -> None:
    made = json.loads(run("mia", "workspace", "create", "terminal", "--project", "heart", "--yes", "--json").stdout)
    no = run("mia", "workspace", "terminate", made["id"], input="n\n")
    assert no.exit_code != 0
    assert "Everything in its home is lost" in no.stderr
    assert run("sid", "workspace", "terminate", made["id"], "--yes").exit_code == 4
    assert run("mia", "workspace", "terminate", made["name"], input="y\n").exit_code == 0
