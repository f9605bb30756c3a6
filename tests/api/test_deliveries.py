"""Handing files over by HTTP: streamed, checked, and seen by their source only."""

from __future__ import annotations

import base64
import hashlib
import tracemalloc

import anyio
import pytest

from atoll.api import uploads

CONTRACT = """\
dataset: trial
title: A small trial
domains:
  person: {description: One pseudonym for each subject}
tables:
  subjects:
    files: ["subjects*.csv"]
    format: csv
    columns:
      ID: {treat: pseudonymize, domain: person, as: subject_id, required: true, reason: direct identifier}
      AGE: {treat: keep, type: integer}
"""
SUBJECTS = b"ID,AGE\nS-1,36\nS-2,41\n"


@pytest.fixture(scope="module")
def labs(site):
    """A contract in force, and a second source beside `lab`."""
    site.add_source("other-lab", ["trial"])
    site.put_in_force(CONTRACT)
    return site


def entry(content, name="subjects.csv", **wrong):
    return {"name": name, "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), **wrong}


def announce(site, *files, who="lab", source="lab", dataset="trial"):
    return site.post("/deliveries", who, source=source, dataset=dataset, files=list(files))


def upload(site, delivery, content, who="lab", index=0):
    return site.send("PUT", f"/deliveries/{delivery}/files/{index}", who, content=content)


def test_a_contract_is_checked_published_and_read(labs):
    assert labs.post("/contracts/check", "steward", text=CONTRACT).json() == {
        "dataset": "trial",
        "tables": ["subjects"],
    }
    assert labs.get("/contracts/trial", "steward").json()["text"] == CONTRACT
    assert labs.get("/contracts/trial?number=1", "steward").json()["id"] == "trial@1"
    assert labs.get("/contracts/trial?number=9", "steward").status_code == 404
    assert [c["dataset"] for c in labs.get("/contracts", "steward").json()["items"]] == ["trial"]
    assert labs.get("/contracts/trial/explain", "steward").status_code == 200
    assert labs.post("/contracts/explain", "steward", text=CONTRACT).status_code == 200


def test_a_proposal_is_shown_with_what_it_changes(labs):
    made = labs.post("/contract-proposals", "steward", text=CONTRACT + "# why\n", note="because").json()
    shown = labs.get(f"/contract-proposals/{made['id']}", "reviewer").json()
    assert (shown["state"], shown["note"], shown["replaces"]) == ("waiting", "because", 1)
    assert "+# why" in shown["comparison"]["lines"]
    own = labs.post(f"/contract-proposals/{made['id']}/approve", "steward", reason="")
    assert own.status_code == 403
    assert labs.post(f"/contract-proposals/{made['id']}/refuse", "reviewer", reason="").status_code == 422
    assert labs.post(f"/contract-proposals/{made['id']}/refuse", "reviewer", reason="no").status_code == 200
    assert labs.get("/contract-proposals?state=waiting", "reviewer").json()["items"] == []
    assert labs.post(f"/contract-proposals/{made['id']}/withdraw", "steward").status_code == 409


def test_the_whole_hand_over(labs):
    content = SUBJECTS + b"S-3,1\n"
    answer = announce(labs, entry(content))
    assert answer.status_code == 201
    delivery = answer.json()["id"]
    assert answer.json()["state"] == "receiving"
    again = announce(labs, entry(content))
    assert (again.status_code, again.json()["id"]) == (200, delivery)
    assert labs.post(f"/deliveries/{delivery}/submit", "lab").status_code == 409
    assert upload(labs, delivery, content).status_code == 204
    assert labs.get(f"/deliveries/{delivery}", "lab").json()["files"][0]["received"] is True
    answer = labs.post(f"/deliveries/{delivery}/submit", "lab")
    assert answer.status_code == 202
    assert answer.json()["operation"]["subject"] == f"delivery/{delivery}"
    assert labs.get(f"/deliveries/{delivery}/quarantine", "lab").json() == {"items": [], "cursor": None}
    operation = answer.json()["operation"]["id"]
    assert labs.get(f"/operations/{operation}", "admin").json()["state"] == "queued"
    assert labs.get(f"/operations/{operation}/log", "admin").status_code == 200
    assert [o["id"] for o in labs.get(f"/operations?subject=delivery/{delivery}", "admin").json()["items"]] == [
        operation
    ]
    assert 'atoll_operations{state="queued"} 1.0' in labs.client.get("/metrics").text
    assert labs.send("DELETE", f"/operations/{operation}", "admin").status_code == 202
    assert labs.audited("operation.cancel")[-1].target == f"operation/{operation}"


def test_another_source_sees_none_of_it(labs):
    delivery = announce(labs, entry(SUBJECTS)).json()["id"]
    path = f"/deliveries/{delivery}"
    for answer in (
        labs.get(path, "other-lab"),
        labs.get(path + "/quarantine", "other-lab"),
        upload(labs, delivery, SUBJECTS, who="other-lab"),
        labs.post(path + "/submit", "other-lab"),
    ):
        assert answer.status_code == 404
    assert labs.get("/deliveries", "other-lab").json()["items"] == []
    assert labs.get("/deliveries?source=lab", "other-lab").status_code == 403
    assert announce(labs, entry(SUBJECTS), who="other-lab").status_code == 404
    assert labs.get(path, "steward").status_code == labs.get(path, "auditor").status_code == 200
    assert labs.get(path, "lab").json()["files"][0]["received"] is False


def test_a_source_delivers_to_its_datasets_only(labs):
    assert announce(labs, entry(b"x"), dataset="secret").status_code in (403, 404)


@pytest.mark.parametrize("content", [SUBJECTS + b"more", SUBJECTS[:-1], SUBJECTS.replace(b"36", b"63"), b""])
def test_what_differs_from_the_manifest_is_refused_and_not_kept(labs, content):
    delivery = announce(labs, entry(SUBJECTS, name="subjects-b.csv")).json()["id"]
    answer = upload(labs, delivery, content)
    assert answer.status_code == 422
    assert answer.json()["code"] == "delivery_refused"
    assert labs.get(f"/deliveries/{delivery}", "lab").json()["files"][0]["received"] is False
    left = [p for p in labs.rooms.settings.quarantine_path.rglob("*") if p.is_file() and delivery in str(p)]
    assert left == []


def test_a_file_in_parts_goes_on_where_it_broke_off(labs):
    content = b"ID,AGE\n" + b"S-9,33\n" * 50
    delivery = announce(labs, entry(content, name="subjects-parts.csv")).json()["id"]

    def part(first, last, offset, who="lab", **headers):
        headers["upload-offset"] = str(offset)
        path = f"/deliveries/{delivery}/files/0"
        return labs.send("PATCH", path, who, content=content[first:last], headers=headers)

    def digest(part):
        return f"sha-256=:{base64.b64encode(hashlib.sha256(part).digest()).decode()}:"

    assert part(0, 100, 0, **{"content-digest": digest(content[:100])}).json() == {
        "arrived_bytes": 100,
        "received": False,
    }
    assert labs.get(f"/deliveries/{delivery}", "lab").json()["files"][0]["arrived_bytes"] == 100
    gap = part(120, 200, 120)
    assert (gap.status_code, gap.json()["code"]) == (409, "conflict")
    assert part(100, 200, 100, **{"content-digest": digest(b"else")}).json()["code"] == "delivery_refused"
    assert part(100, 200, 100, **{"content-digest": "md5=:x:"}).status_code == 422
    assert part(100, 200, 100, who="other-lab").status_code == 404
    assert labs.send("PATCH", f"/deliveries/{delivery}/files/0", "lab", content=b"x").status_code == 422
    assert part(100, None, 100).json() == {"arrived_bytes": len(content), "received": True}
    assert part(0, 10, 0).json()["received"] is True
    assert labs.post(f"/deliveries/{delivery}/submit", "lab").status_code == 202


def test_manifests_that_cannot_be(labs):
    for files in ([], [entry(b"x", sha256="zz")], [entry(b"x", size_bytes=-1)], [entry(b"x"), entry(b"y")]):
        answer = announce(labs, *files)
        assert answer.status_code == 422, files
    assert announce(labs, entry(b"x", name="../../etc/passwd")).status_code == 422
    assert upload(labs, "dlv_none", b"x").status_code == 404
    delivery = announce(labs, entry(SUBJECTS)).json()["id"]
    assert upload(labs, delivery, SUBJECTS, index=1).status_code == 404
    assert labs.send("PUT", f"/deliveries/{delivery}/files/minus", "lab", content=b"x").status_code == 422


def test_a_body_over_the_limit_is_refused_unread(labs):
    delivery = announce(labs, entry(SUBJECTS)).json()["id"]
    answer = labs.send(
        "PUT", f"/deliveries/{delivery}/files/0", "lab", content=b"x", headers={"content-length": str(2**50)}
    )
    assert answer.status_code == 413


class Wire:
    """A caller at the other end of a socket, driven by the test: plain ASGI without a buffer."""

    def __init__(self, site, path, messages):
        self.app, self.messages, self.sent = site.app, messages, []
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "PUT",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"authorization", site.head("lab")["Authorization"].encode())],
            "client": ("10.0.0.1", 1),
            "server": ("x", 1),
        }

    def run(self):
        async def send(message):
            self.sent.append(message)

        async def go():
            await self.app(self.scope, self.messages.receive, send)

        anyio.run(go)
        return self.sent


