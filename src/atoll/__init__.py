"""Atoll: data science as a service on clinical data.

    import atoll

    frame = atoll.sql("select count(*) from ward.patients", to="polars", project="heart")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atoll.client.asking import sql as sql

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """`sql` is found when it is asked for: who wants the version alone loads no client."""
    if name == "sql":
        from atoll.client.asking import sql

        return sql
    raise AttributeError(f"module 'atoll' has no attribute {name!r}")
