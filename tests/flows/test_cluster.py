"""Admission on a Dask cluster: a worker is killed, the delivery lands once; keys never travel in the open."""

from __future__ import annotations

import os
import signal
import threading
import time

import polars as pl
import pytest
from distributed import Client, LocalCluster
from tests.flows.trial import CONTRACT, LAB, VISITS, add_lab, admit, hand_over, put_in_force
from tests.services.certificates import Authority
from tests.services.dask import Cluster

from atoll.errors import InvalidInput, Unavailable
from atoll.flows import read_lake, receive_delivery
from atoll.model.delivery import DeliveryState
from atoll.model.person import PLATFORM
from atoll.providers import dask_executor
from atoll.providers.dask_executor import DaskExecutor
from atoll.settings import Settings
from atoll.wiring import executor, platform

PEOPLE = 24_000


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two workers that talk by TLS only."""
    place = tmp_path_factory.mktemp("cluster")
    authority = Authority(place)
    certificate, key = authority.issue("node", "127.0.0.1")
    options = ["--protocol", "tls", "--tls-ca-file", str(authority.ca_file)]
    made = Cluster(place, [*options, "--tls-cert", str(certificate), "--tls-key", str(key)])
    try:
        made.start(workers=2)
        yield (
            made,
            Settings(
                executor=f"dask://{made.address}",
                executor_share_bytes=2**16,
                executor_tls_ca=authority.ca_file,
                executor_tls_cert=certificate,
                executor_tls_key=key,
            ),
        )
    finally:
        made.stop()


def test_a_worker_is_killed_midway_and_the_delivery_lands_once(cluster, tmp_path):
    running, settings = cluster
    rooms = platform.build(settings.model_copy(update={"home": tmp_path / "home"}))
    put_in_force(rooms, CONTRACT)
    add_lab(rooms)
    lines = [f"S-{n},Name {n},{n % 90},2020-02-{1 + n % 28:02d}" for n in range(PEOPLE)]
    lines[100], lines[PEOPLE - 7] = "S-x,No Age,old,2020-02-01", "S-y,No Age,older,2020-02-01"
    delivery = hand_over(
        rooms, {"subjects.csv": "\n".join(["ID,NAME,AGE,SEEN", *lines]).encode(), "visits.csv": VISITS}
    )
    admission = threading.Thread(target=admit, args=(rooms,))
    killed = running.workers[0]
    with Client(rooms.executor._address, security=rooms.executor._security(), set_as_default=False) as looking:
        looking.wait_for_workers(2, timeout=60)
        [address] = [a for a, w in looking.scheduler_info(n_workers=-1)["workers"].items() if str(w["name"]) == "0"]
        admission.start()
        deadline = time.monotonic() + 120
        # Some pieces are done, and the worker is at another.
        while not (_staged(rooms) > 2 and looking.processing([address])[address]):
            assert time.monotonic() < deadline, running.log()
            assert admission.is_alive(), "done before a worker could be killed"
            time.sleep(0.002)
        os.kill(killed.pid, signal.SIGKILL)
    admission.join(120)
    view = receive_delivery.show(rooms, LAB, delivery.id)
    outcome = view.delivery.outcome
    assert view.state is DeliveryState.COMMITTED, view
    assert (outcome.rows_in, outcome.rows_quarantined) == (PEOPLE + 3, 2)
    subjects = _rows(rooms, "subjects")
    assert subjects.height == subjects["subject_id"].n_unique() == PEOPLE - 2
    assert _rows(rooms, "visits").height == 3
    assert [row.row for row in receive_delivery.quarantined(rooms, LAB, delivery.id)] == [101, PEOPLE - 6]
    assert not [p for p in rooms.quarantine.directory.rglob("*") if "try" in p.name or "piece" in p.name]
    joined = subjects.join(_rows(rooms, "visits"), on="subject_id")
    assert joined.height == 3, "one pseudonym for a person, whichever worker made it"
    platform.close(rooms)


def _staged(rooms) -> int:
    place = rooms.settings.lake_path
    return len([p for p in place.rglob("0*-*.parquet") if not p.name.startswith(".")]) if place.exists() else 0


def _rows(rooms, table):
    version = read_lake.dataset(rooms, PLATFORM, "trial")[1]
    [state] = [t for t in version.tables if t.table == table]
    files = rooms.lake.plan("trial", table, state.snapshot_id).files
    return pl.concat([pl.read_parquet(f.path) for f in files])


def test_a_cluster_with_tls_takes_nothing_in_the_open(cluster, monkeypatch):
    running, _ = cluster
    monkeypatch.setattr(dask_executor, "_CONNECT_SECONDS", 1.0)
    host, port = running.address.split(":")

    with pytest.raises(Unavailable, match="does not answer"):
        DaskExecutor(host, int(port), None).run(abs, [-1], lambda part: None)


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"executor": "dask://cluster.example.org:8786"}, "TLS is not set up"),
        ({"executor": "dask://10.0.0.7:8786"}, "TLS is not set up"),
        ({"executor": "dask://127.0.0.1:8786", "executor_tls_ca": "ca.pem"}, "part of the executor's TLS"),
        ({"executor": "dask://127.0.0.1"}, "dask://HOST:PORT"),
        ({"executor": "ray://127.0.0.1:1"}, "dask://HOST:PORT"),
        ({"executor": "dask://127.0.0.1:port"}, "dask://HOST:PORT"),
    ],
)
def test_an_executor_that_would_not_do_is_told_at_the_start(settings, word):
    with pytest.raises(InvalidInput) as refused:
        executor.build(Settings(**settings))

    assert word in str(refused.value)


def test_shares_come_back_in_order_and_a_scheduler_open_to_others_is_refused():
    with LocalCluster(n_workers=1, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address=None) as here:
        told: list[float] = []
        port = int(here.scheduler_address.rpartition(":")[2])
        assert DaskExecutor("127.0.0.1", port, None).run(abs, range(-5, 0), told.append) == [5, 4, 3, 2, 1]
        assert told[-1] == 1
    with LocalCluster(
        n_workers=0, processes=False, protocol="tcp", host="0.0.0.0", dashboard_address=None
    ) as everywhere:
        port = int(everywhere.scheduler_address.rpartition(":")[2])
        with pytest.raises(Unavailable, match="listens beyond this host"):
            DaskExecutor("127.0.0.1", port, None).run(abs, [-1], lambda part: None)
