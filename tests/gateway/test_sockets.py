from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys

import pytest

from atoll.errors import Unavailable
from atoll.gateway import GatewayLimits, Machine


def test_only_its_owner_may_open_the_socket(house):
    machine = house.machine()
    status = machine.socket.stat()
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert stat.S_IMODE(machine.socket.parent.stat().st_mode) == 0o700
    assert list(machine.socket.parent.iterdir()) == [machine.socket]


_CONNECT = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_machines_account_reaches_it_and_no_other_does(house):
    house.place.chmod(0o711)
    machine = house.machine(uid=54321)
    (machine.socket.parent.parent).chmod(0o711)

    def connects(uid: int) -> bool:
        command = ["/usr/bin/python3", "-c", _CONNECT, str(machine.socket)]
        return subprocess.run(command, user=uid, stderr=subprocess.DEVNULL, check=False).returncode == 0

    assert machine.socket.stat().st_uid == 54321
    assert connects(54321)
    assert not connects(54322)


def test_a_path_longer_than_a_socket_address_is_served(house, tmp_path):
    deep = tmp_path / ("d" * 100) / "gw" / "gw.sock"
    house.known["wsp_deep"] = "secret"
    house.host.open(Machine("wsp_deep", "heart", deep))
    descriptor = os.open(deep.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(f"/proc/self/fd/{descriptor}/gw.sock")
        raw.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b"403" in raw.recv(100)
    os.close(descriptor)


def test_opening_again_changes_nothing_and_a_lost_socket_comes_back(house):
    machine = house.machine()
    inode = machine.socket.stat().st_ino
    house.machine()
    assert machine.socket.stat().st_ino == inode
    machine.socket.unlink()
    with house.inside() as inside:
        assert inside.get("/").status_code == 403


def test_a_socket_left_by_a_dead_process_is_replaced(house):
    place = house.place / "wsp_a" / "gw"
    place.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-c", "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", place / "gw.sock"],
        check=True,
    )
    with house.inside() as inside:
        assert inside.get("/").status_code == 403


def test_closed_is_gone_for_one_machine_and_not_for_its_neighbour(house):
    machine = house.machine()
    with house.inside("wsp_b") as neighbour:
        house.host.close("wsp_a")
        house.host.close("wsp_a")
        assert not machine.socket.exists()
        assert neighbour.get("/").status_code == 403
    assert house.host.workspaces == ("wsp_b",)


def test_closing_leaves_a_socket_that_another_process_has_made_since(house):
    machine = house.machine()
    machine.socket.unlink()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(machine.socket))
        house.host.close("wsp_a")
        assert machine.socket.exists()


def test_connections_beyond_the_limit_are_closed_unanswered(house_of):
    house = house_of(limits=GatewayLimits(connections=4))
    machine = house.machine()
    held = [socket.socket(socket.AF_UNIX) for _ in range(4)]
    for one in held:
        one.connect(str(machine.socket))
        one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert one.recv(20)
    with socket.socket(socket.AF_UNIX) as extra:
        extra.connect(str(machine.socket))
        extra.settimeout(5)
        try:
            got = extra.recv(20)
        except ConnectionResetError:
            got = b""
        assert got == b""
    for one in held:
        one.close()
    with house.inside() as inside:
        for _ in range(50):
            try:
                assert inside.get("/").status_code == 403
                break
            except Exception:
                continue
        else:
            pytest.fail("The machine is not let in again.")


def test_a_host_that_is_stopped_says_so(house):
    machine = house.machine()
    house.host.stop()
    house.host.stop()
    assert not machine.socket.exists()
    with pytest.raises(Unavailable):
        house.host.open(machine)
