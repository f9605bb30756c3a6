"""Each way in which a sandbox has gone wrong before, once."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from tests.machines.inside import launch, python_inside, spec, wait_for

from atoll.errors import InvalidInput
from atoll.model.workspace import MachineState
from atoll.ports.backend import Mount
from atoll.providers.sandbox.answering import answers, connect_machine
from atoll.providers.sandbox.process import Process, boot_id, start_time

RUNNING, STOPPED, ABSENT = MachineState.RUNNING, MachineState.STOPPED, MachineState.ABSENT


def keeper(directory, workspace="ws-1"):
    state = json.loads((directory / workspace / "supervisor.json").read_text())
    return state["pid"], state["inner_pid"]


def traces(directory):
    """What of the directory's machines is left on the host: processes, mounts, control groups.

    Machines of other directories may run meanwhile: a process inside is told by what it has mounted.
    """
    words = str(directory).encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
                mounted = (entry / "mountinfo").read_bytes() if b"/opt/inside.py" in command else b""
            except OSError:
                continue
            if words in command or words in mounted:
                found.append(command)
    found += [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(directory) in line]
    instance = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    found += list(Path("/sys/fs/cgroup").glob(f"*/atoll/{instance}/ws-*"))
    return found


def test_a_machine_outlives_the_thread_that_started_it(backend):
    starter = threading.Thread(target=backend.create, args=(spec(),))
    starter.start()
    starter.join()
    seen = wait_for(backend, "ws-1", RUNNING)
    time.sleep(0.3)
    assert backend.observe("ws-1") == seen
    assert python_inside(seen, "print(1)") == (0, "1\n")


def test_a_machine_outlives_the_platform_and_is_found_again(backend, directory):
    code = f"""
import os, signal
from pathlib import Path
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend
from tests.machines.inside import ENVIRONMENTS, spec
SandboxBackend(Path({str(directory)!r}), ENVIRONMENTS, SystemClock()).create(spec())
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL
    seen = wait_for(backend, "ws-1", RUNNING)
    assert (seen.token, backend.list_machines()) == ("token-1", (seen,))
    backend.destroy("ws-1")
    assert traces(directory) == []


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.03, 0.06, 0.1, 0.2])
@pytest.mark.parametrize("then", ["create", "destroy"])
def test_the_platform_dies_in_the_middle_of_a_creation(backend, directory, moment, then):
    code = f"""
import sys
from pathlib import Path
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend
from tests.machines.inside import ENVIRONMENTS, spec
backend = SandboxBackend(Path({str(directory)!r}), ENVIRONMENTS, SystemClock())
print("ready", flush=True)
sys.stdin.readline()
backend.create(spec())
"""
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as platform:
        assert platform.stdout.readline() == b"ready\n"
        platform.stdin.write(b"\n")
        platform.stdin.flush()
        time.sleep(moment)
        os.kill(platform.pid, signal.SIGKILL)
    if then == "create":
        backend.create(spec())
        seen = wait_for(backend, "ws-1", RUNNING)
        assert python_inside(seen, "print(1)") == (0, "1\n")
    backend.destroy("ws-1")
    backend.forget_home("ws-1")
    assert backend.list_machines() == ()
    assert not (directory / "ws-1").exists()
    assert traces(directory) == []


def test_a_supervisor_that_is_killed_takes_its_machine_along(backend, directory):
    launch(backend, spec())
    supervisor, inner = keeper(directory)
    os.kill(supervisor, signal.SIGKILL)
    stopped = wait_for(backend, "ws-1", STOPPED)
    assert "ended from outside" in stopped.detail
    until = time.monotonic() + 5
    while start_time(inner) is not None:
        assert time.monotonic() < until
        time.sleep(0.01)
    backend.start(spec(token="token-2"))
    wait_for(backend, "ws-1", RUNNING)


def test_killing_the_outer_bubblewrap_orphans_nothing(backend, directory):
    launch(backend, spec())
    supervisor, inner = keeper(directory)
    outer = int(Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()[0])
    os.kill(outer, signal.SIGKILL)
    assert wait_for(backend, "ws-1", STOPPED).exit_status == -signal.SIGKILL
    assert start_time(inner) is None


def test_a_machine_that_does_not_end_when_asked_is_killed(backend, directory):
    script = "trap '' TERM; while :; do sleep 1; done"
    backend.create(spec(service="batch", parameters={"script": script}))
    wait_for(backend, "ws-1", RUNNING)
    time.sleep(0.3)
    backend.stop("ws-1")
    assert backend.observe("ws-1").state is STOPPED
    backend.destroy("ws-1")
    assert traces(directory) == []


