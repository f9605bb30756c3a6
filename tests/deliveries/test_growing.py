"""Files that arrive in parts."""

from __future__ import annotations

import fcntl
import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.deliveries import Landing
from atoll.deliveries.growing import WrongOffset
from atoll.errors import Conflict, DeliveryRefused, LimitExceeded, NotFound

from .conftest import delivery_of, everything_below

CONTENT = b"id,name\n1,Zephyrine Quillfeather\n"


def sha256(part: bytes) -> str:
    return hashlib.sha256(part).hexdigest()


def broken(part: bytes) -> Iterator[bytes]:
    yield part
    raise ConnectionError


def test_parts_make_the_file_and_leave_nothing_else(landing: Landing, place: Path) -> None:
    delivery = delivery_of(CONTENT)
    assert landing.append(delivery, 0, 0, [CONTENT[:9]], sha256(CONTENT[:9])) == 9
    assert (landing.received(delivery), landing.arrived(delivery)) == ((False,), (9,))
    growing = place / delivery.id / "files" / "0.growing"
    assert stat.S_IMODE(growing.stat().st_mode) == 0o600
    assert landing.append(delivery, 0, 9, [CONTENT[9:20], CONTENT[20:]], None) == len(CONTENT)
    assert (landing.received(delivery), landing.arrived(delivery)) == ((True,), (len(CONTENT),))
    assert landing.path(delivery, 0).read_bytes() == CONTENT
    assert everything_below(place) == [f"{delivery.id}/files/0"]


def test_what_came_of_a_broken_connection_stays_but_not_of_a_part_with_a_checksum(landing: Landing) -> None:
    delivery = delivery_of(CONTENT)
    with pytest.raises(ConnectionError):
        landing.append(delivery, 0, 0, broken(CONTENT[:5]), None)
    assert landing.arrived(delivery) == (5,)
    with pytest.raises(ConnectionError):
        landing.append(delivery, 0, 5, broken(CONTENT[5:9]), sha256(CONTENT[5:20]))
    assert landing.arrived(delivery) == (5,)
    assert landing.append(delivery, 0, 5, [CONTENT[5:]], None) == len(CONTENT)


def test_a_part_must_begin_where_the_file_ends_and_be_what_its_checksum_says(landing: Landing) -> None:
    delivery = delivery_of(CONTENT)
    landing.append(delivery, 0, 0, [CONTENT[:9]], None)
    for offset in (0, 8, 10, 2**60):
        with pytest.raises(WrongOffset) as told:
            landing.append(delivery, 0, offset, [CONTENT[9:]], None)
        assert told.value.end_bytes == 9
    with pytest.raises(DeliveryRefused, match="part was not kept"):
        landing.append(delivery, 0, 9, [CONTENT[9:]], sha256(CONTENT))
    assert landing.arrived(delivery) == (9,)


def test_more_than_announced_or_another_content_is_refused(landing: Landing, place: Path) -> None:
    delivery = delivery_of(CONTENT)
    with pytest.raises(DeliveryRefused, match="More bytes came"):
        landing.append(delivery, 0, 0, [CONTENT + b"!"], sha256(CONTENT + b"!"))
    wrong = CONTENT[:-2] + b"!\n"
    with pytest.raises(DeliveryRefused, match="nothing of the file was kept"):
        landing.append(delivery, 0, 0, [wrong], sha256(wrong))
    assert everything_below(place) == []
    with pytest.raises(NotFound):
        landing.append(delivery, 1, 0, [b"x"], None)
    with pytest.raises(LimitExceeded):
        Landing(place, 5).append(delivery, 0, 0, [CONTENT], None)


def test_two_connections_do_not_mix_their_parts(landing: Landing, place: Path) -> None:
    delivery = delivery_of(CONTENT)
    landing.append(delivery, 0, 0, [CONTENT[:9]], None)
    with (place / delivery.id / "files" / "0.growing").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Conflict, match="Another connection"):
            landing.append(delivery, 0, 9, [CONTENT[9:]], None)
    assert landing.append(delivery, 0, 9, [CONTENT[9:]], None) == len(CONTENT)


def test_a_file_sent_whole_replaces_what_came_in_parts(landing: Landing, place: Path) -> None:
    delivery = delivery_of(CONTENT)
    landing.append(delivery, 0, 0, [CONTENT[:9]], None)
    landing.receive(delivery, 0, [CONTENT])
    assert everything_below(place) == [f"{delivery.id}/files/0"]


@given(content=st.binary(min_size=1, max_size=200), cuts=st.lists(st.integers(1, 60), max_size=12), breaks=st.data())
def test_however_it_is_cut_and_broken_the_file_is_the_one_announced(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cuts: list[int], breaks: st.DataObject
) -> None:
    landing = Landing(tmp_path_factory.mktemp("parts"), 1000)
    delivery = delivery_of(content)
    sizes = iter(cuts)
    while not landing.received(delivery)[0]:
        offset = landing.arrived(delivery)[0]
        part = content[offset : offset + next(sizes, len(content))]
        if breaks.draw(st.booleans()):
            came = breaks.draw(st.integers(0, len(part)))
            with pytest.raises(ConnectionError):
                landing.append(delivery, 0, offset, broken(part[:came]), None)
        else:
            landing.append(delivery, 0, offset, [part], sha256(part))
    assert landing.path(delivery, 0).read_bytes() == content
