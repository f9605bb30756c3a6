"""Every route with every caller, against one table. A route without an entry fails."""

from __future__ import annotations

import re

import pytest
from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute

from atoll.access.scopes import EVERYBODY, ROLE_SCOPES, SCOPES, SOURCE_SCOPES, Scope
from atoll.api.security import PUBLIC, Public, Requires, access_of, check_declared
from atoll.model.person import Role

ADMIN, STEWARD, SCIENTIST, AUDITOR, LAB, NOBODY = "admin", "steward", "scientist", "auditor", "lab", "nobody"
PERSONS = {ADMIN, STEWARD, SCIENTIST, AUDITOR, NOBODY}
ALL = PERSONS | {LAB}
CALLERS = (*sorted(ALL), None)

#: Operation id -> scope declared, and the callers let through by it. None: no credential asked.
MATRIX: dict[str, tuple[str | None, set[str]]] = {
    "healthz": (None, ALL),
    "readyz": (None, ALL),
    "metrics": (None, ALL),
    "show_openapi": (None, ALL),
    "sign_in": (None, ALL),
    "list_session_methods": (None, ALL),
    "start_oidc": (None, ALL),
    "finish_oidc": (None, ALL),
    "open_session": (None, ALL),
    "show_session": ("me:read", ALL),
    "close_session": ("me:read", ALL),
    "close_sessions": ("me:read", ALL),
    "start_second_factor": ("me:write", PERSONS),
    "confirm_second_factor": ("me:write", PERSONS),
    "remove_second_factor": ("me:write", PERSONS),
    "change_own_password": ("me:write", PERSONS),
    "reset_second_factor": ("people:write", {ADMIN}),
    "show_me": ("me:read", ALL),
    "list_scopes": ("me:read", ALL),
    "show_settings": ("settings:read", {ADMIN}),
    "show_health": ("settings:read", {ADMIN}),
    "list_price_books": ("costs:read", {ADMIN, AUDITOR}),
    "list_people": ("people:read", {ADMIN}),
    "show_person": ("people:read", {ADMIN}),
    "add_person": ("people:write", {ADMIN}),
    "change_person": ("people:write", {ADMIN}),
    "show_person_access": ("people:read", {ADMIN}),
    "end_person_sessions": ("people:write", {ADMIN}),
    "list_projects": ("projects:read:own", {ADMIN, STEWARD, SCIENTIST}),
    "show_project": ("projects:read:own", {ADMIN, STEWARD, SCIENTIST}),
    "show_share": ("projects:read:own", {ADMIN, STEWARD, SCIENTIST}),
    "list_share_files": ("airlock:request", {SCIENTIST}),
    "add_project": ("projects:write", {ADMIN}),
    "add_member": ("projects:write", {ADMIN}),
    "remove_member": ("projects:write", {ADMIN}),
    "set_project_paste": ("projects:write", {ADMIN}),
    "list_tokens": ("tokens:own", PERSONS),
    "make_token": ("tokens:own", PERSONS),
    "revoke_token": ("tokens:own", PERSONS),
    "list_sources": ("sources:read", {ADMIN, STEWARD}),
    "show_source": ("sources:read", {ADMIN, STEWARD}),
    "add_source": ("sources:write", {ADMIN}),
    "change_source": ("sources:write", {ADMIN}),
    "make_source_token": ("sources:write", {ADMIN}),
    "list_source_keys": ("sources:read", {ADMIN, STEWARD}),
    "add_source_key": ("sources:write", {ADMIN}),
    "remove_source_key": ("sources:write", {ADMIN}),
    "check_contract": ("contracts:read", {STEWARD}),
    "explain_text": ("contracts:read", {STEWARD}),
    "draft_contract": ("contracts:write", {STEWARD}),
    "list_contract_versions": ("contracts:read", {STEWARD}),
    "compare_contract_versions": ("contracts:read", {STEWARD}),
    "propose_contract": ("contracts:write", {STEWARD}),
    "list_domain_keys": ("keys:read", {STEWARD, AUDITOR}),
    "list_key_changes": ("keys:read", {STEWARD, AUDITOR}),
    "show_key_change": ("keys:read", {STEWARD, AUDITOR}),
    "tell_key_change": ("keys:read", {STEWARD, AUDITOR}),
    "ask_key_change": ("keys:write", {STEWARD}),
    "approve_key_change": ("keys:write", {STEWARD}),
    "refuse_key_change": ("keys:write", {STEWARD}),
    "withdraw_key_change": ("keys:write", {STEWARD}),
    "list_openings": ("openings:read:own", {STEWARD, SCIENTIST, AUDITOR}),
    "show_opening": ("openings:read:own", {STEWARD, SCIENTIST, AUDITOR}),
    "ask_opening": ("openings:write", {STEWARD}),
    "approve_opening": ("openings:write", {STEWARD}),
    "refuse_opening": ("openings:write", {STEWARD}),
    "withdraw_opening": ("openings:write", {STEWARD}),
    "take_opening": ("openings:take", {STEWARD, SCIENTIST}),
    "list_contract_proposals": ("contracts:read", {STEWARD}),
    "show_contract_proposal": ("contracts:read", {STEWARD}),
    "approve_contract_proposal": ("contracts:write", {STEWARD}),
    "refuse_contract_proposal": ("contracts:write", {STEWARD}),
    "withdraw_contract_proposal": ("contracts:write", {STEWARD}),
    "list_contracts": ("contracts:read", {STEWARD}),
    "show_contract": ("contracts:read", {STEWARD}),
    "explain_contract": ("contracts:read", {STEWARD}),
    "open_delivery": ("deliveries:write", {STEWARD, LAB}),
    "upload_file": ("deliveries:write", {STEWARD, LAB}),
    "upload_part": ("deliveries:write", {STEWARD, LAB}),
    "submit_delivery": ("deliveries:write", {STEWARD, LAB}),
    "replay_delivery": ("deliveries:decide", {STEWARD}),
    "reject_delivery": ("deliveries:decide", {STEWARD}),
    "list_deliveries": ("deliveries:read:own", {STEWARD, AUDITOR, LAB}),
    "show_delivery": ("deliveries:read:own", {STEWARD, AUDITOR, LAB}),
    "list_quarantined": ("quarantine:read:own", {STEWARD, LAB}),
    "list_datasets": ("datasets:read", {STEWARD, SCIENTIST, AUDITOR}),
    "show_dataset": ("datasets:read", {STEWARD, SCIENTIST, AUDITOR}),
    "list_versions": ("datasets:read", {STEWARD, SCIENTIST, AUDITOR}),
    "search_catalog": ("datasets:read", {STEWARD, SCIENTIST, AUDITOR}),
    "describe_dataset": ("datasets:read", {STEWARD, SCIENTIST, AUDITOR}),
    "show_dataset_profile": ("datasets:read", {STEWARD, SCIENTIST, AUDITOR}),
    "show_dataset_risk": ("datasets:read", {STEWARD, SCIENTIST, AUDITOR}),
    "show_dataset_quality": ("datasets:read", {STEWARD, SCIENTIST, AUDITOR}),
    "compare_dataset_versions": ("datasets:read", {STEWARD, SCIENTIST, AUDITOR}),
    "list_erasures": ("erasures:read", {STEWARD, AUDITOR}),
    "show_erasure": ("erasures:read", {STEWARD, AUDITOR}),
    "erase_person": ("erasures:write", {STEWARD}),
    "list_retention": ("datasets:read", {STEWARD, SCIENTIST, AUDITOR}),
    "list_maintenance": ("datasets:maintain", {STEWARD}),
    "compact_dataset": ("datasets:maintain", {STEWARD}),
    "expire_dataset_versions": ("datasets:maintain", {STEWARD}),
    "keep_dataset_version": ("datasets:maintain", {STEWARD}),
    "unkeep_dataset_version": ("datasets:maintain", {STEWARD}),
    "show_dataset_version": ("datasets:read", {STEWARD, SCIENTIST, AUDITOR}),
    "list_grant_requests": ("grants:read:own", {STEWARD, SCIENTIST, AUDITOR}),
    "show_grant_request": ("grants:read:own", {STEWARD, SCIENTIST, AUDITOR}),
    "request_grant": ("grants:request", {SCIENTIST}),
    "withdraw_grant_request": ("grants:request", {SCIENTIST}),
    "approve_grant_request": ("grants:write", {STEWARD}),
    "refuse_grant_request": ("grants:write", {STEWARD}),
    "list_grants": ("grants:read:own", {STEWARD, SCIENTIST, AUDITOR}),
    "show_grant": ("grants:read:own", {STEWARD, SCIENTIST, AUDITOR}),
    "add_grant": ("grants:write", {STEWARD}),
    "revoke_grant": ("grants:write", {STEWARD}),
    "run_query": ("queries:run", {SCIENTIST}),
    "list_queries": ("queries:read:own", {SCIENTIST}),
    "show_query": ("queries:read:own", {SCIENTIST}),
    "queue_query": ("queries:run", {SCIENTIST}),
    "estimate_query": ("queries:run", {SCIENTIST}),
    "cancel_query": ("queries:run", {SCIENTIST}),
    "list_rows": ("queries:run", {SCIENTIST}),
    "download_result": ("queries:run", {SCIENTIST}),
    "remove_result": ("queries:run", {SCIENTIST}),
    "list_relations": ("queries:run", {SCIENTIST}),
    "list_saved_queries": ("queries:read:own", {SCIENTIST}),
    "save_query_text": ("queries:run", {SCIENTIST}),
    "change_saved_query": ("queries:run", {SCIENTIST}),
    "forget_saved_query": ("queries:run", {SCIENTIST}),
    "stream_events": ("me:read", ALL),
    "list_products": ("products:read", {ADMIN, SCIENTIST, AUDITOR}),
    "show_product": ("products:read", {ADMIN, SCIENTIST, AUDITOR}),
    "list_sizes": ("products:read", {ADMIN, SCIENTIST, AUDITOR}),
    "publish_product": ("products:write", {ADMIN}),
    "deprecate_product": ("products:write", {ADMIN}),
    "retire_product": ("products:write", {ADMIN}),
    "list_repositories": ("repositories:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "show_repository": ("repositories:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "list_pushes": ("repositories:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "create_repository": ("repositories:write", {SCIENTIST}),
    "restore_repository": ("repositories:restore", {ADMIN}),
    "list_packages": ("packages:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "list_workspaces": ("workspaces:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "show_workspace": ("workspaces:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "show_workspace_log": ("workspaces:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "open_workspace": ("workspaces:open", {SCIENTIST}),
    "prove_workspace": ("workspaces:prove", {ADMIN, SCIENTIST}),
    "prove_fresh_machine": ("workspaces:prove", {ADMIN, SCIENTIST}),
    "list_workspace_proofs": ("workspaces:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "show_workspace_proof": ("workspaces:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "list_proofs": ("workspaces:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "show_proof": ("workspaces:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "create_workspace": ("workspaces:run", {SCIENTIST}),
    "hibernate_workspace": ("workspaces:run", {SCIENTIST}),
    "wake_workspace": ("workspaces:run", {SCIENTIST}),
    "resize_workspace": ("workspaces:run", {SCIENTIST}),
    "show_workspace_hours": ("workspaces:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "set_workspace_hours": ("workspaces:run", {SCIENTIST}),
    "extend_workspace": ("workspaces:run", {SCIENTIST}),
    "share_workspace_with": ("workspaces:run", {SCIENTIST}),
    "unshare_workspace": ("workspaces:run", {SCIENTIST}),
    "stop_workspace": ("workspaces:end:own", {ADMIN, SCIENTIST}),
    "terminate_workspace": ("workspaces:end:own", {ADMIN, SCIENTIST}),
    "list_airlock_requests": ("airlock:read:own", {STEWARD, SCIENTIST, AUDITOR}),
    "show_airlock_request": ("airlock:read:own", {STEWARD, SCIENTIST, AUDITOR}),
    "list_airlock_checks": ("airlock:read:own", {STEWARD, SCIENTIST, AUDITOR}),
    "open_airlock_request": ("airlock:request", {SCIENTIST}),
    "put_airlock_file": ("airlock:request", {SCIENTIST}),
    "put_airlock_file_of_share": ("airlock:request", {SCIENTIST}),
    "remove_airlock_file": ("airlock:request", {SCIENTIST}),
    "submit_airlock_request": ("airlock:request", {SCIENTIST}),
    "withdraw_airlock_request": ("airlock:request", {SCIENTIST}),
    "fetch_airlock_file": ("airlock:request", {SCIENTIST}),
    "review_airlock_request": ("airlock:review", {STEWARD}),
    "grant_airlock_release": ("airlock:review", {STEWARD}),
    "revoke_airlock_release": ("airlock:review", {STEWARD}),
    "preview_airlock_file": ("airlock:read:own", {STEWARD, SCIENTIST, AUDITOR}),
    "preview_airlock_picture": ("airlock:read:own", {STEWARD, SCIENTIST, AUDITOR}),
    "list_flows": ("flows:read", {STEWARD, SCIENTIST, AUDITOR}),
    "show_flow_graph": ("flows:read", {STEWARD, SCIENTIST, AUDITOR}),
    "show_lineage": ("flows:read", {STEWARD, SCIENTIST, AUDITOR}),
    "list_audit": ("audit:read", {AUDITOR}),
    "list_audit_checkpoints": ("audit:read", {AUDITOR}),
    "export_audit": ("audit:read", {AUDITOR}),
    "verify_audit": ("audit:read", {AUDITOR}),
    "report_costs": ("costs:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "show_cost_series": ("costs:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "list_usage_records": ("costs:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "export_costs": ("costs:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "correct_usage": ("costs:write", {ADMIN}),
    "list_cost_months": ("costs:read", {ADMIN, AUDITOR}),
    "close_cost_month": ("costs:write", {ADMIN}),
    "list_budgets": ("budgets:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "set_budget": ("budgets:write", {ADMIN}),
    "list_forgotten_machines": ("costs:read:own", {ADMIN, SCIENTIST, AUDITOR}),
    "list_operations": ("operations:read", {ADMIN}),
    "show_operation": ("operations:read", {ADMIN}),
    "show_operation_log": ("operations:read", {ADMIN}),
    "cancel_operation": ("operations:write", {ADMIN}),
}


def routes(app):
    return [route for route in app.routes if isinstance(route, APIRoute)]


def test_every_route_is_in_the_table_and_none_is_left_over(site):
    assert len(routes(site.app)) == len(site.app.routes)
    assert {route.operation_id for route in routes(site.app)} == set(MATRIX)


def test_every_route_declares_the_scope_of_the_table(site):
    for route in routes(site.app):
        access = access_of(route)
        declared = access.scope.value if isinstance(access, Requires) else None
        assert declared == MATRIX[route.operation_id][0], route.operation_id


@pytest.mark.parametrize("who", CALLERS)
def test_the_whole_matrix(site, who):
    wrong = []
    for route in routes(site.app):
        scope, allowed = MATRIX[route.operation_id]
        # Nothing of that name is there and every body is wrong: who is let through
        # meets 404 or 422, and nothing is done.
        path = re.sub(r"\{index\}", "0", re.sub(r"\{(?!index)\w+\}", "absent", route.path))
        (method,) = route.methods
        body = {"json": {"unknown": 1}} if method in ("POST", "PATCH") else {}
        status = site.client.request(method, path, headers=site.head(who), **body).status_code
        if scope is None or who in allowed:
            right = status not in (401, 403, 500) or route.operation_id == "sign_in"
        else:
            right = status == (401 if who is None else 403)
        if not right:
            wrong.append((route.operation_id, status))
    assert wrong == []


def test_the_scope_table_agrees_with_the_matrix():
    """The callers of the table are those whose roles hold the scope, so both say the same."""
    for operation, (scope, allowed) in MATRIX.items():
        if scope is None or scope in EVERYBODY:
            continue
        holders = {role.value for role in Role if Scope(scope) in ROLE_SCOPES[role]}
        holders |= {LAB} if Scope(scope) in SOURCE_SCOPES else set()
        assert holders == allowed, operation


def test_every_scope_has_a_help_text_and_somebody_who_holds_it():
    held = frozenset().union(*ROLE_SCOPES.values(), SOURCE_SCOPES, EVERYBODY)
    assert set(SCOPES) == set(Scope) == set(held)
    assert all(text.endswith(".") for text in SCOPES.values())


def test_who_holds_the_wide_scope_holds_the_narrow_one():
    for scope in Scope:
        if scope.value.endswith(":own") and (wide := scope.value.removesuffix(":own")) in set(Scope):
            for role in Role:
                assert scope in ROLE_SCOPES[role] or Scope(wide) not in ROLE_SCOPES[role]


def test_an_app_with_an_undeclared_route_does_not_start():
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_api_route("/fine", lambda: {}, operation_id="fine", dependencies=[Depends(PUBLIC)])
    check_declared(app)
    app.add_api_route("/bare", lambda: {}, operation_id="bare")
    with pytest.raises(RuntimeError, match="/bare"):
        check_declared(app)


def test_a_route_cannot_declare_twice():
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    twice = [Depends(Public()), Depends(Requires(Scope.ME_READ))]
    app.add_api_route("/twice", lambda: {}, operation_id="twice", dependencies=twice)
    with pytest.raises(RuntimeError, match="2 scopes"):
        check_declared(app)


def test_operation_ids_are_explicit_and_stand_once(site):
    ids = [route.operation_id for route in routes(site.app)]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", id) for id in ids)
