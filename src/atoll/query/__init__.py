"""Governed SQL: the guard, policy views and query processes. The only room that knows DuckDB."""

from atoll.query.engine import QueryEngine, QueryRun
from atoll.query.guard import may_name
from atoll.query.spelling import RESERVED_DATASETS

__all__ = ["RESERVED_DATASETS", "QueryEngine", "QueryRun", "may_name"]
