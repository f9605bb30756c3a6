"""Visits to machines as the API shows them."""

from __future__ import annotations

from datetime import datetime

from atoll.model.record import Frozen


class TicketAnswer(Frozen):
    """Where a browser enters the machine, once and until then."""

    url: str
    expires_at: datetime
