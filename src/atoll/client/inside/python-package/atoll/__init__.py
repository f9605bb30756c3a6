"""Atoll from inside a machine: governed SQL on the data that the project was granted.

    import atoll

    table = atoll.sql("select count(*) from ward.patients")          # pyarrow.Table
    frame = atoll.sql("select * from ward.patients", to="polars")    # or "pandas"
    for mounted in atoll.datasets():
        print(mounted["dataset"], mounted["version"], mounted["tables"])
    pl.read_parquet(atoll.files("ward", "patients"))

No password is asked: the machine speaks for its owner in its project, and every query is
on record and has a price.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, overload

if TYPE_CHECKING:
    from http.client import HTTPResponse

    import pandas
    import polars
    import pyarrow

__all__ = ["AtollError", "datasets", "files", "sql"]

_GATEWAY = "http://127.0.0.1:3141"
_DATA = "/data"
#: A query may work long before its first row.
_WAIT_SECONDS = 3600.0


class AtollError(Exception):
    """The platform refuses, or cannot answer.

    Attributes:
        code: a stable word, e.g. `statement_refused`.
    """

    def __init__(self, message: str, code: str = "error") -> None:
        super().__init__(message)
        self.code = code


@overload
def sql(text: str, to: Literal["arrow"] = "arrow") -> pyarrow.Table: ...


@overload
def sql(text: str, to: Literal["polars"]) -> polars.DataFrame: ...


@overload
def sql(text: str, to: Literal["pandas"]) -> pandas.DataFrame: ...


def sql(
    text: str, to: Literal["arrow", "polars", "pandas"] = "arrow"
) -> pyarrow.Table | polars.DataFrame | pandas.DataFrame:
    """Run a SELECT over granted tables, named `dataset.table`; the whole result.

    A `pyarrow.Table`, or with `to` a Polars or pandas data frame. Raises `AtollError`, also
    when the answer breaks off: half a result never looks whole.
    """
    if to not in ("arrow", "polars", "pandas"):
        raise ValueError('to is "arrow", "polars" or "pandas"')
    table = _arrow(text)
    if to == "arrow":
        return table
    if to == "pandas":
        return table.to_pandas()
    import polars

    return polars.DataFrame(table)


def datasets() -> list[dict[str, Any]]:
    """The datasets mounted in this machine: name, version, tables with columns and files."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_data().glob("*/manifest.json"))]


def files(dataset: str, table: str) -> list[str]:
    """Parquet files of a mounted table, for any reader. Raises `AtollError` when it is not mounted."""
    found = sorted(str(path) for path in (_data() / dataset / table).glob("*.parquet"))
    if not found:
        raise AtollError(f"{dataset}.{table} is not mounted here; atoll.datasets() tells what is.", "not_found")
    return found


def _arrow(text: str) -> pyarrow.Table:
    import pyarrow

    body = {"sql": text, "format": "arrow"}
    if project := os.environ.get("ATOLL_PROJECT"):
        body["project"] = project
    try:
        with _post("/api/v1/queries", body) as answer, pyarrow.ipc.open_stream(answer) as reader:
            table = reader.read_all()
            # The stream has an end of its own; behind it the connection must end, too.
            answer.read()
            return table
    except urllib.error.HTTPError as error:
        raise _refused(error) from None
    except urllib.error.URLError as error:
        raise AtollError(f"The platform cannot be reached ({error.reason}).", "unavailable") from None
    except (HTTPException, OSError, pyarrow.ArrowException):
        raise AtollError("The answer broke off. Ask again, for less if it was large.", "unavailable") from None


def _post(path: str, body: dict[str, str]) -> HTTPResponse:
    address = os.environ.get("ATOLL_GATEWAY") or os.environ.get("ATOLL_URL") or _GATEWAY
    request = urllib.request.Request(  # noqa: S310 - the gateway's address
        address.rstrip("/") + path,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
        method="POST",
    )
    # Whatever proxy is set, the gateway is reached directly.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return cast("HTTPResponse", opener.open(request, timeout=_WAIT_SECONDS))


def _refused(error: urllib.error.HTTPError) -> AtollError:
    try:
        told = json.loads(error.read(2**20))
        parts = (told.get("message"), told.get("where") and f"({told['where']})", told.get("todo"))
        message, code = " ".join(str(part) for part in parts if part), str(told.get("code", "error"))
    except (ValueError, AttributeError, OSError, HTTPException):
        message, code = "", "error"
    return AtollError(message or f"The platform refuses (HTTP {error.code}).", code)


def _data() -> Path:
    return Path(os.environ.get("ATOLL_DATA", _DATA))
