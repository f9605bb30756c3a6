"""One HTTP connection to an Atoll, with its credential, its errors and its retries."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

import atoll
from atoll.client.problems import error_of, not_atoll
from atoll.errors import InvalidInput, NotAuthenticated, Unavailable

Json = dict[str, Any]
Params = Mapping[str, str | float | bool | None]

#: Seconds. Reading waits long enough for the slowest answer that is not a query.
TIMEOUT = httpx.Timeout(connect=5, read=120, write=120, pool=5)
#: A query may work long before its first row.
QUERY_TIMEOUT = httpx.Timeout(connect=5, read=3600, write=60, pool=5)
#: Waits before another try of a call that changes nothing when made twice, seconds.
RETRY_WAITS_SECONDS = (0.2, 0.6, 1.5)

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class NoAnswer(Unavailable):
    """Nothing listens at the URL."""


class Connection:
    """Speaks the API under `<url>/api/v1`.

    Every answer is a JSON object. Every method raises the domain error that the API
    tells of (`atoll.errors`), `NoAnswer` when nothing listens at the URL, and
    `Unavailable` for time-outs, broken connections and answers that are not Atoll's.

    Args:
        url: where Atoll listens, e.g. `http://127.0.0.1:8470`.
        token: the caller's token, None for the few calls that need none.
        transport: another way to speak HTTP, for tests.
        sleep: how to wait between tries, for tests.
    """

    def __init__(
        self,
        url: str,
        token: str | None,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._sleep = sleep
        headers = {"User-Agent": f"atoll/{atoll.__version__}"}
        if token:
            if not token.isascii() or not token.isprintable() or " " in token:
                raise NotAuthenticated(
                    "The token holds characters that no token has.",
                    where="ATOLL_TOKEN",
                    todo="Set ATOLL_TOKEN to the token alone, as it was shown.",
                )
            headers["Authorization"] = f"Bearer {token}"
        try:
            base = httpx.URL(self.url)
        except httpx.InvalidURL:
            base = httpx.URL("")
        if base.scheme not in ("http", "https") or not base.host:
            raise InvalidInput(
                "The URL of Atoll must look like http://127.0.0.1:8470.",
                where=f"ATOLL_URL={url}",
                todo="Set ATOLL_URL to where Atoll listens.",
            )
        self._http = httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers=headers,
            timeout=TIMEOUT,
            transport=transport,
            # A proxy of the environment has no business between this machine and itself.
            trust_env=base.host not in _LOOPBACK,
        )

    def close(self) -> None:
        """Release the connection."""
        self._http.close()

    def get(self, path: str, **params: str | float | bool | None) -> Json:
        """Read; tried again when the server is away for a moment."""
        return self._again(lambda: self._call("GET", path, params=_given(params)))

    def items(self, path: str, *, at_most: int | None = None, **params: str | float | bool | None) -> Iterator[Json]:
        """Every item of a list, page by page, or the first `at_most` of them."""
        cursor: str | None = None
        told = 0
        while True:
            page = self.get(path, cursor=cursor, **params)
            for item in page["items"]:
                if at_most is not None and told >= at_most:
                    return
                told += 1
                yield item
            cursor = page.get("cursor")
            if cursor is None:
                return

    def post(self, path: str, body: object = None, *, repeatable: bool = False) -> Json:
        """Ask for a change; tried again only when `repeatable`: twice is the same as once."""
        if repeatable:
            return self._again(lambda: self._call("POST", path, json=body))
        return self._call("POST", path, json=body)

    def patch(self, path: str, body: object) -> Json:
        """Change a part."""
        return self._call("PATCH", path, json=body)

    def put(self, path: str, body: object = None) -> Json:
        """Set; the same twice is the same as once."""
        return self._again(lambda: self._call("PUT", path, json=body))

    def delete(self, path: str) -> Json:
        """Remove or end."""
        return self._call("DELETE", path)

    def upload(self, path: str, chunks: Callable[[], Iterator[bytes]], size_bytes: int) -> Json:
        """PUT a body of known size; `chunks` is called anew for each try.

        Raises `InvalidInput` when the chunks are not that size: the file changes while it is read.
        """
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size_bytes)}
        return self._again(lambda: self._call("PUT", path, content=_exactly(chunks(), size_bytes), headers=headers))

    def append(self, path: str, part: bytes, offset: int) -> Json:
        """PATCH a part that begins at `offset`, with its SHA-256, so that it is taken whole or not at all."""
        digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
        headers = {
            "Content-Type": "application/octet-stream",
            "Upload-Offset": str(offset),
            "Content-Digest": f"sha-256=:{digest}:",
        }
        return self._call("PATCH", path, content=part, headers=headers)

    @contextmanager
    def stream(self, path: str, body: object) -> Iterator[httpx.Response]:
        """POST and hand over the answer unread; read it with `chunks_of`."""
        with (
            self._told_plainly("POST", path),
            self._http.stream("POST", path, json=body, timeout=QUERY_TIMEOUT) as response,
        ):
            if response.status_code >= 400:
                response.read()
                raise error_of(response)
            yield response

    @contextmanager
    def download(self, path: str) -> Iterator[Iterator[bytes]]:
        """GET bytes, a piece at a time; never tried again. An answer that breaks off raises `Unavailable`."""
        with self._told_plainly("GET", path), self._http.stream("GET", path) as response:
            if response.status_code >= 400:
                response.read()
                raise error_of(response)
            yield response.iter_bytes()

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | float | bool] | None = None,
        json: object = None,
        content: Iterator[bytes] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """The object that is answered; an empty one where the answer has no body."""
        with self._told_plainly(method, path):
            response = self._http.request(method, path, params=params, json=json, content=content, headers=headers)
        if response.status_code >= 400:
            raise error_of(response)
        if response.status_code == 204:
            return {}
        try:
            body = response.json()
        except ValueError:
            raise not_atoll(response) from None
        if not isinstance(body, dict):
            raise not_atoll(response)
        return body

    def _again(self, call: Callable[[], Json]) -> Json:
        for wait_seconds in RETRY_WAITS_SECONDS:
            try:
                return call()
            except NoAnswer:
                raise
            except Unavailable:
                self._sleep(wait_seconds)
        return call()

    @contextmanager
    def _told_plainly(self, method: str, path: str) -> Iterator[None]:
        """Failures of the network as domain errors."""
        where = f"{method} {self.url}/api/v1{path}"
        try:
            yield
        except httpx.ConnectError:
            raise NoAnswer(
                f"Atoll does not answer at {self.url};",
                todo="start it with `atoll up` or set ATOLL_URL.",
            ) from None
        except httpx.TimeoutException:
            raise Unavailable(
                "Atoll did not answer in time.",
                where=where,
                todo="Try again; if it stays so, look at /readyz and the server's log.",
            ) from None
        except httpx.HTTPError as problem:
            raise Unavailable(
                f"The connection to Atoll broke ({type(problem).__name__}).",
                where=where,
                todo="Try again; if it stays so, look at the server's log.",
            ) from None


def segment(name: str) -> str:
    """A name as one segment of a path."""
    return quote(name, safe="")


def _exactly(chunks: Iterator[bytes], size_bytes: int) -> Iterator[bytes]:
    """The chunks, as long as they are of the announced size in all."""
    sent_bytes = 0
    for chunk in chunks:
        sent_bytes += len(chunk)
        if sent_bytes > size_bytes:
            break
        yield chunk
    if sent_bytes != size_bytes:
        raise InvalidInput(
            "A file changed while it was sent.", todo="Deliver files that nobody writes to; then deliver again."
        )


def _given(params: Params) -> dict[str, str | float | bool]:
    return {name: value for name, value in params.items() if value is not None}
