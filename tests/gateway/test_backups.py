"""Backups of repositories: small additions, generations, proven, and the drill of bringing one back."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from atoll.errors import AlreadyExists, IntegrityBroken, NotFound, Unavailable
from atoll.gateway import Backups, Repositories
from atoll.gateway.git import backups as backups_module

NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)


class Work:
    """A repository of the host, a clone of it in which somebody works, and its backups."""

    def __init__(self, place):
        self.place = place
        self.now = NOON
        self.repositories = Repositories(place / "git")
        self.backups = Backups(self.repositories, place / "backups", keep=3)
        self.path = self.repositories.create("heart", "notes")
        self.clone = place / "clone"
        self.git("clone", "-q", str(self.path), str(self.clone))

    def git(self, *arguments, at=None):
        who = {"GIT_AUTHOR_NAME": "ada", "GIT_AUTHOR_EMAIL": "ada@x", "GIT_CONFIG_GLOBAL": "/dev/null"}
        env = {"PATH": "/usr/bin:/bin", **who, "GIT_COMMITTER_NAME": "ada", "GIT_COMMITTER_EMAIL": "ada@x"}
        where = ["-C", str(at)] if at else []
        done = subprocess.run(["git", *where, *arguments], env=env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def push(self, text, name="a.txt", *more):
        (self.clone / name).write_text(text)
        self.git("add", ".", at=self.clone)
        self.git("commit", "-qm", text[:20], at=self.clone)
        self.git("push", "-q", "origin", "HEAD:main", *more, at=self.clone)

    def back_up(self):
        self.now += timedelta(days=1)
        return self.backups.back_up("heart", "notes", self.now)

    def restore(self, generation="", into="notes", *, replace=False):
        return self.backups.restore("heart", "notes", generation, into, self.now, replace=replace)

    def files(self):
        return sorted(path.name for path in (self.place / "backups" / "heart" / "notes").iterdir())


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path)


def test_nothing_is_backed_up_of_an_empty_repository(work):
    assert work.back_up() is None
    assert work.backups.generations("heart", "notes") == ()


def test_an_addition_is_small_and_what_is_unchanged_makes_no_generation(work):
    work.push("".join(f"{number * 7919 % 1000003}\n" for number in range(20_000)))
    first = work.back_up()
    assert len(first.files) == 1
    assert work.back_up() == first
    work.push("little", "b.txt")
    work.git("tag", "-a", "v1", "-m", "one", at=work.clone)
    work.git("push", "-q", "origin", "v1", at=work.clone)
    second = work.back_up()
    assert second.files[0] == first.files[0]
    assert second.files[1].bytes < first.files[0].bytes / 20
    assert work.backups.generations("heart", "notes") == (second, first)
    # A branch at a known commit, and one that is gone, need no bundle of their own.
    work.git("push", "-q", "origin", "HEAD:side", at=work.clone)
    third = work.back_up()
    assert third.files == second.files
    assert set(third.refs) == {"refs/heads/main", "refs/heads/side", "refs/tags/v1"}
    assert not [name for name in work.files() if "part" in name or "scratch" in name]


def test_the_drill_a_lost_repository_comes_back_as_it_was(work):
    work.push("one")
    work.back_up()
    work.push("two", "b.txt")
    work.git("tag", "-a", "v1", "-m", "one", at=work.clone)
    work.git("push", "-q", "origin", "v1", at=work.clone)
    generation = work.back_up()
    was = dict(work.repositories.refs("heart", "notes"))
    subprocess.run(["rm", "-rf", str(work.path)], check=True)
    with pytest.raises(NotFound):
        work.repositories.refs("heart", "notes")
    work.restore()
    assert dict(work.repositories.refs("heart", "notes")) == was == generation.refs
    work.git("fsck", "--full", "--strict", at=work.path)
    work.git("clone", "-q", str(work.path), str(work.place / "again"))
    assert (work.place / "again" / "b.txt").read_text() == "two"
    # And work goes on there.
    work.push("three", "c.txt")
    assert work.back_up().refs != generation.refs


def test_an_older_generation_comes_back_beside_or_instead(work):
    work.push("one")
    first = work.back_up()
    work.push("two")
    work.back_up()
    with pytest.raises(AlreadyExists):
        work.restore(first.id)
    work.restore(first.id, into="old-notes")
    assert dict(work.repositories.refs("heart", "old-notes")) == first.refs
    work.restore(first.id, replace=True)
    assert dict(work.repositories.refs("heart", "notes")) == first.refs
    # What stood is still there, out of use.
    assert len(list(work.path.parent.glob(".notes.git.*Z"))) == 1
    with pytest.raises(NotFound):
        work.restore("20010101T000000000000Z", into="other")


def test_so_many_generations_are_kept_and_nothing_of_the_others(work):
    for number in range(6):
        work.push(f"{number}")
        work.back_up()
    kept = work.backups.generations("heart", "notes")
    assert len(kept) == 3
    named = {file.name for generation in kept for file in generation.files}
    assert {name for name in work.files() if name.endswith(".bundle")} == named
    for generation in kept:
        work.backups.check("heart", "notes", generation.id)


def test_history_that_was_rewritten_is_in_both_generations(work):
    work.push("one")
    first = work.back_up()
    work.git("commit", "-q", "--amend", "-m", "other", at=work.clone)
    work.git("push", "-qf", "origin", "HEAD:main", at=work.clone)
    second = work.back_up()
    for generation in (first, second):
        work.restore(generation.id, into=f"g{generation.id[:8]}")
    assert first.refs != second.refs


def test_a_damaged_backup_is_found_and_followed_by_a_whole_one(work):
    work.push("one")
    first = work.back_up()
    damaged = work.place / "backups" / "heart" / "notes" / first.files[0].name
    content = bytearray(damaged.read_bytes())
    content[-30] ^= 1
    damaged.write_bytes(content)
    with pytest.raises(IntegrityBroken):
        work.restore(into="other")
    assert not work.repositories.exists("heart", "other")
    second = work.back_up()
    assert second.id != first.id
    assert not set(second.files) & set(first.files)
    work.restore(into="other")


def test_a_backup_that_breaks_off_leaves_the_one_before(work, monkeypatch):
    work.push("one")
    first = work.back_up()
    work.push("two")

    def full(path):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken, pytest.raises(Unavailable, match="No space"):
        broken.setattr(backups_module, "_to_disk", full)
        work.back_up()
    assert work.backups.generations("heart", "notes") == (first,)
    work.backups.check("heart", "notes", first.id)
    assert len(work.back_up().files) == 2


def test_two_do_not_back_up_the_same_at_once(work):
    work.push("one")
    with work.backups._alone("heart", "notes"), pytest.raises(Unavailable):
        work.back_up()
    assert work.back_up() is not None
