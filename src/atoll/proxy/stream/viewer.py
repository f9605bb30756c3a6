"""What a viewer says to a screen (RFC 6143 7.5, and the registered extensions)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from atoll.model.visit import Stream
from atoll.proxy.stream.breach import Breach
from atoll.proxy.stream.reader import Reader, Step

VERSION = b"RFB 003.008\n"
#: The one form of pixels that screens send: 32 bits, 8 each for red, green and blue.
PIXEL_BITS, PIXEL_DEPTH = 32, 24
EXTENDED_CLIPBOARD = 0xC0A1E5CE - 2**32
#: Encodings whose rectangles `FromScreen` can read to their end, and wishes about quality and effort.
#: No fence, continuous updates or desktop name: each would carry bytes of a sender's choice.
_ENCODINGS = frozenset({0, 1, 7, 16, -223, -224, -239, -308, 0x574D5664, *range(-32, -22), *range(-256, -246)})
_ENCODINGS_MOST = 128
#: Text pasted in at once, in bytes as sent.
PASTE_BYTES = 2**20
SIDE_MOST = 16_384
_CAPS, _REQUEST, _PEEK, _NOTIFY, _PROVIDE = 1 << 24, 1 << 25, 1 << 26, 1 << 27, 1 << 28
_ACTIONS = _CAPS | _REQUEST | _PEEK | _NOTIFY | _PROVIDE


class FromViewer(Reader):
    """The way in. Keys, pointer and size pass for who may control, text for who may paste.

    Args:
        stream: what this viewer may.
        acted: called for each key and movement that passes: a person is there.
        dropped: called for each text that did not go in.
    """

    def __init__(self, stream: Stream, acted: Callable[[], None], dropped: Callable[[], None]) -> None:
        self._stream = stream
        self._acted = acted
        self._dropped = dropped
        super().__init__()

    def reading(self) -> Step:
        """See `Reader`."""
        if (yield 12) != VERSION:
            raise Breach("version")
        self.send(VERSION)
        if (yield 1) != b"\x01":
            raise Breach("security type")
        self.send(b"\x01")
        yield 1
        # Others who look at the same screen are never thrown out by this one.
        self.send(b"\x01")
        while True:
            kind = (yield 1)[0]
            message = _MESSAGES.get(kind)
            if message is None:
                raise Breach(f"message {kind} of a viewer")
            yield from message(self)

    def _pixel_format(self) -> Step:
        body = yield 19
        bits, depth, _order, true_colour = struct.unpack_from(">BBBB", body, 3)
        if (bits, depth, true_colour) != (PIXEL_BITS, PIXEL_DEPTH, 1) or body[7:13] != b"\x00\xff" * 3:
            raise Breach("form of pixels")
        self.send(b"\x00" + body)

    def _encodings(self) -> Step:
        (count,) = struct.unpack(">xH", (yield 3))
        if count > _ENCODINGS_MOST:
            raise Breach("number of encodings")
        asked = struct.unpack(f">{count}i", (yield 4 * count) if count else b"")
        may = _ENCODINGS | ({EXTENDED_CLIPBOARD} if self._may_paste else set())
        kept = [number for number in asked if number in may]
        self.send(struct.pack(f">BxH{len(kept)}i", 2, len(kept), *kept))

    def _update_request(self) -> Step:
        self.send(b"\x03" + (yield 9))

    def _key(self) -> Step:
        self._act(b"\x04" + (yield 7))

    def _pointer(self) -> Step:
        self._act(b"\x05" + (yield 5))

    def _cut_text(self) -> Step:
        head = yield 7
        (length,) = struct.unpack_from(">i", head, 3)
        if abs(length) > PASTE_BYTES:
            raise Breach("length of a text")
        body = (yield abs(length)) if length else b""
        if self._may_paste and (length >= 0 or _comes_in(body)):
            self.send(b"\x06" + head + body)
        else:
            self._dropped()

    def _size(self) -> Step:
        head = yield 7
        _, width, height, screens = struct.unpack(">BHHBx", head)
        if screens > 16:
            raise Breach("number of screens")
        body = (yield 16 * screens) if screens else b""
        if 0 < width <= SIDE_MOST and 0 < height <= SIDE_MOST:
            self._act(b"\xfb" + head + body)

    @property
    def _may_paste(self) -> bool:
        return self._stream.paste and self._stream.control

    def _act(self, message: bytes) -> None:
        if self._stream.control:
            self._acted()
            self.send(message)


def _comes_in(body: bytes) -> bool:
    """Whether an extended message brings text, or tells of some; those that ask for text stay here."""
    if len(body) < 4:
        return False
    (flags,) = struct.unpack_from(">I", body)
    return flags & _ACTIONS in (_NOTIFY, _PROVIDE) or bool(flags & _CAPS)


_MESSAGES: Mapping[int, Callable[[FromViewer], Step]] = MappingProxyType(
    {
        0: FromViewer._pixel_format,
        2: FromViewer._encodings,
        3: FromViewer._update_request,
        4: FromViewer._key,
        5: FromViewer._pointer,
        6: FromViewer._cut_text,
        251: FromViewer._size,
    }
)
