"""The head of a push: which refs it wants to change.

The format is git's own: https://git-scm.com/docs/pack-protocol, "Reference Update Request".
"""

from __future__ import annotations

import re

from atoll.errors import InvalidInput, LimitExceeded
from atoll.model.push import RefChange

_COMMAND = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ([^\x00\n]+)")
_HEAD_MAX_BYTES = 2**20
_PLAIN = b"shallow "


class CommandReader:
    """Reads a push's body piece by piece until its commands are known.

    Attributes:
        done: whether they are.
    """

    def __init__(self) -> None:
        self.done = False
        self.commands: list[RefChange] = []
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next piece. Raises `InvalidInput` for what is no push, `LimitExceeded` for one of too many refs."""
        if self.done:
            return
        self._rest += chunk
        if len(self._rest) > _HEAD_MAX_BYTES:
            raise LimitExceeded("The push changes too many refs at once.", todo="Push them in parts.")
        while not self.done and len(self._rest) >= 4:
            try:
                length = int(bytes(self._rest[:4]), 16)
            except ValueError:
                raise _no_push() from None
            if length == 0:
                self.done = True
            elif length < 5:
                raise _no_push()
            elif len(self._rest) < length:
                return
            else:
                self._line(bytes(self._rest[4:length]))
                del self._rest[:length]

    def _line(self, line: bytes) -> None:
        if line.startswith(_PLAIN):
            return
        match = _COMMAND.match(line)
        if match is None:
            # Signed pushes carry a certificate instead of commands; they are not offered.
            raise _no_push()
        old, new, ref = (part.decode("utf-8", "replace") for part in match.groups())
        self.commands.append(RefChange(ref=ref, old=old, new=new, accepted=False))


def _no_push() -> InvalidInput:
    return InvalidInput("The body is not a push that the gateway can read.", todo="Push with an ordinary git.")
