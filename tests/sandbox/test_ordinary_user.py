"""The platform started by an ordinary user, as a test that runs as root becomes one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import os, sys, tempfile
from pathlib import Path
from atoll.model.workspace import MachineState
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend
from tests.machines.inside import ENVIRONMENTS, launch, python_inside, spec, wait_for
import atoll.providers.sandbox.backend, atoll.providers.sandbox.starting, encodings.idna

files = {path.name: path.read_text() for path in (ENVIRONMENTS / "tiny").iterdir() if path.is_file()}
sources = Path(atoll.providers.sandbox.backend.__file__).parent
programs = {name: (sources / name).read_text() for name in ("supervisor.py", "inside.py", "probes.py")}
if os.getuid() == 0:
    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
with tempfile.TemporaryDirectory() as place:
    # What this user may not read or run is given to it in a place of its own.
    place = Path(place)
    for name, text in files.items():
        (place / "e" / "tiny").mkdir(parents=True, exist_ok=True)
        (place / "e" / "tiny" / name).write_text(text)
    for name, text in programs.items():
        (place / name).write_text(text)
    if not os.access(sys.executable, os.X_OK):
        sys.executable, sys.base_prefix = "/usr/bin/python3", "/usr"
    atoll.providers.sandbox.starting.SUPERVISOR = place / "supervisor.py"
    import atoll.providers.sandbox.command as command
    command.__file__ = str(place / "command.py")
    backend = SandboxBackend(place / "m", place / "e", SystemClock())
    seen = launch(backend, spec())
    print(python_inside(seen, "import os; print(os.getuid())"))
    print(python_inside(seen, "import os; os.setuid(0)")[0])
    print((place / "m" / "ws-1" / "home").stat().st_uid == os.getuid())
    print(backend.figures("ws-1").processes >= 1, "user id" in backend.capabilities.isolation)
    if backend.capabilities.hibernate == "memory":
        backend.freeze("ws-1"); assert backend.observe("ws-1").state is MachineState.FROZEN
    backend.destroy("ws-1")
    backend.forget_home("ws-1")
    print([seen.state for seen in backend.list_machines()], (place / "m" / "ws-1").exists())
"""


def test_a_machine_of_an_ordinary_user():
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", CODE], cwd=root, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["(0, '1000\\n')", "1", "True", "True True", "[] False"]
