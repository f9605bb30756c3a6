"""The life of a grant request: one table of what leads where, and the acts as pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from atoll.errors import Conflict, NotPermitted
from atoll.model.grant_request import GrantRequest, GrantRequestState
from atoll.model.person import Caller


class Act(StrEnum):
    """What is done to a request."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


_S = GrantRequestState
#: From which state, by which act, to which state. What is not here cannot happen.
TRANSITIONS: Mapping[tuple[GrantRequestState, Act], GrantRequestState] = MappingProxyType(
    {
        (_S.WAITING, Act.APPROVE): _S.APPROVED,
        (_S.WAITING, Act.REFUSE): _S.REFUSED,
        (_S.WAITING, Act.WITHDRAW): _S.WITHDRAWN,
        # Somebody whose request lapsed may clear it away, to ask anew.
        (_S.LAPSED, Act.WITHDRAW): _S.WITHDRAWN,
    }
)


def after(request: GrantRequest, act: Act, caller: Caller, reason: str, now: datetime) -> GrantRequest:
    """The request once the caller has done so. Raises `Conflict` when its state does not let it."""
    state = request.state(now)
    to = TRANSITIONS.get((state, act))
    if to is None:
        raise Conflict(
            f"The request is {state.value} already.",
            where=f"grant_request/{request.id}",
            todo="Ask anew if it is still needed.",
        )
    return request.but(decided_state=to, decided_by=caller.name, decided_at=now, reason=reason)


def withdraw(request: GrantRequest, caller: Caller) -> None:
    """Who asked takes a request back. Raises `NotPermitted`."""
    if caller.subject_id != request.requester_id:
        raise NotPermitted(
            "A request is withdrawn by who asked.",
            where=f"grant_request/{request.id}",
            todo="A steward refuses it instead, with a reason.",
        )