class Body:
    """Chunks as they are asked for, then the end, a hang-up, or silence."""

    def __init__(self, chunks, end="end"):
        self.chunks, self.end, self.asked = iter(chunks), end, 0

    async def receive(self):
        self.asked += 1
        chunk = next(self.chunks, None)
        if chunk is not None:
            return {"type": "http.request", "body": chunk, "more_body": True}
        if self.end == "hang-up":
            return {"type": "http.disconnect"}
        if self.end == "silence":
            await anyio.sleep_forever()
        return {"type": "http.request", "body": b"", "more_body": False}


def wire(site, content_entry, body):
    delivery = announce(site, content_entry).json()["id"]
    return delivery, Wire(site, f"/api/v1/deliveries/{delivery}/files/0", body)


def received(site, delivery):
    return site.get(f"/deliveries/{delivery}", "lab").json()["files"][0]["received"]


def test_a_large_file_passes_through_without_being_held(labs):
    chunk, count = b"0" * 2**16, 1600
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(chunk)
    manifest = {"name": "subjects-large.csv", "size_bytes": len(chunk) * count, "sha256": digest.hexdigest()}
    delivery, line = wire(labs, manifest, Body(chunk for _ in range(count)))
    tracemalloc.start()
    sent = line.run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sent[0]["status"] == 204
    assert received(labs, delivery) is True
    assert peak < 16 * 2**20 < len(chunk) * count


