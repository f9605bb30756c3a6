"""Whether every quote of a CSV file stands where RFC 4180 allows one.

Taken in turn, quotes open and close. An opening one stands at the start of a field or
right behind a closing one (the two are then an escaped quote); a closing one stands at
the end of a field or right before an opening one. Polars reads some fields that break
this, each in its own way, so such files are read line by line instead.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_CR, _LF = 13, 10


class QuoteCheck:
    """Fed with the bytes of a file in order."""

    def __init__(self, *, separator: str, quote: str) -> None:
        self._quote = ord(quote)
        self._before = np.zeros(256, dtype=np.bool_)
        self._before[[ord(separator), _LF, ord(quote)]] = True
        self._after = self._before.copy()
        self._after[_CR] = True
        self._opened = False
        self._last = _LF
        self._sound = True

    def feed(self, chunk: npt.NDArray[np.uint8]) -> int:
        """Look at the next bytes (`chunk` is not empty); how many quotes they hold."""
        if self._last == self._quote and not self._opened:
            self._sound &= bool(self._after[chunk[0]])
        is_quote = chunk == self._quote
        if count := int(np.count_nonzero(is_quote)):
            places = np.flatnonzero(is_quote)
            first = int(self._opened)
            opening, closing = places[first::2], places[1 - first :: 2]
            self._look(chunk, opening, closing)
            self._opened ^= bool(count % 2)
        self._last = int(chunk[-1])
        return count

    @property
    def sound(self) -> bool:
        """Whether all quotes so far stand well; at the end of the file, whether all are closed too."""
        return self._sound and not self._opened

    def _look(self, chunk: npt.NDArray[np.uint8], opening: npt.NDArray[np.intp], closing: npt.NDArray[np.intp]) -> None:
        if opening.size and opening[0] == 0:
            self._sound &= bool(self._before[self._last])
            opening = opening[1:]
        if closing.size and closing[-1] == chunk.size - 1:
            closing = closing[:-1]
        self._sound &= bool(self._before[chunk[opening - 1]].all() and self._after[chunk[closing + 1]].all())
