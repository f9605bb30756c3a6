"""A pytest plugin: which tests stay together when several processes share a run, and which begin first.

`make test` runs with `-n 2`. A file's tests go to one process, so that what is made for a
module is made once. Files of a group go to one process too: they share what is made for
the session, or use what a host has only one of.
"""

from __future__ import annotations

import pytest

GROUPS = {
    # One platform, one browser.
    "tests/web/": "web",
    # Figures of processes and processors of this host, told of one machine while nothing else loads it.
    "tests/sandbox/": "sandbox",
    "tests/provider_contract/": "sandbox",
}
#: What takes longest begins first, so that no process is left alone with it at the end.
FIRST = (
    "tests/web/",
    "tests/vm/",
    "tests/e2e/test_demo.py",
    "tests/sandbox/",
    "tests/provider_contract/",
    "tests/flows/test_crash.py",
    "tests/e2e/",
    "tests/flows/",
    "tests/frame/",
    "tests/proxy/",
)


def group_of(nodeid: str) -> str:
    """The group of a test: what its place says, or its file."""
    return next((group for place, group in GROUPS.items() if nodeid.startswith(place)), nodeid.partition("::")[0])


def turn_of(nodeid: str) -> int:
    """When its turn comes: the lower, the earlier."""
    return next((turn for turn, place in enumerate(FIRST) if nodeid.startswith(place)), len(FIRST))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """The order of turns, where processes share the run; otherwise as collected."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (turn_of(item.nodeid), group_of(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group_of(nodeid)

    # In the order of turns instead of by the number of tests.
    config.option.loadscopereorder = False
    return Together(config, log)
