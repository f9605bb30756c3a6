"""What the platform puts into a project's share and takes out of it."""

from __future__ import annotations

import os

import pytest

from atoll.errors import AlreadyExists, InvalidInput, LimitExceeded, NotFound
from atoll.workspaces.project_shares import ProjectShares

MIB = 2**20


@pytest.fixture
def shares(tmp_path):
    return ProjectShares(tmp_path / "shares", 8 * MIB)


def test_a_share_is_made_once_and_kept(shares):
    place = shares.path("heart")
    (place / "notes").write_text("kept")
    assert shares.path("heart") == place
    assert (place / "notes").read_text() == "kept"
    assert shares.projects() == ("heart",)
    assert place.stat().st_mode & 0o7777 == 0o2770
    assert place.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_is_placed_whole_and_read_back(shares):
    assert str(shares.place("heart", "incoming/one/table.csv", [b"a,b\n", b"1,2\n"])) == (
        "/project/incoming/one/table.csv"
    )
    with shares.read("heart", "incoming/one/table.csv") as file:
        assert file.read() == b"a,b\n1,2\n"
    directory = shares.path("heart") / "incoming" / "one"
    assert [entry.name for entry in directory.iterdir()] == ["table.csv"]
    assert (directory / "table.csv").stat().st_mode & 0o777 == 0o660


def test_nothing_is_ever_replaced(shares):
    shares.place("heart", "table.csv", [b"first"])
    with pytest.raises(AlreadyExists):
        shares.place("heart", "table.csv", [b"second"])
    assert (shares.path("heart") / "table.csv").read_bytes() == b"first"
    assert [entry.name for entry in shares.path("heart").iterdir()] == ["table.csv"]


def test_a_sender_that_fails_leaves_nothing(shares):
    def broken():
        yield b"some"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        shares.place("heart", "table.csv", broken())
    assert list(shares.path("heart").iterdir()) == []


def test_more_than_the_quota_is_refused(shares):
    shares.place("heart", "one", [b"x" * 5 * MIB])
    with pytest.raises(LimitExceeded):
        shares.place("heart", "two", (b"x" * MIB for _ in range(5)))
    assert [entry.name for entry in shares.path("heart").iterdir()] == ["one"]
    shares.place("liver", "two", [b"x" * 5 * MIB])


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../liver/x", "a/../../x", "a//b", "./a", "a/", "a\0b", "a/.."])
def test_names_that_lead_elsewhere_are_refused(shares, name):
    with pytest.raises(InvalidInput):
        shares.place("heart", name, [b"x"])
    with pytest.raises(InvalidInput), shares.read("heart", name):
        pass


@pytest.mark.parametrize("project", ["", "..", "a/b", ".gids", "A"])
def test_names_that_are_no_projects_are_refused(shares, project):
    with pytest.raises(InvalidInput):
        shares.path(project)


def test_links_that_a_machine_laid_are_not_followed(shares, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("of another")
    place = shares.path("heart")
    (place / "folder").symlink_to(outside)
    (place / "file").symlink_to(outside / "secret")
    (place / "dangling").symlink_to(outside / "new")
    for name in ("folder/secret", "file", "dangling"):
        with pytest.raises(NotFound), shares.read("heart", name):
            pass
    with pytest.raises(NotFound):
        shares.place("heart", "folder/new", [b"x"])
    for name in ("file", "dangling"):
        with pytest.raises(AlreadyExists):
            shares.place("heart", name, [b"x"])
    assert [entry.name for entry in outside.iterdir()] == ["secret"]


def test_what_is_no_file_is_not_read(shares):
    place = shares.path("heart")
    os.mkfifo(place / "pipe")
    (place / "folder").mkdir()
    for name in ("pipe", "folder", "none"):
        with pytest.raises(NotFound), shares.read("heart", name):
            pass
