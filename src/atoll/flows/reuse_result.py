"""The same question of the same data under the same policy is answered by the result that is kept."""

from __future__ import annotations

import hashlib
import json
import re

from atoll.access import grants
from atoll.errors import AtollError, NotFound
from atoll.flows.governed_relations import Governed, governed_relations
from atoll.flows.rooms import Rooms
from atoll.ledger import query_event
from atoll.model.ledger import AuditEvent
from atoll.model.person import Caller
from atoll.model.query import KeptResult, QueryRecord, QueryStats
from atoll.ports.records import Put

#: Words of functions and clauses whose value is another each time. Looked for in the text, so
#: that one in a comment costs a computation, and none is missed. `age` and `ago` are names of
#: columns as well: they count where a call may follow.
_VOLATILE = re.compile(
    r"random|uuid|\bnow\b|current_|localtime|today|transaction_timestamp|sample|reservoir"
    r"|\b(?:age|ago)\b[\"\s]*(?:\(|/\*|--)"
)


def reuse_key(project: str, sql: str, governed: Governed) -> str | None:
    """SHA-256 over project, statement, versions and policy; None for a statement that may not be answered twice."""
    if _VOLATILE.search(sql.lower()) or "u&" in sql.lower():
        return None
    policy = [
        [r.dataset, r.table, r.snapshot_id, [c.name for c in r.columns], r.row_filter, governed.grants[r.dataset]]
        for r in governed.relations
    ]
    told = json.dumps([project, sql.strip().rstrip(";").strip(), sorted(policy, key=str)])
    return hashlib.sha256(told.encode()).hexdigest()


def earlier(rooms: Rooms, record: QueryRecord) -> QueryRecord | None:
    """The newest query with the same key whose result may still be read."""
    try:
        key = reuse_key(record.project, record.sql, governed_relations(rooms, record.project, record.sql))
        if key is None:
            return None
        found = rooms.records.find(QueryRecord, where={"cache_key": key}, limit=1, newest_first=True).records
    except AtollError:
        # Whatever is wrong is told when the query is run.
        return None
    return found[0] if found and _stands(rooms, found[0]) else None


def reuse(rooms: Rooms, caller: Caller, record: QueryRecord, found: QueryRecord) -> QueryRecord:
    """Answer `record` with the result of `found`: on record and in the flows as any other query, at no cost."""
    assert found.result is not None and found.stats is not None
    now = rooms.clock.now()
    stats = QueryStats(rows=found.result.rows, seconds=0.0, scanned_bytes=0, relations=found.stats.relations)
    record = record.but(finished_at=now, versions=found.versions, stats=stats, result=found.result, cost_eur=0, runs=0)
    governed = governed_relations(rooms, record.project, record.sql)
    event = AuditEvent(
        action="query.run",
        target=f"project/{record.project}",
        caller=caller,
        because=f"query/{record.id}",
        details={"versions": list(record.versions), "answered_by": found.result.file},
    )
    rooms.audit.record(event, Put(record), rooms.flow_log.append(query_event(record, governed.relations, at=now)))
    return rooms.records.get(QueryRecord, record.id)


def grants_stand(rooms: Rooms, result: KeptResult) -> bool:
    """Whether every grant that the result came from holds now."""
    return all(grants.holds(rooms.records, grant, rooms.clock.now()) for grant in result.grants)


def _stands(rooms: Rooms, found: QueryRecord) -> bool:
    result = found.result
    if result is None or result.removed_at is not None or result.expires_at <= rooms.clock.now():
        return False
    try:
        rooms.results.open(result.file)
    except NotFound:
        return False
    return grants_stand(rooms, result)
