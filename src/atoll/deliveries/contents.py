"""What is in a delivery: its files, with archives opened.

```
<delivery>/opened/<index>/<n>     member n of the archive that is file <index>; removed by purge
<delivery>/opened/<index>.json    its members' names, or why it was not opened; written last
```

An archive is opened once. What was found stands for every admission of the delivery, so
that members keep their numbers.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atoll.deliveries.archives import ArchiveLimits, ArchiveRefused, is_archive, members
from atoll.deliveries.place import opened_directory
from atoll.deliveries.private_files import make_private_directory, part_of, storage_error, write_all
from atoll.errors import LimitExceeded, Unavailable
from atoll.model.delivery import Delivery


@dataclass(frozen=True)
class Content:
    """A file to admit.

    Attributes:
        name: as delivered; a member's behind its archive's: `march.zip/visits.csv`.
        path: where it lies.
        rule: why the archive is held whole, in a word; empty otherwise.
        message: the same in a sentence.
    """

    name: str
    path: Path
    size_bytes: int
    rule: str = ""
    message: str = ""


def contents_of(
    root: Path,
    delivery: Delivery,
    lies: Callable[[int], Path],
    as_it_is: Callable[[str], bool],
    limits: ArchiveLimits,
) -> Iterator[Content]:
    """Every file in the order of the manifest, members in the order of their archive.

    `lies` tells where a file lies, `as_it_is` whether one of that name is taken unopened.
    Raises `Unavailable` when the disk is full or failing.
    """
    for index, file in enumerate(delivery.files):
        place = opened_directory(root, delivery.id) / str(index)
        found = _known(place) if is_archive(file.name) else None
        if not is_archive(file.name) or (found is None and as_it_is(file.name)):
            yield Content(file.name, lies(index), file.size_bytes)
            continue
        found = found or _open(lies(index), file.name, place, limits)
        if found["rule"]:
            yield Content(file.name, lies(index), file.size_bytes, found["rule"], found["message"])
        for number, (name, size_bytes) in enumerate(found["members"]):
            yield Content(f"{file.name}/{name}", place / str(number), size_bytes)


def _known(place: Path) -> dict[str, Any] | None:
    """What was found when the archive was opened, if all of it still lies there."""
    try:
        found: dict[str, Any] = json.loads(_index(place).read_bytes())
        sizes = [(place / str(number)).stat().st_size for number in range(len(found["members"]))]
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise storage_error(problem) from None
    return found if sizes == [size for _, size in found["members"]] else None


def _open(archive: Path, name: str, place: Path, limits: ArchiveLimits) -> dict[str, Any]:
    shutil.rmtree(place, ignore_errors=True)
    make_private_directory(place)
    found: dict[str, Any] = {"members": [], "rule": "", "message": ""}
    try:
        for number, (member, chunks) in enumerate(members(archive, name, limits)):
            size_bytes = 0
            with part_of(place / str(number)) as part:
                for chunk in chunks:
                    write_all(part, chunk)
                    size_bytes += len(chunk)
            found["members"].append([member, size_bytes])
    except ArchiveRefused as refused:
        found = {"members": [], "rule": refused.rule, "message": f"The archive was not opened. {refused.message}"}
        shutil.rmtree(place, ignore_errors=True)
    except (Unavailable, LimitExceeded):
        shutil.rmtree(place, ignore_errors=True)
        raise
    except OSError as problem:
        raise storage_error(problem) from None
    with part_of(_index(place)) as part:
        write_all(part, json.dumps(found).encode())
    return found


def _index(place: Path) -> Path:
    return place.with_name(f"{place.name}.json")