def test_no_more_is_read_than_the_flow_takes(labs):
    """Past the announced size the flow stops, and so does the reading."""
    body = Body(b"0" * 2**16 for _ in range(10_000))
    _, line = wire(labs, entry(b"0" * 2**17, name="subjects-long.csv"), body)
    assert line.run()[0]["status"] == 422
    assert body.asked < 10


def test_a_sender_who_hangs_up_leaves_nothing(labs):
    delivery, line = wire(labs, entry(SUBJECTS, name="subjects-gone.csv"), Body([SUBJECTS[:5]], end="hang-up"))
    assert line.run() == []
    assert received(labs, delivery) is False
    assert not list(labs.rooms.settings.quarantine_path.rglob("*.part"))
    assert upload(labs, delivery, SUBJECTS).status_code == 204


def test_a_sender_who_falls_silent_is_let_go(labs, monkeypatch):
    monkeypatch.setattr(uploads, "IDLE_SECONDS", 0.2)
    delivery, line = wire(labs, entry(SUBJECTS, name="subjects-mute.csv"), Body([SUBJECTS[:5]], end="silence"))
    assert line.run()[0]["status"] == 413
    assert received(labs, delivery) is False


def test_bytes_received_are_counted(labs):
    def count():
        text = labs.client.get("/metrics").text
        return float(text.split("\natoll_delivery_received_bytes_total ")[1].split("\n")[0])

    delivery = announce(labs, entry(SUBJECTS, name="subjects-count.csv")).json()["id"]
    before = count()
    upload(labs, delivery, SUBJECTS)
    assert count() - before == len(SUBJECTS)


def test_a_draft_is_made_and_nothing_of_the_sample_is_kept(labs):
    content = base64.b64encode(b"patient,mail,code\n" + b"p1,ada@example.org,a\n" * 9).decode()
    answer = labs.post("/contract-drafts", "steward", dataset="ward", files=[{"name": "w.csv", "content": content}])
    assert answer.status_code == 200, answer.text
    assert {c["column"]: c["treatment"] for c in answer.json()["columns"]} == {
        "patient": "pseudonymize",
        "mail": "drop",
        "code": "keep",
    }
    assert list((labs.rooms.settings.quarantine_path / "scratch").iterdir()) == []
    bad = labs.post("/contract-drafts", "steward", dataset="ward", files=[{"name": "w.csv", "content": "AAAA"}])
    assert (bad.status_code, bad.json()["where"]) == (422, "w.csv")
