"""Random histories of a crowd on a small host: whoever waits starts in turn, nobody is forgotten, nothing overflows."""

from __future__ import annotations

import dataclasses
import random
from decimal import Decimal

import pytest
from tests.workspaces.test_histories import end, new_faults
from tests.workspaces.world import with_parts

from atoll.flows import open_workspace
from atoll.flows.open_workspace import Launch
from atoll.flows.queue_workspaces import admit_queued, places
from atoll.model.person import Caller, Person, Project, Role, SubjectKind
from atoll.model.workspace import Desired, Resource

PLACES = 3
ADA = Caller(subject_kind=SubjectKind.PERSON, subject_id="per_1", name="ada", roles=frozenset({Role.SCIENTIST}))


def crowded(new_world, seed):
    world = new_world(faults=new_faults(seed))
    room = {"host_vcpu": 2.0 * PLACES, "host_memory_bytes": 2**50, "person_vcpu": 1e6, "project_vcpu": 1e6}
    room |= {"person_memory_bytes": 2**50, "project_memory_bytes": 2**50}
    world.rooms = dataclasses.replace(world.rooms, settings=world.rooms.settings.model_copy(update=room))
    world.new_process()
    now = world.clock.now()
    person = Person(id="per_1", login="ada", display_name="Ada", roles={Role.SCIENTIST}, created_at=now)
    world.store._store.put(person)
    world.store._store.put(Project(id="prj_1", name="heart", title="Heart", members={"per_1"}, created_at=now))
    return world


def queue(world):
    """As a person does it, whose process does not die."""
    outside = with_parts(world.rooms, records=world.store._store)
    line = places(outside)
    _, made = open_workspace.create(outside, ADA, Launch("jupyter", "heart", queue=True), Decimal("0.0875"))
    # Whoever starts at once has room beside all that came before.
    assert made.queued or all(place.starts for place in line)
    world.ids.append(made.id)
    world.wishes[made.id] = Desired.RUNNING


def admit(world):
    waiting = [id for id in world.ids if world.get(id).queued]
    world.do(lambda: admit_queued(world.rooms))
    # Everybody needs the same, so those who start are the first ones.
    still = [world.get(id).queued for id in waiting]
    assert still == sorted(still)


def check_crowd(world):
    world.check_always()
    standing = [world.get(id) for id in world.ids]
    running = [w for w in standing if w.desired is Desired.RUNNING and not w.queued and w.terminated_at is None]
    assert len(running) <= PLACES
    made = {row.workspace for row in world.store.find(Resource, limit=1000).records}
    for waits in (w for w in standing if w.queued):
        assert waits.operation_id is None
        assert waits.id not in made
        # Nothing was ever seen of it, so there is nothing to charge.
        assert not world.store.read(f"workspace/{waits.id}")


def play(world, seed):
    chance = random.Random(seed)
    world.store.reseed(seed, 0.01)

    def somebody():
        if world.ids and chance.random() < 0.4:
            world.wish(
                chance.choice(world.ids), chance.choice((Desired.TERMINATED, Desired.STOPPED, Desired.HIBERNATED))
            )

    world.meanwhile = lambda: chance.random() < 0.02 and somebody()
    duties = (world.converge, world.converge, world.work, world.work, world.poll, world.sweep, lambda: admit(world))
    for turn in range(40):
        if turn % 3 == 0:
            queue(world)
        somebody()
        if chance.random() < 0.02:
            world.backend.restart_host()
        chance.choice(duties)()
        world.clock.forward(0.1 + chance.random() ** 2 * 10)
        check_crowd(world)
    world.meanwhile = lambda: None


def empty(world):
    """Those that have a place give it up, until nobody waits any more."""
    world.calm()
    for _ in range(60):
        waiting = [id for id in world.ids if world.get(id).queued]
        if not waiting:
            return
        for id in world.ids:
            if id not in waiting:
                world.wish(id, Desired.TERMINATED)
        for _ in range(20):
            world.round()
            admit(world)
            check_crowd(world)
    raise AssertionError(f"somebody waits for ever: {world.story()}")


@pytest.mark.parametrize("block", range(4))
def test_crowds(new_world, block):
    waited = 0
    for seed in range(block * 15, block * 15 + 15):
        world = crowded(new_world, seed)
        try:
            play(world, seed)
            waited += sum(world.get(id).queued for id in world.ids)
            if seed % 2:
                empty(world)
            end(world, seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    assert waited > 5
