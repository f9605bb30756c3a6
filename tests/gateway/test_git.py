from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from atoll.errors import AlreadyExists, InvalidInput, LimitExceeded, NotFound
from atoll.gateway import Repositories, inside_configuration, inside_variables

ZERO = "0" * 40
#: Of a pack of version 2 with one thing in it, which never comes.
PACK_HEAD = b"PACK" + bytes([0, 0, 0, 2, 0, 0, 0, 1])


class Inside:
    """git as it runs inside a machine, with the machine's configuration."""

    def __init__(self, place: Path, port: int) -> None:
        self.place = place
        place.mkdir(exist_ok=True)
        configuration = place / "gitconfig"
        configuration.write_text(inside_configuration(port)["/run/gw/gitconfig"])
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(place),
            "GIT_TERMINAL_PROMPT": "0",
            **inside_variables(login="ada", project="heart", port=port),
            "GIT_CONFIG_SYSTEM": str(configuration),
        }

    def __call__(self, *arguments: str, at: str = ".", fails: bool = False) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.place / at, env=self.environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode != 0) is fails, done.stderr
        return done.stdout + done.stderr

    def commit(self, at: str, file: str, content: bytes) -> str:
        path = self.place / at / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self("add", "-A", at=at)
        self("commit", "-qm", file, at=at)
        return self("rev-parse", "HEAD", at=at).strip()


@pytest.fixture
def inside(house, forward, tmp_path):
    with forward(house.machine().socket) as port:
        yield Inside(tmp_path / "ada", port)


def test_clone_push_and_clone_again(house, inside):
    house.repositories.create("heart", "notes")
    inside("clone", "-q", "atoll:heart/notes.git", "one")
    first = inside.commit("one", "a.txt", b"first")
    inside("push", "-q", "origin", "main", at="one")
    second = inside.commit("one", "b.bin", os.urandom(3_000_000))  # beyond http.postBuffer: sent in chunks
    inside("push", "-q", "origin", "main", "HEAD:refs/heads/draft", at="one")
    inside("clone", "-q", "atoll:heart/notes", "two")
    assert inside("rev-parse", "HEAD", at="two").strip() == second
    assert inside("log", "--format=%ae", "-1", at="two").strip() == "ada@atoll.invalid"
    one, two = house.pushes
    assert (one.workspace, one.project, one.login, one.repository) == ("wsp_a", "heart", "ada", "notes")
    assert [(c.ref, c.old, c.new, c.accepted) for c in one.changes] == [("refs/heads/main", ZERO, first, True)]
    assert {(c.ref, c.old, c.new, c.accepted) for c in two.changes} == {
        ("refs/heads/main", first, second, True),
        ("refs/heads/draft", ZERO, second, True),
    }
    assert two.bytes > 3_000_000


def test_a_deletion_and_a_refusal_are_on_record_as_they_ended(house, inside):
    house.repositories.create("heart", "notes")
    inside("clone", "-q", "atoll:heart/notes.git", "one")
    first = inside.commit("one", "a.txt", b"first")
    inside("push", "-q", "origin", "main", "main:draft", at="one")
    inside("push", "-q", "origin", ":draft", at="one")
    # git does not let the branch go that a clone starts from.
    inside("push", "-q", "origin", ":main", at="one", fails=True)
    assert [(c.ref, c.new, c.accepted) for push in house.pushes[1:] for c in push.changes] == [
        ("refs/heads/draft", ZERO, True),
        ("refs/heads/main", ZERO, False),
    ]
    assert house.repositories.refs("heart", "notes") == {"refs/heads/main": first}


def test_another_projects_machine_reaches_nothing(house, inside, forward, tmp_path):
    house.repositories.create("heart", "notes")
    inside("clone", "-q", "atoll:heart/notes.git", "one")
    inside.commit("one", "secret.txt", b"of heart")
    inside("push", "-q", "origin", "main", at="one")
    with forward(house.machine("wsp_b", "lung").socket) as port:
        other = Inside(tmp_path / "eve", port)
        told = other("clone", "atoll:heart/notes.git", "stolen", fails=True)
        assert "403" in told
        other("init", "-q", "mine")
        other.commit("mine", "a.txt", b"x")
        other("push", "atoll:heart/notes.git", "main", at="mine", fails=True)
        other("push", "atoll:lung/../heart/notes.git", "main", at="mine", fails=True)
    assert len(house.pushes) == 1
    assert len(house.repositories.refs("heart", "notes")) == 1


def test_a_repository_is_made_at_its_first_push_where_the_platform_says_so(house, inside):
    inside("init", "-q", "mine")
    inside.commit("mine", "a.txt", b"x")
    assert "not found" in inside("push", "atoll:heart/fresh.git", "main", at="mine", fails=True)
    assert not house.repositories.exists("heart", "fresh")
    house.may_create = True
    inside("clone", "atoll:heart/fresh.git", "none", fails=True)  # reading makes nothing
    inside("push", "-q", "atoll:heart/fresh.git", "main", at="mine")
    inside("push", "atoll:heart/Bad..Name.git", "main", at="mine", fails=True)
    assert house.repositories.names("heart") == ("fresh",)


