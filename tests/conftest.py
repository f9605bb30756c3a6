"""What holds for every test."""

from __future__ import annotations

#: In CI a skipped test is a failure; and services that tests start: a fixture costs
#: nothing until a test asks for it.
pytest_plugins = ("tests.frame.no_skips", "tests.services.postgres")
