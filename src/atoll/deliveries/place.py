"""Where a delivery lies in quarantine.

```
<quarantine>/<delivery id>/files/<index>          as delivered; removed by purge
<quarantine>/<delivery id>/opened/...             members of archives; removed by purge
<quarantine>/<delivery id>/held/<index>.parquet   rejected rows; removed by purge_held
<quarantine>/<delivery id>/held/replay-<n>/<index>.parquet   rows that the n-th replay rejected again
```

Files are named by their index in the manifest: a delivered name may itself identify
somebody, and is never made part of a path.
"""

from __future__ import annotations

import re
from pathlib import Path

from atoll.errors import NotFound

_ID = re.compile(r"^dlv_[0-9a-z]{1,64}$")


def delivery_directory(root: Path, delivery_id: str) -> Path:
    """The directory of one delivery. Raises `NotFound` for what cannot be a delivery's id."""
    if not _ID.fullmatch(delivery_id):
        raise NotFound("There is no such delivery.", where="delivery", todo="List them with `atoll delivery list`.")
    return root / delivery_id


def files_directory(root: Path, delivery_id: str) -> Path:
    """Where files lie as delivered."""
    return delivery_directory(root, delivery_id) / "files"


def opened_directory(root: Path, delivery_id: str) -> Path:
    """Where the members of archives lie; see `contents`."""
    return delivery_directory(root, delivery_id) / "opened"


def held_directory(root: Path, delivery_id: str, replay: int = 0) -> Path:
    """Where the rows lie that an admission, the first or a replay, rejected."""
    first = delivery_directory(root, delivery_id) / "held"
    return first / f"replay-{replay}" if replay else first
