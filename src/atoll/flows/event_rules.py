"""Of which records a change is told, and to whom: those whom the API would show the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from atoll.access import airlock_permissions, permissions
from atoll.access.directory import project_by_name
from atoll.access.scopes import Scope
from atoll.errors import AtollError
from atoll.flows.rooms import Rooms
from atoll.model.airlock import AirlockRequest
from atoll.model.budget import Budget, BudgetHolder
from atoll.model.contract import ContractVersion
from atoll.model.cost import ClosedMonth
from atoll.model.dataset import Dataset, DatasetVersion
from atoll.model.delivery import Delivery
from atoll.model.grant import Grant
from atoll.model.grant_request import GrantRequest
from atoll.model.key_change import KeyChange
from atoll.model.opening import Opening
from atoll.model.operation import Operation
from atoll.model.person import Caller, Person, Project, Source
from atoll.model.proposal import ContractProposal
from atoll.model.query import QueryRecord, SavedQuery
from atoll.model.record import Record
from atoll.model.source_key import SourceKey
from atoll.model.workspace import Workspace

#: Whether the caller sees the record; the project is the record's own, where it has one.
Sees = Callable[[Caller, Any, Project | None], bool]


@dataclass(frozen=True)
class Rule:
    """How a change of one kind of record is told.

    Attributes:
        record: the kind.
        sees: whether a caller may know of it.
        told: the kind and id under which it is told.
    """

    record: type[Record]
    sees: Sees
    told: Callable[[Any], tuple[str, str]] = lambda record: (record.kind, record.id)


@dataclass(frozen=True)
class Change:
    """A change that may be told: what a hint says, and who may have it."""

    kind: str
    id: str
    _rule: Rule
    _record: Record
    _project: Project | None

    def seen_by(self, caller: Caller) -> bool:
        """Whether the caller may know of it."""
        try:
            return self._rule.sees(caller, self._record, self._project)
        except AtollError:
            return False


def change_of(rooms: Rooms, kind: str, id: str) -> Change | None:
    """The change of a record as it stands; None for one that nobody is told of, or that is gone."""
    rule = RULES.get(kind)
    if rule is None:
        return None
    try:
        record = rooms.records.get(rule.record, id)
        name = record.name if isinstance(record, Project) else getattr(record, "project", None)
        project = project_by_name(rooms.records, name) if isinstance(name, str) else None
    except AtollError:
        return None
    told_kind, told_id = rule.told(record)
    return Change(told_kind, told_id, rule, record, project)


def _lets(check: Callable[..., None]) -> Sees:
    """Whether a permission of a thing in a project lets the caller through."""

    def sees(caller: Caller, record: Record, project: Project | None) -> bool:
        if project is None:
            return False
        check(caller, record, project)
        return True

    return sees


def _lets_of(check: Callable[[Caller, Project], None]) -> Sees:
    """Whether a permission of a project lets the caller through."""

    def sees(caller: Caller, record: Record, project: Project | None) -> bool:
        if project is None:
            return False
        check(caller, project)
        return True

    return sees


def _holds(scope: Scope) -> Sees:
    return lambda caller, record, project: permissions.has(caller, scope)


def _sees_delivery(caller: Caller, delivery: Delivery, _: Project | None) -> bool:
    permissions.see_delivery(caller, delivery)
    return True


def _sees_grant_request(caller: Caller, _: GrantRequest, project: Project) -> None:
    permissions.see_grants_of(caller, project)


def _sees_opening(caller: Caller, opening: Opening, _: Project | None) -> bool:
    permissions.see_opening(caller, opening)
    return True


def _sees_project(caller: Caller, project: Project, _: Project | None) -> bool:
    permissions.see_project(caller, project)
    return True


def _sees_budget(caller: Caller, budget: Budget, _: Project | None) -> bool:
    if permissions.has(caller, Scope.BUDGETS_READ):
        return True
    own = budget.holder is BudgetHolder.USER and budget.name == caller.name
    return own and permissions.has(caller, Scope.BUDGETS_READ_OWN)


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.record.kind: rule
        for rule in (
            Rule(Workspace, _lets(permissions.see_workspace)),
            Rule(Operation, _holds(Scope.OPERATIONS_READ)),
            Rule(Delivery, _sees_delivery),
            Rule(QueryRecord, _lets_of(permissions.see_queries)),
            Rule(SavedQuery, _lets_of(permissions.see_queries)),
            Rule(Grant, _lets(permissions.see_grant)),
            Rule(GrantRequest, _lets(_sees_grant_request)),
            Rule(Project, _sees_project),
            Rule(Dataset, _holds(Scope.DATASETS_READ)),
            Rule(DatasetVersion, _holds(Scope.DATASETS_READ), lambda version: ("dataset", version.dataset)),
            Rule(ContractVersion, _holds(Scope.CONTRACTS_READ), lambda version: ("contract", version.dataset)),
            Rule(GrantRequest, _lets_of(permissions.see_grants_of)),
            Rule(AirlockRequest, _lets(airlock_permissions.see_request)),
            Rule(ContractProposal, _holds(Scope.CONTRACTS_READ)),
            Rule(Budget, _sees_budget),
            Rule(Opening, _sees_opening),
            Rule(ClosedMonth, _holds(Scope.COSTS_READ)),
            Rule(Person, _holds(Scope.PEOPLE_READ)),
            Rule(Source, _holds(Scope.SOURCES_READ)),
            Rule(SourceKey, _holds(Scope.SOURCES_READ)),
            Rule(KeyChange, _holds(Scope.KEYS_READ)),
        )
    }
)
