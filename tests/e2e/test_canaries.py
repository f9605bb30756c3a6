"""Identified values planted in every identifying field reach nothing outside quarantine."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.canaries.plant import plant
from tests.canaries.plant_formats import CONTRACT, REFUSED, plant_formats
from tests.canaries.scan import Leak, describe, scan, scan_bytes
from tests.e2e.conftest import EXAMPLES

from atoll.errors import AtollError, DeliveryRefused

DATASETS = ("synthea", "sdtm", "fhir")


@pytest.fixture
def planted(platform, tmp_path):
    """The three examples with canaries, delivered; failures on the way included."""
    platform.person("steward", "steward")
    platform.person("scientist", "scientist")
    platform.person("auditor", "auditor")
    sets = {}
    with platform.as_("admin") as admin:
        admin.projects.add("study", "Study")
        admin.projects.add_member("study", "scientist")
    for dataset in DATASETS:
        platform.source(f"{dataset}-lab", dataset)
        platform.contract((EXAMPLES / dataset / "contract.yaml").read_text())
        sets[dataset] = plant(EXAMPLES / dataset, tmp_path / "planted" / dataset)
    return sets


def deliver(platform, dataset, files):
    with platform.as_(f"{dataset}-lab") as source:
        delivery = source.deliver(f"{dataset}-lab", dataset, files)
        return source.wait_for_delivery(delivery["id"], timeout_seconds=240)


@pytest.mark.timeout(600)
def test_no_canary_outside_quarantine(platform, planted, tmp_path):
    hidden = plant_formats(tmp_path / "planted" / "hidden")
    platform.source("hidden-lab", "hidden")
    platform.contract(CONTRACT)
    canaries = [*hidden.canaries, *(c for one in planted.values() for c in one.canaries)]
    assert len(hidden.canaries) > 200
    assert len(canaries) > 500
    ended = {dataset: deliver(platform, dataset, one.files) for dataset, one in planted.items()}
    ended["hidden"] = deliver(platform, "hidden", hidden.files)
    for dataset, delivery in ended.items():
        outcome = delivery["outcome"]
        assert delivery["state"] == "committed"
        assert outcome["rows_in"] == outcome["rows_committed"] + outcome["rows_quarantined"]
        if dataset in planted:
            assert outcome["rows_quarantined"] >= sum(planted[dataset].bad_rows.values())
    files = {file["name"]: file for file in ended["hidden"]["outcome"]["files"]}
    assert {name: file["rule"] for name, file in files.items() if file["rule"]} == REFUSED
    assert all(file["rows_committed"] or file["rule"] or name == "burned.dcm" for name, file in files.items())
    answers = fail_on_purpose(
        platform, {d: one.files for d, one in planted.items()} | {"hidden": hidden.files}, tmp_path
    )
    answers += ask_everything(platform, ended)
    leaks = scan_bytes(b"\n".join(answers), canaries, "API answers")
    assert platform.stop() == 0
    quarantine = platform.home / "quarantine"
    leaks += scan(platform.root, [*canaries, *hidden.named], exclude=[quarantine, tmp_path / "planted"])
    leaks = [leak for leak in leaks if not _is_name_on_record(leak, hidden.named)]
    assert not leaks, describe(leaks)
    # The proof of the proof: the same scan finds the canaries where they may be.
    found = {leak.canary.text for leak in scan(quarantine, canaries)}
    assert found == {c.text for c in canaries}


def _is_name_on_record(leak: Leak, named) -> bool:
    """Names of delivered files are kept with their delivery, as SECURITY.md says, and nowhere else."""
    return leak.canary in named and Path(leak.path).name.startswith("records.db")


def fail_on_purpose(platform, sets, tmp_path) -> list[bytes]:
    """Deliveries that go wrong in every way; what the API says of it."""
    told: list[str] = []
    for dataset, sound in sets.items():
        broken = tmp_path / "planted" / "broken" / dataset
        broken.mkdir(parents=True)
        for path in sound:
            content = path.read_bytes()
            (broken / path.name).write_bytes(content[: len(content) * 2 // 3] + b"\xff\x00\xfe" + content[-200:])
        delivery = deliver(platform, dataset, sorted(broken.iterdir()))
        told.append(str(delivery))
        with platform.as_(f"{dataset}-lab") as source:
            files = [(p.name, p.read_bytes()) for p in sound[:1]]
            opened = source.deliveries.open(f"{dataset}-lab", dataset, [_wrong_manifest(*files[0])])
            with pytest.raises((DeliveryRefused, AtollError)) as refused:
                source.deliveries.upload(opened["id"], 0, lambda c=files[0][1]: iter([c]), len(files[0][1]))
            told.append(str(refused.value))
    return [text.encode() for text in told]


def _wrong_manifest(name: str, content: bytes):
    from atoll.model.delivery import ManifestFile

    return ManifestFile(name=name, size_bytes=len(content), sha256="0" * 64)


def ask_everything(platform, ended) -> list[bytes]:
    """Every answer that a person can read, rows included."""
    bodies: list[bytes] = []
    with platform.as_("steward") as steward:
        for dataset in ended:
            steward.grants.add("study", dataset, reason="test")
    readers = {
        "steward": ["deliveries", "contracts", "datasets", "grants", "sources", "projects"],
        "auditor": ["audit?after=0&limit=1000", "audit/verification", "costs?by=user", "costs?by=dataset", "datasets"],
        "admin": ["operations", "people", "sources", "settings", "tokens", "scopes"],
        "scientist": ["datasets", "me", "queries?project=study"],
    }
    with platform.as_("scientist") as scientist:
        for dataset, delivery in ended.items():
            version = scientist.datasets.show(dataset)
            bodies.append(str(version).encode())
            for table in version["newest"]["tables"]:
                rows = scientist.sql("study", f"SELECT * FROM {dataset}.{table['table']}")
                bodies.append(str(rows.to_pylist()).encode())
            readers["steward"] += [f"deliveries/{delivery['id']}", f"deliveries/{delivery['id']}/quarantine?limit=1000"]
            readers["admin"] += [f"operations/{delivery['operation']['id']}/log"]
            readers["auditor"] += [f"flows?dataset={dataset}"]
    for who, paths in readers.items():
        headers = {"Authorization": f"Bearer {platform.tokens[who]}"}
        for path in paths:
            answer = httpx.get(f"{platform.url}/api/v1/{path}", headers=headers, timeout=60)
            assert answer.status_code == 200, (who, path, answer.text)
            bodies.append(answer.content)
    bodies += [httpx.get(f"{platform.url}/{path}", timeout=60).content for path in ("metrics", "readyz", "healthz")]
    return bodies
