"""The git repositories of projects: bare, on the host, with nothing of their content ever run."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from atoll.errors import AlreadyExists, InvalidInput, LimitExceeded, NotFound, Unavailable
from atoll.model.person import NAME

_REPOSITORY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}(?:\.[a-z0-9_-]{1,40}){0,4}")
_SUFFIX = ".git"
_WAIT_SECONDS = 600

#: In force for every call, whatever a repository's own configuration says.
_ALWAYS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "safe.directory": "*",
    "receive.fsckObjects": "true",
    "receive.autogc": "false",
    "receive.advertisePushOptions": "false",
    "protocol.allow": "never",
}


def git_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every git that runs here: no configuration of the host or its people, no prompt."""
    settings = {**_ALWAYS, **(extra or {})}
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (key, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{number}"] = key
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    return environment


class Repositories:
    """Repositories below `<directory>/<project>/<name>.git`.

    Args:
        directory: made 0700.
        max_push_bytes: largest pack of one push.
        max_repository_bytes: a repository that has grown to this takes no push.
    """

    def __init__(self, directory: Path, *, max_push_bytes: int = 2**28, max_repository_bytes: int = 2**32) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self.max_push_bytes = max_push_bytes
        self.max_repository_bytes = max_repository_bytes

    def path(self, project: str, name: str) -> Path:
        """Where a repository is or would be. Raises `InvalidInput` for names that are none."""
        if re.fullmatch(NAME, project) is None:
            raise InvalidInput("No project has such a name.", where=project[:80])
        if _REPOSITORY.fullmatch(name) is None or name.endswith((_SUFFIX, ".lock")):
            raise InvalidInput(
                "A repository's name is of small letters, digits, `-`, `_` and single dots.", where=name[:80]
            )
        return self.directory / project / f"{name}{_SUFFIX}"

    def exists(self, project: str, name: str) -> bool:
        """Whether it stands."""
        return (self.path(project, name) / "HEAD").is_file()

    def names(self, project: str) -> tuple[str, ...]:
        """Repositories of a project, by name."""
        place = self.path(project, "x").parent
        return tuple(sorted(path.name.removesuffix(_SUFFIX) for path in place.glob(f"*{_SUFFIX}/")))

    def create(self, project: str, name: str) -> Path:
        """Make an empty repository. Raises `AlreadyExists`."""
        path = self.path(project, name)
        if path.exists():
            raise AlreadyExists("The project has a repository of that name.", where=f"{project}/{name}")
        path.parent.mkdir(mode=0o700, exist_ok=True)
        made = path.with_name(f".{path.name}.{os.getpid()}.new")
        shutil.rmtree(made, ignore_errors=True)
        try:
            make_bare(made)
            try:
                made.rename(path)
            except OSError:
                raise AlreadyExists("The project has a repository of that name.", where=f"{project}/{name}") from None
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return path

    def check_room(self, project: str, name: str) -> None:
        """Raises `LimitExceeded` when the repository takes no push for its size."""
        if self.size_bytes(project, name) >= self.max_repository_bytes:
            raise LimitExceeded(
                f"The repository has grown to {self.max_repository_bytes} bytes and takes no more.",
                where=f"{project}/{name}",
                todo="Ask the operators for more room.",
            )

    def size_bytes(self, project: str, name: str) -> int:
        """Size on disk. Raises `NotFound`."""
        size = 0
        # Pushes make and remove files meanwhile: what is gone counts nothing.
        for place, _, files in os.walk(self._standing(project, name)):
            for file in files:
                with contextlib.suppress(OSError):
                    size += Path(place, file).lstat().st_size
        return size

    def refs(self, project: str, name: str) -> Mapping[str, str]:
        """Object ids by ref. Raises `NotFound`."""
        path = self._standing(project, name)
        lines = run_git("-C", str(path), "for-each-ref", "--format=%(objectname) %(refname)").splitlines()
        return {ref: object_id for object_id, _, ref in (line.partition(" ") for line in lines)}

    def head(self, project: str, name: str) -> str:
        """What `HEAD` names, e.g. `refs/heads/main`. Raises `NotFound`."""
        return run_git("-C", str(self._standing(project, name)), "symbolic-ref", "HEAD").strip()

    def projects(self) -> tuple[str, ...]:
        """Projects that have repositories."""
        return tuple(sorted(path.name for path in self.directory.iterdir() if any(path.glob(f"*{_SUFFIX}/"))))

    def put_aside(self, project: str, name: str, mark: str) -> Path:
        """Take a repository out of use and keep it, as `.<name>.git.<mark>`. Raises `NotFound`."""
        path = self._standing(project, name)
        return path.rename(path.with_name(f".{path.name}.{mark}"))

    def _standing(self, project: str, name: str) -> Path:
        path = self.path(project, name)
        if not (path / "HEAD").is_file():
            raise NotFound("The project has no such repository.", where=f"{project}/{name}")
        return path


def make_bare(path: Path) -> None:
    """Make an empty bare repository there. Raises `Unavailable`."""
    # Without a template: no hook, no example of one.
    run_git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(path))
    # Each ref remembers what it was; nothing is thrown away behind a person's back.
    for key, value in (("core.logAllRefUpdates", "always"), ("gc.auto", "0"), ("gc.reflogExpire", "never")):
        run_git("-C", str(path), "config", key, value)


def run_git(*arguments: str, variables: Mapping[str, str] | None = None, stdin: str = "") -> str:
    """Output of git, with these variables too. Raises `Unavailable` when it fails.

    Its words may hold content and are not passed on.
    """
    try:
        done = subprocess.run(
            ["git", *arguments],
            env={**git_environment(), **(variables or {})},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_WAIT_SECONDS,
            check=False,
            input=stdin,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise Unavailable("git cannot be run.", todo="Install git on the host.") from None
    if done.returncode != 0:
        raise Unavailable(f"git ended with {done.returncode}.", todo="See that the disk has room.")
    return done.stdout
