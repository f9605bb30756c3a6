"""May what was asked about encrypted values be decided, taken back, or handed over now, and by this person?"""

from __future__ import annotations

from datetime import datetime

from atoll.errors import Conflict, NotPermitted
from atoll.model.opening import Opening, OpeningState
from atoll.model.person import Caller


def decide_opening(caller: Caller, opening: Opening, now: datetime) -> None:
    """What is asked is decided once, in time, by a person who neither asked it nor gets the values."""
    _waits(opening, now)
    if caller.subject_id in (opening.asker_id, opening.recipient_id):
        raise NotPermitted(
            "Nobody decides on values that they asked for or would get.",
            where=f"opening/{opening.id}",
            todo="Ask another steward to decide.",
        )


def withdraw_opening(caller: Caller, opening: Opening, now: datetime) -> None:
    """Who asked may take it back while it waits."""
    _waits(opening, now)
    if caller.subject_id != opening.asker_id:
        raise NotPermitted("Another person asked this.", where=f"opening/{opening.id}", todo="Refuse it instead.")


def take_opening(caller: Caller, opening: Opening, now: datetime) -> None:
    """The person named takes the values: approved, in time, and once."""
    if caller.subject_id != opening.recipient_id:
        raise NotPermitted(
            "The values are for another person.",
            where=f"opening/{opening.id}",
            todo="Ask for an opening of your own.",
        )
    state = opening.state_at(now)
    if state is not OpeningState.APPROVED:
        words = {
            OpeningState.WAITING: "Nobody has approved it yet.",
            OpeningState.HANDED: "The values were handed over already; they are handed once.",
            OpeningState.EXPIRED: "The time in which the values could be taken is over.",
        }.get(state, f"It was {state}.")
        todo = "Wait for the decision." if state is OpeningState.WAITING else "Ask anew, and say why."
        raise Conflict(words, where=f"opening/{opening.id}", todo=todo)


def _waits(opening: Opening, now: datetime) -> None:
    state = opening.state_at(now)
    if state is not OpeningState.WAITING:
        raise Conflict(f"It waits no more: {state}.", where=f"opening/{opening.id}", todo="Ask anew if need be.")
