"""Every page, and as whom it is looked at. A route of routes.tsx without a line here fails `test_pages.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.web.stage import Stage


@dataclass(frozen=True)
class Place:
    """A page to look at."""

    #: As in routes.tsx: `machines/:id`.
    route: str
    #: Roles it is looked at as; empty: without a sign-in.
    roles: tuple[str, ...]
    #: The address, where the route has parameters.
    path: Callable[[Stage], str] | None = None

    def at(self, stage: Stage) -> str:
        return "/" + self.route.strip("/") if self.path is None else self.path(stage)


PLACES = (
    Place("/sign-in", ()),
    Place("/", ("scientist", "steward", "administrator", "auditor")),
    Place("account", ("scientist",)),
    Place("administration", ("administrator", "auditor", "scientist")),
    Place("administration/:section", ("administrator", "steward"), lambda _: "/administration/sources"),
    Place("administration/people/:id", ("administrator",), lambda stage: f"/administration/people/{stage.person}"),
    Place("airlock", ("scientist", "steward", "auditor")),
    Place("airlock/new", ("scientist", "steward")),
    Place("airlock/:id", ("scientist", "steward"), lambda stage: f"/airlock/{stage.more['airlock review']}"),
    Place("projects", ("scientist", "administrator")),
    Place("projects/:name", ("scientist", "administrator"), lambda _: "/projects/heart-study"),
    Place("audit", ("auditor",)),
    Place("contracts", ("steward",)),
    Place("contracts/new", ("steward",)),
    Place("contracts/proposals/:id", ("steward",), lambda stage: f"/contracts/proposals/{stage.proposal}"),
    Place("contracts/:dataset", ("steward",), lambda _: "/contracts/sdtm"),
    Place("costs", ("scientist", "auditor", "administrator")),
    Place("deliveries", ("steward", "auditor")),
    Place("deliveries/:id", ("steward",), lambda stage: f"/deliveries/{stage.delivery}"),
    Place("flows", ("scientist", "steward", "auditor")),
    Place("machines", ("scientist", "administrator")),
    Place("machines/new", ("scientist", "auditor")),
    Place("machines/:id", ("scientist", "administrator"), lambda stage: f"/machines/{stage.machine}"),
    Place("data", ("scientist", "steward")),
    Place("data/:name", ("scientist", "steward", "auditor"), lambda _: "/data/sdtm"),
    Place("sql", ("scientist",), lambda stage: f"/sql?query={stage.more['kept query']}"),
    Place("*", ("scientist",), lambda _: "/no/such/page"),
)
