"""`atoll`, killed (SIGKILL) at one effect of a backend: `ATOLL_TRAP=<effect>:<when>`, run by test_killed.py.

An effect is a call that changes something on the host. `before` and `after` are at its
edges; `during` is a moment after its beginning.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from atoll.providers.sandbox import backend as module
from atoll.providers.sandbox.backend import SandboxBackend
from atoll.providers.sandbox.limits import choose_limiter
from atoll.wiring import main

_DURING_SECONDS = 0.3

#: Effects within a call of the port, by the name a trap gives them.
_INNER: dict[str, tuple[Any, str]] = {
    "supervisor": (module, "start_supervisor"),
    "end": (module, "end_machine"),
    "tree": (module.disk, "remove_tree"),
    "limits": (type(choose_limiter("atoll/trap")), "apply"),
}


def die() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def trapped(plain: Callable[..., Any], when: str) -> Callable[..., Any]:
    """The function with a trap at it."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            die()
        if when == "during":
            threading.Timer(_DURING_SECONDS, die).start()
        result = plain(*args, **kwargs)
        if when == "after":
            die()
        return result

    return call


if __name__ == "__main__":
    name, _, when = os.environ.get("ATOLL_TRAP", "").partition(":")
    if name:
        owner, attribute = _INNER.get(name, (SandboxBackend, name))
        setattr(owner, attribute, trapped(getattr(owner, attribute), when))
    sys.exit(main())
