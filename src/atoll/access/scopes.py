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
    ME_WRITE = "me:write"
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
    KEYS_READ = "keys:read"
    KEYS_WRITE = "keys:write"
    OPENINGS_READ_OWN = "openings:read:own"
    OPENINGS_READ = "openings:read"
    OPENINGS_WRITE = "openings:write"
    OPENINGS_TAKE = "openings:take"
    DELIVERIES_READ_OWN = "deliveries:read:own"
    DELIVERIES_READ = "deliveries:read"
    DELIVERIES_WRITE = "deliveries:write"
    DELIVERIES_DECIDE = "deliveries:decide"
    QUARANTINE_READ_OWN = "quarantine:read:own"
    QUARANTINE_READ = "quarantine:read"
    DATASETS_READ = "datasets:read"
    DATASETS_MAINTAIN = "datasets:maintain"
    ERASURES_READ = "erasures:read"
    ERASURES_WRITE = "erasures:write"
    GRANTS_READ_OWN = "grants:read:own"
    GRANTS_READ = "grants:read"
    GRANTS_WRITE = "grants:write"
    GRANTS_REQUEST = "grants:request"
    QUERIES_RUN = "queries:run"
    QUERIES_READ_OWN = "queries:read:own"
    PRODUCTS_READ = "products:read"
    PRODUCTS_WRITE = "products:write"
    WORKSPACES_READ_OWN = "workspaces:read:own"
    WORKSPACES_READ = "workspaces:read"
    WORKSPACES_RUN = "workspaces:run"
    WORKSPACES_OPEN = "workspaces:open"
    WORKSPACES_PROVE = "workspaces:prove"
    WORKSPACES_END_OWN = "workspaces:end:own"
    WORKSPACES_END = "workspaces:end"
    AIRLOCK_READ_OWN = "airlock:read:own"
    AIRLOCK_READ = "airlock:read"
    AIRLOCK_REQUEST = "airlock:request"
    AIRLOCK_REVIEW = "airlock:review"
    REPOSITORIES_READ_OWN = "repositories:read:own"
    REPOSITORIES_READ = "repositories:read"
    REPOSITORIES_WRITE = "repositories:write"
    REPOSITORIES_RESTORE = "repositories:restore"
    PACKAGES_READ_OWN = "packages:read:own"
    PACKAGES_READ = "packages:read"
    FLOWS_READ = "flows:read"
    AUDIT_READ = "audit:read"
    COSTS_READ_OWN = "costs:read:own"
    COSTS_READ = "costs:read"
    COSTS_WRITE = "costs:write"
    BUDGETS_READ_OWN = "budgets:read:own"
    BUDGETS_READ = "budgets:read"
    BUDGETS_WRITE = "budgets:write"
    OPERATIONS_READ = "operations:read"
    OPERATIONS_WRITE = "operations:write"
    SETTINGS_READ = "settings:read"


