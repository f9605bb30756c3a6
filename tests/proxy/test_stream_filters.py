"""What passes between a screen and its viewer, byte for byte; both may be hostile."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.model.visit import Stream
from atoll.proxy.stream import Breach, FromScreen, FromViewer

VERSION = b"RFB 003.008\n"
FORMAT = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
HELLO = VERSION + b"\x01\x01" + b"\0\0\0\0" + struct.pack(">HH", 800, 600) + FORMAT + struct.pack(">I", 6) + b"secret"
NAMED = HELLO[: -len(b"secret") - 4] + struct.pack(">I", 4) + b"desk"
GREETING = VERSION + b"\x01" + b"\x00"
GREETED = VERSION + b"\x01" + b"\x01"
EXTENDED = 0xC0A1E5CE - 2**32
CAPS, REQUEST, PEEK, NOTIFY, PROVIDE = (1 << bit for bit in range(24, 29))


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    found, at = [], 0
    for size in sizes:
        found.append(data[at : at + size])
        at += size
    return [*found, data[at:]]


class Screen:
    """A way out, and what was held back."""

    def __init__(self):
        self.held = []
        self.way = FromScreen("desk", self.held.append)

    def out(self, data, sizes=()):
        return b"".join(self.way.feed(piece) for piece in pieces(HELLO + data, list(sizes)))[len(NAMED) :]


class Viewer:
    """A way in, and what was held back."""

    def __init__(self, *, control=True, paste=True):
        self.held, self.acts = [], 0
        self.way = FromViewer(
            Stream(title="desk", owner="ada", control=control, paste=paste), self._act, lambda: self.held.append("text")
        )

    def _act(self):
        self.acts += 1

    def into(self, data, sizes=()):
        return b"".join(self.way.feed(piece) for piece in pieces(GREETING + data, list(sizes)))[len(GREETED) :]


def rectangle(width, height, encoding, body=b""):
    return struct.pack(">HHHHi", 0, 0, width, height, encoding) + body


def update(*rectangles):
    return struct.pack(">BxH", 0, len(rectangles)) + b"".join(rectangles)


def cut_text(text: bytes) -> bytes:
    return struct.pack(">BxxxI", 3, len(text)) + text


def extended(kind: int, flags: int, body: bytes = b"") -> bytes:
    return struct.pack(">BxxxiI", kind, -4 - len(body), flags) + body


RECTANGLES = (
    rectangle(2, 3, 0, bytes(24)),
    rectangle(9, 9, 1, b"\0\1\0\2"),
    rectangle(40, 40, 16, struct.pack(">I", 5) + b"zzzzz"),
    rectangle(10, 2, -239, bytes(10 * 2 * 4 + 2 * 2)),
    rectangle(2, 2, 0x574D5664, b"\1\0" + bytes(16)),
    rectangle(2, 2, 0x574D5664, b"\0\0" + bytes(32)),
    rectangle(1024, 768, -223),
    rectangle(1024, 768, -308, b"\1\0\0\0" + bytes(16)),
    # Tight: one colour; JPEG; plain and short; plain and packed; palettes of 2 and of 5 colours; gradient.
    rectangle(8, 8, 7, b"\x80rgb"),
    rectangle(8, 8, 7, b"\x90\x85\x02" + bytes(0x105)),
    rectangle(1, 3, 7, b"\x00" + bytes(9)),
    rectangle(8, 8, 7, b"\x10\x03abc"),
    rectangle(16, 2, 7, b"\x50\x01\x01rgbRGB" + bytes(4)),
    rectangle(16, 2, 7, b"\x40\x01\x04" + bytes(15) + b"\x02xy"),
    rectangle(16, 2, 7, b"\x60\x02\xff\xff\x01" + bytes(0x7FFF)),
)


@given(st.lists(st.sampled_from(RECTANGLES), max_size=6), st.lists(st.integers(0, 40), max_size=60))
def test_pictures_pass_unchanged_however_they_come_in_pieces(rectangles, sizes):
    data = update(*rectangles) + b"\x02" + update()
    assert Screen().out(data, sizes) == data


def test_an_update_may_end_by_a_last_rectangle():
    data = struct.pack(">BxH", 0, 0xFFFF) + RECTANGLES[0] + rectangle(0, 0, -224) + b"\x02"
    assert Screen().out(data) == data


def test_the_name_of_the_desktop_is_the_platforms():
    way = FromScreen("desk", print)
    assert way.feed(HELLO) == NAMED


@given(st.binary(max_size=300), st.lists(st.integers(0, 40), max_size=20))
def test_no_text_comes_out(text, sizes):
    screen = Screen()
    assert screen.out(cut_text(text) + b"\x02", sizes) == b"\x02"
    assert screen.held == ["text"]


@pytest.mark.parametrize("flags", [NOTIFY | 1, PROVIDE | 1, PEEK | 1, 0, NOTIFY | PROVIDE | 1])
def test_no_extended_text_comes_out(flags):
    screen = Screen()
    assert screen.out(extended(3, flags, b"secret of the desktop") + b"\x02") == b"\x02"
    assert screen.held == ["text"]


@pytest.mark.parametrize("flags", [CAPS | NOTIFY | 0xFF, REQUEST | 0xFF, CAPS | PROVIDE | 1])
def test_what_a_screen_says_of_taking_text_is_said_in_our_words(flags):
    out = Screen().out(extended(3, flags, b"secret of the desktop"))
    assert b"secret" not in out
    (length,) = struct.unpack_from(">i", out, 4)
    assert len(out) == 8 - length


@pytest.mark.parametrize(
    "message",
    [
        b"\x01\0\0\0\0\1" + bytes(6),
        b"\x96",
        b"\xf8\0\0\0\0\0\0\0\x08covertly",
        b"\xfc\0\0\0",
        b"\xff",
        update(rectangle(4, 4, -307, b"\0\0\0\4name")),
        update(rectangle(4, 4, -258)),
        update(rectangle(4, 4, 5, b"")),
        update(rectangle(4, 4, 7, b"\xa0")),
        update(rectangle(4, 4, 7, b"\x40\x07")),
        update(rectangle(65535, 4, 0)),
        update(rectangle(4, 4, 16, b"\xff\xff\xff\xff")),
        extended(3, PROVIDE, b"")[:4] + struct.pack(">iI", -(2**31), PROVIDE),
    ],
)
def test_what_is_not_known_ends_the_stream(message):
    with pytest.raises(Breach) as told:
        Screen().out(message + bytes(64))
    assert "covertly" not in str(told.value)


@pytest.mark.parametrize(
    "hello",
    [
        b"HTTP/1.1 200",
        VERSION + b"\x01\x02",
        VERSION + b"\0\0\0\0\4busy",
        VERSION + b"\x01\x01\0\0\0\1",
        HELLO.replace(FORMAT, b"\x08" + FORMAT[1:]),
        HELLO.replace(struct.pack(">I", 6), b"\xff" * 4),
    ],
)
def test_a_screen_that_does_not_begin_as_one_is_none(hello):
    with pytest.raises(Breach):
        FromScreen("desk", print).feed(hello)


# -- in -------------------------------------------------------------------------------

KEY = b"\x04\1\0\0\0\0\0\x61"
POINTER = b"\x05\1\0\x10\0\x20"
ASKS = b"\x03\1\0\0\0\0\x03\x20\x02\x58"
SIZE = b"\xfb\0\x04\0\x03\0\1\0" + bytes(16)
PASTED = struct.pack(">BxxxI", 6, 5) + b"hello"
PIXELS = b"\0\0\0\0" + FORMAT


@given(
    st.lists(st.sampled_from([KEY, POINTER, ASKS, SIZE, PASTED, PIXELS]), max_size=8),
    st.lists(st.integers(0, 9), max_size=40),
)
def test_what_a_person_does_goes_in_unchanged(messages, sizes):
    viewer = Viewer()
    assert viewer.into(b"".join(messages), sizes) == b"".join(messages)
    assert viewer.acts == sum(message in (KEY, POINTER, SIZE) for message in messages)


def test_who_only_looks_moves_nothing():
    viewer = Viewer(control=False)
    assert viewer.into(KEY + POINTER + SIZE + PASTED + ASKS) == ASKS
    assert (viewer.acts, viewer.held) == (0, ["text"])


@pytest.mark.parametrize("text", [PASTED, extended(6, PROVIDE | 1, b"zzz"), extended(6, NOTIFY | 1)])
def test_text_goes_in_only_where_it_may(text):
    assert Viewer().into(text) == text
    viewer = Viewer(paste=False)
    assert viewer.into(text + KEY) == KEY
    assert viewer.held == ["text"]


@pytest.mark.parametrize("flags", [REQUEST | 1, PEEK, REQUEST | PROVIDE | 1, 0])
def test_a_viewer_cannot_ask_for_text(flags):
    assert Viewer().into(extended(6, flags) + KEY) == KEY


def encodings(*numbers):
    return struct.pack(f">BxH{len(numbers)}i", 2, len(numbers), *numbers)


def test_only_encodings_that_can_be_read_are_asked_for():
    asked = encodings(1, 7, -260, 16, 21, 50, 5, 2, 6, 0, -26, -254, -223, -224, -258, -261, -308, -312, -313, -307, 99)
    assert Viewer().into(asked) == encodings(1, 7, 16, 0, -26, -254, -223, -224, -308)


def test_the_extended_clipboard_is_asked_for_only_where_text_may_go_in():
    assert Viewer().into(encodings(0, EXTENDED)) == encodings(0, EXTENDED)
    assert Viewer(paste=False).into(encodings(0, EXTENDED)) == encodings(0)
    assert Viewer(control=False).into(encodings(0, EXTENDED)) == encodings(0)


def test_others_at_the_same_screen_are_not_thrown_out():
    assert Viewer().way.feed(VERSION + b"\x01\x00") == VERSION + b"\x01\x01"


@pytest.mark.parametrize(
    "message",
    [
        b"\xf8\0\0\0\0\0\0\0\x08covertly",
        b"\x96" + bytes(9),
        b"\xff\0" + bytes(10),
        b"\xfa\0\1\2",
        b"\0\0\0\0" + b"\x08" + FORMAT[1:],
        struct.pack(">BxxxI", 6, 2**31 - 1),
        struct.pack(">BxH", 2, 60_000),
        b"\xfb\0\x04\0\x03\0\xff\0",
    ],
)
def test_what_is_not_a_viewers_to_say_ends_the_stream(message):
    with pytest.raises(Breach):
        Viewer().into(message)


@given(st.binary(max_size=400))
def test_rubbish_from_either_side_never_does_more_than_end_the_stream(data):
    for end in (Screen().out, Viewer().into):
        try:
            end(data)
        except Breach:
            continue
