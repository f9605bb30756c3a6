"""Python client of Atoll's HTTP API."""

from atoll.client.asking import sql
from atoll.client.atoll_client import AtollClient
from atoll.client.progress import Progress, Stage

__all__ = ["AtollClient", "Progress", "Stage", "sql"]