def test_a_push_too_large_is_refused_and_leaves_nothing(house_of, forward, tmp_path):
    house = house_of(push_bytes=200_000)
    house.repositories.create("heart", "notes")
    with forward(house.machine().socket) as port:
        inside = Inside(tmp_path / "ada", port)
        inside("clone", "-q", "atoll:heart/notes.git", "one")
        inside.commit("one", "small.bin", os.urandom(100_000))
        inside("push", "-q", "origin", "main", at="one")
        before = house.repositories.size_bytes("heart", "notes")
        inside.commit("one", "large.bin", os.urandom(400_000))
        told = inside("push", "origin", "main", at="one", fails=True)
        assert "maximum allowed size" in told
        inside.commit("one", "huge.bin", os.urandom(9_000_000))
        inside("push", "origin", "main", at="one", fails=True)
        assert house.repositories.size_bytes("heart", "notes") - before < 10_000
        assert [change.accepted for push in house.pushes for change in push.changes] == [True, False, False]
        inside("reset", "-q", "--hard", "origin/main", at="one")
        inside.commit("one", "more.bin", os.urandom(1000))
        inside("push", "-q", "origin", "main", at="one")


def test_a_repository_that_is_full_takes_no_push(house, inside):
    house.repositories.create("heart", "notes")
    inside("clone", "-q", "atoll:heart/notes.git", "one")
    inside.commit("one", "a.txt", os.urandom(5000))
    inside("push", "-q", "origin", "main", at="one")
    house.repositories.max_repository_bytes = 4000
    inside.commit("one", "b.txt", b"x")
    inside("push", "origin", "main", at="one", fails=True)
    with pytest.raises(LimitExceeded):
        house.repositories.check_room("heart", "notes")


def test_no_hook_runs_whatever_is_pushed_or_lies_there(house, inside, tmp_path):
    path = house.repositories.create("heart", "notes")
    assert not (path / "hooks").exists()
    ran = tmp_path / "ran"
    (path / "hooks").mkdir()
    for name in ("pre-receive", "update", "post-receive", "post-update", "proc-receive", "reference-transaction"):
        hook = path / "hooks" / name
        hook.write_text(f"#!/bin/sh\necho {name} >> {ran}\nexit 1\n")
        hook.chmod(0o755)
    inside("clone", "-q", "atoll:heart/notes.git", "one")
    inside.commit("one", "hooks/post-receive", b"#!/bin/sh\n")
    inside("push", "-q", "origin", "main", at="one")
    assert house.pushes[0].changes[0].accepted
    assert not ran.exists()


def test_only_smart_http_is_spoken(house):
    house.repositories.create("heart", "notes")
    with house.inside() as client:
        for path in ("HEAD", "config", "objects/info/packs", "info/refs", "info/refs?service=git-upload-archive"):
            assert client.get(f"/git/heart/notes.git/{path}").status_code == 404, path
        assert client.post("/git/heart/notes.git/info/refs?service=git-upload-pack").status_code == 404
        assert client.get("/git/heart/notes.git/git-upload-pack").status_code == 404
        assert client.get("/git/heart/..%2flung%2fx.git/info/refs?service=git-upload-pack").status_code in (404, 422)
        answer = client.get("/git/heart/notes.git/info/refs?service=git-upload-pack")
        assert answer.headers["Content-Type"] == "application/x-git-upload-pack-advertisement"
        for body in (b"", b"zzzz", b"0003", b"0010 no command", b"00000000"):
            answer = client.post(
                "/git/heart/notes.git/git-receive-pack",
                content=body,
                headers={"Content-Type": "application/x-git-receive-pack-request"},
            )
            assert answer.status_code in (200, 422, 503), body
    assert house.pushes == []


def test_a_push_whose_sender_hangs_up_leaves_no_process_and_takes_the_next(house, inside):
    path = house.repositories.create("heart", "notes")

    def running(what: str = "git") -> list[str]:
        """Processes that work in the repository, and do that."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "cwd").readlink() == path and what in (process / "cmdline").read_text():
                    found.append(process.name)
        return found

    line = f"{ZERO} {'1' * 40} refs/heads/main\0 report-status"
    head = f"{len(line) + 4:04x}{line}0000".encode()
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(house.place / "wsp_a/gw/gw.sock"))
        raw.sendall(
            b"POST /git/heart/notes.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
            b"Content-Type: application/x-git-receive-pack-request\r\n\r\n" + head + PACK_HEAD
        )
        # Git unpacks: so what the push wants was read, by us and by git.
        deadline = time.monotonic() + 20
        while not running("unpack-objects") and time.monotonic() < deadline:
            time.sleep(0.01)
    inside("clone", "-q", "atoll:heart/notes.git", "one")
    inside.commit("one", "a.txt", b"x")
    inside("push", "-q", "origin", "main", at="one")
    assert [change.accepted for push in house.pushes for change in push.changes] == [False, True]
    assert running() == []


def test_pushes_at_once_are_all_told_apart(house, inside):
    house.repositories.create("heart", "notes")
    for number in range(4):
        inside("init", "-q", f"w{number}")
        inside.commit(f"w{number}", f"{number}.txt", b"x")
    threads = [
        threading.Thread(
            target=inside, args=("push", "-q", "atoll:heart/notes.git", f"main:b{n}"), kwargs={"at": f"w{n}"}
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(c.ref for push in house.pushes for c in push.changes if c.accepted) == [
        f"refs/heads/b{n}" for n in range(4)
    ]


def test_names_of_repositories(tmp_path):
    repositories = Repositories(tmp_path / "git")
    path = repositories.create("heart", "a.b-c_1")
    assert path == tmp_path / "git" / "heart" / "a.b-c_1.git"
    with pytest.raises(AlreadyExists):
        repositories.create("heart", "a.b-c_1")
    for name in ("", ".", "..", "a..b", "a.git", "a.lock", "A", "a/b", "-a", ".a", "a\n", "x" * 70):
        with pytest.raises(InvalidInput):
            repositories.create("heart", name)
    for project in ("", "..", "Heart", "a/b"):
        with pytest.raises(InvalidInput):
            repositories.create(project, "a")
    with pytest.raises(NotFound):
        repositories.refs("heart", "nosuch")
