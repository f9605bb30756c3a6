"""Virtual machines for true: what one keeps, what two share, and what harm does to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from tests.machines import inside
from tests.machines.inside import python_inside, wait_for
from tests.vm.images import TINY_MEMORY, built_images

from atoll.errors import Conflict, LimitExceeded
from atoll.model.workspace import MachineState
from atoll.ports.backend import Mount
from atoll.providers.clock import SystemClock
from atoll.providers.master_key import HexMasterKey
from atoll.providers.sandbox.machine import Machine
from atoll.providers.vm.backend import VmBackend
from atoll.providers.vm.launching import ask

pytestmark = pytest.mark.timeout(900)  # the first waits for the image
RUNNING, FROZEN, STOPPED = MachineState.RUNNING, MachineState.FROZEN, MachineState.STOPPED
SECONDS = 90


def spec(*names, **changed):
    return inside.spec(*names, **{"memory_bytes": TINY_MEMORY, **changed})


@pytest.fixture(scope="module")
def images(pytestconfig):
    return built_images(pytestconfig.cache.mkdir("environments"))


@pytest.fixture
def backend(tmp_path, images):
    before = os.umask(0o022)
    backend = VmBackend(tmp_path / "m", images, SystemClock(), HexMasterKey("5a" * 32))
    yield backend
    for seen in backend.list_machines():
        backend.destroy(seen.workspace)
    os.umask(before)


def up(backend, *names, **changed):
    backend.create(spec(*names, **changed))
    return wait_for(backend, names[0] if names else "ws-1", RUNNING, seconds=SECONDS)


def root(backend, workspace, *command):
    """A command as root inside, by the agent."""
    machine = Machine(backend._directory, workspace)
    answer = ask(machine, "run", 60.0, command=list(command), seconds=40.0, root=True)
    assert answer["status"] == 0, answer
    return answer["printed"].strip()


def processes(backend, workspace="ws-1"):
    """A machine's QEMU."""
    keeper = psutil.Process(Machine(backend._directory, workspace).supervisor("token-1").pid)
    found = [one for one in keeper.children(recursive=True) if one.name().startswith("qemu-system")]
    assert found
    return found


FRESH = """
import json, os, random, socket, time
from pathlib import Path
print(json.dumps({
    "host": socket.gethostname(),
    "machine": Path("/etc/machine-id").read_text().strip(),
    "urandom": os.urandom(16).hex(),
    "getrandom": os.getrandom(16).hex(),
    "uuid": Path("/proc/sys/kernel/random/uuid").read_text().strip(),
    "time": time.time(),
}))
"""


FREEZE = """
import sys
from pathlib import Path
from atoll.providers.clock import SystemClock
from atoll.providers.master_key import HexMasterKey
from atoll.providers.vm.backend import VmBackend
VmBackend(Path(sys.argv[1]), Path(sys.argv[2]), SystemClock(), HexMasterKey("5a" * 32)).freeze("ws-1")
"""


def test_two_of_one_template_share_nothing_and_see_what_is_granted(backend, tmp_path):
    granted = tmp_path / "granted"
    granted.mkdir()
    (granted / "a.txt").write_text("granted to one")
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(up, backend, "ws-1", "token-1", mounts=(Mount(granted, "/data/heart"),))
        two = pool.submit(up, backend, "ws-2", "token-2")
        one, two = one.result(), two.result()
    facts = [json.loads(python_inside(seen, FRESH)[1]) for seen in (one, two)]
    for name in ("host", "machine", "urandom", "getrandom", "uuid"):
        assert facts[0][name] != facts[1][name], name
    assert all(abs(fact["time"] - time.time()) < 30 for fact in facts)
    # Data is there for the one it was granted to, and nobody changes it, root inside neither.
    assert python_inside(one, "print(open('/data/heart/a.txt').read())") == (0, "granted to one\n")
    assert python_inside(two, "import os; print(os.path.exists('/data/heart'))") == (0, "False\n")
    tried = root(backend, "ws-1", "sh", "-c", "mount -o remount,rw /data/heart 2>&1; echo x > /data/heart/a.txt; true")
    assert "read-only" in tried.lower() or "read only" in tried.lower(), tried
    assert (granted / "a.txt").read_text() == "granted to one"
    # Nothing of the person is on the host in plain: neither in the home's disk nor in a memory that is kept.
    python_inside(one, "open('/home/user/secret', 'w').write('Rosalind ' * 500); import os; os.sync()")
    backend.freeze("ws-1")
    place = tmp_path / "m" / "ws-1"
    stored = [path for path in place.rglob("*") if path.is_file() and path.parent.name != "data"]
    assert all(b"Rosalind" not in path.read_bytes() for path in stored)
    assert {path.name for path in stored} >= {"home.qcow2", "memory", "state.json", "key"}


