"""A machine that was made for nobody becomes a person's: what is inside before and after."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.machines.inside import ENVIRONMENTS, launch, python_inside, spec, wait_for

from atoll.errors import InvalidInput
from atoll.model.workspace import MachineState
from atoll.ports.backend import Mount
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend
from atoll.workspaces.project_shares import ProjectShares

EVERYTHING = """
    import json, os, pathlib, socket
    places = ("/mnt", "/data", "/srv", "/project", "/run/gw")
    seen = {p: sorted(str(f) for f in pathlib.Path(p).rglob("*")) for p in places if os.path.isdir(p)}
    environ = sorted({v for f in pathlib.Path("/proc").glob("[0-9]*/environ") for v in _read(f)} | {
        f"{k}={v}" for k, v in os.environ.items()})
    home = sorted(str(f) for f in pathlib.Path("/home/user").rglob("*"))
    print(json.dumps({"seen": seen, "environ": environ, "home": home, "host": socket.gethostname()}))
"""
READ = """
def _read(path):
    try:
        return path.read_text().split(chr(0))
    except OSError:
        return ()
"""


def look_inside(seen):
    status, printed = python_inside(seen, READ + textwrap.dedent(EVERYTHING))
    assert status == 0, printed
    return json.loads(printed)


@pytest.fixture
def outside(tmp_path):
    """A host directory with data, one with a share, one for the gateway's socket."""
    for name in ("heart", "share", "gw", "client"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)
    return tmp_path


def anonymous(outside):
    return spec(anonymous=True, gateway=outside / "gw", mounts=(Mount(outside / "client", "/opt/data/client"),))


def persons(outside, group=""):
    return spec(
        gateway=outside / "gw",
        mounts=(
            Mount(outside / "heart", "/data/heart"),
            Mount(outside / "share", "/project", writable=True, group=group, quota_bytes=2**20),
            Mount(outside / "client", "/opt/data/client"),
        ),
        variables={"GIT_AUTHOR_NAME": "ada", "ATOLL_PROJECT": "heart-study"},
    )


def claim(backend, wanted):
    backend.claim(wanted)
    until = time.monotonic() + 10
    while (seen := backend.observe(wanted.workspace)).anonymous:
        assert time.monotonic() < until, f"{seen}\n{backend.log(wanted.workspace)}"
        time.sleep(0.005)
    assert seen.state is MachineState.RUNNING, f"{seen}\n{backend.log(wanted.workspace)}"
    return seen


def test_nothing_of_a_person_is_inside_before_and_all_of_it_after(backend, outside):
    waiting = launch(backend, anonymous(outside))
    before = look_inside(waiting)
    assert before["seen"] == {"/mnt": [], "/data": [], "/srv": [], "/project": [], "/run/gw": ["/run/gw/gw.txt"]}
    assert not [v for v in before["environ"] if "ada" in v or "heart" in v]
    assert before["home"] == []
    seen = claim(backend, persons(outside))
    after = look_inside(seen)
    assert after["seen"]["/data"] == ["/data/heart", "/data/heart/heart.txt"]
    assert after["seen"]["/project"] == ["/project/share.txt"]
    assert {"GIT_AUTHOR_NAME=ada", "ATOLL_PROJECT=heart-study"} <= set(after["environ"])
    assert after["host"] == "ws-1"


def test_data_that_came_late_is_read_only_and_the_share_is_written(backend, outside):
    share = ProjectShares(outside / "shares", 2**26).path("heart")
    shared = (Mount(outside / "heart", "/data/heart"), Mount(share, "/project", True, "project/heart", 2**26))
    launch(backend, anonymous(outside))
    seen = claim(backend, spec(mounts=shared))
    status, printed = python_inside(seen, "open('/data/heart/x', 'w')")
    assert (status, "Read-only file system" in printed) == (1, True)
    status, printed = python_inside(
        seen, "import os; os.umask(63); open('/project/new', 'w').write('by the claimed one')"
    )
    assert status == 0, printed
    # One that was started by its person writes there together with the claimed one.
    other = launch(backend, spec("ws-2", "token-2", mounts=shared))
    status, printed = python_inside(
        other, "f = open('/project/new', 'a'); f.write('!'); f.close(); open('/project/theirs', 'w').write('x')"
    )
    assert status == 0, printed
    status, printed = python_inside(seen, "open('/project/theirs', 'a').write('y'); print(open('/project/new').read())")
    assert (status, printed) == (0, "by the claimed one!\n")
    assert (share / "theirs").read_text() == "xy"
    assert (share / "new").stat().st_gid == (share / "theirs").stat().st_gid


