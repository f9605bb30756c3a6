"""What a screen says to its viewer (RFC 6143 7.6 and 7.7, and the registered extensions)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from atoll.proxy.stream.breach import Breach
from atoll.proxy.stream.reader import Reader, Step
from atoll.proxy.stream.viewer import PIXEL_BITS, PIXEL_DEPTH, SIDE_MOST, VERSION

_PIXEL = PIXEL_BITS // 8
_LAST_RECT = -224
#: One rectangle, compressed; a whole screen of the largest side would not be larger.
_RECT_BYTES = 2**28
_CAPS, _REQUEST = 1 << 24, 1 << 25
#: What a screen is said to do with text: take it, as UTF-8 of up to 1 MiB. Never: tell of it, or give it.
_TAKES_TEXT = struct.pack(">BxxxiII", 3, -8, _CAPS | _REQUEST | (1 << 27) | (1 << 28) | 1, 2**20)
_ASKS_TEXT = struct.pack(">BxxxiI", 3, -4, _REQUEST | 1)


class FromScreen(Reader):
    """The way out: pixels, the pointer's shape, the size and the bell. No text, no name, nothing unknown.

    Args:
        name: of the desktop, as the viewer is told it.
        dropped: called with `text` for each text that did not come out.
    """

    def __init__(self, name: str, dropped: Callable[[str], None]) -> None:
        self._name = name.encode()
        self._dropped = dropped
        super().__init__()

    def reading(self) -> Step:
        """See `Reader`."""
        yield from self._hands()
        while True:
            kind = (yield 1)[0]
            if kind == 0:
                yield from self._update()
            elif kind == 2:
                self.send(b"\x02")
            elif kind == 3:
                yield from self._cut_text()
            else:
                raise Breach(f"message {kind} of a screen")

    def _hands(self) -> Step:
        if not (yield 12).startswith(b"RFB 003.00"):
            raise Breach("version")
        self.send(VERSION)
        count = (yield 1)[0]
        if count == 0 or 1 not in (yield count):
            raise Breach("security types")
        self.send(b"\x01\x01")
        if (yield 4) != b"\0\0\0\0":
            raise Breach("security result")
        self.send(b"\0\0\0\0")
        head = yield 24
        bits, depth, _order, true_colour = struct.unpack_from(">BBBB", head, 4)
        if (bits, depth, true_colour) != (PIXEL_BITS, PIXEL_DEPTH, 1):
            raise Breach("form of pixels")
        (length,) = struct.unpack_from(">I", head, 20)
        if length > 1024:
            raise Breach("length of a name")
        if length:
            yield length
        self.send(head[:20] + struct.pack(">I", len(self._name)) + self._name)

    def _update(self) -> Step:
        head = yield 3
        (rectangles,) = struct.unpack_from(">H", head, 1)
        self.send(b"\x00" + head)
        for _ in range(rectangles):
            head = yield 12
            _x, _y, width, height, encoding = struct.unpack(">HHHHi", head)
            if width > SIDE_MOST or height > SIDE_MOST:
                raise Breach("size of a rectangle")
            body = _RECTANGLES.get(encoding)
            if body is None:
                raise Breach(f"encoding {encoding}")
            self.send(head)
            yield from body(self, width, height)
            if encoding == _LAST_RECT:
                return

    def _cut_text(self) -> Step:
        (length,) = struct.unpack(">xxxi", (yield 7))
        if length >= 0:
            yield from self._drop(length)
            self._dropped("text")
            return
        flags_bytes = yield 4
        yield from self._drop(-length - 4)
        (flags,) = struct.unpack(">I", flags_bytes)
        # Both are sent in words of our own, so that they say no more than they must.
        if flags & _CAPS:
            self.send(_TAKES_TEXT)
        elif flags & _REQUEST:
            self.send(_ASKS_TEXT)
        else:
            self._dropped("text")

    def _drop(self, count: int) -> Step:
        if not 0 <= count <= _RECT_BYTES:
            raise Breach("length of a text")
        while count:
            taken = min(count, 2**16)
            yield taken
            count -= taken

    # -- rectangles: each reads its body to the end ---------------------------------

    def _raw(self, width: int, height: int) -> Step:
        yield from self._passing(width * height * _PIXEL)

    def _copied(self, _width: int, _height: int) -> Step:
        yield from self._passing(4)

    def _zrle(self, _width: int, _height: int) -> Step:
        head = yield 4
        self.send(head)
        yield from self._passing(struct.unpack(">I", head)[0])

    def _cursor(self, width: int, height: int) -> Step:
        yield from self._passing(width * height * _PIXEL + (width + 7) // 8 * height)

    def _vmware_cursor(self, width: int, height: int) -> Step:
        head = yield 2
        self.send(head)
        if head[0] not in (0, 1):
            raise Breach("kind of a pointer")
        yield from self._passing(width * height * _PIXEL * (2 if head[0] == 0 else 1))

    def _screens(self, _width: int, _height: int) -> Step:
        head = yield 4
        self.send(head)
        yield from self._passing(16 * head[0])

    def _nothing(self, _width: int, _height: int) -> Step:
        yield from ()

    def _tight(self, width: int, height: int) -> Step:
        """Of TightVNC, as registered with the RFB community's protocol document."""
        control = yield 1
        self.send(control)
        kind = control[0] >> 4
        if kind == 8:
            yield from self._passing(3)
        elif kind == 9:
            yield from self._tight_length()
        elif kind < 8:
            yield from self._tight_basic(kind, width, height)
        else:
            raise Breach("kind of a tight rectangle")

    def _tight_basic(self, kind: int, width: int, height: int) -> Step:
        size = width * height * 3
        if kind & 4:
            filtered = yield 1
            self.send(filtered)
            if filtered[0] == 1:
                count = yield 1
                self.send(count)
                colours = count[0] + 1
                yield from self._passing(3 * colours)
                size = (width + 7) // 8 * height if colours <= 2 else width * height
            elif filtered[0] not in (0, 2):
                raise Breach("filter of a tight rectangle")
        if size < 12:
            yield from self._passing(size)
        else:
            yield from self._tight_length()

    def _tight_length(self) -> Step:
        length = 0
        for shift in (0, 7, 14):
            part = yield 1
            self.send(part)
            length |= (part[0] if shift == 14 else part[0] & 127) << shift
            if shift == 14 or not part[0] & 128:
                break
        yield from self._passing(length)

    def _passing(self, count: int) -> Step:
        if count > _RECT_BYTES:
            raise Breach("length of a rectangle")
        if count:
            yield -count


_RECTANGLES: Mapping[int, Callable[[FromScreen, int, int], Step]] = MappingProxyType(
    {
        0: FromScreen._raw,
        1: FromScreen._copied,
        7: FromScreen._tight,
        16: FromScreen._zrle,
        -239: FromScreen._cursor,
        0x574D5664: FromScreen._vmware_cursor,
        -223: FromScreen._nothing,
        -224: FromScreen._nothing,
        -308: FromScreen._screens,
    }
)
