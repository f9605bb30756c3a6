"""The one shape of every error answer."""

from __future__ import annotations

from atoll.model.record import Frozen


class ErrorAnswer(Frozen):
    """What happened, where, and what to do next."""

    #: A stable word for programs.
    code: str
    message: str
    where: str = ""
    todo: str = ""
    #: Every single fault found, where there can be several.
    findings: tuple[str, ...] = ()
    request_id: str = ""
