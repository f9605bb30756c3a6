"""Bytes that come in pieces of any size, read as messages."""

from __future__ import annotations

from collections.abc import Generator

#: A step of a reading asks for so many bytes: positive to have them, negative to let them pass on unseen.
Step = Generator[int, bytes, None]


class Reader:
    """Drives a reading that is written as if all bytes were there.

    `reading` yields n > 0 to be given the next n bytes, and n < 0 to let the next -n bytes
    pass to the other side as they come, without being held. What it wants sent it puts
    by `send`; what it does neither for is dropped.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._out: list[bytes] = []
        self._reading = self.reading()
        self._wanted = next(self._reading)

    def reading(self) -> Step:
        """The messages, one after the other, without end. Raises `Breach`."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """Pass on."""
        self._out.append(data)

    def feed(self, data: bytes) -> bytes:
        """What goes on of this and of what was held. Raises `Breach`; after that nothing is to be fed."""
        self._held += data
        at = 0
        while True:
            there = len(self._held) - at
            if self._wanted < 0:
                count = min(-self._wanted, there)
                if count:
                    self._out.append(bytes(self._held[at : at + count]))
                    at += count
                    self._wanted += count
                if self._wanted:
                    break
                given = b""
            elif there >= self._wanted:
                given = bytes(self._held[at : at + self._wanted])
                at += self._wanted
            else:
                break
            self._wanted = self._reading.send(given)
        del self._held[:at]
        out, self._out = b"".join(self._out), []
        return out
