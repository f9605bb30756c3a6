from __future__ import annotations

import fcntl
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from atoll.deliveries import Landing
from atoll.errors import DeliveryRefused, IntegrityBroken, LimitExceeded, NotFound

from .conftest import MAX_BYTES, delivery_of, everything_below

SECRET = b"id,name\n1,Zephyrine Quillfeather\n"


def test_a_received_file_is_whole_private_and_known(landing: Landing, place: Path) -> None:
    delivery = delivery_of(SECRET, b"second", b"")
    assert landing.received(delivery) == (False, False, False)

    landing.receive(delivery, 0, [SECRET[:5], b"", SECRET[5:]])
    landing.receive(delivery, 2, [])

    assert landing.path(delivery, 0).read_bytes() == SECRET
    assert landing.received(delivery) == (True, False, True)
    assert everything_below(place) == [f"{delivery.id}/files/0", f"{delivery.id}/files/2"]
    for path in [place, *place.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_loose_umask_and_a_loose_directory_make_nothing_readable_to_others(place: Path) -> None:
    place.mkdir()
    delivery = delivery_of(SECRET)
    directory = place / delivery.id / "files"
    directory.mkdir(parents=True)
    directory.chmod(0o755)
    before = os.umask(0)
    try:
        Landing(place, MAX_BYTES).receive(delivery, 0, [SECRET])
    finally:
        os.umask(before)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "0").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (SECRET[:-1], "bytes came where"),
        (SECRET + b"!", "More bytes came"),
        (SECRET[:-1] + b"!", "SHA-256"),
        (b"", "0 bytes came"),
    ],
)
def test_what_differs_from_the_manifest_is_refused_and_not_kept(
    landing: Landing, place: Path, sent: bytes, words: str
) -> None:
    delivery = delivery_of(SECRET)
    with pytest.raises(DeliveryRefused, match=words) as caught:
        landing.receive(delivery, 0, [sent])
    assert "nothing of the file was kept" in str(caught.value)
    assert everything_below(place) == []
    assert landing.received(delivery) == (False,)


def test_a_refused_repeat_leaves_the_good_file_alone(landing: Landing) -> None:
    delivery = delivery_of(SECRET)
    landing.receive(delivery, 0, [SECRET])
    with pytest.raises(DeliveryRefused):
        landing.receive(delivery, 0, [b"other"])
    assert landing.path(delivery, 0).read_bytes() == SECRET


def test_an_endless_body_is_cut_off_at_the_announced_size(landing: Landing, place: Path) -> None:
    delivery = delivery_of(SECRET)
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 20

    with pytest.raises(DeliveryRefused, match="More bytes"):
        landing.receive(delivery, 0, endless())
    assert taken == 2
    assert everything_below(place) == []


def test_a_connection_that_breaks_leaves_nothing(landing: Landing, place: Path) -> None:
    delivery = delivery_of(SECRET)

    def broken() -> Iterator[bytes]:
        yield SECRET[:10]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        landing.receive(delivery, 0, broken())
    assert everything_below(place) == []


def test_too_large_is_said_before_a_byte_is_read(place: Path) -> None:
    delivery = delivery_of(SECRET)

    def untouched() -> Iterator[bytes]:
        raise AssertionError("read")
        yield b""

    with pytest.raises(LimitExceeded, match="more than the 8 bytes"):
        Landing(place, max_bytes=8).receive(delivery, 0, untouched())
    assert not place.exists()


@pytest.mark.parametrize("index", [-1, 1])
def test_an_index_outside_the_manifest_is_not_found(landing: Landing, index: int) -> None:
    with pytest.raises(NotFound):
        landing.receive(delivery_of(SECRET), index, [SECRET])


def test_messages_never_hold_the_delivered_name(landing: Landing) -> None:
    delivery = delivery_of(SECRET)
    named = delivery.but(files=(delivery.files[0].but(name="DOE_JANE_19700101.csv"),))
    with pytest.raises(DeliveryRefused) as caught:
        landing.receive(named, 0, [b"wrong"])
    assert "DOE" not in str(caught.value)
    assert named.id in str(caught.value)


def test_what_a_dead_process_left_is_removed_and_what_a_live_one_writes_is_not(landing: Landing) -> None:
    delivery = delivery_of(SECRET)
    target = landing.path(delivery, 0)
    target.parent.mkdir(parents=True)
    orphan = target.with_name("0.dead.part")
    orphan.write_bytes(b"half")
    alive = target.with_name("0.alive.part")
    with alive.open("wb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        landing.receive(delivery, 0, [SECRET])
        assert not orphan.exists()
        assert alive.exists()
    assert target.read_bytes() == SECRET


def test_the_same_file_received_many_times_at_once_stands_once_and_whole(landing: Landing, place: Path) -> None:
    content = os.urandom(300_000)
    delivery = delivery_of(content)
    start = threading.Barrier(6)
    problems: list[BaseException] = []

    def send(good: bool) -> None:
        body = content if good else content[:-1] + b"?"
        start.wait()
        try:
            for _ in range(10):
                try:
                    landing.receive(delivery, 0, (body[n : n + 10_000] for n in range(0, len(body), 10_000)))
                except DeliveryRefused:
                    assert not good
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=send, args=(n % 3 != 0,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert everything_below(place) == [f"{delivery.id}/files/0"]
    assert landing.path(delivery, 0).read_bytes() == content


def test_verify_tells_progress_and_passes_what_is_whole(landing: Landing) -> None:
    delivery = delivery_of(b"a" * 9_000_000, b"", SECRET)
    for index, content in enumerate((b"a" * 9_000_000, b"", SECRET)):
        landing.receive(delivery, index, [content])
    seen: list[float] = []
    landing.verify(delivery, seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 3
    assert 0 < seen[0] < 0.6
    assert seen[-1] == 1.0


def test_verify_finds_a_flipped_bit(landing: Landing) -> None:
    delivery = delivery_of(SECRET)
    landing.receive(delivery, 0, [SECRET])
    path = landing.path(delivery, 0)
    content = bytearray(SECRET)
    content[3] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityBroken, match="no longer what its manifest says"):
        landing.verify(delivery, lambda part: None)


def test_verify_refuses_what_never_came(landing: Landing) -> None:
    delivery = delivery_of(SECRET, b"two")
    landing.receive(delivery, 0, [SECRET])
    with pytest.raises(DeliveryRefused, match="has not been received"):
        landing.verify(delivery, lambda part: None)


def test_verify_of_empty_files_only_ends_at_one(landing: Landing) -> None:
    delivery = delivery_of(b"")
    landing.receive(delivery, 0, [])
    seen: list[float] = []
    landing.verify(delivery, seen.append)
    assert seen[-1] == 1.0


def test_a_path_is_made_of_the_index_and_cannot_leave_quarantine(landing: Landing, place: Path) -> None:
    delivery = delivery_of(SECRET).but(id="../../etc")
    with pytest.raises(NotFound):
        landing.receive(delivery, 0, [SECRET])
    assert not place.exists()
