"""Attempts from inside a machine: all fail, and none harms a neighbour."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from tests.machines.inside import MIB, launch, python_inside, spec, wait_for

from atoll.model.workspace import MachineState
from atoll.ports.backend import Mount, ProbeFacts
from atoll.providers.sandbox import probes
from atoll.providers.sandbox.machine import Machine
from atoll.providers.sandbox.orders import run_inside


@pytest.fixture
def neighbour(backend):
    """A machine beside, that must go on answering."""
    seen = launch(backend, spec("ws-2", "token-2"))
    python_inside(seen, "open('/home/user/secret', 'w').write('of another')")
    yield seen
    assert backend.observe("ws-2") == seen
    assert python_inside(seen, "print(open('/home/user/secret').read())") == (0, "of another\n")


@pytest.fixture
def host_service():
    """A server of the host that listens on every address."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        yield server.getsockname()[1]


def own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.2"
        return probe.getsockname()[0]


def test_nothing_gets_out(backend, directory, neighbour, host_service, tmp_path):
    granted = tmp_path / "granted"
    granted.mkdir()
    (granted / "table.parquet").write_text("rows")
    granted.chmod(0o777)
    seen = launch(backend, spec(mounts=(Mount(granted, "/data/study"),)))
    facts = {
        "addresses": [["127.0.0.1", host_service], [own_address(), host_service], ["::1", host_service]],
        "paths": [str(directory), str(neighbour.socket), str(tmp_path), "/home/ws-2"],
        "mounts": ["/data/study", "/data"],
        "host_pid": os.getpid(),
        "host_name": socket.gethostname(),
    }
    code = f"""
        import runpy, sys
        sys.argv = ["probes.py", {json.dumps(json.dumps(facts))}]
        runpy.run_path("/opt/probes.py", run_name="__main__")
    """
    status, printed = python_inside(seen, code)
    assert [result for result in json.loads(printed) if not result["held"]] == []
    assert status == 0
    assert len(json.loads(printed)) > 80
    assert [path.name for path in granted.iterdir()] == ["table.parquet"]
    assert python_inside(seen, "print(open('/data/study/table.parquet').read())") == (0, "rows\n")


def test_the_probes_tell_when_something_gets_out(host_service):
    """Attempts that do no harm, made where no wall is."""
    facts = {"addresses": [["127.0.0.1", host_service]], "host_pid": os.getpid(), "paths": ["/etc/passwd"]}
    every = dict([*probes.network(facts), *probes.files(facts), *probes.processes(facts)])
    for open_here in (
        f"connect to 127.0.0.1 port {host_service}",
        "signal the platform",
        "see /etc/passwd",
        "see /sys",
    ):
        every[open_here]()


def test_the_probes_do_not_run_outside():
    """On a host they would do the harm that they look for."""
    done = subprocess.run([sys.executable, probes.__file__], capture_output=True, text=True, check=False)
    assert "inside a machine only" in done.stderr
    assert (done.returncode, done.stdout) == (1, "")


def test_another_machines_files_are_closed_by_user_id_as_well(backend, neighbour, directory):
    """Were the walls of the mount namespace gone, the kernel would still refuse."""
    own = launch(backend, spec())
    owners = {(directory / name / "home").stat().st_uid for name in ("ws-1", "ws-2")}
    assert own.state is MachineState.RUNNING
    if os.getuid() == 0:
        assert len(owners) == 2
        assert 0 not in owners
    for name in ("ws-1", "ws-2"):
        assert (directory / name / "home").stat().st_mode & 0o777 == 0o700


def test_a_fork_bomb_stays_inside(backend, neighbour):
    seen = launch(backend, spec())
    status, printed = python_inside(
        seen,
        """
        import os, time
        made = 0
        try:
            for made in range(10_000):
                if os.fork() == 0:
                    time.sleep(5)
                    os._exit(0)
        except OSError as error:
            print(made, error.strerror)
        """,
    )
    assert status == 0
    made, reason = printed.split(" ", 1)
    assert int(made) < 64
    assert reason == "Resource temporarily unavailable\n"
    backend.destroy("ws-1")
    assert backend.observe("ws-1").state is MachineState.ABSENT


def test_a_fork_bomb_that_keeps_forking_is_ended(backend, neighbour):
    backend.create(spec(service="batch", parameters={"script": "f() { f | f & }; f; while :; do :; done"}))
    wait_for(backend, "ws-1", MachineState.RUNNING)
    time.sleep(1)
    assert backend.figures("ws-1").processes <= 64
    backend.destroy("ws-1")
    assert backend.observe("ws-1").state is MachineState.ABSENT


@pytest.mark.parametrize("place", ["anonymous", "/tmp/big", "/dev/shm/big"])
def test_a_memory_bomb_ends_its_process_only(backend, neighbour, place):
    seen = launch(backend, spec())
    code = f"""
        import os
        if {place!r} == "anonymous":
            kept = []
            while True:
                kept.append(bytearray(b"x" * 2**24))
        with open({place!r}, "wb") as file:
            for _ in range(64):
                file.write(b"x" * 2**24)
                file.flush()
    """
    status, _ = python_inside(seen, code)
    assert status != 0
    assert backend.figures("ws-1").memory_bytes <= 256 * MIB
    assert backend.observe("ws-1").state is MachineState.RUNNING
    assert python_inside(seen, "print('still here')") == (0, "still here\n")


