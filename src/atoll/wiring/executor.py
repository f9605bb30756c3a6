"""Where admissions are carried out, from the settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from atoll.errors import InvalidInput
from atoll.ports.executor import Executor
from atoll.settings import Settings


def build(settings: Settings) -> Executor | None:
    """The cluster that `executor` names; None for this process.

    Raises `InvalidInput`: no such address, a part of TLS is missing, or keys would go in the open.
    """
    if not settings.executor:
        return None
    try:
        address = urlsplit(settings.executor)
        host, port = address.hostname, address.port
    except ValueError:
        host = port = None
    if host is None or port is None or address.scheme != "dask":
        raise _refused("The executor is no `dask://HOST:PORT`.", "Give the address of a Dask scheduler.")
    try:
        from atoll.providers.dask_executor import Certificates, DaskExecutor
    except ModuleNotFoundError:
        raise _refused("Dask is not installed.", "Install atoll[dask] here and on the workers.") from None
    files = (settings.executor_tls_ca, settings.executor_tls_cert, settings.executor_tls_key)
    given = [file for file in files if file is not None]
    if given and len(given) < len(files):
        raise _refused("Only a part of the executor's TLS is set.", "Set ATOLL_EXECUTOR_TLS_CA, _CERT and _KEY.")
    return DaskExecutor(host, port, Certificates(*given) if given else None)


def _refused(what: str, todo: str) -> InvalidInput:
    return InvalidInput(what, where="ATOLL_EXECUTOR", todo=todo)
