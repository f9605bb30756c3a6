"""Why a machine is wanted as it is, and why it is kept alive or was put to rest: every sentence, by its code."""

from __future__ import annotations

from atoll.model.said import Said, Sentences

_SIGNS = {
    "came_up": "it came up",
    "kernel": "{name} last did something",
    "terminal": "its terminal was last used",
    "computed": "it last computed",
    "asked": "it was last asked something",
}

IDLE = Sentences(
    "idle",
    {
        "kernel": "kept alive because a cell runs in {names}",
        "job": "kept alive because its job runs",
        "jobs": "kept alive because {number} jobs run",
        "no_rule": "kept alive because no idle rule holds for it",
        "silent": "kept alive because {what} could not be asked",
        "cpu": "kept alive because it uses {use} of a core, {limit} or more",
        "page": "kept alive because a page is open to it",
        "pages": "kept alive because {number} pages are open to it",
        **{
            f"recent_{code}": f"kept alive because {sign} {{minutes}} min ago, less than {{limit}} min"
            for code, sign in _SIGNS.items()
        },
        **{
            f"{done}_{code}": f"{done} because nothing runs and {sign} {{minutes}} min ago, {{limit}} min or more"
            for done in ("hibernated", "stopped")
            for code, sign in _SIGNS.items()
        },
    },
)

WISH = Sentences(
    "wish",
    {
        "admitted": "Asked by {who}; there is room now.",
        "asked": "Asked by {who}.",
        "resized": "Resized to {size} by {who}.",
        "stopped_instead": "Hibernation was asked by {who}; {backend} cannot, so it is stopped.",
        "may_no_longer": "When there was room, its owner might not launch it any more.",
        "retired": "When there was room, {product} was retired.",
        "expired": "Its time was over on {day}; it is terminated on {until} unless extended.",
        "over": "Its time was over on {day} and nobody extended it.",
        "budget_project": "The budget of project {name} for {month} is used up: {spent} of {limit} EUR are spent.",
        "budget_person": "The budget of {name} for {month} is used up: {spent} of {limit} EUR are spent.",
        "job_ended": "The job has ended with exit status {status}.",
        "nothing_to_keep": "It was not running, so there was no memory to keep.",
        "waits": "It waits for room.",
        "unknown": "The backend cannot tell.",
        "unknown_how": "The backend cannot tell how the machine is.",
    },
)


def said_of(sentence: str) -> Said | None:
    """The code and values of a sentence that is told of a machine; None when it is none of a closed set."""
    return WISH.read(sentence) or IDLE.read(sentence)
