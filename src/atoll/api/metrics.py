"""Figures for Prometheus, in a registry of the app's own. No ids in labels."""

from __future__ import annotations

import logging
import threading
from collections import Counter as Tally
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from atoll.errors import AtollError
from atoll.flows.rooms import Rooms
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.operation import OperationState
from atoll.ports.records import every

_log = logging.getLogger("atoll.api.metrics")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def known_method(method: str) -> str:
    """The method, or `other` for a word that somebody made up: labels and logs take no words of callers."""
    return method if method in _METHODS else "other"


class Metrics:
    """What the app counts itself, and what it reads from the records when asked."""

    def __init__(self, rooms: Rooms) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "atoll_http_requests", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "atoll_http_request_seconds",
            "Time from the request to the end of its answer, in seconds.",
            ("method", "route"),
            registry=self._registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120),
        )
        self._queries = Counter(
            "atoll_queries", "Queries asked of this process, by how they ended.", ("outcome",), registry=self._registry
        )
        self._result_bytes = Counter(
            "atoll_query_result_bytes", "Bytes of results sent by this process.", registry=self._registry
        )
        self._received_bytes = Counter(
            "atoll_delivery_received_bytes", "Bytes of files received by this process.", registry=self._registry
        )
        self._registry.register(OnRecord(rooms))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def query(self, outcome: str) -> None:
        """A query ended: `done`, `broken`, `hung_up`, or the code of the error that refused it."""
        self._queries.labels(outcome).inc()

    def sent(self, size_bytes: int) -> None:
        """Bytes of a result left."""
        self._result_bytes.inc(size_bytes)

    def received(self, size_bytes: int) -> None:
        """Bytes of a delivered file came in."""
        self._received_bytes.inc(size_bytes)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)


class OnRecord(Collector):
    """Figures that hold across processes and restarts, read from the records when asked.

    Versions are written once and numbered, so only those not seen before are read.
    """

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._lock = threading.Lock()
        self._seen: dict[str, int] = {}
        self._rows = 0
        self._bytes = 0

    def describe(self) -> list[Metric]:
        """Nothing ahead: registering asks no store."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Operations by state, rows and bytes in the lake; none of them while the store is away."""
        try:
            with self._lock:
                self._count_versions()
            open_operations = self._open_operations()
        except AtollError as error:
            _log.warning("Figures on record cannot be read: %s.", error.code)
            return
        operations = GaugeMetricFamily("atoll_operations", "Operations not ended, by state.", labels=["state"])
        for state in (OperationState.QUEUED, OperationState.RUNNING, OperationState.RETRYING):
            operations.add_metric([state.value], open_operations[state])
        yield operations
        yield CounterMetricFamily("atoll_rows_admitted", "Rows committed to the lake.", value=self._rows)
        yield CounterMetricFamily("atoll_bytes_committed", "Bytes committed to the lake.", value=self._bytes)

    def _open_operations(self) -> Tally[OperationState]:
        return Tally(operation.state for operation in self._rooms.operations.open())

    def _count_versions(self) -> None:
        for dataset in every(self._rooms.records, Dataset):
            for number in range(self._seen.get(dataset.id, 0) + 1, dataset.latest + 1):
                version = self._rooms.records.get(DatasetVersion, f"{dataset.id}@{number}")
                self._rows += version.rows_added
                self._bytes += version.bytes_added
                self._seen[dataset.id] = number
