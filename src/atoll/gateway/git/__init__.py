"""Git repositories of projects, over smart HTTP."""

from __future__ import annotations

from atoll.gateway.git.backups import Backups
from atoll.gateway.git.repositories import Repositories

__all__ = ["Backups", "Repositories"]
