"""The parts of control groups of version 2 that a host has beside version 1, and what is asked of systemd."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from atoll.errors import Conflict, LimitExceeded
from atoll.providers.sandbox.limits import Limits, cgroup_files
from atoll.providers.sandbox.limits.cgroup_v2 import CgroupV2, unified_mount
from atoll.providers.sandbox.limits.rlimits import Rlimits
from atoll.providers.sandbox.limits.systemd import SystemdScopes
from atoll.providers.sandbox.uids import Uids

LIMITS = Limits(vcpu=0.5, memory_bytes=2**27, pids=32)


def cpu_ticks(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


def test_a_systemd_scope_has_every_limit_and_outlives_one_process_without_memory():
    words = SystemdScopes("atoll/abc").wrap("ws-1", LIMITS)
    assert words[-1] == "--"
    assert {"--unit=atoll-abc-ws-1", "MemoryMax=134217728", "CPUQuota=50%", "TasksMax=32", "OOMPolicy=continue"} <= set(
        words
    )


def test_without_control_groups_the_weaker_guarantee_is_told():
    limiter = Rlimits()
    assert "WEAK" in limiter.guarantee
    assert (limiter.can_freeze, limiter.can_resize, limiter.strong) == (False, False, False)
    with pytest.raises(Conflict):
        limiter.freeze("ws-1")
    with pytest.raises(Conflict):
        limiter.apply("ws-1", LIMITS)


def test_version_2_writes_what_the_kernel_documents(tmp_path):
    """Values and names by Documentation/admin-guide/cgroup-v2.rst, on plain files: no host of ours has them all."""
    group = CgroupV2(tmp_path)
    (entrance,) = group.prepare("ws-1", LIMITS)
    written = {path.name: path.read_text() for path in (tmp_path / "ws-1").iterdir()}
    assert written == {"memory.max": "134217728", "memory.oom.group": "0", "cpu.max": "50000 100000", "pids.max": "32"}
    assert entrance == tmp_path / "ws-1" / "cgroup.procs"
    (tmp_path / "ws-1" / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (tmp_path / "ws-1" / "memory.current").write_text("5000\n")
    (tmp_path / "ws-1" / "memory.stat").write_text("anon 1\ninactive_file 1000\n")
    (tmp_path / "ws-1" / "pids.current").write_text("3\n")
    (tmp_path / "ws-1" / "memory.events").write_text("oom 4\noom_kill 2\n")
    usage = group.usage("ws-1", None)
    assert (usage.cpu_seconds, usage.memory_bytes, usage.processes, usage.killed_for_memory) == (2.5, 4000, 3, 2)
    assert group.usage("ws-2", None) is None


def test_version_2_freezes_and_kills_on_the_kernel_where_it_is_writable():
    mount = unified_mount()
    if mount is None or not os.access(mount, os.W_OK):
        assert not CgroupV2.usable(mount)
        return
    group = CgroupV2(mount / "atoll-test", controllers=())
    (entrance,) = group.prepare("ws-1", LIMITS)
    with subprocess.Popen(["sh", "-c", "while :; do :; done"]) as spinning:
        entrance.write_text(str(spinning.pid))
        group.freeze("ws-1")
        assert group.frozen("ws-1")
        used = cpu_ticks(spinning.pid)
        time.sleep(0.2)
        assert cpu_ticks(spinning.pid) == used
        group.thaw("ws-1")
        assert not group.frozen("ws-1")
        time.sleep(0.2)
        assert cpu_ticks(spinning.pid) > used
        group.freeze("ws-1")
        group.kill("ws-1")
        assert spinning.wait(5) == -9
    group.remove("ws-1")
    assert not (mount / "atoll-test").exists()


def test_the_least_cpu_that_the_kernel_takes():
    assert cgroup_files.cpu_quota(0.001) == 1000
    assert cgroup_files.cpu_quota(8) == 800_000


def test_user_ids_are_given_once_and_come_back(tmp_path):
    uids = Uids(tmp_path / "uids", first=1_950_000_000, count=2)
    one, two = uids.take("ws-1"), uids.take("ws-2")
    assert {one, two} == {1_950_000_000, 1_950_000_001}
    assert Uids(tmp_path / "uids", first=1_950_000_000, count=2).take("ws-1") == one
    with pytest.raises(LimitExceeded):
        uids.take("ws-3")
    uids.give_back("ws-1")
    assert uids.take("ws-3") == one


def test_an_id_that_the_host_knows_is_never_given(tmp_path):
    assert Uids(tmp_path / "uids", first=0, count=70_000).take("ws-1") != 0