def test_a_process_ended_for_memory_is_told_of(backend):
    seen = launch(backend, spec())
    python_inside(seen, "kept = [bytearray(b'x' * 2**24) for _ in range(64)]")
    detail = backend.observe("ws-1").detail
    assert "memory was full" in detail


def test_one_file_does_not_grow_past_the_quota(backend, neighbour):
    seen = launch(backend, spec(home_bytes=32 * MIB))
    status, printed = python_inside(
        seen,
        """
        with open('/home/user/big', 'wb') as file:
            while True:
                file.write(b'x' * 2**20)
        """,
    )
    assert status != 0
    assert "File too large" in printed


def test_a_home_over_its_quota_stops_its_machine_and_can_be_cleaned(backend, neighbour):
    seen = launch(backend, spec(home_bytes=32 * MIB))
    python_inside(
        seen,
        """
        for number in range(4):
            with open(f'/home/user/part-{number}', 'wb') as file:
                file.write(b'x' * 2**24)
        """,
    )
    stopped = wait_for(backend, "ws-1", MachineState.STOPPED)
    assert "quota" in stopped.detail
    backend.start(spec(token="token-3", home_bytes=128 * MIB))
    again = wait_for(backend, "ws-1", MachineState.RUNNING)
    assert python_inside(again, "import os; print(len(os.listdir('/home/user')))") == (0, "4\n")


def test_the_place_of_sockets_counts_as_the_home_does(backend):
    seen = launch(backend, spec(home_bytes=32 * MIB))
    code = "for number in range(4): open(f'/run/m/{number}', 'wb').write(b'x' * 2**24)"
    python_inside(seen, code)
    assert "quota" in wait_for(backend, "ws-1", MachineState.STOPPED).detail


def test_a_flood_of_output_does_not_fill_the_disk(backend, directory):
    backend.create(spec(service="batch", parameters={"script": "yes flood | head -c 60000000; echo the end"}))
    wait_for(backend, "ws-1", MachineState.STOPPED)
    assert backend.log("ws-1").endswith("the end\n")
    assert sum(path.stat().st_size for path in (directory / "ws-1").glob("log*")) < 16 * MIB


def test_cpu_is_shared_out_as_asked(backend, neighbour):
    seen = launch(backend, spec(vcpu=0.25))
    before, began = backend.figures("ws-1").cpu_seconds, time.monotonic()
    code = "import time; end = time.monotonic() + 2\nwhile time.monotonic() < end: pass"
    spinning = [threading.Thread(target=python_inside, args=(seen, code)) for _ in range(3)]
    for thread in spinning:
        thread.start()
    for thread in spinning:
        thread.join()
    share = (backend.figures("ws-1").cpu_seconds - before) / (time.monotonic() - began)
    assert share < 0.4


def test_bombs_are_held_and_harm_no_neighbour(backend, neighbour):
    launch(backend, spec(home_bytes=32 * MIB))
    tried = backend.probe("ws-1", ProbeFacts(others=(str(neighbour.socket),), bombs=True, fill=True))
    assert [probe for probe in tried if not probe.held] == []
    assert [probe.what for probe in tried if probe.group == "bombs"] == [
        "start processes without end",
        "use memory without end",
        "use memory without end in /tmp/.probe",
        "use memory without end in /dev/shm/.probe",
        "grow a file past the quota",
        "fill the disk past the quota with many files",
    ]
    assert "reach the service of another workspace (1)" in {probe.what for probe in tried}


def test_the_platforms_orders_are_out_of_reach_inside(backend, directory):
    """Who could give or answer them could forge a proof."""
    seen = launch(backend, spec())
    code = f"""
        import os, socket
        for path in ({str(directory / "ws-1" / "orders.sock")!r}, "/run/m/orders.sock", "/proc/1/fd/3"):
            try:
                socket.socket(socket.AF_UNIX).connect(path)
                print("reached", path)
            except OSError as error:
                print(error.strerror)
        print([line.split()[-1] for line in open("/proc/net/unix") if "orders" in line])
    """
    status, printed = python_inside(seen, code)
    assert status == 0
    assert "reached" not in printed
    assert printed.splitlines()[-1] == "[]"


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(backend, directory):
    launch(backend, spec())
    machine = Machine(directory, "ws-1")
    assert run_inside(machine, ["sh", "-c", "echo said; exit 3"], 5) == (3, "said\n")
    before = backend.figures("ws-1").processes
    status, _ = run_inside(machine, ["sh", "-c", "sleep 60 & sleep 60"], 0.3)
    assert status == -9
    until = time.monotonic() + 5
    while backend.figures("ws-1").processes > before and time.monotonic() < until:
        time.sleep(0.05)
    assert backend.figures("ws-1").processes <= before
    assert run_inside(machine, ["no-such-program"], 5)[0] == 125
