"""Governed SQL: the guard, policy views and query processes. The only room that knows DuckDB."""

from atoll.query.cancellation import Cancellation
from atoll.query.engine import QueryEngine, QueryRun
from atoll.query.guard import may_name

__all__ = ["Cancellation", "QueryEngine", "QueryRun", "may_name"]
