"""What sources leave elsewhere and what they send by SFTP, from the settings and the rooms."""

from __future__ import annotations

import logging
from functools import partial
from threading import Event

from atoll.flows import manage_source_keys as keys
from atoll.flows.collect_drops import collect_drops
from atoll.flows.rooms import Rooms
from atoll.operations import Reconciler, Reconcilers
from atoll.ports.inbox import Inbox
from atoll.providers.inbox import DirectoryInbox, ObjectInbox
from atoll.settings import Settings
from atoll.sftp import Callbacks, Options, SftpServer


class Inboxes:
    """Everything through which files arrive beside the API. Not started."""

    def __init__(self, rooms: Rooms) -> None:
        self._arrived = Event()
        self.inboxes = inboxes(rooms.settings)
        self.server = sftp(rooms, self._arrived)
        collect = partial(collect_drops, rooms, self.inboxes)
        self._reconcilers = Reconcilers(
            [Reconciler("collect_drops", rooms.settings.inbox_seconds, collect)] if self.inboxes else [], self._arrived
        )

    def start(self) -> None:
        """Listen, and look at the inboxes from now on. Raises `Unavailable`."""
        if self.server is not None:
            self.server.start()
        self._reconcilers.start()

    def stop(self) -> None:
        """Idempotent."""
        self._reconcilers.stop()
        if self.server is not None:
            self.server.stop()


def inboxes(settings: Settings) -> tuple[Inbox, ...]:
    """Those that the settings name. Raises `InvalidInput`."""
    found: list[Inbox] = []
    if settings.sftp_port is not None:
        found.append(DirectoryInbox(settings.sftp_path, way="sftp"))
    if settings.inbox_dir is not None:
        found.append(DirectoryInbox(settings.inbox_dir))
    if settings.inbox_s3_url:
        endpoint = settings.inbox_s3_endpoint
        found.append(ObjectInbox(settings.inbox_s3_url, endpoint=endpoint))
    return tuple(found)


def sftp(rooms: Rooms, arrived: Event) -> SftpServer | None:
    """The server, None where no port is set."""
    settings = rooms.settings
    if settings.sftp_port is None:
        return None
    options = Options(
        host=settings.sftp_host or settings.host,
        port=settings.sftp_port,
        root=settings.sftp_path,
        host_key=settings.home_dir / "keys" / "sftp_host_key",
        source_bytes=settings.sftp_source_bytes,
    )
    # asyncssh tells user names and addresses of whoever knocks.
    logging.getLogger("asyncssh").setLevel(logging.ERROR)
    return SftpServer(
        options,
        Callbacks(
            datasets=partial(keys.datasets_of, rooms),
            signed_in=partial(keys.record_sign_in, rooms),
            arrived=arrived.set,
        ),
    )
