"""Arrival of deliveries, their checksums, and quarantine."""

from atoll.deliveries.landing import Landing
from atoll.deliveries.quarantine import Quarantine

__all__ = ["Landing", "Quarantine"]