SCOPES: Mapping[Scope, str] = MappingProxyType(
    {
        Scope.ME_READ: "See who one is, one's roles, and the list of scopes.",
        Scope.ME_WRITE: "Change one's own password and second factor.",
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
        Scope.KEYS_READ: "See the domains' keys by id, and what was asked to be done to them; never a key.",
        Scope.KEYS_WRITE: "Ask that a domain's key be rotated or destroyed; decide on what another person asked.",
        Scope.OPENINGS_READ_OWN: "See which encrypted values are to be opened for oneself.",
        Scope.OPENINGS_READ: "See which encrypted values are to be opened, for whom and why; no value.",
        Scope.OPENINGS_WRITE: "Ask that encrypted values be opened; decide on what another person asked.",
        Scope.OPENINGS_TAKE: "Be given encrypted values once, when two persons have agreed to it.",
        Scope.DELIVERIES_READ_OWN: "A source: see what it delivered and what became of it.",
        Scope.DELIVERIES_READ: "See every delivery and what became of it.",
        Scope.DELIVERIES_WRITE: "Open, upload and submit deliveries: a source its own, a person on behalf of a source.",
        Scope.DELIVERIES_DECIDE: "Replay what is held of a delivery under a mended contract, or reject it.",
        Scope.QUARANTINE_READ_OWN: "A source: see why rows of its deliveries were rejected, with values masked.",
        Scope.QUARANTINE_READ: "See why rows were rejected, with values masked.",
        Scope.DATASETS_READ: "See datasets, their tables, columns and versions; no rows.",
        Scope.DATASETS_MAINTAIN: "Compact datasets, keep versions of them and have old ones expire.",
        Scope.ERASURES_READ: "See erasures of persons and their proofs; not who it was.",
        Scope.ERASURES_WRITE: "Erase a person from every dataset.",
        Scope.GRANTS_READ_OWN: "See the grants of one's projects.",
        Scope.GRANTS_READ: "See every grant.",
        Scope.GRANTS_WRITE: "Give grants to projects one is not a member of, and revoke grants.",
        Scope.GRANTS_REQUEST: "Ask for grants for projects one is a member of.",
        Scope.QUERIES_RUN: "Query granted data under a project one is a member of.",
        Scope.QUERIES_READ_OWN: "See the queries of one's projects.",
        Scope.PRODUCTS_READ: "See the catalog of machines: products, sizes and prices.",
        Scope.PRODUCTS_WRITE: "Publish products, deprecate and retire their versions.",
        Scope.WORKSPACES_READ_OWN: "See one's own workspaces and those shared with one.",
        Scope.WORKSPACES_READ: "See every workspace and its operations; nothing of what is inside.",
        Scope.WORKSPACES_RUN: "Launch workspaces in one's projects; wake, hibernate, resize, extend and share them.",
        Scope.WORKSPACES_OPEN: "Enter one's own machines and those shared with one, by browser.",
        Scope.WORKSPACES_PROVE: "Have attempts to break out of a machine made inside it, and keep what came of them.",
        Scope.WORKSPACES_END_OWN: "Stop and terminate one's own workspaces.",
        Scope.WORKSPACES_END: "Stop and terminate any workspace.",
        Scope.AIRLOCK_READ_OWN: "See the airlock requests of one's projects.",
        Scope.AIRLOCK_READ: "See every airlock request that was submitted, and what was found; no content.",
        Scope.AIRLOCK_REQUEST: "Ask for files to leave or enter one's projects or shares; fetch what was released.",
        Scope.AIRLOCK_REVIEW: "Look into files in the airlock and decide, but not on own or one's projects' requests.",
        Scope.REPOSITORIES_READ_OWN: "See the git repositories of one's projects, their pushes and backups.",
        Scope.REPOSITORIES_READ: "See every git repository, its pushes and backups; nothing of what is in it.",
        Scope.REPOSITORIES_WRITE: "Make git repositories in one's projects.",
        Scope.REPOSITORIES_RESTORE: "Bring a git repository back from its backup.",
        Scope.PACKAGES_READ_OWN: "See the packages that went into the machines of one's projects.",
        Scope.PACKAGES_READ: "See the packages that went into any machine.",
        Scope.FLOWS_READ: "See where a dataset's rows came from and where they went.",
        Scope.AUDIT_READ: "Read the audit chain and verify it.",
        Scope.COSTS_READ_OWN: "See what one has spent oneself.",
        Scope.COSTS_READ: "See all costs.",
        Scope.COSTS_WRITE: "Correct usage by new records, and close months.",
        Scope.BUDGETS_READ_OWN: "See one's own budget and those of one's projects.",
        Scope.BUDGETS_READ: "See every budget.",
        Scope.BUDGETS_WRITE: "Set budgets of people and projects.",
        Scope.OPERATIONS_READ: "See operations, their steps and logs.",
        Scope.OPERATIONS_WRITE: "Cancel operations.",
        Scope.SETTINGS_READ: "See the settings in force, secrets masked.",
    }
)

#: What anybody who signs in can do.
EVERYBODY = frozenset({Scope.ME_READ, Scope.ME_WRITE, Scope.TOKENS_OWN})

