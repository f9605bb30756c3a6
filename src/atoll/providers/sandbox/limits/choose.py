"""Which limits this host can give."""

from __future__ import annotations

import os

from atoll.providers.sandbox.limits.cgroup_v1 import CgroupV1
from atoll.providers.sandbox.limits.cgroup_v2 import CgroupV2, unified_mount
from atoll.providers.sandbox.limits.limiter import Limiter
from atoll.providers.sandbox.limits.rlimits import Rlimits
from atoll.providers.sandbox.limits.systemd import SystemdScopes


def choose_limiter(parent: str) -> Limiter:
    """The strongest limits that this process may use; `parent` names the group of all its machines."""
    mount = unified_mount()
    if mount is not None and CgroupV2.usable(mount):
        return CgroupV2(mount / parent)
    if CgroupV1.usable():
        return CgroupV1(parent)
    if os.getuid() != 0 and SystemdScopes.usable():
        return SystemdScopes(parent)
    return Rlimits()
