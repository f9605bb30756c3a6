"""How requests of the airlock and their parts are shown."""

from __future__ import annotations

from collections.abc import Mapping

from atoll.cli import cells
from atoll.cli.view import Field, Part, View

_REQUEST = (
    Field("id"),
    Field("project"),
    Field("direction"),
    Field("state"),
    Field("requester", "asked by"),
    Field("opened_at", "opened", cells.local_time),
)

AIRLOCK: Mapping[str, View] = {
    "airlock_request": View(
        _REQUEST,
        (
            *_REQUEST,
            Field("purpose"),
            Field("destination"),
            Field("round", cell=cells.count),
            Field("submitted_at", "submitted", cells.local_time),
            Field("released_at", "released", cells.local_time),
        ),
        (
            Part("files", "airlock_file", "files"),
            Part("findings", "airlock_finding", "what the checks found"),
            Part("reviews", "airlock_review", "reviews"),
            Part("grants", "release_grant", "releases"),
        ),
    ),
    "airlock_file": View(
        (
            Field("index", "file", cells.count),
            Field("name"),
            Field("form"),
            Field("size_bytes", "size", cells.size),
            Field("sha256", cell=cells.short),
            Field("refused"),
            Field("approved"),
            Field("placed"),
        )
    ),
    "airlock_finding": View(
        (
            Field("file", cell=cells.count),
            Field("severity"),
            Field("check"),
            Field("where"),
            Field("message"),
            Field("todo"),
        )
    ),
    "airlock_review": View(
        (
            Field("reviewer"),
            Field("round", cell=cells.count),
            Field("at", cell=cells.local_time),
            Field("decisions", cell=cells.decisions),
        )
    ),
    "release_grant": View(
        (
            Field("id"),
            Field("index", "file", cells.count),
            Field("person"),
            Field("granted_by"),
            Field("expires_at", "expires", cells.local_time),
            Field("fetched_at", "fetched", cells.local_time),
        )
    ),
}