ROLE_HELP: Mapping[Role, str] = MappingProxyType(
    {
        Role.ADMIN: "Runs the platform: people, projects, sources, products, machines, operations. Reads no data.",
        Role.STEWARD: "Answers for the data: contracts, deliveries, quarantine, grants, reviews in the airlock.",
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
                Scope.COSTS_READ_OWN,
                Scope.COSTS_READ,
                Scope.COSTS_WRITE,
                Scope.PRODUCTS_READ,
                Scope.PRODUCTS_WRITE,
                # Operators run machines yet see nothing of what is inside.
                Scope.WORKSPACES_READ_OWN,
                Scope.WORKSPACES_READ,
                Scope.WORKSPACES_PROVE,
                Scope.WORKSPACES_END_OWN,
                Scope.WORKSPACES_END,
                Scope.REPOSITORIES_READ_OWN,
                Scope.REPOSITORIES_READ,
                Scope.REPOSITORIES_RESTORE,
                Scope.PACKAGES_READ_OWN,
                Scope.PACKAGES_READ,
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
                Scope.KEYS_READ,
                Scope.KEYS_WRITE,
                Scope.OPENINGS_READ_OWN,
                Scope.OPENINGS_READ,
                Scope.OPENINGS_WRITE,
                Scope.OPENINGS_TAKE,
                Scope.DELIVERIES_READ_OWN,
                Scope.DELIVERIES_READ,
                Scope.DELIVERIES_WRITE,
                Scope.DELIVERIES_DECIDE,
                Scope.QUARANTINE_READ_OWN,
                Scope.QUARANTINE_READ,
                Scope.DATASETS_READ,
                Scope.DATASETS_MAINTAIN,
                Scope.ERASURES_READ,
                Scope.ERASURES_WRITE,
                Scope.GRANTS_READ_OWN,
                Scope.GRANTS_READ,
                Scope.GRANTS_WRITE,
                Scope.AIRLOCK_READ_OWN,
                Scope.AIRLOCK_READ,
                Scope.AIRLOCK_REVIEW,
                Scope.FLOWS_READ,
            }
        ),
        Role.SCIENTIST: frozenset(
            {
                Scope.PROJECTS_READ_OWN,
                Scope.DATASETS_READ,
                Scope.GRANTS_READ_OWN,
                Scope.GRANTS_REQUEST,
                Scope.QUERIES_RUN,
                Scope.QUERIES_READ_OWN,
                Scope.OPENINGS_READ_OWN,
                Scope.OPENINGS_TAKE,
                Scope.PRODUCTS_READ,
                Scope.WORKSPACES_READ_OWN,
                Scope.WORKSPACES_RUN,
                Scope.WORKSPACES_OPEN,
                Scope.WORKSPACES_PROVE,
                Scope.WORKSPACES_END_OWN,
                Scope.AIRLOCK_READ_OWN,
                Scope.AIRLOCK_REQUEST,
                Scope.REPOSITORIES_READ_OWN,
                Scope.REPOSITORIES_WRITE,
                Scope.PACKAGES_READ_OWN,
                Scope.FLOWS_READ,
                Scope.COSTS_READ_OWN,
                Scope.BUDGETS_READ_OWN,
            }
        ),
        Role.AUDITOR: frozenset(
            {
                Scope.KEYS_READ,
                Scope.OPENINGS_READ_OWN,
                Scope.OPENINGS_READ,
                Scope.AUDIT_READ,
                Scope.ERASURES_READ,
                Scope.PRODUCTS_READ,
                Scope.WORKSPACES_READ_OWN,
                Scope.WORKSPACES_READ,
                Scope.AIRLOCK_READ_OWN,
                Scope.AIRLOCK_READ,
                Scope.REPOSITORIES_READ_OWN,
                Scope.REPOSITORIES_READ,
                Scope.PACKAGES_READ_OWN,
                Scope.PACKAGES_READ,
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


#: What opens rows of data; closed to a person whose training or agreement has ended.
DATA_SCOPES: frozenset[Scope] = frozenset(
    {
        Scope.QUERIES_RUN,
        Scope.QUERIES_READ_OWN,
        Scope.OPENINGS_TAKE,
        Scope.WORKSPACES_RUN,
        Scope.WORKSPACES_OPEN,
        Scope.AIRLOCK_REQUEST,
        Scope.AIRLOCK_REVIEW,
    }
)


def scopes_of(caller: Caller) -> frozenset[Scope]:
    """Every scope the caller has at this moment."""
    if caller.subject_kind is SubjectKind.SOURCE:
        return SOURCE_SCOPES
    held = EVERYBODY.union(*(ROLE_SCOPES[role] for role in caller.roles))
    return held - DATA_SCOPES if caller.lapsed else held
