"""A disk that really is full: a file system of 1 MiB, and a limit on the size of files."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

HERE = Path(__file__).parent

_PRELUDE = f"""
import sys; sys.path.insert(0, {str(HERE)!r})
from pathlib import Path
from conftest import delivery_of, everything_below
from atoll.deliveries import Landing
place = Path(sys.argv[1])
landing = Landing(place, 10**9)
"""


def _run(script: str, place: Path, *before: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-c", _PRELUDE + textwrap.dedent(script), str(place)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _on_small_disk(place: Path) -> tuple[str, ...]:
    place.mkdir()
    mount = f'mount -t tmpfs -o size=1m none {place} && exec "$@"'
    if subprocess.run(["unshare", "-rm", "sh", "-c", mount, "sh", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets no test mount a small file system")
    return ("unshare", "-rm", "sh", "-c", mount, "sh")


def test_a_disk_that_fills_while_a_file_comes_keeps_nothing_of_it(tmp_path: Path) -> None:
    place = tmp_path / "small"
    done = _run(
        """
        from atoll.errors import Unavailable
        good, big = b"x" * 1000, b"y" * 600_000
        delivery = delivery_of(good, big)
        landing.receive(delivery, 0, [good])
        def chunks():
            yield big[:1000]
            (place / "other").write_bytes(b"z" * 900_000)   # somebody else fills the disk
            yield big[1000:]
        try:
            landing.receive(delivery, 1, chunks())
        except Unavailable as problem:
            print(problem)
        print(everything_below(place / delivery.id))
        (place / "other").unlink()
        landing.receive(delivery, 1, [big])
        print(landing.received(delivery))
        """,
        place,
        *_on_small_disk(place),
    )
    assert done.stderr == ""
    message, kept, received = done.stdout.splitlines()
    assert "full" in message
    assert "ATOLL_QUARANTINE_DIR" in message
    assert kept == "['files/0']"
    assert received == "(True, True)"


def test_a_file_that_cannot_fit_is_refused_before_it_comes(tmp_path: Path) -> None:
    place = tmp_path / "small"
    done = _run(
        """
        from atoll.errors import Unavailable
        big = b"y" * 2_000_000
        delivery = delivery_of(big)
        def untouched():
            print("READ")
            yield big
        try:
            landing.receive(delivery, 0, untouched())
        except Unavailable as problem:
            print(problem)
        print(everything_below(place))
        """,
        place,
        *_on_small_disk(place),
    )
    assert done.stderr == ""
    message, kept = done.stdout.splitlines()
    assert "needs 2000000" in message
    assert kept == "[]"


def test_a_file_system_that_takes_no_larger_file_keeps_nothing(tmp_path: Path) -> None:
    done = _run(
        """
        import resource, signal
        from atoll.errors import LimitExceeded
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        big = b"y" * 200_000
        delivery = delivery_of(big)
        try:
            landing.receive(delivery, 0, [big])
        except LimitExceeded as problem:
            print(problem)
        print(everything_below(place))
        """,
        tmp_path / "q",
    )
    assert done.stderr == ""
    message, kept = done.stdout.splitlines()
    assert "larger than the file system" in message
    assert kept == "[]"


def test_a_kill_in_the_middle_leaves_only_a_part_that_the_next_receive_removes(tmp_path: Path) -> None:
    place = tmp_path / "q"
    done = _run(
        """
        import os, signal
        delivery = delivery_of(b"whole content")
        def chunks():
            yield b"whole"
            os.kill(os.getpid(), signal.SIGKILL)
        landing.receive(delivery, 0, chunks())
        """,
        place,
    )
    assert done.returncode == -9
    assert len(list(place.rglob("*.part"))) == 1

    done = _run(
        """
        delivery = delivery_of(b"whole content")
        print(landing.received(delivery))
        landing.receive(delivery, 0, [b"whole content"])
        print(everything_below(place / delivery.id))
        """,
        place,
    )
    assert done.stdout.splitlines() == ["(False,)", "['files/0']"]
