"""Every route, a file for each noun."""

from __future__ import annotations

from atoll.api.routes import (
    budgets,
    contracts,
    datasets,
    deliveries,
    grants,
    hours,
    ledger,
    operations,
    people,
    platform,
    products,
    projects,
    queries,
    sign_in,
    sources,
    tokens,
    visits,
    workspaces,
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
    products.routes,
    workspaces.routes,
    hours.routes,
    visits.routes,
    ledger.routes,
    budgets.routes,
    operations.routes,
)
