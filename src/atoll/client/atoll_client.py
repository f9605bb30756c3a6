"""The client: every operation of the API, by noun."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self, overload

import httpx

from atoll.client.accounts import Accounts, People, Projects, Tokens
from atoll.client.airlock import Airlock
from atoll.client.budgets import Budgets
from atoll.client.connection import Connection, Json
from atoll.client.contracts import Contracts
from atoll.client.datasets import Datasets, Grants
from atoll.client.deliveries import Deliveries
from atoll.client.erasures import Erasures
from atoll.client.hours import WorkspaceHours
from atoll.client.keys import Keys
from atoll.client.ledger import Ledger
from atoll.client.openings import Openings
from atoll.client.operations import Operations, Platform
from atoll.client.products import Products
from atoll.client.progress import OnProgress, ignore
from atoll.client.proofs import Proofs
from atoll.client.queries import Queries
from atoll.client.queued import QueuedQueries
from atoll.client.repositories import Repositories
from atoll.client.sending import Sender
from atoll.client.sources import Sources
from atoll.client.visits import Visits
from atoll.client.workspaces import Workspaces

if TYPE_CHECKING:
    import pyarrow as pa


class AtollClient:
    """Speaks to one Atoll as one caller.

    Everything raises the errors of `atoll.errors`, as the server tells them; see
    `Connection` for those of the network. Things come as dictionaries in the API's own
    words, or as `atoll.model` values where the API tells these whole.

        with AtollClient("http://127.0.0.1:8470", token) as atoll:
            atoll.deliver("lab", "synthea", [Path("patients.csv")])
            table = atoll.sql("trial", "select count(*) from synthea.person")

    Not safe to share between threads.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = Connection(url, token, transport=transport, sleep=sleep)
        self.url = self._connection.url
        self.accounts = Accounts(self._connection)
        self.people = People(self._connection)
        self.tokens = Tokens(self._connection)
        self.projects = Projects(self._connection)
        self.repositories = Repositories(self._connection)
        self.sources = Sources(self._connection)
        self.contracts = Contracts(self._connection)
        self.keys = Keys(self._connection)
        self.openings = Openings(self._connection)
        self.deliveries = Deliveries(self._connection)
        self.datasets = Datasets(self._connection)
        self.erasures = Erasures(self._connection)
        self.grants = Grants(self._connection)
        self.queries = Queries(self._connection)
        self.queued = QueuedQueries(self._connection, sleep)
        self.products = Products(self._connection)
        self.workspaces = Workspaces(self._connection, sleep)
        self.proofs = Proofs(self._connection, sleep)
        self.visits = Visits(self._connection)
        self.hours = WorkspaceHours(self._connection)
        self.airlock = Airlock(self._connection, sleep)
        self.ledger = Ledger(self._connection)
        self.budgets = Budgets(self._connection)
        self.operations = Operations(self._connection)
        self.platform = Platform(self._connection)
        self._sender = Sender(self.deliveries, sleep)

    def deliver(self, source: str, dataset: str, paths: Sequence[Path], on_progress: OnProgress = ignore) -> Json:
        """Hash files, announce them, upload what is not there yet, submit; gives the delivery.

        Broken off and called again, it goes on with the files that are missing.
        Directories give the files below them. Raises `InvalidInput` (a path, or the
        manifest), `DeliveryRefused`, `NotPermitted`, `LimitExceeded`, `Unavailable`.
        """
        return self._sender.deliver(source, dataset, paths, on_progress)

    def wait_for_delivery(
        self,
        delivery_id: str,
        on_progress: OnProgress = ignore,
        *,
        patience_seconds: float = 60,
        timeout_seconds: float | None = None,
    ) -> Json:
        """Wait until a delivery is committed, rejected or failed; gives it as it stands then.

        A restart of the server is waited out for `patience_seconds`. Raises `Unavailable`
        after that, or after `timeout_seconds`.
        """
        return self._sender.wait(
            delivery_id, on_progress, patience_seconds=patience_seconds, timeout_seconds=timeout_seconds
        )

    @overload
    def sql(self, project: str, text: str) -> pa.Table: ...

    @overload
    def sql(self, project: str, text: str, format: str, out: BinaryIO) -> str: ...

    def sql(self, project: str, text: str, format: str = "arrow", out: BinaryIO | None = None) -> pa.Table | str:
        """Ask SQL under a project's grants.

        Without `out` the whole result as an Arrow table; with it the result is written
        there as it comes (`json`, `csv`, `arrow`, `parquet`) and the query's id is given.
        Raises `StatementRefused`, `NotPermitted`, `LimitExceeded`.
        """
        if out is None:
            return self.queries.arrow(project, text)
        return self.queries.save(project, text, format, out)

    def close(self) -> None:
        """Release the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
