"""What holds for every test."""

from __future__ import annotations

import os

import hypothesis

#: In CI a skipped test is a failure; and services that tests start: a fixture costs
#: nothing until a test asks for it.
pytest_plugins = (
    "tests.frame.no_skips",
    "tests.frame.together",
    "tests.services.postgres",
    "tests.services.record_stores",
)

# In CI the same examples every time, so that a change is judged by itself; at home new
# ones with each run, so that what they find becomes a test of its own.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.register_profile("home", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "home")
