"""A pytest plugin: in CI a skipped test is a failure."""

from __future__ import annotations

import os

import pytest


def no_skip(report, name):
    """Turns a skip into a failure that tells the skip's reason; expected failures stay what they are."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"No test skips in CI, but {name} did: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    no_skip(report, item.nodeid)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    no_skip(report, collector.nodeid)
    return report
