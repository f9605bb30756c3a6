"""`atoll.sql(...)` outside a machine: the same words as inside, with a token instead of the machine's identity."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, overload

from atoll.client.atoll_client import AtollClient
from atoll.errors import InvalidInput

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow as pa

_URL = "http://127.0.0.1:8470"


@overload
def sql(text: str, to: Literal["arrow"] = "arrow", *, project: str | None = None) -> pa.Table: ...


@overload
def sql(text: str, to: Literal["polars"], *, project: str | None = None) -> polars.DataFrame: ...


@overload
def sql(text: str, to: Literal["pandas"], *, project: str | None = None) -> pandas.DataFrame: ...


def sql(
    text: str, to: Literal["arrow", "polars", "pandas"] = "arrow", *, project: str | None = None
) -> pa.Table | polars.DataFrame | pandas.DataFrame:
    """Run a SELECT over granted tables, named `dataset.table`; the whole result.

    ATOLL_URL says where Atoll listens, ATOLL_TOKEN who is asking, and ATOLL_PROJECT under
    which project unless `project` does. Raises `StatementRefused`, `LimitExceeded`,
    `NotAuthenticated`, `NotFound`, `Unavailable`; half a result never looks whole.
    """
    if to not in ("arrow", "polars", "pandas"):
        raise ValueError('to is "arrow", "polars" or "pandas"')
    project = project or os.environ.get("ATOLL_PROJECT")
    if not project:
        raise InvalidInput("No project is given.", where="ATOLL_PROJECT", todo='Write atoll.sql(..., project="...").')
    with AtollClient(os.environ.get("ATOLL_URL", _URL), os.environ.get("ATOLL_TOKEN")) as client:
        table = client.sql(project, text)
    if to == "arrow":
        return table
    if to == "pandas":
        return table.to_pandas()
    import polars

    return polars.DataFrame(table)
