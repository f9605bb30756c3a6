"""Why a machine is wanted as it is, and why it is kept alive or was put to rest: every sentence, by its code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class Sentences:
    """A set of sentences by their codes. `{name}` stands for what varies."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts: Mapping[str, str] = MappingProxyType(dict(texts))

    def say(self, code: str, /, **values: object) -> str:
        """The sentence. Raises KeyError for a code, or a value, that is not there."""
        return self.texts[code].format_map({name: str(value) for name, value in values.items()})


IDLE = Sentences(
    {
        "kernel": "kept alive because a cell runs in {names}",
        "job": "kept alive because its job runs",
        "jobs": "kept alive because {number} jobs run",
        "no_rule": "kept alive because no idle rule holds for it",
        "silent": "kept alive because {what} could not be asked",
        "cpu": "kept alive because it uses {use} of a core, {limit} or more",
        "page": "kept alive because a page is open to it",
        "pages": "kept alive because {number} pages are open to it",
        "recent_came_up": "kept alive because it came up {minutes} min ago, less than {limit} min",
        "recent_kernel": "kept alive because {name} last did something {minutes} min ago, less than {limit} min",
        "recent_terminal": "kept alive because its terminal was last used {minutes} min ago, less than {limit} min",
        "recent_computed": "kept alive because it last computed {minutes} min ago, less than {limit} min",
        "recent_asked": "kept alive because it was last asked something {minutes} min ago, less than {limit} min",
        "hibernated_came_up": "hibernated because nothing runs and it came up {minutes} min ago, {limit} min or more",
        "hibernated_kernel": "hibernated because nothing runs and {name} last did something "
        "{minutes} min ago, {limit} min or more",
        "hibernated_terminal": "hibernated because nothing runs and its terminal was last used "
        "{minutes} min ago, {limit} min or more",
        "hibernated_computed": "hibernated because nothing runs and it last computed "
        "{minutes} min ago, {limit} min or more",
        "hibernated_asked": "hibernated because nothing runs and it was last asked something "
        "{minutes} min ago, {limit} min or more",
        "stopped_came_up": "stopped because nothing runs and it came up {minutes} min ago, {limit} min or more",
        "stopped_kernel": "stopped because nothing runs and {name} last did something "
        "{minutes} min ago, {limit} min or more",
        "stopped_terminal": "stopped because nothing runs and its terminal was last used "
        "{minutes} min ago, {limit} min or more",
        "stopped_computed": "stopped because nothing runs and it last computed {minutes} min ago, {limit} min or more",
        "stopped_asked": "stopped because nothing runs and it was last asked something "
        "{minutes} min ago, {limit} min or more",
    }
)

WISH = Sentences(
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
    }
)
