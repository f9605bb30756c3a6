"""What the mirror holds back: by name, by age, by known vulnerability."""

from __future__ import annotations

from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from atoll.errors import NotPermitted
from atoll.gateway.mirror.advisories import Advisories
from atoll.gateway.mirror.release import Package, Release
from atoll.ports.clock import Clock


class Holds:
    """Rules of the operators.

    Args:
        clock: for ages.
        allow: globs over `<ecosystem>/<name>`, like `pypi/*` or `npm/@types/*`; empty allows every name.
        block: globs as `allow`, or over `<ecosystem>/<name>==<version>`; a block outdoes an allowance.
        min_age_days: versions younger than this are held; one whose age upstream does not tell, too.
        advisories: known vulnerabilities.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        allow: tuple[str, ...] = (),
        block: tuple[str, ...] = (),
        min_age_days: float = 0,
        advisories: Advisories | None = None,
    ) -> None:
        self._clock = clock
        self._allow = allow
        self._block = block
        self._min_age = timedelta(days=min_age_days)
        self._advisories = advisories or Advisories(None)

    @property
    def asks_for_age(self) -> bool:
        """Whether the age of a version counts."""
        return bool(self._min_age)

    def check_name(self, ecosystem: str, name: str) -> None:
        """Raises `NotPermitted` when the name is blocked or not allowed; upstream is not asked for it then."""
        full = f"{ecosystem}/{name}"
        if any(fnmatchcase(full, pattern) for pattern in self._block):
            raise _held(f"{full} is on the operators' block list.")
        if self._allow and not any(fnmatchcase(full, pattern) for pattern in self._allow):
            raise _held(f"{full} is not on the operators' allow list.")

    def reason(self, ecosystem: str, name: str, version: str, published_at: datetime | None) -> str | None:
        """Why a version is held back, in a sentence, or None."""
        full = f"{ecosystem}/{name}=={version}"
        if any(fnmatchcase(full, pattern) for pattern in self._block):
            return f"{full} is on the operators' block list."
        if self._min_age:
            days = self._min_age / timedelta(days=1)
            if published_at is None:
                return f"{full} is held: upstream does not tell its age, and {days:g} days are asked for."
            if self._clock.now() - published_at < self._min_age:
                return f"{full} is held until it is {days:g} days old."
        found = self._advisories.of(ecosystem, name, version)
        if found:
            return f"{full} is held for known vulnerabilities: {', '.join(found[:5])}."
        return None

    def let_through(self, ecosystem: str, package: Package) -> tuple[Release, ...]:
        """The releases that are not held. Raises `NotPermitted` when all of them are."""
        through: list[Release] = []
        first: str | None = None
        reasons: dict[tuple[str, datetime | None], str | None] = {}
        for release in package.releases:
            key = (release.version, release.published_at)
            if key not in reasons:
                reasons[key] = self.reason(ecosystem, package.name, *key)
            reason = reasons[key]
            if reason is None:
                through.append(release)
            else:
                first = reason
        if first is not None and not through:
            raise _held(first)
        return tuple(through)

    def check(self, ecosystem: str, name: str, version: str, published_at: datetime | None = None) -> None:
        """Raises `NotPermitted` when the version is held back."""
        reason = self.reason(ecosystem, name, version, published_at)
        if reason is not None:
            raise _held(reason)


def _held(reason: str) -> NotPermitted:
    return NotPermitted(reason, todo="Ask the operators of the package mirror.")
