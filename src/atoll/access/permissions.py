"""May this caller? Scopes first, then the particular thing.

Each function returns when the caller may and raises when not. A thing that the
caller may not even know of raises `NotFound`, the same as one that is not there.
"""

from __future__ import annotations

from atoll.access.scopes import Scope, scopes_of
from atoll.errors import NotFound, NotPermitted
from atoll.model.delivery import Delivery
from atoll.model.grant import Grant
from atoll.model.person import ApiToken, Caller, Project, Source, SubjectKind
from atoll.model.workspace import Workspace


def has(caller: Caller, scope: Scope) -> bool:
    """Whether the caller holds the scope."""
    return scope in scopes_of(caller)


def require(caller: Caller, scope: Scope) -> None:
    """Raise `NotPermitted` unless the caller holds the scope."""
    if not has(caller, scope):
        raise NotPermitted(
            f"This needs the right `{scope}`.",
            where=caller.name,
            todo="Ask an administrator for a role that has it; `GET /api/v1/scopes` lists them.",
        )


def is_member(caller: Caller, project: Project) -> bool:
    """Whether the caller is a person of the project."""
    return caller.subject_kind is SubjectKind.PERSON and caller.subject_id in project.members


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
