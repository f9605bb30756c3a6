"""Zip archives, and documents that are such: what is in them, without unpacking to the disk."""

from __future__ import annotations

import io
import stat
import struct
import zipfile

from atoll.airlock.checks.forms import form_of
from atoll.airlock.checks.found import Found

MAX_MEMBERS = 5000
MAX_UNPACKED_BYTES = 512 * 2**20
#: What a member may unpack to, as a multiple of what it takes; beyond 10 MiB only.
MAX_RATIO = 200
_SMALL_BYTES = 10 * 2**20
_END = b"PK\x05\x06"
_PROGRAMS = (
    ".exe",
    ".dll",
    ".so",
    ".dylib",
    ".com",
    ".scr",
    ".bat",
    ".cmd",
    ".ps1",
    ".vbs",
    ".jar",
    ".msi",
    ".lnk",
    ".hta",
)


class Refused(Exception):
    """The file was refused such that nothing more of it is to be read."""


def open_archive(content: bytes, found: Found) -> zipfile.ZipFile:
    """The archive, when what its index says is harmless. Raises `Refused`."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        found.add("unreadable", "The archive is damaged.")
        raise Refused from None
    _edges(content, found)
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED_BYTES:
        found.add("archive_bomb", f"The archive has {len(members)} members that say they unpack to {unpacked} bytes.")
        raise Refused
    starts = [member.header_offset for member in members]
    overlapping = len(set(starts)) != len(starts) or sum(m.compress_size for m in members) > len(content)
    names = [member.filename for member in members]
    for number, member in enumerate(members):
        where = f"member {number + 1}"
        if overlapping or (
            member.file_size > _SMALL_BYTES and member.file_size > MAX_RATIO * max(member.compress_size, 1)
        ):
            found.add("archive_bomb", "A member unpacks to far more than it takes, or shares its bytes.", where=where)
            raise Refused
        if member.flag_bits & 1:
            found.add("encrypted", "A member is encrypted.", where=where)
        if _leads_elsewhere(member) or names.count(member.filename) > 1:
            found.add("archive_path", "A member's name leads elsewhere, is a link, or stands twice.", where=where)
    return archive


def read_member(archive: zipfile.ZipFile, name: str, found: Found, most_bytes: int = MAX_UNPACKED_BYTES) -> bytes:
    """A member's content, no longer than its index says. Raises `Refused`."""
    member = archive.getinfo(name)
    try:
        with archive.open(member) as file:
            content = file.read(min(member.file_size, most_bytes) + 1)
    except (zipfile.BadZipFile, RuntimeError, OSError, ValueError, NotImplementedError, EOFError):
        found.add("unreadable", "A member of the archive cannot be read.")
        raise Refused from None
    if len(content) > member.file_size:
        found.add("archive_bomb", "A member is longer than the archive says.")
        raise Refused
    return content


def check_zip(content: bytes, found: Found) -> None:
    """A plain archive on its way in: what it holds, member by member."""
    with open_archive(content, found) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        for number, member in enumerate(members):
            where = f"member {number + 1}"
            if member.flag_bits & 1:
                continue
            form = form_of(read_member(archive, member.filename, found))
            if form == "executable" or member.filename.lower().endswith(_PROGRAMS):
                found.add("executable", "A member is a program.", where=where)
            elif form == "pickle":
                found.add("pickle", "A member is a pickle.", where=where)
            elif form in ("zip", "compressed"):
                found.add("nested_archive", "A member is an archive itself.", where=where, todo="Unpack it first.")
            elif form == "ole":
                found.add("macros", "A member is an old Office document, which may hold macros.", where=where)
            elif form in ("xlsx", "docx", "pptx"):
                found.add("nested_archive", "A member is an Office document.", where=where, todo="Put it in by itself.")
        found.add("contents", f"An archive of {len(members)} files.")


def hides_archive(content: bytes) -> bool:
    """Whether a zip archive lies within bytes of another form."""
    return _END in content[-70_000:] and zipfile.is_zipfile(io.BytesIO(content))


def is_program(name: str) -> bool:
    """Whether the name's ending is that of a program."""
    return name.lower().endswith(_PROGRAMS)


def _edges(content: bytes, found: Found) -> None:
    """The archive fills its file from the first byte to the last."""
    end = content.rfind(_END)
    comment = struct.unpack_from("<H", content, end + 20)[0] if 0 <= end <= len(content) - 22 else 0
    if end < 0 or end + 22 + comment != len(content) or comment:
        found.add("trailing_bytes", "There are bytes behind the archive's end, or a comment in it.")
    if content[:4] not in (b"PK\x03\x04", _END):
        found.add("trailing_bytes", "There are bytes before the archive's start.")


def _leads_elsewhere(member: zipfile.ZipInfo) -> bool:
    name = member.filename.replace("\\", "/")
    link = stat.S_ISLNK(member.external_attr >> 16)
    return link or name.startswith("/") or ":" in name or ".." in name.split("/") or any(ord(c) < 32 for c in name)