@pytest.mark.parametrize("call", ["stop", "destroy"])
def test_a_stop_that_died_half_way_is_not_waited_for(backend, directory, call):
    """What nobody is stopping any more must not be told as being stopped for ever."""
    seen = launch(backend, spec())
    code = f"""
        import os, pathlib
        from atoll.providers.clock import SystemClock
        from atoll.providers.sandbox import SandboxBackend, backend
        backend.end_machine = lambda *_, **__: os._exit(9)
        made = SandboxBackend(pathlib.Path({str(directory)!r}), pathlib.Path("/nowhere"), SystemClock())
        made.{call}("ws-1")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert done.returncode == 9
    assert backend.observe("ws-1") == seen
    getattr(backend, call)("ws-1")
    assert backend.observe("ws-1").state is (STOPPED if call == "stop" else ABSENT)


def test_destroy_leaves_no_process_mount_group_or_file(backend, directory, tmp_path):
    mounted = tmp_path / "granted"
    mounted.mkdir()
    seen = launch(backend, spec(mounts=(Mount(mounted, "/data/study"),)))
    assert traces(directory) != []
    python_inside(
        seen, "import subprocess; subprocess.Popen(['sleep', '600'], stdout=-3, stderr=-3, start_new_session=True)"
    )
    backend.destroy("ws-1")
    assert traces(directory) == []
    assert {entry.name for entry in (directory / "ws-1").iterdir()} == {"home", "log", "tokens"}
    backend.forget_home("ws-1")
    assert {entry.name for entry in directory.iterdir()} <= {".locks", ".uids"}
    assert not any((directory / ".uids").iterdir()) if (directory / ".uids").exists() else True


def test_a_home_made_to_resist_is_removed(backend, directory):
    seen = launch(backend, spec())
    status, printed = python_inside(
        seen,
        """
        import os
        for _ in range(3000):
            os.mkdir("d"); os.chdir("d")
        os.chdir("/home/user")
        os.symlink("/", "root")
        os.mkdir("closed"); open("closed/file", "w").close(); os.chmod("closed", 0)
        """,
    )
    assert (status, printed) == (0, "")
    until = time.monotonic() + 10
    while backend.figures("ws-1").home_bytes < 3000 * 1024:
        assert time.monotonic() < until
        time.sleep(0.1)
    backend.destroy("ws-1")
    backend.forget_home("ws-1")
    assert not (directory / "ws-1").exists()


def test_the_machine_is_nobody_on_the_host(backend, directory):
    launch(backend, spec())
    _, inner = keeper(directory)
    status = Path(f"/proc/{inner}/status").read_text()
    uids = {line.split()[1] for line in status.splitlines() if line.startswith(("Uid:", "Gid:"))}
    assert uids != {"0"}
    assert "\nCapEff:\t0000000000000000\n" in status
    assert "\nCapBnd:\t0000000000000000\n" in status
    assert "\nNoNewPrivs:\t1\n" in status
    assert "\nSeccomp:\t2\n" in status


def test_programs_inside_know_who_they_are(backend):
    seen = launch(backend, spec())
    code = """
        import getpass, os, pwd, socket
        print(os.getuid(), getpass.getuser(), pwd.getpwuid(os.getuid()).pw_dir, os.getcwd(), socket.gethostname())
        print(sorted(os.environ))
    """
    _, printed = python_inside(seen, code)
    who, names = printed.splitlines()
    assert who == "1000 user /home/user /home/user ws-1"
    assert not {name for name in os.environ if name.startswith("ATOLL_") or "TOKEN" in name} & set(eval(names))
    assert "ATOLL_WORKSPACE" in names


def test_a_platform_with_a_closed_umask_makes_machines_all_the_same(backend):
    before = os.umask(0o077)
    try:
        seen = launch(backend, spec())
    finally:
        os.umask(before)
    _, printed = python_inside(seen, "import getpass, socket; print(getpass.getuser(), socket.gethostname())")
    assert printed.split() == ["user", "ws-1"]


def test_a_socket_that_is_a_link_is_not_followed(backend, directory):
    """What lies in the machine's place of sockets is its own doing."""
    seen = launch(backend, spec())
    other = launch(backend, spec("ws-2", "token-2"))
    python_inside(
        seen, f"import os; os.unlink('/run/m/jup.sock'); os.symlink({str(other.socket)!r}, '/run/m/jup.sock')"
    )
    assert seen.socket.resolve() == other.socket
    assert not answers(seen.socket, "/w/ws-2/")
    assert "does not answer now" in backend.observe("ws-1").detail


