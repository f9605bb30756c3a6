"""Signing on, from the settings: second factors, a directory, an issuer, and the housekeeping of people."""

from __future__ import annotations

from functools import partial

from atoll.access.group_map import load_group_map
from atoll.access.sign_on import SignOn
from atoll.errors import InvalidInput
from atoll.flows.ask_issuer import ask_issuer
from atoll.flows.browser_sessions import sweep_sessions
from atoll.flows.directory_people import read_directory, release_unvouched
from atoll.flows.known_browsers import sweep_known_browsers
from atoll.flows.manage_projects import end_memberships
from atoll.flows.rest_machines import rest_machines
from atoll.flows.rooms import Rooms
from atoll.operations import Reconciler, Reconcilers
from atoll.ports.keys import MasterKey
from atoll.providers.ldap import LdapDirectory, LdapOptions
from atoll.providers.oidc import OidcIssuer, OidcOptions
from atoll.settings import Settings

_REST_SECONDS = 10.0
_SWEEP_SECONDS = 60.0


def build(settings: Settings, master: MasterKey | None = None) -> SignOn:
    """Raises `InvalidInput`, `TextInvalid` for settings that cannot hold. Asks nobody yet."""
    return SignOn(
        master=master,
        directory=LdapDirectory(_ldap(settings)) if settings.ldap_urls else None,
        issuer=OidcIssuer(_oidc(settings)) if settings.oidc_issuer else None,
        group_map=load_group_map(settings.group_map),
    )


def reconcilers(rooms: Rooms) -> Reconcilers:
    """The housekeeping of people in this process, not started; apart, so that a slow directory holds up nothing."""
    return Reconcilers(
        [
            Reconciler("read_directory", rooms.settings.directory_seconds, partial(read_directory, rooms)),
            Reconciler("ask_issuer", rooms.settings.oidc_ask_seconds, partial(ask_issuer, rooms)),
            Reconciler("release_unvouched", _SWEEP_SECONDS, partial(release_unvouched, rooms)),
            Reconciler("end_memberships", _REST_SECONDS, partial(end_memberships, rooms)),
            Reconciler("rest_machines", _REST_SECONDS, partial(rest_machines, rooms)),
            Reconciler("sweep_sessions", _SWEEP_SECONDS, partial(sweep_sessions, rooms)),
            Reconciler("sweep_known_browsers", _SWEEP_SECONDS, partial(sweep_known_browsers, rooms)),
        ],
        board=rooms.duties,
    )


def _ldap(settings: Settings) -> LdapOptions:
    return LdapOptions(
        urls=settings.ldap_urls,
        kind=settings.ldap_kind,
        ca_file=settings.ldap_ca_file,
        base=settings.ldap_base,
        user_dn=settings.ldap_user_dn,
        bind_dn=settings.ldap_bind_dn,
        bind_password=settings.ldap_bind_password,
        group_base=settings.ldap_group_base,
        user_filter=settings.ldap_user_filter,
        active_filter=settings.ldap_active_filter,
        group_filter=settings.ldap_group_filter,
        timeout_seconds=settings.ldap_timeout_seconds,
    )


def _oidc(settings: Settings) -> OidcOptions:
    if not settings.public_url:
        raise InvalidInput(
            "Sign-on by an issuer needs the address at which people reach Atoll.",
            where="ATOLL_PUBLIC_URL",
            todo="Set it, like https://atoll.example.org, and register it with the issuer.",
        )
    return OidcOptions(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        scopes=settings.oidc_scopes,
        login_claim=settings.oidc_login_claim,
        groups_claim=settings.oidc_groups_claim,
        ca_file=settings.oidc_ca_file,
    )
