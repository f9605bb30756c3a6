"""Backups of repositories: generations of git bundles, each proven before it counts.

A generation is a manifest of what every ref was, and the bundles that bring it back: a
whole one, and after it smaller ones with what came since. Bundles and manifest come by
rename, the manifest last; what no manifest that is kept names is removed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from atoll.errors import AlreadyExists, IntegrityBroken, NotFound, Unavailable
from atoll.gateway.git.repositories import Repositories, make_bare, run_git
from atoll.model.repository import BundleFile, Generation

_MANIFEST, _BUNDLE = ".json", ".bundle"
#: After so many additions to a whole bundle, or when they outgrow it, the next is whole again.
_MOST_ADDITIONS = 10
_TRIES = 3
_BLOCK_BYTES = 2**20


class Backups:
    """Backups below `<directory>/<project>/<name>/`.

    Args:
        repositories: what is backed up.
        directory: made 0700; best on another disk.
        keep: generations kept of each repository.
    """

    def __init__(self, repositories: Repositories, directory: Path, *, keep: int = 14) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self._repositories = repositories
        self._keep = max(keep, 1)

    def generations(self, project: str, name: str) -> tuple[Generation, ...]:
        """See `RepositoryBackups.generations`."""
        manifests = sorted(self._place(project, name).glob(f"*{_MANIFEST}"), reverse=True)
        return tuple(Generation.model_validate_json(path.read_bytes()) for path in manifests)

    def back_up(self, project: str, name: str, now: datetime) -> Generation | None:
        """See `RepositoryBackups.back_up`. A newest generation whose files are damaged is followed by a whole one."""
        refs = self._repositories.refs(project, name)
        kept = self.generations(project, name)
        newest = kept[0] if kept else None
        if newest is None and not refs:
            return None
        try:
            return self._next(project, name, refs, newest, now)
        except OSError as problem:
            raise Unavailable(
                f"The backup cannot be written: {problem.strerror}.",
                where=f"{project}/{name}",
                todo="See that its disk has room.",
            ) from None

    def _next(
        self, project: str, name: str, refs: Mapping[str, str], newest: Generation | None, now: datetime
    ) -> Generation:
        with self._alone(project, name):
            whole = newest is not None and self._holds(project, name, newest)
            head = self._repositories.head(project, name)
            if newest is not None and whole and newest.refs == refs and newest.head == head:
                return newest
            made = self._make(project, name, newest if whole else None, _stamp(now), now)
            self._forget_old(project, name)
        return made

    def check(self, project: str, name: str, generation: str) -> None:
        """Bring a generation back in a place of its own, and throw that away. Raises as `restore`."""
        with self._scratch(project, name) as scratch:
            self._bring_back(project, name, self._find(project, name, generation), scratch / "back.git")

    def restore(self, project: str, name: str, generation: str, into: str, now: datetime, *, replace: bool) -> Path:
        """See `RepositoryBackups.restore`."""
        target = self._repositories.path(project, into)
        found = self._find(project, name, generation)
        if self._repositories.exists(project, into) and not replace:
            raise _stands(project, into)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        made = target.with_name(f".{target.name}.{os.getpid()}.back")
        shutil.rmtree(made, ignore_errors=True)
        try:
            self._bring_back(project, name, found, made)
            if replace:
                with suppress(NotFound):
                    self._repositories.put_aside(project, into, _stamp(now))
            try:
                made.rename(target)
            except OSError:
                raise _stands(project, into) from None
        finally:
            shutil.rmtree(made, ignore_errors=True)
        return target

    def _make(self, project: str, name: str, base: Generation | None, id: str, now: datetime) -> Generation:
        for _ in range(_TRIES):
            refs, head = dict(self._repositories.refs(project, name)), self._repositories.head(project, name)
            files = base.files if base is not None and _grows(base) else ()
            known = set(base.refs.values()) if base is not None and files else set()
            fresh = self._bundle(project, name, refs, known, f"{id}{_BUNDLE}")
            if self._repositories.refs(project, name) != refs:
                continue  # a push came in between
            made = Generation(id=id, made_at=now, head=head, refs=refs, files=(*files, *fresh))
            self._write(self._place(project, name) / f"{id}{_MANIFEST}", made.model_dump_json(indent=1).encode())
            if not files:
                try:
                    self.check(project, name, id)
                except (IntegrityBroken, Unavailable):
                    (self._place(project, name) / f"{id}{_MANIFEST}").unlink(missing_ok=True)
                    raise
            return made
        raise Unavailable("The repository is pushed to without end.", where=f"{project}/{name}", todo="Wait.")

    def _bundle(
        self, project: str, name: str, refs: dict[str, str], known: set[str], file: str
    ) -> tuple[BundleFile, ...]:
        """A bundle with all that is not reached from `known`; none when there is nothing of the kind."""
        source = str(self._repositories.path(project, name))
        without = "".join(f"^{object_id}\n" for object_id in sorted(known))
        wanted = _names(run_git("-C", source, "rev-list", "--objects", "--all", "--stdin", stdin=without))
        if not refs or not wanted:
            return ()
        target = self._place(project, name) / file
        with self._scratch(project, name) as scratch:
            part = scratch / file
            run_git("-C", source, "bundle", "create", "--quiet", str(part), "--all", "--stdin", stdin=without)
            if known:
                self._prove(source, part, wanted, scratch, f"{project}/{name}")
            part.chmod(0o600)
            told = BundleFile(name=file, sha256=_sha256(part), bytes=part.stat().st_size)
            _to_disk(part)
            part.replace(target)
        _to_disk(target.parent)
        return (told,)

    def _prove(self, source: str, part: Path, wanted: set[str], scratch: Path, where: str) -> None:
        """Unpack an addition beside the repository, and see that it has every object it is to bring."""
        objects = scratch / "objects"
        objects.mkdir(mode=0o700)
        apart = {"GIT_OBJECT_DIRECTORY": str(objects)}
        try:
            run_git("-C", source, "bundle", "verify", "--quiet", str(part))
            beside = {**apart, "GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{source}/objects"}
            run_git("-C", source, "bundle", "unbundle", str(part), variables=beside)
            listing = ("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
            missing = wanted - _names(run_git("-C", source, *listing, variables=apart))
        except Unavailable:
            missing = wanted
        if missing:
            raise IntegrityBroken("The backup of a repository does not verify.", where=where)

    def _bring_back(self, project: str, name: str, generation: Generation, target: Path) -> None:
        """Make the repository as it was; every file is hashed, every object is checked."""
        if not self._holds(project, name, generation):
            raise _damaged(project, name, generation)
        make_bare(target)
        place = self._place(project, name).absolute()
        try:
            for file in generation.files:
                run_git("-C", str(target), "bundle", "unbundle", str(place / file.name))
            orders = "".join(f"create {ref} {object_id}\n" for ref, object_id in generation.refs.items())
            who = {"GIT_COMMITTER_NAME": "platform", "GIT_COMMITTER_EMAIL": "platform@atoll.invalid"}
            run_git("-C", str(target), "update-ref", "--stdin", stdin=orders, variables=who)
            run_git("-C", str(target), "symbolic-ref", "HEAD", generation.head)
            run_git("-C", str(target), "fsck", "--full", "--no-dangling", "--no-progress")
        except Unavailable:
            raise _damaged(project, name, generation) from None

    def _holds(self, project: str, name: str, generation: Generation) -> bool:
        place = self._place(project, name)
        return all(
            (place / file.name).is_file() and _sha256(place / file.name) == file.sha256 for file in generation.files
        )

    def _find(self, project: str, name: str, generation: str) -> Generation:
        for found in self.generations(project, name):
            if generation in ("", found.id):
                return found
        raise NotFound(
            "The repository has no such backup.",
            where=f"{project}/{name}",
            todo="`atoll repository show` lists those there are.",
        )

    def _forget_old(self, project: str, name: str) -> None:
        place = self._place(project, name)
        kept = self.generations(project, name)[: self._keep]
        keeps = {f"{one.id}{_MANIFEST}" for one in kept} | {file.name for one in kept for file in one.files}
        # Manifests first: none may name a file that is gone.
        for path in sorted(place.iterdir(), key=lambda path: path.suffix != _MANIFEST):
            if path.suffix in (_MANIFEST, _BUNDLE) and path.name not in keeps:
                path.unlink()

    def _place(self, project: str, name: str) -> Path:
        path = self._repositories.path(project, name)
        return self.directory / project / path.name.removesuffix(".git")

    def _write(self, target: Path, content: bytes) -> None:
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        part.write_bytes(content)
        part.chmod(0o600)
        _to_disk(part)
        part.replace(target)
        _to_disk(target.parent)

    @contextmanager
    def _alone(self, project: str, name: str) -> Iterator[None]:
        """One process of this host at a time works on one repository's backups. Raises `Unavailable`."""
        place = self._place(project, name)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(place / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Unavailable("The repository is being backed up already.", where=f"{project}/{name}") from None
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _scratch(self, project: str, name: str) -> Iterator[Path]:
        place = self._place(project, name)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".scratch-", dir=place)).absolute()
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _grows(base: Generation) -> bool:
    """Whether another addition to it pays, instead of a whole bundle."""
    if not base.files or len(base.files) > _MOST_ADDITIONS:
        return False
    return sum(file.bytes for file in base.files[1:]) <= base.files[0].bytes


def _stamp(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}"


def _names(listing: str) -> set[str]:
    return {line.split(" ", 1)[0] for line in listing.splitlines()}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stands(project: str, name: str) -> AlreadyExists:
    return AlreadyExists(
        "The project has a repository of that name.",
        where=f"{project}/{name}",
        todo="Bring it back under another name, or replace what stands.",
    )


def _damaged(project: str, name: str, generation: Generation) -> IntegrityBroken:
    return IntegrityBroken(
        "A backup of the repository is damaged.",
        where=f"{project}/{name}, {generation.id}",
        todo="Bring back an older generation.",
    )
