"""A machine whose service is a screen: a real one in a real sandbox, behind the proxy of the tests."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager

from tests.machines import inside
from tests.proxy.conftest import World

from atoll.model.visit import Stream
from atoll.providers.clock import SystemClock
from atoll.providers.sandbox import SandboxBackend

#: What the terminal of the test machine reads goes to a file; its clipboard holds a secret.
NOTES = "printf secret-of-the-desktop | xclip -selection clipboard; cat > notes.txt"


@contextmanager
def terminal(place):
    """A world whose machine `ws_a` shows a terminal; `notes()` is what was typed there, None before it reads."""
    before = os.umask(0o022)
    world = World(place / "world")
    backend = SandboxBackend(place / "m", inside.ENVIRONMENTS, SystemClock())
    spec = inside.spec(
        "ws_a",
        environment="screen",
        service="application",
        parameters={"program": ["xfce4-terminal", "--disable-server", "-x", "sh", "-c", NOTES]},
        memory_bytes=2**30,
        pids=256,
    )
    try:
        world.platform.sockets["ws_a"] = inside.launch(backend, spec).socket
        notes = place / "m/ws_a/home/notes.txt"
        world.notes = lambda: notes.read_bytes().decode(errors="replace") if notes.exists() else None
        yield world
    finally:
        backend.destroy("ws_a")
        backend.forget_home("ws_a")
        world.close()
        os.umask(before)


def may(world, workspace="ws_a", **what):
    world.platform.controls[workspace] = {"stream": Stream(title="lab", owner="ada", **what)}


def until(found, seconds=20):
    end = time.monotonic() + seconds
    while not (seen := found()) and time.monotonic() < end:
        time.sleep(0.05)
    return seen
