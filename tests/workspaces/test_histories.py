"""Thousands of random histories: whatever happens, it converges, and nothing is left behind.

A history is one workspace's; worlds hold several, so that the trouble of one meets the
others. A failing seed plays the same world again.
"""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from tests.workspaces.world import RATES

from atoll.model.workspace import Desired
from atoll.providers.records import open_record_store
from atoll.providers.simulator import SeededFaults

WISHES = (Desired.RUNNING, Desired.HIBERNATED, Desired.STOPPED)
PRODUCTS = ("jupyter", "jupyter", "sleepy", "batch")


def play(world, seed, *, workspaces, turns, warm=False):
    """Chaos: people wish, hosts restart, answers are lost, the process dies."""
    chance = random.Random(seed)
    world.store.reseed(seed, 0.01)

    def somebody():
        if world.ids and chance.random() < 0.5:
            world.wish(
                chance.choice(world.ids), Desired.TERMINATED if chance.random() < 0.08 else chance.choice(WISHES)
            )

    def meanwhile():
        if chance.random() < 0.03:
            somebody()
        if chance.random() < 0.003:
            world.backend.restart_host()

    world.meanwhile = meanwhile
    duties = (world.converge, world.converge, world.work, world.work, world.poll, world.sweep)
    if warm:
        duties += (world.keep_warm, world.keep_warm)
    for turn in range(turns):
        if (turn % 5 == 4 if warm else turn < workspaces) and len(world.ids) < workspaces:
            world.launch(chance.choice(PRODUCTS))
        somebody()
        if chance.random() < 0.02:
            world.backend.restart_host()
        chance.choice(duties)()
        world.clock.forward(chance.random() ** 2 * 10)
        world.check_always()
    world.meanwhile = lambda: None


def end(world, seed):
    """Calm; then everything is wanted gone, in half of the worlds out of the middle of the chaos."""
    world.calm()
    if seed % 2:
        world.rounds_until(world.quiet)
        world.check_agreement()
    for id in world.ids:
        world.wish(id, Desired.TERMINATED)
    world.no_more_pools()
    world.rounds_until(lambda: world.quiet() and not world.backend.machines)
    world.check_always()
    world.check_all_gone()


def new_faults(seed):
    return SeededFaults(seed, RATES, longest_seconds=random.Random(seed).choice((2.0, 20.0, 100.0)))


@pytest.mark.parametrize("block", range(10))
def test_thousands_of_histories(new_world, block):
    for seed in range(block * 40, block * 40 + 40):
        capacity = None if seed % 3 else 4
        world = new_world(faults=new_faults(seed), capacity=capacity)
        try:
            play(world, seed, workspaces=7, turns=40)
            end(world, seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@pytest.mark.parametrize("block", range(4))
def test_histories_with_machines_kept_ready(new_world, block):
    """Pools are filled, launched from, and emptied in the same chaos: nothing leaks, no machine is had by two."""
    quick = 0
    for seed in range(block * 25, block * 25 + 25):
        world = new_world(faults=new_faults(seed), warm=1 + seed % 3, boot_seconds=1.0 + seed % 5)
        try:
            play(world, seed, workspaces=7, turns=45, warm=True)
            end(world, seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        quick += world.quick
    assert quick > 5


@pytest.mark.parametrize("seed", range(3))
def test_the_same_on_sqlite(new_world, tmp_path, seed):
    store = open_record_store(f"sqlite:///{tmp_path / 'records.db'}")
    world = new_world(store, faults=new_faults(seed))
    play(world, seed, workspaces=4, turns=30)
    end(world, seed)
    store.close()


def test_the_faults_do_happen(new_world):
    """A guard of the tests above: their worlds are as bad as they claim."""
    world = new_world(faults=new_faults(1))
    play(world, 1, workspaces=7, turns=40)
    assert world.deaths > 0
    assert world.clock.now() - world.get(world.ids[0]).created_at > timedelta(minutes=1)
