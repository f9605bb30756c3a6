"""Rights as data: every scope with what it allows, and who has which.

A route declares one scope. Which things of a kind a caller may touch beyond that
(own tokens, own projects, own deliveries) is said in `permissions.py`. A scope
ending in `:own` is the narrow form; whoever holds the wide form holds it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from atoll.model.person import Caller, Role, SubjectKind


class Scope(StrEnum):
    """A right that a route can ask for."""

    ME_READ = "me:read"
    TOKENS_OWN = "tokens:own"
    TOKENS_WRITE = "tokens:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    PROJECTS_READ_OWN = "projects:read:own"
    PROJECTS_READ = "projects:read"
    PROJECTS_WRITE = "projects:write"
    SOURCES_READ = "sources:read"
    SOURCES_WRITE = "sources:write"
    CONTRACTS_READ = "contracts:read"
    CONTRACTS_WRITE = "contracts:write"
    DELIVERIES_READ_OWN = "deliveries:read:own"
    DELIVERIES_READ = "deliveries:read"
    DELIVERIES_WRITE = "deliveries:write"
    QUARANTINE_READ_OWN = "quarantine:read:own"
    QUARANTINE_READ = "quarantine:read"
    DATASETS_READ = "datasets:read"
    GRANTS_READ_OWN = "grants:read:own"
    GRANTS_READ = "grants:read"
    GRANTS_WRITE = "grants:write"
    QUERIES_RUN = "queries:run"
    QUERIES_READ_OWN = "queries:read:own"
    PRODUCTS_READ = "products:read"
    PRODUCTS_WRITE = "products:write"
    WORKSPACES_READ_OWN = "workspaces:read:own"
    WORKSPACES_READ = "workspaces:read"
    WORKSPACES_RUN = "workspaces:run"
    WORKSPACES_OPEN = "workspaces:open"
    WORKSPACES_END_OWN = "workspaces:end:own"
    WORKSPACES_END = "workspaces:end"
    FLOWS_READ = "flows:read"
    AUDIT_READ = "audit:read"
    COSTS_READ_OWN = "costs:read:own"
    COSTS_READ = "costs:read"
    BUDGETS_READ_OWN = "budgets:read:own"
    BUDGETS_READ = "budgets:read"
    BUDGETS_WRITE = "budgets:write"
    OPERATIONS_READ = "operations:read"
    OPERATIONS_WRITE = "operations:write"
    SETTINGS_READ = "settings:read"


SCOPES: Mapping[Scope, str] = MappingProxyType(
    {
        Scope.ME_READ: "See who one is, one's roles, and the list of scopes.",
        Scope.TOKENS_OWN: "List, make and revoke one's own API tokens.",
        Scope.TOKENS_WRITE: "List, make and revoke the API tokens of any person, revoke those of any source.",
        Scope.PEOPLE_READ: "See people and their roles.",
        Scope.PEOPLE_WRITE: "Add people, change their roles, set passwords, deactivate them.",
        Scope.PROJECTS_READ_OWN: "See the projects one is a member of.",
        Scope.PROJECTS_READ: "See every project and its members.",
        Scope.PROJECTS_WRITE: "Add projects, add and remove members.",
        Scope.SOURCES_READ: "See the sources that deliver and the datasets they may deliver to.",
        Scope.SOURCES_WRITE: "Add sources, change them, deactivate them, give them credentials.",
        Scope.CONTRACTS_READ: "Read contracts and what they do to each column; check a text.",
        Scope.CONTRACTS_WRITE: "Publish contracts.",
        Scope.DELIVERIES_READ_OWN: "A source: see what it delivered and what became of it.",
        Scope.DELIVERIES_READ: "See every delivery and what became of it.",
        Scope.DELIVERIES_WRITE: "Open, upload and submit deliveries: a source its own, a person on behalf of a source.",
        Scope.QUARANTINE_READ_OWN: "A source: see why rows of its deliveries were rejected, with values masked.",
        Scope.QUARANTINE_READ: "See why rows were rejected, with values masked.",
        Scope.DATASETS_READ: "See datasets, their tables, columns and versions; no rows.",
        Scope.GRANTS_READ_OWN: "See the grants of one's projects.",
        Scope.GRANTS_READ: "See every grant.",
        Scope.GRANTS_WRITE: "Give grants to projects one is not a member of, and revoke grants.",
        Scope.QUERIES_RUN: "Query granted data under a project one is a member of.",
        Scope.QUERIES_READ_OWN: "See the queries of one's projects.",
        Scope.PRODUCTS_READ: "See the catalog of machines: products, sizes and prices.",
        Scope.PRODUCTS_WRITE: "Publish products, deprecate and retire their versions.",
        Scope.WORKSPACES_READ_OWN: "See one's own workspaces and those shared with one.",
        Scope.WORKSPACES_READ: "See every workspace and its operations; nothing of what is inside.",
        Scope.WORKSPACES_RUN: "Launch workspaces in one's projects; wake, hibernate, resize, extend and share them.",
        Scope.WORKSPACES_OPEN: "Enter one's own machines and those shared with one, by browser.",
        Scope.WORKSPACES_END_OWN: "Stop and terminate one's own workspaces.",
        Scope.WORKSPACES_END: "Stop and terminate any workspace.",
        Scope.FLOWS_READ: "See where a dataset's rows came from and where they went.",
        Scope.AUDIT_READ: "Read the audit chain and verify it.",
        Scope.COSTS_READ_OWN: "See what one has spent oneself.",
        Scope.COSTS_READ: "See all costs.",
        Scope.BUDGETS_READ_OWN: "See one's own budget and those of one's projects.",
        Scope.BUDGETS_READ: "See every budget.",
        Scope.BUDGETS_WRITE: "Set budgets of people and projects.",
        Scope.OPERATIONS_READ: "See operations, their steps and logs.",
        Scope.OPERATIONS_WRITE: "Cancel operations.",
        Scope.SETTINGS_READ: "See the settings in force, secrets masked.",
    }
)

#: What anybody who signs in can do.
_EVERYBODY = frozenset({Scope.ME_READ, Scope.TOKENS_OWN})

ROLE_HELP: Mapping[Role, str] = MappingProxyType(
    {
        Role.ADMIN: "Runs the platform: people, projects, sources, products, machines, operations. Reads no data.",
        Role.STEWARD: "Answers for the data: contracts, deliveries, quarantine, grants.",
        Role.SCIENTIST: "Works with granted data in projects, by SQL and on machines.",
        Role.AUDITOR: "Checks what was done: audit, flows, costs. Reads no data.",
    }
)

ROLE_SCOPES: Mapping[Role, frozenset[Scope]] = MappingProxyType(
    {
        Role.ADMIN: frozenset(
            {
                Scope.TOKENS_WRITE,
                Scope.PEOPLE_READ,
                Scope.PEOPLE_WRITE,
                Scope.PROJECTS_READ_OWN,
                Scope.PROJECTS_READ,
                Scope.PROJECTS_WRITE,
                Scope.SOURCES_READ,
                Scope.SOURCES_WRITE,
                Scope.BUDGETS_READ_OWN,
                Scope.BUDGETS_READ,
                Scope.BUDGETS_WRITE,
                Scope.PRODUCTS_READ,
                Scope.PRODUCTS_WRITE,
                # Operators run machines yet see nothing of what is inside.
                Scope.WORKSPACES_READ_OWN,
                Scope.WORKSPACES_READ,
                Scope.WORKSPACES_END_OWN,
                Scope.WORKSPACES_END,
                Scope.OPERATIONS_READ,
                Scope.OPERATIONS_WRITE,
                Scope.SETTINGS_READ,
            }
        ),
        Role.STEWARD: frozenset(
            {
                # A grant names a project, so the steward must see which there are.
                Scope.PROJECTS_READ_OWN,
                Scope.PROJECTS_READ,
                Scope.SOURCES_READ,
                Scope.CONTRACTS_READ,
                Scope.CONTRACTS_WRITE,
                Scope.DELIVERIES_READ_OWN,
                Scope.DELIVERIES_READ,
                Scope.DELIVERIES_WRITE,
                Scope.QUARANTINE_READ_OWN,
                Scope.QUARANTINE_READ,
                Scope.DATASETS_READ,
                Scope.GRANTS_READ_OWN,
                Scope.GRANTS_READ,
                Scope.GRANTS_WRITE,
                Scope.FLOWS_READ,
            }
        ),
        Role.SCIENTIST: frozenset(
            {
                Scope.PROJECTS_READ_OWN,
                Scope.DATASETS_READ,
                Scope.GRANTS_READ_OWN,
                Scope.QUERIES_RUN,
                Scope.QUERIES_READ_OWN,
                Scope.PRODUCTS_READ,
                Scope.WORKSPACES_READ_OWN,
                Scope.WORKSPACES_RUN,
                Scope.WORKSPACES_OPEN,
                Scope.WORKSPACES_END_OWN,
                Scope.FLOWS_READ,
                Scope.COSTS_READ_OWN,
                Scope.BUDGETS_READ_OWN,
            }
        ),
        Role.AUDITOR: frozenset(
            {
                Scope.AUDIT_READ,
                Scope.PRODUCTS_READ,
                Scope.WORKSPACES_READ_OWN,
                Scope.WORKSPACES_READ,
                Scope.FLOWS_READ,
                Scope.COSTS_READ_OWN,
                Scope.COSTS_READ,
                Scope.BUDGETS_READ_OWN,
                Scope.BUDGETS_READ,
                Scope.DELIVERIES_READ_OWN,
                Scope.DELIVERIES_READ,
                Scope.DATASETS_READ,
                Scope.GRANTS_READ_OWN,
                Scope.GRANTS_READ,
            }
        ),
    }
)

#: A source delivers, and sees what became of it; nothing else.
SOURCE_SCOPES: frozenset[Scope] = frozenset(
    {Scope.ME_READ, Scope.DELIVERIES_WRITE, Scope.DELIVERIES_READ_OWN, Scope.QUARANTINE_READ_OWN}
)


def scopes_of(caller: Caller) -> frozenset[Scope]:
    """Every scope the caller has at this moment."""
    if caller.subject_kind is SubjectKind.SOURCE:
        return SOURCE_SCOPES
    return _EVERYBODY.union(*(ROLE_SCOPES[role] for role in caller.roles))
