"""A memory on disk is what was written, or nothing."""

from __future__ import annotations

import io
import os
import struct

import pytest

from atoll.providers.vm import sealing
from atoll.providers.vm.sealing import Broken, opened, seal

KEY, OTHER = os.urandom(32), os.urandom(32)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(sealing, "BLOCK_BYTES", 64)


def sealed(content: bytes) -> bytes:
    sink = io.BytesIO()
    assert seal(io.BytesIO(content), sink, KEY, b"ws-1") == (len(content), len(sink.getvalue()))
    return sink.getvalue()


def back(stored: bytes, key=KEY, context=b"ws-1") -> bytes:
    return b"".join(opened(io.BytesIO(stored), key, context))


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 640])
def test_what_was_sealed_comes_back(size):
    content = os.urandom(size)
    assert back(sealed(content)) == content


def test_nothing_of_it_can_be_read_and_no_two_are_alike():
    content = b"a patient's name" * 20
    assert b"patient" not in sealed(content)
    assert sealed(content) != sealed(content)


def test_it_opens_by_its_own_key_and_for_its_own_machine_only():
    stored = sealed(b"x" * 200)
    for key, context in ((OTHER, b"ws-1"), (KEY, b"ws-2")):
        with pytest.raises(Broken):
            back(stored, key, context)


def blocks(stored: bytes) -> tuple[bytes, list[bytes]]:
    head, rest, found = stored[:24], stored[24:], []
    while rest:
        size = 4 + struct.unpack(">I", rest[:4])[0]
        found.append(rest[:size])
        rest = rest[size:]
    return head, found


@pytest.mark.parametrize(
    "harm",
    [
        lambda head, found: head + b"".join(found[:-1]),
        lambda head, found: head + b"".join([found[1], found[0], *found[2:]]),
        lambda head, found: head + b"".join([found[0], *found]),
        lambda head, found: head + b"".join(found)[:-1],
        lambda head, found: (head + b"".join(found))[:30],
        lambda head, found: head,
        lambda head, found: b"",
        lambda head, found: head + b"\xff" * 4 + b"".join(found),
        lambda head, found: b"another!" + head[8:] + b"".join(found),
    ],
)
def test_what_is_cut_moved_repeated_or_strange_is_refused(harm):
    with pytest.raises(Broken):
        back(harm(*blocks(sealed(os.urandom(300)))))


def test_every_changed_bit_is_found():
    stored = sealed(os.urandom(150))
    for place in range(0, len(stored), 7):
        changed = bytearray(stored)
        changed[place] ^= 1
        with pytest.raises(Broken):
            back(bytes(changed))
