"""The one shape of every error answer."""

from __future__ import annotations

from atoll.model.record import Frozen
from atoll.model.said import Sentence


class ErrorAnswer(Frozen):
    """What happened, where, and what to do next."""

    #: A stable word for programs.
    code: str
    message: Sentence
    where: Sentence = ""
    todo: Sentence = ""
    #: Every single fault found, where there can be several.
    findings: tuple[Sentence, ...] = ()
    request_id: str = ""
