"""The guides are run as a newcomer would: each `sh` block in order, in one shell.

A `text` block behind an `sh` block is what it prints: each of its lines must be there,
in order, `...` standing for anything.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "@@@ end of block"
SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(script: str, root: Path, home: Path) -> tuple[int, str]:
    """Run in a process group of its own, of which nothing is left behind."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "COLUMNS": "200",
        "ATOLL_PORT": str(free_port()),
        "ATOLL_SFTP_PORT": str(free_port()),
    }
    printed = home / "printed.txt"
    with printed.open("wb") as into:
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=into,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = shell.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            code = -1
        finally:
            if any_left(shell.pid):
                os.killpg(shell.pid, signal.SIGKILL)
    return code, printed.read_text()


def any_left(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("guide", sorted(GUIDES.glob("*.md")), ids=lambda path: path.stem)
def test_guide(guide, root, tmp_path):
    blocks = BLOCK.findall(guide.read_text())
    commands = [text for kind, text in blocks if kind == "sh"]
    assert len(commands) > 3

    code, output = run("\n".join(f"{text}\necho '{MARK}'" for text in commands), root, tmp_path)

    assert code == 0, output
    printed = output.split(f"{MARK}\n")
    number = -1
    for kind, text in blocks:
        if kind == "sh":
            number += 1
            continue
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        pattern = ".*".join(re.escape(line).replace(re.escape("..."), ".*") for line in lines)
        assert re.search(pattern, printed[number], re.DOTALL), f"{text}\nis not in\n{printed[number]}"