def test_a_claimed_machine_keeps_its_walls(backend, outside):
    launch(backend, anonymous(outside))
    seen = claim(backend, persons(outside))
    status, printed = python_inside(
        seen,
        """
        import os, subprocess
        from pathlib import Path
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, status
        assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
        for place in ("/data", "/data/heart", "/project"):
            assert subprocess.run(["umount", place], capture_output=True).returncode != 0
        for place in ("/data/new", "/mnt/new", "/srv/new"):
            try:
                os.mkdir(place)
                raise SystemExit(place)
            except OSError:
                pass
        for fd in os.listdir("/proc/1") if os.access("/proc/1/fd", os.R_OK) else ():
            raise SystemExit("the first process can be looked into")
        """,
    )
    assert status == 0, printed


def test_what_is_gone_is_gone_after_a_claim(backend, directory, outside):
    launch(backend, anonymous(outside))
    claim(backend, persons(outside))
    backend.destroy("ws-1")
    backend.forget_home("ws-1")
    assert not (directory / "ws-1").exists()
    assert str(directory) not in Path("/proc/mounts").read_text()
    assert (outside / "heart" / "heart.txt").read_text() == "heart"
    assert (outside / "share" / "share.txt").exists()


def test_what_cannot_be_mounted_ends_the_machine_and_it_starts_as_any(backend, outside):
    launch(backend, anonymous(outside))
    with pytest.raises(InvalidInput):
        backend.claim(spec(mounts=(Mount(outside / "heart", "/opt/data/heart"),)))
    with pytest.raises(InvalidInput):
        backend.claim(spec(mounts=(Mount(outside / "no-such", "/data/heart"),)))
    assert backend.observe("ws-1").anonymous
    (outside / "plain").write_text("a file, below which there can be no mount")
    backend.claim(
        spec(mounts=(Mount(outside / "plain", "/data/heart"), Mount(outside / "heart", "/data/heart/deeper")))
    )
    ended = wait_for(backend, "ws-1", MachineState.STOPPED)
    assert "could not be given to its person" in ended.detail
    backend.start(replace(persons(outside), token="token-2"))
    assert look_inside(wait_for(backend, "ws-1", MachineState.RUNNING))["seen"]["/data"] != []


def test_a_new_build_of_the_environment_makes_it_outdated(directory, tmp_path):
    shutil.copytree(ENVIRONMENTS, tmp_path / "e")
    (tmp_path / "e" / "tiny" / "fingerprint").write_text("one")
    backend = SandboxBackend(directory, tmp_path / "e", SystemClock())
    assert not launch(backend, spec(anonymous=True)).outdated
    (tmp_path / "e" / "tiny" / "fingerprint").write_text("two")
    assert backend.observe("ws-1").outdated
    backend.destroy("ws-1")


def test_the_same_for_a_platform_of_an_ordinary_user():
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", ORDINARY], cwd=root, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["True", "(0, 'ada data True\\n')", "(0, '')", "1", "False"]


ORDINARY = """
import os, sys, tempfile, time
from pathlib import Path
from atoll.ports.backend import Mount
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend
from atoll.workspaces.project_shares import ProjectShares
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend
from tests.machines.inside import ENVIRONMENTS, launch, python_inside, spec
import atoll.providers.sandbox.claiming as claiming, atoll.providers.sandbox.starting as starting, encodings.idna

files = {path.name: path.read_text() for path in (ENVIRONMENTS / "tiny").iterdir() if path.is_file()}
sources = Path(starting.__file__).parent
programs = {n: (sources / n).read_text() for n in
            ("supervisor.py", "inside.py", "probes.py", "late_mounts.py", "waiting.py")}
if os.getuid() == 0:
    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
with tempfile.TemporaryDirectory() as place:
    place = Path(place)
    for name, text in files.items():
        (place / "e" / "tiny").mkdir(parents=True, exist_ok=True)
        (place / "e" / "tiny" / name).write_text(text)
    for name, text in programs.items():
        (place / name).write_text(text)
    (place / "heart").mkdir(); (place / "heart" / "f").write_text("data"); (place / "share").mkdir()
    if not os.access(sys.executable, os.X_OK):
        sys.executable, sys.base_prefix = "/usr/bin/python3", "/usr"
    starting.SUPERVISOR = place / "supervisor.py"
    claiming._PROGRAM = place / "late_mounts.py"
    import atoll.providers.sandbox.command as command
    command.__file__ = str(place / "command.py")
    backend = SandboxBackend(place / "m", place / "e", SystemClock())
    print(backend.capabilities.warm)
    launch(backend, spec(anonymous=True))
    backend.claim(spec(mounts=(Mount(place / "heart", "/data/heart"),
        Mount(place / "share", "/project", writable=True, group="g")), variables={"WHO": "ada"}))
    end = time.monotonic() + 10
    while (seen := backend.observe("ws-1")).anonymous and time.monotonic() < end:
        time.sleep(0.01)
    code = "import os; print(os.environ['WHO'], open('/data/heart/f').read(), os.path.ismount('/project'))"
    print(python_inside(seen, code))
    print(python_inside(seen, "open('/project/new', 'w').write('x')"))
    print(python_inside(seen, "open('/data/heart/f', 'w')")[0])
    backend.destroy("ws-1"); backend.forget_home("ws-1")
    print((place / "m" / "ws-1").exists())
"""
