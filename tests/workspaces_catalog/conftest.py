"""A platform with a simulated backend, a project and its people."""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime, timedelta

import pytest

from atoll.flows import manage_products
from atoll.model.operation import Operation
from atoll.model.person import Caller, Person, Project, Role, SubjectKind
from atoll.model.workspace import MachineState, Observed, Workspace
from atoll.providers.simulator import SimulatedBackend
from atoll.settings import Settings
from atoll.wiring import platform
from atoll.workspaces.catalog import Catalog

PRODUCT = """\
name: small
title: A small machine
environment: jupyter
service: jupyter
sizes: [t3.small, t3.nano, m5.large]
needs: [mount, hibernate]
fallback: {hibernate: stop}
parameters:
  type: object
  additionalProperties: false
  properties:
    theme: {title: Theme, type: string, enum: [light, dark], default: light}
    lines: {title: Lines, type: integer, minimum: 1}
"""


class MovingClock:
    def __init__(self):
        self.ahead = timedelta()

    def now(self):
        return datetime.now(UTC) + self.ahead


class House:
    def __init__(self, rooms):
        self.rooms = rooms
        self.records = rooms.records
        self.admin = self.person("root", Role.ADMIN)
        self.ada = self.person("ada", Role.SCIENTIST)
        self.bob = self.person("bob", Role.SCIENTIST)
        self.eve = self.person("eve", Role.SCIENTIST)
        self.ann = self.person("ann", Role.AUDITOR)
        self.project("heart", self.ada, self.bob)
        self.project("lung", self.eve)
        manage_products.publish_product(rooms, self.admin, PRODUCT)

    def person(self, login, *roles):
        person = Person(
            id=f"per_{login}",
            login=login,
            display_name=login,
            roles=frozenset(roles),
            created_at=self.rooms.clock.now(),
        )
        self.records.put(person)
        return Caller(subject_kind=SubjectKind.PERSON, subject_id=person.id, name=login, roles=person.roles)

    def project(self, name, *members):
        self.records.put(
            Project(
                id=f"prj_{name}",
                name=name,
                title=name,
                members=frozenset(m.subject_id for m in members),
                created_at=self.rooms.clock.now(),
            )
        )

    def but(self, **changes):
        """The same house with other rooms."""
        self.rooms = dataclasses.replace(self.rooms, **changes)
        return self

    def settings(self, **changes):
        return self.but(settings=self.rooms.settings.model_copy(update=changes))

    def seen(self, workspace, state, **more):
        """As if the machine was seen so, and what is wanted had been met."""
        now = self.records.get(Workspace, workspace.id)
        observed = Observed(state=MachineState(state), at=self.rooms.clock.now(), **more)
        return self.records.put(now.but(observed=observed, observed_generation=now.generation))

    def audited(self, action):
        return [entry.event for entry in self.rooms.audit.tail(1000) if entry.event.action == action]

    def operations(self):
        return self.records.find(Operation).records


@pytest.fixture
def house(tmp_path):
    umask = os.umask(0o077)
    os.umask(umask)
    # Quotas are tested by their own settings; this host's capacity must not matter elsewhere.
    settings = Settings(home=tmp_path / "home", host_vcpu=1000, host_memory_bytes=2**50, query_workers=0)
    rooms = platform.build(settings)
    os.umask(umask)
    clock = MovingClock()
    backends = {"simulator": SimulatedBackend(clock)}
    yield House(dataclasses.replace(rooms, clock=clock, backends=backends, catalog=Catalog(rooms.records, clock)))
    platform.close(rooms)
