"""A real platform with people of each role and something to look at, for tests of pages and screenshots."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.e2e.process import Platform
from tests.machines.inside import ENVIRONMENTS

from atoll.model.budget import BudgetHolder, BudgetRule

EXAMPLES = Path(__file__).parents[2] / "examples"
PASSWORD = "a long enough password"
PROJECT = "heart-study"
#: Role to login. `reviewer` is a second steward.
PEOPLE = {
    "administrator": "administrator",
    "steward": "steward",
    "reviewer": "reviewer",
    "scientist": "scientist",
    "auditor": "auditor",
}
PRODUCT = """\
name: tiny
title: A server of some lines
description: Starts in a moment; for tests.
environment: tiny
service: jupyter
sizes: [t3.nano, t3.micro]
needs: [mount, hibernate]
fallback: {hibernate: stop}
home_bytes: 67108864
parameters:
  type: object
  additionalProperties: false
  properties:
    greeting: {type: string, title: Greeting, maxLength: 40}
"""
DESK = """\
name: desk
title: A desktop
description: For tests.
environment: screen
service: desktop
sizes: [t3.small]
needs: [mount, desktop]
idle: {action: stop}
home_bytes: 67108864
"""
_SECONDS = 60


@dataclass
class Stage:
    """The platform, and the names of what was put on it."""

    platform: Platform
    machine: str = ""
    delivery: str = ""
    query: str = ""
    proposal: str = ""
    #: Id of the scientist.
    person: str = ""
    #: What page tests add: name to value.
    more: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.platform.url


def build(root: Path, more: Mapping[str, str] | None = None) -> Stage:
    """Start it with more settings, if any, and set it. The caller stops `stage.platform`."""
    settings = {**(more or {}), "ATOLL_ENVIRONMENTS_DIR": str(ENVIRONMENTS), "ATOLL_MACHINE_PORTS": "0-0"}
    # As much memory for machines as a t3.medium has, so that there is no room for one beside another machine.
    settings["ATOLL_HOST_MEMORY_BYTES"] = str(4 * 2**30)
    stage = Stage(Platform(root, settings))
    stage.platform.start()
    try:
        for put in (people, data, machine, questions, airlock):
            put(stage)
    except BaseException:
        stage.platform.stop()
        raise
    return stage


def people(stage: Stage) -> None:
    """Somebody of each role, a project, a budget, a source."""
    roles = {"administrator": "admin", "reviewer": "steward"}
    with stage.platform.as_("admin") as admin:
        for login in PEOPLE.values():
            admin.people.add(login, login.title(), [roles.get(login, login)], password=PASSWORD)
            stage.platform.tokens[login] = admin.tokens.create("test", login=login)["token"]
        stage.person = admin.people.id_of("scientist")
        admin.projects.add(PROJECT, "Heart failure study")
        admin.projects.add_member(PROJECT, "scientist")
        admin.budgets.set(BudgetHolder.PROJECT, PROJECT, BudgetRule(eur_per_month="250"))
        admin.budgets.set(BudgetHolder.USER, "scientist", BudgetRule(eur_per_month="40"))
    stage.platform.source("trial-sponsor", "sdtm")


def data(stage: Stage) -> None:
    """A contract in force and one that waits, a delivery that was admitted with rows held, a grant."""
    with stage.platform.as_("steward") as steward:
        text = (EXAMPLES / "sdtm" / "contract.yaml").read_text()
        first = steward.contracts.propose(text, note="First contract")
    with stage.platform.as_("reviewer") as reviewer:
        reviewer.contracts.approve(first["id"], reason="Read")
        changed = text.replace("title: ", "title: Renewed, ", 1)
        stage.proposal = reviewer.contracts.propose(changed, note="A new title")["id"]
    files = sorted((EXAMPLES / "sdtm" / "data").glob("[ad][em].xpt"))
    with stage.platform.as_("trial-sponsor") as source:
        source.wait_for_delivery(source.deliver("trial-sponsor", "sdtm", files)["id"], timeout_seconds=_SECONDS)
        faulty = sorted((EXAMPLES / "sdtm" / "faulty").iterdir())
        stage.delivery = source.deliver("trial-sponsor", "sdtm", faulty)["id"]
        source.wait_for_delivery(stage.delivery, timeout_seconds=_SECONDS)
    with stage.platform.as_("steward") as steward:
        steward.grants.add(PROJECT, "sdtm", reason="Protocol 1")


def airlock(stage: Stage) -> None:
    """A request that waits for reviewers, who are of another project, and one that the checks returned."""
    with stage.platform.as_("admin") as admin:
        admin.projects.add("lung-study", "Lung function study")
        for login in ("steward", "reviewer"):
            admin.projects.add_member("lung-study", login)
    tables = stage.platform.root / "tables"
    tables.mkdir()
    (tables / "arms.csv").write_text("arm,n\nA,120\nB,340\n")
    (tables / "small.csv").write_text("arm,n\nA,120\nB,3\n")
    with stage.platform.as_("scientist") as scientist:
        for name, state in (("arms.csv", "review"), ("small.csv", "returned")):
            asked = scientist.airlock.request(
                PROJECT, [tables / name], purpose=f"Table 1 of the paper ({name})", destination="Journal of Cardiology"
            )
            assert scientist.airlock.wait(asked["id"])["state"] == state
            stage.more[f"airlock {state}"] = asked["id"]


def machine(stage: Stage) -> None:
    """A machine of the scientist's that runs."""
    with stage.platform.as_("admin") as admin:
        admin.products.publish(PRODUCT)
        admin.products.publish(DESK)
    with stage.platform.as_("scientist") as scientist:
        made = scientist.workspaces.create("tiny", PROJECT, confirm_eur_per_hour="0.0092", name="lab", size="t3.nano")
        stage.machine = made["id"]
        until(lambda: scientist.workspaces.show(stage.machine)["state"] == "running")


def questions(stage: Stage) -> None:
    """A query that answered and one that was refused."""
    with stage.platform.as_("scientist") as scientist:
        scientist.sql(PROJECT, "SELECT arm, count(*) AS subjects FROM sdtm.dm GROUP BY ALL ORDER BY 2 DESC")
        stage.query = next(iter(scientist.queries.list(PROJECT)))["id"]
    counted = "SELECT arm, sex, count(*) AS subjects FROM sdtm.dm GROUP BY ALL ORDER BY 1, 2"
    stage.more["kept query"] = ask(stage, counted)
    stage.more["refused query"] = ask(stage, "SELECT arm FROM sdtm.nothing_of_the_sort")


def asking(stage: Stage, who: str) -> httpx.Client:
    """The API as this person's browser asks it, with a token in place of the session."""
    headers = {"Authorization": f"Bearer {stage.platform.tokens[who]}"}
    return httpx.Client(base_url=f"{stage.url}/api/v1", headers=headers)


def ask(stage: Stage, sql: str, who: str = "scientist", project: str = PROJECT) -> str:
    """Ask as the web application does, and wait until it is over; the query's id."""
    with asking(stage, who) as http:
        id = http.post("/queries/async", json={"project": project, "sql": sql}).raise_for_status().json()["id"]
        until(lambda: http.get(f"/queries/{id}").json()["finished_at"] is not None)
    return str(id)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not holds():
        assert time.monotonic() < deadline, "the stage is not set in time"
        time.sleep(0.1)
