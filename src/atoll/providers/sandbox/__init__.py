"""Machines as sandboxes on this host (bubblewrap): the embedded default backend."""

from __future__ import annotations

from atoll.providers.sandbox.backend import SandboxBackend
from atoll.providers.sandbox.build import build_environment, shipped_environments

__all__ = ["SandboxBackend", "build_environment", "shipped_environments"]
