"""An inbox below a prefix of an object store with the S3 API: `<prefix>/<source>/<dataset>/<drop>/<file>`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from atoll.errors import NotFound, Unavailable
from atoll.ports.inbox import Drop, DroppedFile

if TYPE_CHECKING:
    from obstore.store import S3Config

_CHUNK_BYTES = 8 * 2**20
_STEPS = 4


class ObjectInbox:
    """What suppliers put into a bucket. Credentials are those of the environment (`AWS_...`)."""

    way = "s3"

    def __init__(self, url: str, *, endpoint: str = "") -> None:
        config: S3Config = {"endpoint": endpoint, "virtual_hosted_style_request": False} if endpoint else {}
        plain = endpoint.startswith("http://")
        self._store = S3Store.from_url(url.rstrip("/"), config=config, client_options={"allow_http": plain})

    def drops(self) -> Iterator[Drop]:
        """Each folder once, in order of name."""
        found: set[Drop] = set()
        try:
            for page in obstore.list(self._store, chunk_size=1000):
                for meta in page:
                    steps = meta["path"].split("/")
                    if len(steps) == _STEPS:
                        found.add(Drop(*steps[:3]))
        except BaseError as problem:
            raise _away(problem) from None
        yield from sorted(found)

    def files(self, drop: Drop) -> Mapping[str, DroppedFile]:
        """Objects of the folder by name; those deeper are left out."""
        try:
            listed = obstore.list_with_delimiter(self._store, prefix=str(drop))
        except BaseError as problem:
            raise _away(problem, str(drop)) from None
        return {
            meta["path"].rsplit("/", 1)[-1]: DroppedFile(meta["size"], meta["last_modified"])
            for meta in listed["objects"]
        }

    def read(self, drop: Drop, name: str) -> Iterator[bytes]:
        """The content, in pieces."""
        try:
            for piece in obstore.get(self._store, f"{drop}/{name}").stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(piece)
        except FileNotFoundError:
            raise NotFound("It has gone from the inbox.", where=str(drop), todo="Send it again.") from None
        except BaseError as problem:
            raise _away(problem, str(drop)) from None

    def write(self, drop: Drop, name: str, content: bytes) -> None:
        """One put."""
        try:
            obstore.put(self._store, f"{drop}/{name}", content)
        except BaseError as problem:
            raise _away(problem, str(drop)) from None

    def remove(self, drop: Drop, names: tuple[str, ...]) -> None:
        """The objects; a folder of a store is nothing by itself."""
        if not names:
            return
        try:
            obstore.delete(self._store, [f"{drop}/{name}" for name in names])
        except FileNotFoundError:
            return
        except BaseError as problem:
            raise _away(problem, str(drop)) from None


def _away(problem: BaseError, where: str = "inbox") -> Unavailable:
    # The text of a store's error names addresses and headers: its kind is enough.
    return Unavailable(
        f"The object store of the inbox did not do it ({type(problem).__name__}).",
        where=where,
        todo="Check ATOLL_INBOX_S3_URL, the endpoint and the credentials of this process.",
    )
