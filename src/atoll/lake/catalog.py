"""Opening the Iceberg catalog: a SQL database that says which metadata file is each table's newest."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError, ProgrammingError

from atoll.errors import Unavailable
from atoll.lake.durable import DurableFileIO
from atoll.lake.known import KnowingCatalog

#: How long a writer waits for another writer of a SQLite catalog.
BUSY_TIMEOUT_SECONDS = 30.0

CATALOG_NAME = "atoll"


def open_catalog(catalog_url: str, warehouse: Path) -> SqlCatalog:
    """The catalog at a SQLAlchemy URL, made if it is absent.

    SQLite gets a file of mode 0600, write-ahead logging (readers do not wait for
    a writer) and a busy timeout; other databases are taken as they are.
    Raises `Unavailable` when the database cannot be reached.
    """
    url = make_url(catalog_url)
    if url.get_backend_name() == "sqlite":
        url = _prepared_sqlite(url)
    address = url.render_as_string(hide_password=False)
    for attempt in (1, 2, 3):
        try:
            return KnowingCatalog(
                CATALOG_NAME,
                **{
                    "uri": address,
                    "warehouse": str(warehouse),
                    "pool_pre_ping": "true",
                    "py-io-impl": f"{DurableFileIO.__module__}.{DurableFileIO.__name__}",
                },
            )
        except (OperationalError, ProgrammingError):
            # Two processes may make the catalog's tables at once: the loser finds them there next time.
            if attempt == 3:
                break
            time.sleep(0.2 * attempt)
    # The database's own message is left out: it may hold the address with its password.
    raise Unavailable(
        "The lake's catalog cannot be opened.",
        where=url.render_as_string(hide_password=True),
        todo="Check that its database runs and that the URL, user and rights are right.",
    ) from None


def _prepared_sqlite(url: URL) -> URL:
    if not url.database or url.database == ":memory:":
        return url
    file = Path(url.database).absolute()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Made here, so that its mode is right from the first byte; WAL files inherit it.
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(file, timeout=BUSY_TIMEOUT_SECONDS)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error:
        raise Unavailable("The lake's catalog is not a SQLite database, or is locked.", where=file.name) from None
    finally:
        connection.close()
    return url.set(database=str(file)).update_query_dict({"timeout": str(BUSY_TIMEOUT_SECONDS)})
