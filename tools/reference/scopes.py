"""docs/reference/scopes.md"""

from __future__ import annotations

from atoll.access.scopes import ROLE_HELP, ROLE_SCOPES, SCOPES, SOURCE_SCOPES, scopes_of
from atoll.model.person import Caller, Role, SubjectKind
from reference.markdown import code, page, table


def scopes_page() -> str:
    """Every scope, what it allows and who has it."""
    held = {role: scopes_of(_person(role)) for role in ROLE_SCOPES}
    rows = [
        (
            code(scope),
            help_,
            ", ".join(role for role in ROLE_SCOPES if scope in held[role]),
            "yes" if scope in SOURCE_SCOPES else "",
        )
        for scope, help_ in SCOPES.items()
    ]
    return page(
        "Scopes and roles",
        "Each route asks for one scope. A scope that ends in `:own` is the narrow form of the one without. A person "
        "has the scopes of all their roles; a source has its own and no role.",
        "## Roles",
        table(("role", "what for"), [(role, help_) for role, help_ in ROLE_HELP.items()]),
        "## Scopes",
        table(("scope", "allows", "roles", "source"), rows),
    )


def _person(role: Role) -> Caller:
    return Caller(subject_kind=SubjectKind.PERSON, subject_id="one", name="one", roles=frozenset({role}))
