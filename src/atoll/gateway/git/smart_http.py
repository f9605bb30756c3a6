"""Git over smart HTTP: requests go to `git http-backend`, git's own server side, by CGI (RFC 3875)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
from collections.abc import Callable, Mapping

from aiohttp import web

from atoll.errors import InvalidInput, LimitExceeded, NotFound, NotPermitted, Unavailable
from atoll.gateway.answers import streaming
from atoll.gateway.git.commands import CommandReader
from atoll.gateway.git.repositories import Repositories, git_environment
from atoll.gateway.machine import Identity, Machine
from atoll.model.push import Push, RefChange

_log = logging.getLogger("atoll.gateway")

_PATH = re.compile(
    r"(?P<project>[^/]+)/(?P<name>[^/]+?)(?:\.git)?/(?P<what>info/refs|git-upload-pack|git-receive-pack)"
)
_FETCH, _PUSH = "git-upload-pack", "git-receive-pack"
_CHUNK_BYTES = 2**16
_HEAD_MAX_BYTES = 2**14
#: Beside its pack a push has commands; git itself tells people of a pack too large, if it comes so far.
_PUSH_EXTRA_BYTES = 2**21
_FETCH_MAX_BYTES = 2**24
#: A git whose caller is gone has so long to come to an end.
_END_SECONDS = 10
_ZEROS = re.compile("0+")


class GitPass:
    """Answers below `/git/<project>/<repository>.git`.

    Args:
        record_push, create_repository: see `Callbacks`.
        max_requests: worked on at once for one machine; more wait.
    """

    def __init__(
        self,
        repositories: Repositories,
        record_push: Callable[[Push], None],
        create_repository: Callable[[str, str], bool],
        *,
        max_requests: int = 4,
    ) -> None:
        self._repositories = repositories
        self._record_push = record_push
        self._create_repository = create_repository
        self._max_requests = max_requests
        self._rooms: dict[str, asyncio.Semaphore] = {}
        self._pushing: dict[tuple[str, str], asyncio.Lock] = {}

    async def handle(self, request: web.Request, path: str, machine: Machine, identity: Identity) -> web.StreamResponse:
        """Answer `path`, which is what follows `/git/`. Raises domain errors."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise NotFound("Git is reached as /git/<project>/<repository>.git, by a git that speaks smart HTTP.")
        project, name, what = match.group("project", "name", "what")
        if project != machine.project:
            raise NotPermitted(
                f"This machine works for the project {machine.project} only.",
                where=f"git/{project[:80]}",
                todo="Nothing crosses from one project to another but through the airlock.",
            )
        service = request.query.get("service", "") if what == "info/refs" else what
        if request.method != ("GET" if what == "info/refs" else "POST") or service not in (_FETCH, _PUSH):
            raise NotFound("Git is spoken by smart HTTP only.", where=request.path[:200])
        await self._see_that_it_stands(machine, name, push=service == _PUSH)
        run = _Run(self._repositories, request, machine, identity, name, what, service)
        room = self._rooms.setdefault(machine.workspace, asyncio.Semaphore(self._max_requests))
        if what != _PUSH:
            async with room:
                return await run.answer(None)
        await asyncio.to_thread(self._repositories.check_room, project, name)
        # One push at a time, so that what a ref was and became can be told.
        lock = self._pushing.setdefault((project, name), asyncio.Lock())
        async with lock, room:
            return await run.answer(self._record_push)

    def forget(self, workspace: str) -> None:
        """The machine is gone."""
        self._rooms.pop(workspace, None)

    async def _see_that_it_stands(self, machine: Machine, name: str, *, push: bool) -> None:
        project = machine.project
        if self._repositories.exists(project, name):
            return
        if push and await asyncio.to_thread(self._create_repository, machine.workspace, name):
            with contextlib.suppress(Exception):  # another push made it just now
                await asyncio.to_thread(self._repositories.create, project, name)
        if not self._repositories.exists(project, name):
            raise NotFound("The project has no such repository.", where=f"{project}/{name}", todo="Have it made first.")


