"""The package mirror: a caching proxy for PyPI, npm, CRAN and Debian."""

from __future__ import annotations

from atoll.gateway.mirror.mirror import Mirror, MirrorRules
from atoll.gateway.mirror.upstreams import discovered

__all__ = ["Mirror", "MirrorRules", "discovered"]
