"""Pictures: what is behind their end, and what they tell besides their pixels."""

from __future__ import annotations

import io
import warnings

from atoll.airlock.checks.archives import hides_archive
from atoll.airlock.checks.found import Found

MAX_PIXELS = 100_000_000
_GPS_TAG = 0x8825


def check_image(content: bytes, found: Found, *, where: str = "") -> str:
    """Look into a picture; the text that it carries."""
    from PIL import Image

    if hides_archive(content):
        found.add("hidden_archive", "An archive lies within the picture.", where=where)
    end = _end_of(content)
    if end is not None and end < len(content):
        found.add(
            "trailing_bytes",
            f"{len(content) - end} bytes lie behind the picture's end.",
            where=where,
            todo="Save the picture anew.",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        try:
            with Image.open(io.BytesIO(content)) as image:
                too_large = image.width * image.height > MAX_PIXELS
                image.verify()
            with Image.open(io.BytesIO(content)) as image:
                exif = image.getexif()
                carried = [str(v) for v in image.info.values() if isinstance(v, str | bytes)]
                if not too_large:
                    image.load()
        except Exception:  # a reader of pictures fails in many ways, and its words may hold values
            found.add("unreadable", "The picture cannot be read, or is larger than a check reads.", where=where)
            return ""
    if too_large:
        found.add("too_large", f"The picture has more than {MAX_PIXELS} pixels.", where=where)
    if _GPS_TAG in exif:
        found.add("metadata", "The picture tells where it was taken.", where=where, todo="Remove its metadata.")
    elif exif:
        found.add("metadata", f"The picture carries {len(exif)} EXIF fields.", where=where, todo="Remove its metadata.")
    texts = [str(value) for value in exif.values()] + carried
    if sum(map(len, carried)) > 10_000:
        found.add("embedded_data", "The picture carries long texts.", where=where, todo="Save the picture anew.")
    return "\n".join(texts)


def _end_of(content: bytes) -> int | None:
    """Where the picture ends by its own structure; None for forms without an end to find."""
    if content.startswith(b"\x89PNG"):
        at = 8
        while at + 12 <= len(content):
            name = content[at + 4 : at + 8]
            at += 12 + int.from_bytes(content[at : at + 4], "big")
            if name == b"IEND":
                return at
        return None
    if content.startswith(b"\xff\xd8"):
        return _end_of_jpeg(content)
    if content.startswith(b"GIF8"):
        return _end_of_gif(content)
    if content.startswith(b"RIFF"):
        size = int.from_bytes(content[4:8], "little")
        return 8 + size + size % 2
    return None


def _end_of_jpeg(content: bytes) -> int | None:
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF:
            at += 1
            continue
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xDA:
            # Entropy-coded data: up to the next marker that is neither a stuffed byte nor a restart.
            while at + 1 < len(content) and not (
                content[at] == 0xFF and content[at + 1] != 0 and not 0xD0 <= content[at + 1] <= 0xD7
            ):
                following = content.find(b"\xff", at + 1)
                if following < 0:
                    return None
                at = following
    return None


def _end_of_gif(content: bytes) -> int | None:
    at = 13 + (3 << ((content[10] & 7) + 1) if content[10] & 0x80 else 0)
    while at < len(content):
        block = content[at]
        if block == 0x3B:
            return at + 1
        if block == 0x21:
            at += 2
        elif block == 0x2C:
            flags = content[at + 9]
            at += 11 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
        else:
            return None
        while at < len(content) and content[at]:
            at += 1 + content[at]
        at += 1
    return None
