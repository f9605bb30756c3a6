"""May this caller? Scopes first, then the particular thing.

Each function returns when the caller may and raises when not. A thing that the
caller may not even know of raises `NotFound`, the same as one that is not there.
"""

from __future__ import annotations

from atoll.access.scopes import DATA_SCOPES, Scope, scopes_of
from atoll.errors import NotFound, NotPermitted
from atoll.model.delivery import Delivery
from atoll.model.grant import Grant
from atoll.model.grant_request import GrantRequest
from atoll.model.opening import Opening
from atoll.model.person import ApiToken, Caller, Project, Source, SubjectKind
from atoll.model.query import QueryRecord
from atoll.model.record import utc_now
from atoll.model.workspace import Workspace


def has(caller: Caller, scope: Scope) -> bool:
    """Whether the caller holds the scope."""
    return scope in scopes_of(caller)


def require(caller: Caller, scope: Scope) -> None:
    """Raise `NotPermitted` unless the caller holds the scope."""
    if not has(caller, scope):
        if caller.lapsed and scope in DATA_SCOPES:
            raise NotPermitted(
                f"Data is closed to you: {' '.join(caller.lapsed)}",
                where=caller.name,
                todo="Renew it, and ask an administrator to put the new date on record.",
            )
        raise NotPermitted(
            f"This needs the right `{scope}`.",
            where=caller.name,
            todo="Ask an administrator for a role that has it; `GET /api/v1/scopes` lists them.",
        )


def is_member(caller: Caller, project: Project) -> bool:
    """Whether the caller is a person of the project at this moment."""
    return caller.subject_kind is SubjectKind.PERSON and project.has_member(caller.subject_id, caller.at or utc_now())


def see_project(caller: Caller, project: Project) -> None:
    """Members see their projects; the holders of `projects:read` see all."""
    if has(caller, Scope.PROJECTS_READ) or (has(caller, Scope.PROJECTS_READ_OWN) and is_member(caller, project)):
        return
    raise not_found("project", project.name)


def query_under(caller: Caller, project: Project) -> None:
    """Only members with `queries:run` query under a project."""
    require(caller, Scope.QUERIES_RUN)
    if not is_member(caller, project):
        raise not_found("project", project.name)


def see_queries(caller: Caller, project: Project) -> None:
    """Members with `queries:read:own` see the queries of their projects."""
    require(caller, Scope.QUERIES_READ_OWN)
    if not is_member(caller, project):
        raise not_found("project", project.name)


def cancel_query(caller: Caller, query: QueryRecord) -> None:
    """Who asked ends a query; nobody else does."""
    require(caller, Scope.QUERIES_RUN)
    if caller.subject_id != query.person:
        raise NotPermitted("Only who asked may cancel the query.", where=f"query/{query.id}")


def see_grants_of(caller: Caller, project: Project) -> None:
    """Members see the grants of their projects; the holders of `grants:read` see all."""
    if has(caller, Scope.GRANTS_READ) or (has(caller, Scope.GRANTS_READ_OWN) and is_member(caller, project)):
        return
    raise not_found("project", project.name)


def see_grant(caller: Caller, grant: Grant, project: Project) -> None:
    """As `see_grants_of`, for one grant."""
    try:
        see_grants_of(caller, project)
    except NotFound:
        raise not_found("grant", grant.id) from None


def give_grant(caller: Caller, project: Project) -> None:
    """A steward gives grants, but to no project of theirs: four eyes between asking and giving."""
    require(caller, Scope.GRANTS_WRITE)
    if is_member(caller, project):
        raise NotPermitted(
            "Grants to one's own project are given by somebody else.",
            where=f"project/{project.name}",
            todo="Ask a steward who is not a member of the project.",
        )


def request_grant(caller: Caller, project: Project) -> None:
    """Members with `grants:request` ask for their project."""
    require(caller, Scope.GRANTS_REQUEST)
    if not is_member(caller, project):
        raise not_found("project", project.name)


def decide_grant_request(caller: Caller, request: GrantRequest, project: Project) -> None:
    """A steward decides who neither asked nor is of the project."""
    if caller.subject_id == request.requester_id:
        require(caller, Scope.GRANTS_WRITE)
        raise NotPermitted(
            "Nobody decides on their own request.",
            where=f"grant_request/{request.id}",
            todo="Ask a steward who is not a member of the project.",
        )
    give_grant(caller, project)


def see_opening(caller: Caller, opening: Opening) -> None:
    """Who is to get the values sees what is to be opened; the holders of `openings:read` see all."""
    own = has(caller, Scope.OPENINGS_READ_OWN) and caller.subject_id == opening.recipient_id
    if not (own or has(caller, Scope.OPENINGS_READ)):
        raise not_found("opening", opening.id)


def see_repositories(caller: Caller, project: Project) -> None:
    """Members see their projects' repositories and pushes; the holders of `repositories:read` see all."""
    own = has(caller, Scope.REPOSITORIES_READ_OWN) and is_member(caller, project)
    if not (own or has(caller, Scope.REPOSITORIES_READ)):
        raise not_found("project", project.name)


def create_repository(caller: Caller, project: Project) -> None:
    """Members with `repositories:write` make repositories in their projects."""
    require(caller, Scope.REPOSITORIES_WRITE)
    if not is_member(caller, project):
        raise not_found("project", project.name)


def see_packages(caller: Caller, project: Project) -> None:
    """Members see what went into the project's machines; the holders of `packages:read` see all."""
    own = has(caller, Scope.PACKAGES_READ_OWN) and is_member(caller, project)
    if not (own or has(caller, Scope.PACKAGES_READ)):
        raise not_found("project", project.name)