class _Run:
    """One request at `git http-backend`."""

    def __init__(
        self,
        repositories: Repositories,
        request: web.Request,
        machine: Machine,
        identity: Identity,
        name: str,
        what: str,
        service: str,
    ) -> None:
        self._repositories = repositories
        self._request = request
        self._machine = machine
        self._identity = identity
        self._name = name
        self._what = what
        self._service = service
        self._commands = CommandReader()
        self._bytes = 0
        self._known = asyncio.Event()
        self._settling: asyncio.Future[None] | None = None

    async def answer(self, record_push: Callable[[Push], None] | None) -> web.StreamResponse:
        """Run it, streaming both ways. `record_push` is told before the answer ends."""
        if record_push is not None and self._request.headers.get("Content-Encoding", "identity") != "identity":
            raise InvalidInput("A push is sent as it is, not compressed again.")
        process = await self._start()
        feeding = asyncio.create_task(self._feed(process, reads_commands=record_push is not None))
        try:
            if record_push is not None:
                await self._commands_known(feeding)
            status, headers = await self._head(process, feeding)
            response = web.StreamResponse(status=status, headers=headers)
            async with streaming(self._request, response):
                assert process.stdout is not None
                last = b""
                while chunk := await process.stdout.read(_CHUNK_BYTES):
                    await response.write(last)
                    last = chunk
                # What went wrong with the body cuts the answer, and so does a record that cannot be kept.
                await feeding
                await self._settled(process, record_push)
                await response.write(last)
            return response
        finally:
            feeding.cancel()
            # A push is settled even when its sender hangs up: what was accepted goes on record.
            await self._settled(process, record_push)

    async def _commands_known(self, feeding: asyncio.Task[None]) -> None:
        """Returns when it is known what the push wants. Raises what is wrong with it, while that can still be told."""
        known = asyncio.create_task(self._known.wait())
        await asyncio.wait({known, feeding}, return_when=asyncio.FIRST_COMPLETED)
        known.cancel()
        if feeding.done():
            feeding.result()

    async def _settled(self, process: asyncio.subprocess.Process, record_push: Callable[[Push], None] | None) -> None:
        """Settle once; being cancelled does not end it."""
        if self._settling is None:
            self._settling = asyncio.ensure_future(self._settle(process, record_push))
        await asyncio.shield(self._settling)

    async def _settle(self, process: asyncio.subprocess.Process, record_push: Callable[[Push], None] | None) -> None:
        if process.returncode is None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), _END_SECONDS)
            except TimeoutError:
                _signal(process, signal.SIGKILL)
                await process.wait()
        if record_push is not None and self._commands.commands:
            await asyncio.to_thread(record_push, await asyncio.to_thread(self._push))

    def _push(self) -> Push:
        """What became of it, by the refs as they are now."""
        now = self._repositories.refs(self._machine.project, self._name)
        changes = tuple(change.but(accepted=_stands(change, now)) for change in self._commands.commands)
        return Push(
            workspace=self._machine.workspace,
            project=self._machine.project,
            login=self._identity.login,
            repository=self._name,
            changes=changes,
            bytes=self._bytes,
        )

    async def _start(self) -> asyncio.subprocess.Process:
        request = self._request
        path = self._repositories.path(self._machine.project, self._name)
        limits = {"http.receivepack": "true", "receive.maxInputSize": str(self._repositories.max_push_bytes)}
        environment = git_environment(limits) | {
            "GIT_PROJECT_ROOT": str(self._repositories.directory),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{self._machine.project}/{path.name}/{self._what}",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": f"service={self._service}" if self._what == "info/refs" else "",
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "REMOTE_USER": self._identity.login,
            "REMOTE_ADDR": self._machine.workspace,
            "GATEWAY_INTERFACE": "CGI/1.1",
            # Who stands in the log of each ref.
            "GIT_COMMITTER_NAME": self._identity.login,
            "GIT_COMMITTER_EMAIL": f"{self._machine.workspace}@atoll.invalid",
        }
        if re.fullmatch(r"version=[0-2]", request.headers.get("Git-Protocol", "")):
            environment["GIT_PROTOCOL"] = request.headers["Git-Protocol"]
        try:
            return await asyncio.create_subprocess_exec(
                "git",
                "http-backend",
                env=environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            raise Unavailable("git cannot be run.", todo="Install git on the host.") from None

    async def _feed(self, process: asyncio.subprocess.Process, *, reads_commands: bool) -> None:
        """The body into git, no faster than git takes it. Without a length git reads to the end."""
        limit = self._repositories.max_push_bytes + _PUSH_EXTRA_BYTES if reads_commands else _FETCH_MAX_BYTES
        assert process.stdin is not None
        try:
            async for chunk in self._request.content.iter_chunked(_CHUNK_BYTES):
                self._bytes += len(chunk)
                if self._bytes > limit:
                    _signal(process, signal.SIGTERM)
                    raise LimitExceeded(
                        f"The push is larger than {self._repositories.max_push_bytes} bytes.",
                        where=f"{self._machine.project}/{self._name}",
                        todo="Keep data out of git: it belongs in the lake or the project share.",
                    )
                if reads_commands:
                    self._commands.feed(chunk)
                    if self._commands.done:
                        self._known.set()
                process.stdin.write(chunk)
                await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # git has answered already; what it said is the answer
        except InvalidInput:
            _signal(process, signal.SIGTERM)
            raise
        finally:
            process.stdin.close()

    async def _head(
        self, process: asyncio.subprocess.Process, feeding: asyncio.Task[None]
    ) -> tuple[int, Mapping[str, str]]:
        """Status and headers, as CGI tells them."""
        assert process.stdout is not None
        try:
            text = await process.stdout.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            if feeding.done() and not feeding.cancelled() and (error := feeding.exception()) is not None:
                raise error from None
            raise Unavailable("git broke off.", where=f"{self._machine.project}/{self._name}") from None
        headers = {}
        for line in text.decode("latin-1").splitlines():
            key, colon, value = line.partition(":")
            if colon:
                headers[key.strip().title()] = value.strip()
        status = int(headers.pop("Status", "200 OK").split()[0])
        return status, headers


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """To git and all that it started; asked by SIGTERM they take their temporary files with them."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _stands(change: RefChange, now: Mapping[str, str]) -> bool:
    if _ZEROS.fullmatch(change.new):
        return change.ref not in now
    return now.get(change.ref) == change.new
