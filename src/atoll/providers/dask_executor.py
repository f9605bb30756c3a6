"""Shares of admissions on a Dask cluster (https://distributed.dask.org).

What travels holds keys. So the connection is TLS with certificates on both sides, or the
scheduler listens on this host alone: then no worker of another host can have joined it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from distributed import Client, Future, Security, wait
from distributed.comm.addressing import get_address_host

from atoll.errors import InvalidInput, Unavailable

Share = TypeVar("Share")
Done = TypeVar("Done")

_CONNECT_SECONDS = 10.0
_LOOK_SECONDS = 0.5
#: So long without any worker, and the admission fails for now.
_NO_WORKER_SECONDS = 30.0


@dataclass(frozen=True)
class Certificates:
    """Files (PEM): the authority that both sides trust, and this side's certificate and key."""

    authority: Path
    certificate: Path
    key: Path


class DaskExecutor:
    """Runs shares on the workers of a scheduler. They need the same release of Atoll, and see the same files."""

    def __init__(self, host: str, port: int, certificates: Certificates | None) -> None:
        """`certificates` None: plain, for a scheduler of this host only.

        Raises `InvalidInput` for a plain connection to another host.
        """
        if certificates is None and not _is_this_host(host):
            raise InvalidInput(
                "Keys would cross the network readable: the scheduler is on another host, and TLS is not set up.",
                where=f"dask://{host}:{port}",
                todo="Set ATOLL_EXECUTOR_TLS_CA, ATOLL_EXECUTOR_TLS_CERT and ATOLL_EXECUTOR_TLS_KEY.",
            )
        scheme = "tcp" if certificates is None else "tls"
        self._address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        self._certificates = certificates

    def run(
        self, work: Callable[[Share], Done], shares: Sequence[Share], on_progress: Callable[[float], None]
    ) -> list[Done]:
        """See `Executor.run`."""
        if not shares:
            return []
        with self._connected() as client, client.as_current():
            self._check_is_private(client)
            run = uuid.uuid4().hex
            futures = [
                client.submit(work, share, key=f"atoll-share-{run}-{n}", pure=False) for n, share in enumerate(shares)
            ]
            try:
                return self._gathered(client, futures, on_progress)
            except (OSError, asyncio.CancelledError) as lost:
                raise self._lost("The scheduler was lost.") from lost
            finally:
                client.cancel([future for future in futures if not future.done()])

    def _connected(self) -> Client:
        try:
            return Client(self._address, security=self._security(), timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as problem:
            raise self._lost("The scheduler does not answer.") from problem

    def _security(self) -> Security | None:
        if self._certificates is None:
            return None
        return Security(
            tls_ca_file=str(self._certificates.authority),
            tls_client_cert=str(self._certificates.certificate),
            tls_client_key=str(self._certificates.key),
            require_encryption=True,
        )

    def _check_is_private(self, client: Client) -> None:
        if self._certificates is not None:
            return
        info = client.scheduler_info(n_workers=-1)
        for address in (str(info["address"]), *map(str, info["workers"])):
            if not _is_this_host(get_address_host(address)):
                raise Unavailable(
                    "The scheduler listens beyond this host without TLS, so keys would cross the network readable.",
                    where=self._address,
                    todo="Start it with --host 127.0.0.1, or with TLS; then replay or wait for the next try.",
                )

    def _gathered(
        self, client: Client, futures: Sequence[Future[Any]], on_progress: Callable[[float], None]
    ) -> list[Any]:
        """What each gave, taken as soon as it is there: with a worker its results are lost, too, and made anew."""
        seen_worker = time.monotonic()
        results: dict[int, Any] = {}
        while len(results) < len(futures):
            waiting = [future for number, future in enumerate(futures) if number not in results]
            with suppress(TimeoutError):
                wait(waiting, timeout=_LOOK_SECONDS, return_when="FIRST_COMPLETED")
            for number, future in enumerate(futures):
                if number not in results and future.status == "finished":
                    with suppress(TimeoutError):
                        results[number] = future.result(timeout=_LOOK_SECONDS)
            if any(future.status in ("error", "cancelled") for future in waiting):
                raise self._lost("Workers were lost again and again while they worked on the same share.")
            on_progress(len(results) / len(futures))
            if client.scheduler_info(n_workers=1)["workers"]:
                seen_worker = time.monotonic()
            elif time.monotonic() - seen_worker > _NO_WORKER_SECONDS:
                raise self._lost("The scheduler has no worker.")
        return [results[number] for number in range(len(futures))]

    def _lost(self, what: str) -> Unavailable:
        todo = "See that the scheduler and its workers run; the admission is tried again."
        return Unavailable(what, where=self._address, todo=todo)


def _is_this_host(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
