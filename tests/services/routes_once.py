"""Routes are made once in a process, not once for each platform that a test opens in it.

FastAPI reads every signature and builds every schema when a route is added; the outcome
knows nothing of the rooms behind the app.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from atoll.api.routing import Routes

_mount = Routes.mount
_made: dict[Routes, list[Any]] = {}


def _mount_once(self: Routes, app: FastAPI) -> None:
    if self in _made:
        app.router.routes.extend(_made[self])
        return
    before = len(app.router.routes)
    _mount(self, app)
    _made[self] = app.router.routes[before:]


def make_routes_once() -> None:
    """From now on, in this process."""
    Routes.mount = _mount_once  # type: ignore[method-assign]
