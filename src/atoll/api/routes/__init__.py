"""Every route, a file for each noun."""

from __future__ import annotations

from atoll.api.routes import (
    contracts,
    datasets,
    deliveries,
    grants,
    ledger,
    operations,
    people,
    platform,
    projects,
    queries,
    sign_in,
    sources,
    tokens,
)
from atoll.api.routing import Routes

ALL: tuple[Routes, ...] = (
    platform.outside,
    platform.routes,
    sign_in.routes,
    people.routes,
    projects.routes,
    tokens.routes,
    sources.routes,
    contracts.routes,
    deliveries.routes,
    datasets.routes,
    grants.routes,
    queries.routes,
    ledger.routes,
    operations.routes,
)
