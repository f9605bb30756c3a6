"""What signing on stands on beside the accounts on record."""

from __future__ import annotations

from dataclasses import dataclass

from atoll.access.group_map import NO_GROUPS, GroupMap
from atoll.ports.identity import PeopleDirectory, TokenIssuer
from atoll.ports.keys import MasterKey


@dataclass(frozen=True)
class SignOn:
    """Made by `wiring` from the settings.

    Attributes:
        master: seals the secrets of second factors; None: nobody can set one up.
        directory: where people who are not on record come from; None: from nowhere.
        issuer: where people sign on by redirect; None: nowhere.
        group_map: what groups of either give.
    """

    master: MasterKey | None = None
    directory: PeopleDirectory | None = None
    issuer: TokenIssuer | None = None
    group_map: GroupMap = NO_GROUPS


#: Accounts on record, and nothing else.
LOCAL_ONLY = SignOn()
