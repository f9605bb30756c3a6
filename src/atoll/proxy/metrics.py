"""Figures of the proxy in Prometheus' terms."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)


class ProxyMetrics:
    """Registered with `registry`; nothing in them names a person or a workspace."""

    def __init__(self, registry: CollectorRegistry) -> None:
        requests = Counter(
            "atoll_proxy_requests", "Requests passed to machines, by class of status.", ("status",), registry=registry
        )
        self._by_class = {number: requests.labels(f"{number}xx") for number in range(1, 6)}
        self.seconds = Histogram(
            "atoll_proxy_answer_seconds",
            "Time until a machine began to answer, in seconds.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self.refused = Counter(
            "atoll_proxy_refused", "Requests that reached no machine, by reason.", ("reason",), registry=registry
        )
        self.cut = Counter("atoll_proxy_cut", "Open connections ended because the right was lost.", registry=registry)
        self.websockets = Gauge("atoll_proxy_websockets", "WebSockets open.", registry=registry)
        self.entered = Counter("atoll_proxy_visits", "Visits opened with a ticket.", registry=registry)

        self.stream_bytes = Counter("atoll_proxy_stream_bytes", "Bytes of screens sent to viewers.", registry=registry)
        self.stream_refused = Counter(
            "atoll_proxy_stream_refused",
            "What streams did not let through: texts in and out, messages that may not be.",
            ("what",),
            registry=registry,
        )

    def answered(self, status: int, seconds: float) -> None:
        """A machine began to answer."""
        counter = self._by_class.get(status // 100)
        if counter is not None:
            counter.inc()
        self.seconds.observe(seconds)