def launch_under(caller: Caller, project: Project) -> None:
    """Only members with `workspaces:run` launch machines in a project."""
    require(caller, Scope.WORKSPACES_RUN)
    if not is_member(caller, project):
        raise not_found("project", project.name)


def owns(caller: Caller, workspace: Workspace) -> bool:
    """Whether the workspace is the caller's own."""
    return caller.subject_kind is SubjectKind.PERSON and caller.subject_id == workspace.owner


def is_inside(caller: Caller, workspace: Workspace, project: Project) -> bool:
    """Whether the caller may see what is in the workspace: its owner, and members it is shared with."""
    if owns(caller, workspace):
        return True
    return is_member(caller, project) and caller.name in workspace.shared_with


def open_workspace(caller: Caller, workspace: Workspace, project: Project) -> None:
    """Reach the machine itself: those inside, as long as they are people of the project."""
    require(caller, Scope.WORKSPACES_OPEN)
    if not (is_member(caller, project) and is_inside(caller, workspace, project)):
        raise not_found("workspace", workspace.id)


def see_workspace(caller: Caller, workspace: Workspace, project: Project) -> None:
    """Those inside see it; the holders of `workspaces:read` see all, from the outside."""
    if has(caller, Scope.WORKSPACES_READ):
        return
    if not (has(caller, Scope.WORKSPACES_READ_OWN) and is_inside(caller, workspace, project)):
        raise not_found("workspace", workspace.id)


def change_workspace(caller: Caller, workspace: Workspace, project: Project) -> None:
    """Its owner alone hibernates, resizes, extends and shares it; to end it see `end_workspace`."""
    see_workspace(caller, workspace, project)
    require(caller, Scope.WORKSPACES_RUN)
    if not owns(caller, workspace):
        raise NotPermitted(
            "Only its owner may do this to the workspace.",
            where=f"workspace/{workspace.id}",
            todo=f"Ask {workspace.owner_login}.",
        )


def run_workspace(caller: Caller, workspace: Workspace, project: Project) -> None:
    """As `change_workspace`; and to have it run one must still be a person of the project."""
    change_workspace(caller, workspace, project)
    if not is_member(caller, project):
        raise NotPermitted(
            "You are no longer a member of the workspace's project, so it runs no more.",
            where=f"workspace/{workspace.id}, project/{project.name}",
            todo="Ask an administrator to add you to the project, or terminate the workspace.",
        )


def prove_workspace(caller: Caller, workspace: Workspace, project: Project, *, bombs: bool) -> None:
    """Its owner and operators have it tried; its owner alone with attempts that disturb it."""
    see_workspace(caller, workspace, project)
    require(caller, Scope.WORKSPACES_PROVE)
    if owns(caller, workspace) or (has(caller, Scope.WORKSPACES_READ) and not bombs):
        return
    raise NotPermitted(
        "Only its owner may do this to the workspace.",
        where=f"workspace/{workspace.id}",
        todo=f"Ask {workspace.owner_login}, or have a machine made for the proof.",
    )


def end_workspace(caller: Caller, workspace: Workspace, project: Project) -> None:
    """Its owner stops and terminates it, and so does who holds `workspaces:end`."""
    if has(caller, Scope.WORKSPACES_END):
        return
    see_workspace(caller, workspace, project)
    require(caller, Scope.WORKSPACES_END_OWN)
    if not owns(caller, workspace):
        raise NotPermitted(
            "Only its owner or an operator may end the workspace.",
            where=f"workspace/{workspace.id}",
            todo=f"Ask {workspace.owner_login}.",
        )


def deliver_for(caller: Caller, source: Source, dataset: str) -> None:
    """A source delivers as itself; a person with `deliveries:write` on behalf of any.

    Either way only to the datasets the source is registered for.
    """
    require(caller, Scope.DELIVERIES_WRITE)
    if caller.subject_kind is SubjectKind.SOURCE and caller.subject_id != source.id:
        raise not_found("source", source.name)
    if not source.active:
        raise NotPermitted(
            "The source is deactivated.", where=f"source/{source.name}", todo="Ask an administrator to activate it."
        )
    if dataset not in source.datasets:
        raise NotPermitted(
            "The source may not deliver to this dataset.",
            where=f"source/{source.name}, dataset/{dataset}",
            todo="Ask an administrator to add the dataset to the source.",
        )


def see_delivery(caller: Caller, delivery: Delivery) -> None:
    """A source sees its own deliveries; the holders of `deliveries:read` see all."""
    if has(caller, Scope.DELIVERIES_READ):
        return
    own = caller.subject_kind is SubjectKind.SOURCE and delivery.source == caller.name
    if not (own and has(caller, Scope.DELIVERIES_READ_OWN)):
        raise not_found("delivery", delivery.id)


def change_delivery(caller: Caller, delivery: Delivery) -> None:
    """Whoever may deliver and see the delivery may upload to it and submit it."""
    require(caller, Scope.DELIVERIES_WRITE)
    see_delivery(caller, delivery)


def see_quarantine(caller: Caller, delivery: Delivery) -> None:
    """Masked rows: a source those of its own deliveries, the holders of `quarantine:read` all."""
    require(caller, Scope.QUARANTINE_READ_OWN)
    see_delivery(caller, delivery)


def manage_token(caller: Caller, token: ApiToken) -> None:
    """One's own tokens, or any with `tokens:write`."""
    if has(caller, Scope.TOKENS_WRITE):
        return
    own = (caller.subject_kind, caller.subject_id) == (token.subject_kind, token.subject_id)
    if not (own and has(caller, Scope.TOKENS_OWN)):
        raise not_found("token", token.id)


def not_found(noun: str, name: str) -> NotFound:
    """The one answer for what is not there and for what may not be seen."""
    return NotFound(f"There is no such {noun}.", where=f"{noun}/{name}", todo="Check the name, or ask for access.")