def test_a_memory_that_is_damaged_is_let_go_of_and_the_home_is_whole(backend, tmp_path):
    seen = up(backend)
    assert python_inside(seen, "open('/home/user/kept', 'w').write('whole')")[0] == 0
    # The platform dies in the middle of it: the machine's own process goes on to the end.
    dying = subprocess.Popen([sys.executable, "-c", FREEZE, str(backend._directory), str(backend._environments)])
    kept = tmp_path / "m" / "ws-1" / "kept"
    while not any((kept / name).exists() for name in ("memory.part", "memory")):
        assert dying.poll() is None
        time.sleep(0.005)
    dying.kill()
    dying.wait()
    wait_for(backend, "ws-1", FROZEN, seconds=SECONDS)
    assert backend.figures("ws-1") is None
    memory = tmp_path / "m" / "ws-1" / "kept" / "memory"
    with memory.open("r+b") as file:
        file.seek(memory.stat().st_size // 2)
        file.write(b"\0\1\2\3")
    backend.thaw("ws-1")
    seen = wait_for(backend, "ws-1", RUNNING, seconds=SECONDS)
    assert "it was changed or cut off" in seen.detail
    assert "its files are as they were" in seen.detail
    assert python_inside(seen, "print(open('/home/user/kept').read())") == (0, "whole\n")
    assert not memory.exists()


def test_a_full_disk_leaves_the_machine_running(backend, tmp_path):
    kept = tmp_path / "m" / "ws-1" / "kept"
    kept.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0777", "none", str(kept)], check=True)
    try:
        seen = up(backend)
        python_inside(seen, "open('/tmp/x', 'w').write('in memory')")
        with pytest.raises(LimitExceeded, match="runs on"):
            backend.freeze("ws-1")
        assert {path.name for path in kept.iterdir()} == {"up"}
        seen = wait_for(backend, "ws-1", RUNNING, seconds=SECONDS)
        assert python_inside(seen, "print(open('/tmp/x').read())") == (0, "in memory\n")
        backend.stop("ws-1")
    finally:
        subprocess.run(["umount", "-l", str(kept)], check=False)


def test_the_end_of_qemu_is_the_end_of_the_machine_and_no_more(backend):
    seen = up(backend)
    python_inside(seen, "import os; open('/home/user/kept', 'w').write('whole'); os.sync()")
    for process in processes(backend):
        process.kill()
    ended = wait_for(backend, "ws-1", STOPPED, seconds=SECONDS)
    # No exit status of the service: the platform starts it again.
    assert (ended.exit_status, ended.detail) == (None, "Its virtual machine ended by itself; its log says more.")
    # It is started again with a larger home, on which all is as it was.
    backend.start(spec(token="token-2", home_bytes=512 * inside.MIB))
    seen = wait_for(backend, "ws-1", RUNNING, seconds=SECONDS)
    look = (
        "import os; s = os.statvfs('/home/user'); print(open('/home/user/kept').read(), s.f_blocks * s.f_frsize >> 20)"
    )
    status, printed = python_inside(seen, look)
    assert (status, printed.split()[0]) == (0, "whole")
    assert 400 < int(printed.split()[1]) <= 512


def test_the_host_has_only_so_much_memory(tmp_path, images):
    backend = VmBackend(tmp_path / "m", images, SystemClock(), HexMasterKey("5a" * 32), overcommit=0.01)
    with pytest.raises(LimitExceeded, match=r"of memory; of .* GiB that the host gives to virtual machines"):
        backend.create(spec())
    with pytest.raises(Conflict):
        backend.resize("ws-1", vcpu=1, memory_bytes=2**30)
    assert backend.list_machines() == ()
