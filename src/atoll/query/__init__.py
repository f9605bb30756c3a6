"""Governed SQL: the guard, policy views and query processes. The only room that knows DuckDB."""

from atoll.query.cancellation import Cancellation
from atoll.query.engine import QueryEngine, QueryRun
from atoll.query.guard import may_name
from atoll.query.results import KeptResults, ResultFile, ResultWriter
from atoll.query.travel import may_travel

__all__ = [
    "Cancellation",
    "KeptResults",
    "QueryEngine",
    "QueryRun",
    "ResultFile",
    "ResultWriter",
    "may_name",
    "may_travel",
]
