"""Archives of the kind that the kernel unpacks as its first file system (newc, cpio(5))."""

from __future__ import annotations

import stat


class Archive:
    """Entries, one after the other. Modes and owners are told; times are none, so that the same gives the same."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._count = 0

    def directory(self, name: str) -> None:
        """A directory for all to read."""
        self._entry(name, stat.S_IFDIR | 0o755, b"")

    def link(self, name: str, target: str) -> None:
        """A symbolic link."""
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def file(self, name: str, content: bytes, mode: int) -> None:
        """A file of root."""
        self._entry(name, stat.S_IFREG | mode, content)

    def end(self) -> bytes:
        """The archive."""
        self._entry("TRAILER!!!", 0, b"")
        return b"".join(self._parts)

    def _entry(self, name: str, mode: int, content: bytes) -> None:
        self._count += 1
        path = name.encode() + b"\0"
        fields = (self._count, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + path
        self._parts += [head, b"\0" * (-len(head) % 4), content, b"\0" * (-len(content) % 4)]
