"""What happened, what moved and what it cost: audit chain, flow events, usage and prices."""

from atoll.ledger.audit import AuditTrail
from atoll.ledger.flow_log import FlowLog
from atoll.ledger.openlineage import admission_event, mount_event, query_event, transfer_event, upkeep_event
from atoll.ledger.price_books import load_price_books
from atoll.ledger.usage import UsageBook

__all__ = [
    "AuditTrail",
    "FlowLog",
    "UsageBook",
    "admission_event",
    "load_price_books",
    "mount_event",
    "query_event",
    "transfer_event",
    "upkeep_event",
]
