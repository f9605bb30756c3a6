"""The tree of domain errors.

AtollError
├── InvalidInput            what the caller sent cannot be taken            (HTTP 422)
│   ├── TextInvalid         a reviewed text that does not hold, with every finding
│   │   ├── ContractInvalid
│   │   └── ProductInvalid
│   └── StatementRefused    SQL that the guard does not let through
├── NotAuthenticated        no credential, or one that is wrong or expired  (HTTP 401)
│   └── SecondFactorRequired  the password is right, a code is asked for as well
├── NotPermitted            a known person without the right                (HTTP 403)
├── NotFound                no such thing, or none that may be seen         (HTTP 404)
├── Conflict                the state does not allow it                     (HTTP 409)
│   ├── VersionConflict     somebody wrote the record in between
│   └── AlreadyExists       the name or unique value is taken
├── LimitExceeded           over a size, time, memory or money limit        (HTTP 413)
│   ├── BudgetExceeded
│   └── TooManyAttempts     too often in too short a time                   (HTTP 429)
├── DeliveryRefused         a delivery or file that fails verification      (HTTP 422)
├── IntegrityBroken         stored data is not what was written             (HTTP 500)
└── Unavailable             a part is away for now; try again               (HTTP 503)

Every error says what happened, where, and what to do next. None may carry an
identified value: messages are written from names, positions, rules and masked
values only.
"""

from __future__ import annotations


class AtollError(Exception):
    """Base of all errors that Atoll raises on purpose.

    Attributes:
        what: what happened, in one sentence.
        where: the thing it happened to (a file and row, a route, a record id).
        todo: what the reader can do about it.
    """

    #: A stable word for programs, shown by API and CLI.
    code = "error"

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.todo = todo

    def __str__(self) -> str:
        text = self.what
        if self.where:
            text += f" ({self.where})"
        if self.todo:
            text += f" {self.todo}"
        return text


class InvalidInput(AtollError):
    """What the caller sent cannot be taken."""

    code = "invalid_input"


class TextInvalid(InvalidInput):
    """A text that people write and review (YAML) and that does not hold.

    Attributes:
        findings: every fault found, one sentence each, with its place in the YAML.
    """

    code = "text_invalid"

    def __init__(self, what: str, *, findings: tuple[str, ...] = (), where: str = "", todo: str = "") -> None:
        super().__init__(what, where=where, todo=todo)
        self.findings = findings


class ContractInvalid(TextInvalid):
    """A contract that does not hold."""

    code = "contract_invalid"


class ProductInvalid(TextInvalid):
    """A product of the catalog that does not hold."""

    code = "product_invalid"


class StatementRefused(InvalidInput):
    """SQL that the guard does not let through."""

    code = "statement_refused"


class NotAuthenticated(AtollError):
    """No credential, or one that is wrong, revoked or expired."""

    code = "not_authenticated"


class SecondFactorRequired(NotAuthenticated):
    """The password is right; a code of the second factor is asked for as well."""

    code = "second_factor_required"


class NotPermitted(AtollError):
    """A known person or source without the right to do this."""

    code = "not_permitted"


class NotFound(AtollError):
    """No such thing, or none that the caller may see; the two cannot be told apart."""

    code = "not_found"


class Conflict(AtollError):
    """The state of the thing does not allow what was asked."""

    code = "conflict"


class VersionConflict(Conflict):
    """Somebody else wrote the record (or stream) in between; read again and retry."""

    code = "version_conflict"


class AlreadyExists(Conflict):
    """An id or a unique value is taken."""

    code = "already_exists"


class LimitExceeded(AtollError):
    """Over a limit of size, time, memory or rows."""

    code = "limit_exceeded"


class BudgetExceeded(LimitExceeded):
    """Over a limit of money."""

    code = "budget_exceeded"


class TooManyAttempts(LimitExceeded):
    """Too often in too short a time.

    Attributes:
        retry_after_seconds: how long to wait before the next attempt is looked at.
    """

    code = "too_many_attempts"

    def __init__(self, what: str, *, retry_after_seconds: int, where: str = "", todo: str = "") -> None:
        super().__init__(what, where=where, todo=todo)
        self.retry_after_seconds = retry_after_seconds


class DeliveryRefused(AtollError):
    """A delivery or one of its files failed verification."""

    code = "delivery_refused"


class IntegrityBroken(AtollError):
    """Stored data is not what was written; a person must look."""

    code = "integrity_broken"


class Unavailable(AtollError):
    """A part is away for now; the same call may succeed later."""

    code = "unavailable"
