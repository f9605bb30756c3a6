"""Pushes to git repositories of projects."""

from __future__ import annotations

from atoll.model.record import Frozen


class RefChange(Frozen):
    """One ref of a push."""

    ref: str
    #: Object ids as the pusher gave them; all zeros is "no such ref".
    old: str
    new: str
    #: Whether the repository has it so now.
    accepted: bool


class Push(Frozen):
    """Who pushed what to where."""

    workspace: str
    project: str
    login: str
    repository: str
    changes: tuple[RefChange, ...]
    #: Size of what was sent.
    bytes: int
