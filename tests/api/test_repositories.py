"""Repositories of a project by HTTP, their backups by the reconciler, and what machines fetched and pushed."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from decimal import Decimal

import pytest

from atoll.flows.back_up_repositories import back_up_repositories
from atoll.flows.serve_machine import MachineDesk
from atoll.model.package import PackageDownload
from atoll.model.push import Push, RefChange
from atoll.model.repository import Repository
from atoll.model.workspace import Observed, Workspace

PATH = "/projects/heart/repositories"


@pytest.fixture
def heart(fresh_site):
    fresh_site.add_project("heart", "scientist")
    fresh_site.add_person("stranger", {"scientist"})
    now = fresh_site.clock.now()
    fresh_site.rooms.records.put(
        Workspace(
            id="wsp_a",
            name="mine",
            owner=fresh_site.ids["scientist"],
            owner_login="scientist",
            project="heart",
            product="jupyter@1",
            size="t3.small",
            backend="sandbox",
            eur_per_hour=Decimal("0.1"),
            created_at=now,
            expires_at=now + timedelta(days=1),
            observed=Observed(at=now),
        )
    )
    return fresh_site


def commit(site, name="notes", message="one"):
    """A commit straight into the bare repository, as a push leaves it."""
    path = site.rooms.repositories.path("heart", name)
    env = {"PATH": "/usr/bin:/bin", "GIT_DIR": str(path)}
    for who in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{who}_NAME": "ada", f"GIT_{who}_EMAIL": "ada@x"}

    def git(*arguments, given=""):
        done = subprocess.run(["git", *arguments], env=env, check=True, capture_output=True, text=True, input=given)
        return done.stdout.strip()

    tree = git("mktree")
    git("update-ref", "refs/heads/main", git("commit-tree", tree, "-m", message))


def test_a_repository_is_made_by_members_and_seen_by_those_who_may(heart):
    assert heart.post(PATH, "stranger", name="notes").status_code == 404
    assert heart.post(PATH, "scientist", name="Not a name").status_code == 422
    made = heart.post(PATH, "scientist", name="notes")
    assert made.status_code == 201, made.text
    assert made.json()["address"] == "atoll:heart/notes.git"
    assert made.json()["last_backup_at"] is None
    assert heart.rooms.repositories.names("heart") == ("notes",)
    assert heart.post(PATH, "scientist", name="notes").status_code == 409
    for who, status in (("scientist", 200), ("admin", 200), ("auditor", 200), ("stranger", 404), ("steward", 403)):
        assert heart.get(PATH, who).status_code == status, who
        assert heart.get(f"{PATH}/notes", who).status_code == status, who
    assert heart.get(f"{PATH}/nosuch", "scientist").status_code == 404
    assert [event.caller.name for event in heart.audited("repository.add")] == ["scientist"]


def test_backups_are_made_in_their_rhythm_and_a_lost_repository_is_restored(heart):
    heart.post(PATH, "scientist", name="notes")
    assert back_up_repositories(heart.rooms) == 0  # nothing in it
    commit(heart)
    heart.clock.ahead += timedelta(hours=23)
    assert back_up_repositories(heart.rooms) == 0
    heart.clock.ahead += timedelta(hours=2)
    assert back_up_repositories(heart.rooms) == 1
    heart.clock.ahead += timedelta(hours=25)
    assert back_up_repositories(heart.rooms) == 0  # as it was
    shown = heart.get(f"{PATH}/notes", "scientist").json()
    assert len(shown["backups"]) == 1
    assert shown["last_backup_at"] is not None
    shutil.rmtree(heart.rooms.repositories.path("heart", "notes"))
    heart.clock.ahead += timedelta(hours=25)
    assert back_up_repositories(heart.rooms) == 0
    lost = heart.get(f"{PATH}/notes", "scientist").json()
    assert (lost["size_bytes"], lost["backup_failure"]) == (None, "The project has no such repository.")
    restore = f"{PATH}/notes/restore"
    assert heart.post(restore, "scientist").status_code == 403
    assert heart.post(restore, "admin", generation="nosuch").status_code == 409
    back = heart.post(restore, "admin")
    assert back.status_code == 200, back.text
    assert heart.rooms.repositories.refs("heart", "notes").keys() == {"refs/heads/main"}
    assert heart.post(restore, "admin").status_code == 409
    assert heart.post(restore, "admin", replace=True).status_code == 200
    assert heart.post(restore, "admin", into="older").json()["name"] == "older"
    assert len(heart.audited("repository.restored")) == 3
    assert heart.audited("repository.back_up")[0].details["refs"] == 1


def test_a_repository_found_on_the_host_is_put_on_record_and_one_error_stops_no_other(heart):
    heart.rooms.repositories.create("heart", "found")
    heart.rooms.records.put(
        Repository(id="heart/a", project="heart", name="a", created_at=heart.clock.now(), created_by="x")
    )
    commit(heart, "found")
    assert back_up_repositories(heart.rooms) == 1
    names = {one["name"]: one for one in heart.get(PATH, "scientist").json()["items"]}
    assert names["found"]["created_by"] == "platform"
    assert names["a"]["backup_failure"] != ""
    assert len(heart.audited("repository.back_up")) == 2
    back_up_repositories(heart.rooms)
    assert len(heart.audited("repository.back_up")) == 2  # the same failure is told once


def test_pushes_and_packages_are_told_newest_first_in_pages(heart):
    desk = MachineDesk(heart.rooms)
    assert desk.create_repository("wsp_a", "notes") is True
    assert desk.create_repository("wsp_a", "notes") is True
    facts = {"workspace": "wsp_a", "project": "heart", "login": "scientist"}
    for number in range(5):
        change = RefChange(ref=f"refs/heads/b{number}", old="0" * 40, new="1" * 40, accepted=number != 2)
        desk.record_push(Push(**facts, repository="notes", changes=(change,), bytes=number))
        desk.record_download(
            PackageDownload(
                **facts,
                ecosystem="pypi",
                package=f"p{number}",
                version="1",
                file="p.whl",
                sha256="0" * 64,
                bytes=1,
                verified=True,
                from_cache=False,
            )
        )
    one = heart.get(f"{PATH}/notes", "auditor").json()
    assert (one["pushes"], one["last_push_by"]) == (5, "scientist")
    for noun, key, told in (("pushes", "bytes", [4, 3, 2, 1, 0]), ("packages", "package", [f"p{n}" for n in "43210"])):
        found, cursor = [], ""
        while cursor is not None:
            page = heart.get(f"/projects/heart/{noun}?limit=2{cursor and f'&cursor={cursor}'}", "scientist").json()
            found += [item[key] for item in page["items"]]
            cursor = page["cursor"]
        assert found == told
        assert heart.get(f"/projects/heart/{noun}", "stranger").status_code == 404
        assert heart.get(f"/projects/heart/{noun}?cursor=x", "scientist").json()["items"] == []
    assert [event.allowed for event in heart.audited("repository.push")] == [True, True, False, True, True]