def test_paths_of_sockets_longer_than_the_kernel_takes(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(deep)
        server.bind("s.sock")
        server.listen()
        os.chdir("/")
        assert len(str(deep / "s.sock")) > 108
        connect_machine(deep / "s.sock", 1).close()


def test_a_pid_that_another_process_got_is_not_signalled():
    with subprocess.Popen(["sleep", "60"]) as other:
        true = Process(other.pid, start_time(other.pid), boot_id())
        assert true.alive
        for mistaken in (Process(other.pid, true.started - 1, boot_id()), Process(other.pid, true.started, "before")):
            assert not mistaken.alive
            assert not mistaken.signal(signal.SIGKILL)
            assert mistaken.wait(0)
        assert other.poll() is None
        assert true.signal(signal.SIGKILL)
        assert other.wait() == -signal.SIGKILL


def test_a_restart_of_the_host_is_told(backend, directory):
    launch(backend, spec())
    os.kill(keeper(directory)[0], signal.SIGKILL)
    file = directory / "ws-1" / "supervisor.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "boot": "the one before"}))
    seen = backend.observe("ws-1")
    assert (seen.state, seen.detail) == (STOPPED, "The host was restarted; memory was lost.")


def test_a_description_that_cannot_be_read_is_unknown_and_stops_no_other(backend, directory):
    launch(backend, spec())
    good = launch(backend, spec("ws-2", "token-2"))
    description = directory / "ws-1" / "machine.json"
    kept = description.read_text()
    description.write_text("{")
    unknown, other = backend.list_machines()
    assert unknown.state is MachineState.UNKNOWN
    assert other == good
    description.write_text(kept)


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 65, "a\0b"])
def test_a_workspace_whose_id_is_no_file_name(backend, name):
    with pytest.raises(InvalidInput):
        backend.create(spec(name))


@pytest.mark.parametrize("target", ["/usr/data", "/data/../etc", "relative", "/home/user/data", "/proc/x", "/"])
def test_data_is_not_mounted_over_the_system(backend, tmp_path, target):
    with pytest.raises(InvalidInput):
        backend.create(spec(mounts=(Mount(tmp_path, target),)))
    assert backend.observe("ws-1").state is ABSENT


def test_data_below_closed_directories_is_seen_and_a_share_is_written(backend, tmp_path):
    closed = tmp_path / "closed"
    granted, share = closed / "granted", closed / "share"
    for place in (granted, share):
        place.mkdir(parents=True)
    (granted / "rows").write_text("rows")
    share.chmod(0o777)
    closed.chmod(0o700)
    seen = launch(backend, spec(mounts=(Mount(granted, "/data/g"), Mount(share, "/project/share", writable=True))))
    code = "print(open('/data/g/rows').read()); open('/project/share/note', 'w').write('n')"
    assert python_inside(seen, code) == (0, "rows\n")
    assert (share / "note").read_text() == "n"


def test_the_gateway_is_reached_as_a_port_inside(backend, tmp_path):
    gateway = tmp_path / "gw"
    gateway.mkdir(mode=0o755)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(gateway / "gw.sock"))
        (gateway / "gw.sock").chmod(0o666)
        server.listen()

        def serve():
            for _ in range(3):
                near, _ = server.accept()
                with near:
                    near.sendall(b"gateway heard " + near.recv(100))

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        seen = launch(backend, spec(gateway=gateway))
        code = """
            import socket, os
            for number in range(3):
                with socket.create_connection(("127.0.0.1", 3141)) as out:
                    out.sendall(str(number).encode()); out.shutdown(socket.SHUT_WR)
                    print(out.makefile().read())
            print(os.environ["ATOLL_URL"])
        """
        expected = "".join(f"gateway heard {number}\n" for number in range(3)) + "http://127.0.0.1:3141\n"
        assert python_inside(seen, code) == (0, expected)


def test_scripts_of_a_session_get_no_second_namespace(backend):
    seen = launch(backend, spec())
    status, printed = python_inside(seen, "import os; print(os.system('unshare -Ur true'))")
    assert status == 0
    assert printed.splitlines()[-1] != "0"
