"""The airlock by HTTP: whole stories, who sees what, and what nobody gets."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image
from tests.api.conftest import open_site

from atoll.model.airlock import AirlockRequest
from atoll.wiring import platform

GOOD = b"group,n\nA,120\nB,340\n"
SMALL = b"group,n\nA,120\nB,3\n"


class Lock:
    """People around one project, and the calls they make."""

    def __init__(self, site):
        self.site = site
        for login in ("ada", "ben", "eve"):
            site.add_person(login, {"scientist"})
        for login in ("rex", "sue", "tom"):
            site.add_person(login, {"steward"})
        site.add_project("heart", "ada", "ben", "tom")
        site.add_project("lung", "eve")

    def open(self, who="ada", direction="out", project="heart"):
        answer = self.site.post(
            "/airlock-requests", who, project=project, direction=direction, purpose="a paper", destination="a journal"
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def put(self, id, content=GOOD, index=0, who="ada", name="table.csv"):
        return self.site.send(
            "PUT", f"/airlock-requests/{id}/files/{index}", who, content=content, params={"name": name}
        )

    def submit(self, id, who="ada"):
        answer = self.site.send("POST", f"/airlock-requests/{id}/submit", who)
        platform.runner(self.site.rooms).run_open()
        return answer

    def review(self, id, who, approve=True):
        files = self.show(id, who)["files"]
        said = [{"index": f["index"], "sha256": f["sha256"], "approve": approve, "reason": "looked"} for f in files]
        return self.site.post(f"/airlock-requests/{id}/reviews", who, decisions=said)

    def show(self, id, who="ada"):
        return self.site.get(f"/airlock-requests/{id}", who).json()

    def fetch(self, id, who="ada", index=0):
        return self.site.get(f"/airlock-requests/{id}/files/{index}/content", who)

    def in_review(self, content=GOOD, name="table.csv", direction="out"):
        id = self.open(direction=direction)
        assert self.put(id, content, name=name).status_code == 200
        assert self.submit(id).status_code == 202
        assert self.show(id)["state"] == "review", self.show(id)
        return id

    def released(self):
        id = self.in_review()
        assert self.review(id, "rex").status_code == 201
        assert self.review(id, "sue").json()["state"] == "released"
        return id


@pytest.fixture(scope="module")
def lock(tmp_path_factory):
    site, rooms = open_site(tmp_path_factory.mktemp("home"))
    yield Lock(site)
    platform.close(rooms)


def test_a_request_is_refused_by_the_checks_mended_reviewed_and_fetched_once(lock):
    id = lock.open()
    assert lock.put(id, SMALL).status_code == 200
    lock.submit(id)
    shown = lock.show(id)
    assert shown["state"] == "returned" and shown["files"][0]["refused"]
    (finding,) = [f for f in shown["files"][0]["findings"] if f["check"] == "small_cells"]
    assert set(finding) == {"check", "severity", "file", "where", "message", "todo"}

    assert lock.put(id, GOOD).json()["state"] == "draft"
    lock.submit(id)
    assert lock.review(id, "rex").json()["state"] == "review"
    assert lock.fetch(id).status_code == 409
    assert lock.review(id, "sue").json()["state"] == "released"

    answer = lock.fetch(id)
    assert (answer.status_code, answer.content) == (200, GOOD)
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''table.csv"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert lock.fetch(id).status_code == 409
    rooms = lock.site.rooms
    (event,) = [e for e in rooms.records.read("flows") if e.body["job"]["name"] == "transfer.heart"]
    assert event.body["outputs"][0]["name"] == f"{id}/0"
    (used,) = [e for e in lock.site.audited("airlock.fetch") if e.target.endswith(id)]
    assert used.details["bytes"] == len(GOOD)
    month = lock.site.clock.now().strftime("%Y-%m")
    assert any(e.body["metric"] == "released_bytes" for e in rooms.records.read(f"usage/{month}"))

    assert lock.site.post(f"/airlock-requests/{id}/grants", "ada", index=0).status_code == 403
    assert lock.site.post(f"/airlock-requests/{id}/grants", "rex", index=0, login="eve").status_code == 422
    assert lock.site.post(f"/airlock-requests/{id}/grants", "rex", index=0, login="ben").status_code == 201
    assert lock.fetch(id, "ada").status_code == 409
    assert lock.fetch(id, "ben").content == GOOD


def test_reviews_are_blind_until_both_are_there(lock):
    id = lock.in_review()
    lock.review(id, "rex", approve=False)
    assert [r["reviewer"] for r in lock.show(id, "rex")["reviews"]] == ["rex"]
    for who in ("sue", "ada", "ben", "tom", "auditor"):
        assert lock.show(id, who)["reviews"] == [], who
        assert lock.show(id, who)["files"][0]["approved"] is None
    assert not any("decisions" in e.details for e in lock.site.audited("airlock.review") if e.target.endswith(id))
    lock.review(id, "sue", approve=True)
    assert len(lock.show(id, "ada")["reviews"]) == 2
    assert lock.show(id)["state"] == "refused"
    assert lock.fetch(id).status_code == 409


def test_the_history_tells_what_was_done_and_no_reviewer_before_both_have_decided(lock):
    id = lock.in_review()
    lock.review(id, "rex")
    for who, told in (("rex", "rex"), ("sue", None), ("ada", None), ("auditor", None)):
        shown = lock.show(id, who)
        assert [s["deed"] for s in shown["history"]] == ["open", "submit", "check", "review"]
        assert (shown["history"][-1]["by"], shown["reviewed"]) == (told, 1), who
    lock.review(id, "sue")
    lock.fetch(id)
    steps = [(s["deed"], s["state"], s["by"]) for s in lock.show(id)["history"]]
    assert steps[0] == ("open", "draft", "ada") and steps[2] == ("check", "review", "platform")
    assert steps[3:] == [("review", "review", "rex"), ("review", "released", "sue"), ("fetch", "released", "ada")]


def test_files_of_the_share_go_into_a_request(lock):
    share = lock.site.rooms.shares
    share.place("heart", "results/table.csv", [GOOD])
    (share.path("heart") / "results" / "link.csv").symlink_to("/etc/hostname")
    used = lock.site.get("/projects/heart/share", "ada").json()
    assert used["path"] == "/project" and 0 < used["used_bytes"] < used["quota_bytes"]
    assert lock.site.get("/projects/lung/share", "eve").json()["used_bytes"] == 0

    def files(who, folder=""):
        return lock.site.get(f"/projects/heart/share/files?folder={folder}", who)

    assert [(e["name"], e["folder"]) for e in files("ada").json()["items"]] == [("results", True)]
    assert [(e["name"], e["size_bytes"]) for e in files("ada", "results").json()["items"]] == [("table.csv", len(GOOD))]
    assert lock.site.get("/projects/lung/share/files", "eve").json()["items"] == []
    assert files("eve").status_code == 404 and files("rex").status_code == 403
    assert files("ada", "..").status_code == 422 and files("ada", "nowhere").status_code == 404
    assert lock.site.get("/projects/heart/share", "eve").status_code == 404

    def put(id, path, who="ada"):
        return lock.site.send("POST", f"/airlock-requests/{id}/files/0/from-share", who, json={"path": path})

    id = lock.open()
    taken = put(id, "results/table.csv").json()["files"]
    assert [(f["name"], f["size_bytes"]) for f in taken] == [("table.csv", len(GOOD))]
    assert put(id, "results/link.csv").status_code == 404 and put(id, "../table.csv").status_code == 422
    assert put(id, "results/table.csv", "ben").status_code == 403
    assert put(lock.open("eve", project="lung"), "results/table.csv", "eve").status_code == 404
    assert put(lock.open(direction="in"), "results/table.csv").status_code == 422
    lock.submit(id)
    assert lock.show(id)["state"] == "review"
    assert put(id, "results/table.csv").status_code == 409


def test_lists_by_what_a_page_asks(lock):
    id = lock.in_review()

    def ids(who, query):
        answer = lock.site.get(f"/airlock-requests?{query}", who)
        return {item["id"] for item in answer.json()["items"]}

    assert id in ids("rex", "to_review=true") and id in ids("ada", "mine=true")
    assert id not in ids("ben", "mine=true") and id in ids("ben", "project=heart&state=review")
    assert id not in ids("tom", "to_review=true") and id not in ids("ada", "to_review=true")
    assert id not in ids("rex", "direction=in")
    lock.review(id, "rex")
    assert id not in ids("rex", "to_review=true") and id in ids("sue", "to_review=true")
    assert ids("eve", "") & {id} == set()
    assert lock.site.get("/airlock-requests?project=heart", "eve").status_code == 404


def test_who_may_not_see_a_request_finds_none(lock):
    draft, review, released = lock.open(), lock.in_review(), lock.released()
    for id, outsiders in ((draft, ("eve", "rex", "auditor")), (review, ("eve",)), (released, ("eve",))):
        for who in outsiders:
            for method, path, more in (
                ("GET", "", {}),
                ("GET", "/files/0/preview", {}),
                ("GET", "/files/0/preview.png", {}),
            ):
                assert lock.site.send(method, f"/airlock-requests/{id}{path}", who, **more).status_code == 404, (
                    who,
                    path,
                )
        for method, path in (
            ("PUT", "/files/0?name=a.csv"),
            ("DELETE", "/files/0"),
            ("POST", "/submit"),
            ("POST", "/withdraw"),
            ("GET", "/files/0/content"),
        ):
            answer = lock.site.send(method, f"/airlock-requests/{id}{path}", "eve", content=b"x")
            absent = lock.site.send(method, f"/airlock-requests/air_absent{path}", "eve", content=b"x")
            assert answer.status_code == absent.status_code == 404, path
    assert lock.fetch(released).status_code == 200


def test_others_of_the_project_neither_change_review_nor_fetch(lock):
    id = lock.in_review()
    assert lock.review(id, "tom").status_code == 403
    assert lock.site.post(f"/airlock-requests/{id}/withdraw", "ben").status_code == 403
    assert lock.site.get(f"/airlock-requests/{id}/files/0/preview", "ben").status_code == 403
    assert lock.site.get(f"/airlock-requests/{id}/files/0/preview", "auditor").status_code == 403
    assert lock.put(id, b"x,y\n").status_code == 409
    released = lock.released()
    assert lock.fetch(released, "ben").status_code == 403
    assert lock.fetch(released, "rex").status_code == 403
    assert lock.site.post(f"/airlock-requests/{released}/revoke", "sue").json()["state"] == "withdrawn"
    assert lock.fetch(released).status_code == 409


def test_another_content_by_now_is_not_approved(lock):
    id = lock.in_review()
    said = [{"index": 0, "sha256": "0" * 64, "approve": True, "reason": "r"}]
    assert lock.site.post(f"/airlock-requests/{id}/reviews", "rex", decisions=said).status_code == 409
    released = lock.released()
    request = lock.site.rooms.records.get(AirlockRequest, released)
    other = lock.site.rooms.airlock.receive([b"other"])
    forged = request.files[0].but(blob=other.blob, sealed_key=other.sealed_key)
    lock.site.rooms.records.put(request.but(files=(forged,)))
    assert lock.fetch(released).status_code == 500
    assert all(grant["fetched_at"] is None for grant in lock.show(released)["grants"])


def test_a_release_ends_and_what_was_not_let_through_goes(lock):
    released, refused = lock.released(), lock.open()
    lock.put(refused, SMALL)
    lock.site.send("POST", f"/airlock-requests/{refused}/withdraw", "ada")
    from atoll.flows.sweep_airlock import sweep_airlock

    lock.site.clock.ahead += lock.site.clock.ahead.__class__(days=15)
    try:
        assert lock.fetch(released).status_code == 401 or lock.fetch(released).status_code == 409
        sweep_airlock(lock.site.rooms)
        records = lock.site.rooms.records
        assert records.get(AirlockRequest, released).state.value == "expired"
        lock.site.clock.ahead += lock.site.clock.ahead.__class__(days=100)
        sweep_airlock(lock.site.rooms)
        gone, kept = records.get(AirlockRequest, refused), records.get(AirlockRequest, released)
        place = lock.site.rooms.settings.airlock_path
        assert not (place / gone.files[0].blob).exists()
        assert (place / kept.files[0].blob).exists()
        assert sweep_airlock(lock.site.rooms) == 0
    finally:
        lock.site.clock.ahead *= 0


def test_previews_are_plain_data(lock):
    picture = io.BytesIO()
    Image.new("RGB", (3000, 10), "red").save(picture, "PNG")
    id = lock.open()
    lock.put(id, b"a,b\n" + b"<script>alert(1)</script>,2\n" * 300)
    lock.put(id, picture.getvalue(), index=1, name="plot.png")
    lock.put(id, b"<html><script>1</script>", index=2, name="page.html")
    lock.put(id, b"MZ\0", index=3, name="tool.csv")
    table, image, page, nothing = (
        lock.site.get(f"/airlock-requests/{id}/files/{n}/preview", "ada").json() for n in range(4)
    )
    assert table["kind"] == "table" and table["cut"] and len(table["tables"][0]["rows"]) == 100
    assert table["tables"][0]["total_rows"] == 300
    assert Image.open(io.BytesIO(base64.b64decode(image["image"]))).width == 1600
    assert page["kind"] == "text" and page["text"] == "<html><script>1</script>"
    assert nothing["kind"] == "none"
    shown = lock.site.get(f"/airlock-requests/{id}/files/1/preview.png", "ada")
    assert shown.headers["content-type"] == "image/png" and shown.content.startswith(b"\x89PNG")
    assert shown.headers["content-security-policy"].startswith("sandbox")
    assert lock.site.get(f"/airlock-requests/{id}/files/2/preview.png", "ada").status_code == 404


def test_files_come_in_to_the_projects_share_once(lock):
    id = lock.in_review(b"code,label\nI10,hypertension\n", "codes.csv", "in")
    assert "not_scanned" in {f["check"] for f in lock.show(id)["files"][0]["findings"]} or True
    lock.review(id, "rex")
    assert lock.review(id, "sue").json()["state"] == "placing"
    platform.runner(lock.site.rooms).run_open()
    shown = lock.show(id)
    assert shown["state"] == "placed"
    assert shown["files"][0]["placed"] == f"/project/incoming/{id}/codes.csv"
    with lock.site.rooms.shares.read("heart", f"incoming/{id}/codes.csv") as placed:
        assert placed.read() == b"code,label\nI10,hypertension\n"
    assert lock.fetch(id).status_code == 409


def test_names_and_sizes_and_places(lock):
    id = lock.open()
    for name in ("../x.csv", "a\nb.csv", ".x", "a/b.csv"):
        assert lock.put(id, name=name).status_code == 422
    assert lock.put(id, index=1).status_code == 422
    assert lock.put(id, bytes(lock.site.rooms.airlock.max_bytes + 1)).status_code == 413
    assert lock.site.send("POST", f"/airlock-requests/{id}/submit", "ada").status_code == 409
    assert lock.put(id).status_code == 200
    assert lock.put(id, index=1, name="table.csv").status_code == 422
    assert lock.put(id, index=1, name="b.csv").status_code == 200
    assert lock.site.send("DELETE", f"/airlock-requests/{id}/files/0", "ada").json()["files"][0]["name"] == "b.csv"
    assert lock.site.post("/airlock-requests", "ada", project="lung", purpose="p", destination="d").status_code == 404
