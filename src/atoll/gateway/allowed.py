"""Which routes of the API a machine reaches, as data. What is not here is not reached."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Guard(StrEnum):
    """How a route is kept to the machine's own project; its person may be a member of others too.

    none: the route tells nothing of projects.
    parameter: the parameter `project` is set to the machine's own.
    body: the field `project` of the body is the machine's own, or filled in.
    answer: the answer names the machine's own project, or is refused as not found.
    workspace: as body, and the field `workspace` is the machine itself.
    owned: the thing that the path names first is the machine's own project's, by its own answer.
    flows: events of other projects' queries and machines are left out of the answer.
    """

    NONE = "none"
    PARAMETER = "parameter"
    BODY = "body"
    ANSWER = "answer"
    FLOWS = "flows"
    WORKSPACE = "workspace"
    OWNED = "owned"


@dataclass(frozen=True)
class Allowed:
    """A route, with `{}` where a name or id stands, and the parameters that are passed on."""

    method: str
    path: str
    guard: Guard = Guard.NONE
    parameters: frozenset[str] = frozenset()

    def fits(self, method: str, path: str) -> bool:
        """Whether it is this route."""
        pattern = re.escape(self.path).replace(r"\{\}", r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
        return method == self.method and re.fullmatch(pattern, path) is not None


_PAGE = frozenset({"cursor", "limit"})

ALLOWED: tuple[Allowed, ...] = (
    Allowed("GET", "/api/v1/me"),
    Allowed("GET", "/api/v1/datasets"),
    Allowed("GET", "/api/v1/datasets/{}"),
    Allowed("GET", "/api/v1/datasets/{}/versions"),
    Allowed("GET", "/api/v1/grants", Guard.PARAMETER, _PAGE | {"project", "dataset"}),
    Allowed("GET", "/api/v1/grants/{}", Guard.ANSWER),
    Allowed("POST", "/api/v1/queries", Guard.BODY),
    Allowed("GET", "/api/v1/queries", Guard.PARAMETER, _PAGE | {"project"}),
    Allowed("GET", "/api/v1/queries/{}", Guard.ANSWER),
    # Out of a machine, and into the airlock only: what is there comes back out by no route from here.
    Allowed("POST", "/api/v1/airlock-requests", Guard.WORKSPACE),
    Allowed("GET", "/api/v1/airlock-requests", Guard.PARAMETER, _PAGE | {"project", "state", "mine"}),
    Allowed("GET", "/api/v1/airlock-requests/{}", Guard.ANSWER),
    Allowed("PUT", "/api/v1/airlock-requests/{}/files/{}", Guard.OWNED, frozenset({"name"})),
    Allowed("POST", "/api/v1/airlock-requests/{}/submit", Guard.OWNED),
    Allowed("POST", "/api/v1/airlock-requests/{}/withdraw", Guard.OWNED),
    Allowed("GET", "/api/v1/flows", Guard.FLOWS, frozenset({"dataset", "limit"})),
)


def allowed(method: str, path: str) -> Allowed | None:
    """The route, or None when a machine does not reach it. `path` as sent, not decoded."""
    return next((route for route in ALLOWED if route.fits(method, path)), None)
