"""What people change about their own account."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from atoll.api.schemas.people import Password
from atoll.model.record import Frozen


class Code(Frozen):
    """A code of the second factor."""

    code: Annotated[str, Field(min_length=1, max_length=32)]


class EnrolmentAnswer(Frozen):
    """What an app needs to show codes; it is shown once."""

    #: Base 32, to be typed.
    secret: str
    #: `otpauth://...`, to be shown as a QR code.
    uri: str


class RecoveryCodes(Frozen):
    """Codes for when the device is lost, each good once; they are shown once."""

    recovery_codes: tuple[str, ...]


class NewPassword(Frozen):
    """The password that holds, and the one to come."""

    current: Password
    new: Password
