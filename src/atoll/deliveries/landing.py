"""The landing: delivered files are received, checked against their manifest, and kept for admission."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from atoll.deliveries import growing
from atoll.deliveries.archives import ArchiveLimits
from atoll.deliveries.contents import Content, contents_of
from atoll.deliveries.place import files_directory
from atoll.deliveries.private_files import make_private_directory, part_of, storage_error, write_all
from atoll.errors import DeliveryRefused, IntegrityBroken, LimitExceeded, NotFound, Unavailable
from atoll.model.delivery import Delivery, ManifestFile

_CHUNK_BYTES = 4 * 2**20


class Landing:
    """Receives files into quarantine.

    Safe from several threads and processes; the same file may be received twice at once.

    Attributes:
        directory: the quarantine; each delivery has a directory of its own in it.
        max_bytes: the largest file taken.
        archives: what archives may become when they are opened.
    """

    def __init__(self, directory: Path, max_bytes: int, archives: ArchiveLimits | None = None) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        self.archives = archives or ArchiveLimits(opened_bytes=max_bytes)

    def receive(self, delivery: Delivery, index: int, chunks: Iterable[bytes]) -> None:
        """Take the content of file `index` of the manifest; all of it, or nothing is kept.

        Returns once content and name are on the disk. Receiving a file again replaces
        it by the same content. Size and SHA-256 are checked as the bytes come, and no
        more than the announced size is ever read.

        Raises `DeliveryRefused` (size or checksum differ from the manifest), `LimitExceeded`
        (over `max_bytes`), `Unavailable` (disk full or failing), `NotFound` (no such
        index), and whatever `chunks` raises.
        """
        target = self._place_for(delivery, index)
        announced = delivery.files[index]
        where = _where(delivery, index)
        self._check_space(announced.size_bytes, where)
        with part_of(target) as part:
            _copy_checked(chunks, part, announced, where)
        growing.forget(target)

    def append(self, delivery: Delivery, index: int, offset: int, chunks: Iterable[bytes], sha256: str | None) -> int:
        """Take a part of file `index` that begins at `offset`; once all of it is here it is checked as a whole.

        `sha256` is of the part, if the sender told it. Returns how many bytes are here.
        Raises what `receive` does, and `WrongOffset` when the part begins elsewhere.
        """
        target = self._place_for(delivery, index)
        where = _where(delivery, index)
        self._check_space(delivery.files[index].size_bytes - growing.grown(target), where)
        return growing.append(target, delivery.files[index], offset, chunks, sha256, where)

    def arrived(self, delivery: Delivery) -> tuple[int, ...]:
        """For each file of the manifest, how many bytes are here: all, those of the parts that came, or none."""
        return tuple(
            file.size_bytes if here else growing.grown(self.path(delivery, index))
            for index, (file, here) in enumerate(zip(delivery.files, self.received(delivery), strict=True))
        )

    def _place_for(self, delivery: Delivery, index: int) -> Path:
        """Where file `index` will lie; refused when it is too large."""
        announced = self._announced(delivery, index)
        where = _where(delivery, index)
        if announced.size_bytes > self.max_bytes:
            raise LimitExceeded(
                f"The file is {announced.size_bytes} bytes, more than the {self.max_bytes} bytes taken.",
                where=where,
                todo="Deliver it in smaller parts, or have ATOLL_UPLOAD_MAX_BYTES raised.",
            )
        target = self.path(delivery, index)
        make_private_directory(target.parent)
        return target

    def received(self, delivery: Delivery) -> tuple[bool, ...]:
        """For each file of the manifest, whether it has been received."""
        return tuple(
            _size_or_none(self.path(delivery, index)) == file.size_bytes for index, file in enumerate(delivery.files)
        )

    def path(self, delivery: Delivery, index: int) -> Path:
        """Where file `index` lies, received or not. Raises `NotFound` for an index outside the manifest."""
        self._announced(delivery, index)
        return files_directory(self.directory, delivery.id) / str(index)

    def contents(self, delivery: Delivery, as_it_is: Callable[[str], bool]) -> tuple[Content, ...]:
        """Every file to admit: those of the manifest, with archives opened unless `as_it_is` says so of their name.

        The same each time. Raises `Unavailable` when the disk is full or failing.
        """
        place = partial(self.path, delivery)
        return tuple(contents_of(self.directory, delivery, place, as_it_is, self.archives))

    def verify(self, delivery: Delivery, on_progress: Callable[[float], None]) -> None:
        """Hash every file anew and hold it against the manifest.

        `on_progress` is told the part done, by bytes, from 0 to 1. A file that fails is
        kept as `<index>.broken` for whoever examines it, and counts as not received.

        Raises `DeliveryRefused` (a file has not been received), `IntegrityBroken` (a file
        is no longer what was received), `Unavailable` (it cannot be read).
        """
        total_bytes = sum(file.size_bytes for file in delivery.files)
        done_bytes = 0
        for index, announced in enumerate(delivery.files):
            hasher = hashlib.sha256()
            for chunk in self._stored_chunks(delivery, index):
                hasher.update(chunk)
                done_bytes += len(chunk)
                on_progress(min(1.0, done_bytes / total_bytes) if total_bytes else 1.0)
            if hasher.hexdigest() != announced.sha256:
                self._set_aside(delivery, index)
                raise IntegrityBroken(
                    "A received file is no longer what its manifest says; it was set aside.",
                    where=_where(delivery, index),
                    todo="Have the disk and the access to quarantine examined; then deliver the same files again.",
                )
        on_progress(1.0)

    def _set_aside(self, delivery: Delivery, index: int) -> None:
        path = self.path(delivery, index)
        try:
            path.rename(path.with_name(f"{index}.broken"))
        except OSError as problem:
            raise storage_error(problem) from None

    def _announced(self, delivery: Delivery, index: int) -> ManifestFile:
        if not 0 <= index < len(delivery.files):
            raise NotFound(
                f"The delivery has {len(delivery.files)} files, numbered from 0; there is no file {index}.",
                where=delivery.id,
                todo="Upload the files of the manifest by their place in it.",
            )
        return delivery.files[index]

    def _check_space(self, needed_bytes: int, where: str) -> None:
        """Say at once that a file will not fit, rather than after hours of upload."""
        free_bytes = shutil.disk_usage(self.directory).free
        if needed_bytes > free_bytes:
            raise Unavailable(
                f"Quarantine has {free_bytes} bytes free and the file needs {needed_bytes}; nothing of it was kept.",
                where=where,
                todo="Free space or set ATOLL_QUARANTINE_DIR to a larger disk, then send the file again.",
            )

    def _stored_chunks(self, delivery: Delivery, index: int) -> Iterable[bytes]:
        try:
            with self.path(delivery, index).open("rb", buffering=0) as file:
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk
        except FileNotFoundError:
            raise DeliveryRefused(
                "A file of the manifest has not been received, or has been removed.",
                where=_where(delivery, index),
                todo="Send the file, then submit the delivery again.",
            ) from None
        except OSError as problem:
            raise storage_error(problem) from None


def _copy_checked(chunks: Iterable[bytes], part: BinaryIO, announced: ManifestFile, where: str) -> None:
    hasher = hashlib.sha256()
    size_bytes = 0
    for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > announced.size_bytes:
            raise DeliveryRefused(
                f"More bytes came than the {announced.size_bytes} announced; nothing of the file was kept.",
                where=where,
                todo="If the file has changed since it was announced, open a new delivery.",
            )
        hasher.update(chunk)
        write_all(part, chunk)
    if size_bytes != announced.size_bytes:
        raise DeliveryRefused(
            f"{size_bytes} bytes came where {announced.size_bytes} were announced; nothing of the file was kept.",
            where=where,
            todo="Send the file again, whole.",
        )
    if hasher.hexdigest() != announced.sha256:
        raise DeliveryRefused(
            "The SHA-256 of what came differs from the one announced; nothing of the file was kept.",
            where=where,
            todo="Send the file again; if it has changed since it was announced, open a new delivery.",
        )


def _size_or_none(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _where(delivery: Delivery, index: int) -> str:
    """A place without the delivered name, which may itself identify somebody."""
    return f"{delivery.id}, file {index} of {len(delivery.files)} counted from 0"
