"""How a machine's use of the host is bounded, measured and paused: cgroup v2 or v1, systemd's, or rlimits only."""

from __future__ import annotations

from atoll.providers.sandbox.limits.choose import choose_limiter
from atoll.providers.sandbox.limits.limiter import Limiter, Limits, Usage

__all__ = ["Limiter", "Limits", "Usage", "choose_limiter"]
