"""The time of this machine."""

from __future__ import annotations

from datetime import datetime

from atoll.model.record import utc_now


class SystemClock:
    """A `Clock` that tells the machine's time."""

    def now(self) -> datetime:
        """Now, in UTC, with its zone."""
        return utc_now()
