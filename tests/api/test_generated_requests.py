"""Requests that nobody here thought of: generated from the API's own description, none may be answered by a 500.

Every operation is asked by one who may, half of the time about things that exist. CI asks a few times
and always the same; `ATOLL_GENERATED_REQUESTS=200 pytest tests/api/test_generated_requests.py` asks longer and
otherwise each time.
"""

from __future__ import annotations

import os

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase

from atoll.access.scopes import ROLE_SCOPES
from atoll.api.security import Requires, access_of
from atoll.model.person import Role

EXAMPLES = int(os.environ.get("ATOLL_GENERATED_REQUESTS", "0"))
#: Who is asked for first: the fewest rights that suffice say most.
ROLES = (Role.SCIENTIST, Role.AUDITOR, Role.STEWARD, Role.ADMIN)


@pytest.fixture(scope="module")
def things(site):
    """Names of what exists, by path parameter."""
    site.add_project("heart", "scientist", "steward")
    return {"project": "heart", "dataset": "trial", "login": "auditor", "source": "lab", "number": 1, "name": "heart"}


def callers(app) -> dict[str, str]:
    """For each operation the caller who asks."""
    found = {}
    for route in app.routes:
        access = access_of(route)
        scope = access.scope if isinstance(access, Requires) else None
        who = next((role.value for role in ROLES if scope is None or scope in ROLE_SCOPES[role]), "lab")
        found[route.operation_id] = who
    return found


def settings(examples: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=not EXAMPLES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def operations(app):
    """Each operation of the description; `stream_events` is answered at once here, as the app is stopping."""
    for result in schemathesis.openapi.from_dict(app.openapi()).get_all_operations():
        operation = result.ok()
        yield operation.definition.raw["operationId"], operation


def sent(case) -> dict:
    """What the test's client is to send."""
    kwargs = case.as_transport_kwargs(base_url="http://testserver")
    known = {"method", "url", "headers", "params", "json", "data", "files", "content"}
    kwargs = {key: value for key, value in kwargs.items() if key in known and value is not None}
    if isinstance(kwargs.get("data"), str | bytes):
        kwargs["content"] = kwargs.pop("data")
    return {**kwargs, "headers": {**(kwargs.get("headers") or {})}}


class Answers:
    """What became of the requests."""

    def __init__(self, site, things):
        self._site = site
        self._things = things
        self.asked = 0
        self.reached = set()
        self.broken = {}

    def ask(self, id, who, case, *, real):
        if real:
            case.path_parameters = {k: self._things.get(k, v) for k, v in (case.path_parameters or {}).items()}
        request = sent(case)
        request["headers"]["Authorization"] = f"Bearer {self._site.tokens[who]}"
        answer = self._site.client.request(**request)
        self.asked += 1
        if answer.status_code == 500:
            self.broken[id] = (request, answer.text)
        elif answer.status_code not in {401, 403}:
            self.reached.add(id)


def test_no_request_is_answered_by_an_internal_error(site, things):
    who = callers(site.app)
    answers = Answers(site, things)
    for id, operation in operations(site.app):

        @settings(EXAMPLES or 2)
        @hypothesis.given(case=operation.as_strategy(), real=hypothesis.strategies.booleans())
        def ask(case, real):
            answers.ask(id, who[id], case, real=real)  # noqa: B023 - called before the next turn

        ask()
    assert not answers.broken
    assert answers.asked >= len(who)
    # Were nobody let through, nothing would have been tried.
    assert len(answers.reached) > 0.9 * len(who)
