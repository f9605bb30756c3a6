"""Arrival of deliveries, their checksums, and quarantine."""

from atoll.deliveries.archives import ArchiveLimits
from atoll.deliveries.contents import Content
from atoll.deliveries.landing import Landing
from atoll.deliveries.quarantine import Quarantine

__all__ = ["ArchiveLimits", "Content", "Landing", "Quarantine"]
