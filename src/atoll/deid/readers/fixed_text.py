"""Fixed-width ASCII text as Arrow string views, without a pass over every value.

Source of the layout: Apache Arrow, Columnar Format, "Variable-size Binary View Layout":
16 bytes a value, its length, then up to 12 bytes inline or 4 bytes of prefix, a buffer's
number and an offset.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bytes = npt.NDArray[np.uint8]

_VIEW_BYTES = 16
_INLINE_BYTES = 12


def ascii_views(texts: Bytes) -> pa.Array:
    """A string_view array of the rows of `texts` without trailing blanks and NULs.

    Args:
        texts: rows by width, contiguous, ASCII; long values are not copied but pointed to.

    Returns null for a row of nothing but blanks.
    """
    rows, width = texts.shape
    lengths = _lengths(texts)
    views = np.zeros((rows, _VIEW_BYTES), dtype=np.uint8)
    views[:, :4] = lengths.view(np.uint8).reshape(rows, 4)
    inline = min(width, _INLINE_BYTES)
    # Bytes after the end must be zero.
    np.multiply(texts[:, :inline], np.arange(inline) < lengths[:, None], out=views[:, 4 : 4 + inline])
    long = np.flatnonzero(lengths > _INLINE_BYTES)
    views[long, 8:12] = 0
    views[long, 12:] = (long * width).astype("<i4").view(np.uint8).reshape(-1, 4)
    present = np.packbits(lengths > 0, bitorder="little")
    buffers = [pa.py_buffer(present), pa.py_buffer(views), pa.py_buffer(texts)]
    return pa.Array.from_buffers(pa.string_view(), rows, buffers)


def _lengths(texts: Bytes) -> npt.NDArray[np.int32]:
    """Where the last byte that is neither blank nor NUL ends in each row."""
    seen = texts != ord(" ")
    if not texts.min(initial=1):
        seen &= texts != 0
    after = seen[:, ::-1].argmax(axis=1)
    return np.where(seen[:, -1] | (after > 0), texts.shape[1] - after, 0).astype("<i4")
