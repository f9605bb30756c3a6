"""Mounts that come into a sandbox after it was started. Standard library only, used by the supervisor.

The supervisor moves into a mount namespace of its own and makes a shared mount there for
each place below which data may come: a slot. Bubblewrap binds the slots like any other
directory, which makes its copies receive what is mounted on them later
(mount_namespaces(7), shared subtrees). So no process enters the sandbox, and its walls
stay those that bubblewrap built.

A mount is made complete before it is attached (read-only, nosuid, nodev), since changes of
flags are not passed on (mount_setattr(2), since Linux 5.12).

Run as `python -I -S late_mounts.py DIRECTORY` it tries all that in DIRECTORY; exit status 0: it works.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys
from pathlib import Path, PurePosixPath

_CLONE_NEWNS, _CLONE_NEWUSER = 0x20000, 0x10000000
_MS_BIND, _MS_REC, _MS_SLAVE, _MS_SHARED, _MS_NOSUID, _MS_NODEV = 4096, 16384, 1 << 19, 1 << 20, 2, 4
#: Numbers of calls that the C library may have no name for; the same on every kind of machine.
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC, _MOVE_MOUNT_F_EMPTY_PATH = 1, os.O_CLOEXEC, 4
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV, _ATTR_IDMAP = 1, 2, 4, 0x100000
_LAST_ID = 2**32 - 2
_LIBC = ctypes.CDLL(None, use_errno=True)


def open_slots(place: Path, names: list[str]) -> None:
    """Move into namespaces of our own and make a slot `<place>/<name>` for each name. Raises `OSError`."""
    _enter()
    place.mkdir(mode=0o700, exist_ok=True)
    _mount("tmpfs", place, "tmpfs", _MS_NOSUID | _MS_NODEV)
    place.chmod(0o755)
    for name in names:
        slot = place / name
        _directory(slot)
        _mount(str(slot), slot, None, _MS_BIND)
        _mount("none", slot, None, _MS_SHARED)


def bind_late(place: Path, source: str, target: str, *, writable: bool, groups: tuple[int, int] | None) -> None:
    """Mount a directory or file of the host at `target` inside, which lies below a slot. Raises `OSError`.

    `groups` is the group that owns what is there, and the one that the machine has: each
    is seen as the other (idmapped mounts, mount_setattr(2)).
    """
    where = place.joinpath(*PurePosixPath(target).parts[1:])
    if Path(source).is_dir():
        _directory(where)
    else:
        _directory(where.parent)
        where.touch()
    tree = _call(_OPEN_TREE, _AT_FDCWD, os.fsencode(source), _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | _AT_RECURSIVE)
    namespace = -1
    try:
        attributes = _ATTR_NOSUID | _ATTR_NODEV | (0 if writable else _ATTR_RDONLY)
        if groups is not None:
            namespace = _exchanging(*groups)
            attributes |= _ATTR_IDMAP
        # struct mount_attr: attr_set, attr_clr, propagation, userns_fd.
        asked = struct.pack("=4Q", attributes, 0, 0, max(namespace, 0))
        _call(_MOUNT_SETATTR, tree, b"", _AT_EMPTY_PATH | _AT_RECURSIVE, asked, len(asked))
        _call(_MOVE_MOUNT, tree, b"", _AT_FDCWD, os.fsencode(where), _MOVE_MOUNT_F_EMPTY_PATH)
    finally:
        os.close(tree)
        if namespace >= 0:
            os.close(namespace)


def _directory(path: Path) -> None:
    """Make an empty directory that the machine's account sees, whatever the platform's umask."""
    if not path.exists():
        _directory(path.parent)
        path.mkdir()
        path.chmod(0o755)


def _enter() -> None:
    """A mount namespace of our own; an ordinary user gets it with a user namespace in which nothing else changes."""
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:
        _checked(_LIBC.unshare(_CLONE_NEWNS))
    else:
        _checked(_LIBC.unshare(_CLONE_NEWUSER | _CLONE_NEWNS))
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    _mount("none", Path("/"), None, _MS_REC | _MS_SLAVE)


def _exchanging(one: int, other: int) -> int:
    """An open user namespace in which two groups have changed places and all other ids are as they are."""
    low, high = sorted((one, other))
    extents = [
        (0, 0, low),
        (low, high, 1),
        (low + 1, low + 1, high - low - 1),
        (high, low, 1),
        (high + 1, high + 1, _LAST_ID - high),
    ]
    go_out, go_in = os.pipe()
    here_out, here_in = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(go_in)
        with contextlib.suppress(OSError):
            _checked(_LIBC.unshare(_CLONE_NEWUSER))
            os.write(here_in, b".")
            os.read(go_out, 1)
        os._exit(0)
    os.close(here_in)
    try:
        if os.read(here_out, 1) != b".":
            raise OSError(1, "no user namespace is to be had")
        Path(f"/proc/{child}/uid_map").write_text(f"0 0 {_LAST_ID + 1}")
        lines = [f"{inside} {outside} {count}" for inside, outside, count in extents if count > 0]
        Path(f"/proc/{child}/gid_map").write_text("\n".join(lines))
        return os.open(f"/proc/{child}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        for descriptor in (go_out, go_in, here_out):
            os.close(descriptor)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _mount(source: str, target: Path, kind: str | None, flags: int) -> None:
    _checked(_LIBC.mount(source.encode(), os.fsencode(target), kind.encode() if kind else None, flags, None))


def _call(number: int, *arguments: int | bytes) -> int:
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return _checked(_LIBC.syscall(ctypes.c_long(number), *words))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _try(directory: Path) -> int:
    place = directory / "slots"
    open_slots(place, ["a"])
    (directory / "seen").mkdir()
    _mount(str(place / "a"), directory / "seen", None, _MS_BIND | _MS_REC)
    _mount("none", directory / "seen", None, _MS_SLAVE)
    groups = (100_000, 200_000) if os.getuid() == 0 else None
    bind_late(place, "/usr", "/a/usr", writable=False, groups=None)
    bind_late(place, str(directory), "/a/own", writable=True, groups=groups)
    return 0 if (directory / "seen" / "usr" / "bin").exists() and (directory / "seen" / "own" / "slots").exists() else 1


if __name__ == "__main__":
    sys.exit(_try(Path(sys.argv[1])))
