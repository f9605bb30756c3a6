"""What holds for every test: in CI a skipped test is a failure."""

from __future__ import annotations

import os

import pytest

#: Services that tests start: a fixture costs nothing until a test asks for it.
pytest_plugins = ("tests.services.postgres",)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"No test skips in CI, but {item.nodeid} did: {reason}"
