"""How things are shown: one table from the kind of thing to its columns and parts."""

from __future__ import annotations

from collections.abc import Mapping

from atoll.cli import cells
from atoll.cli.airlock_views import AIRLOCK
from atoll.cli.catalog_views import CATALOG
from atoll.cli.query_views import QUERIES
from atoll.cli.view import Field, Part, View


def _time(key: str, name: str = "") -> Field:
    return Field(key, name, cells.local_time)


def _size(key: str, name: str = "") -> Field:
    return Field(key, name, cells.size)


def _count(key: str, name: str = "") -> Field:
    return Field(key, name, cells.count)


_DELIVERY = (Field("id"), Field("source"), Field("dataset"), Field("state"), _time("opened_at", "opened"))
_OPERATION = (
    Field("id"),
    Field("story"),
    Field("subject"),
    Field("state"),
    Field("progress", cell=cells.percent),
    _time("created_at", "asked"),
)
_GRANT = (
    Field("id"),
    Field("project"),
    Field("dataset"),
    Field("tables", "part", cell=cells.granted),
    Field("version", cell=cells.pinned),
    Field("state"),
    _time("expires_at", "expires"),
    _time("revoked_at", "revoked"),
)

_PRODUCT = (
    Field("id", "product"),
    Field("title"),
    Field("service"),
    Field("sizes", "an hour", cells.price_range),
    Field("state"),
    Field("projects", cell=cells.every_project),
)
_SIZE = (
    Field("name", "size"),
    _count("vcpu", "vCPU"),
    Field("memory_bytes", "memory", cells.memory),
    Field("eur_per_hour", "an hour", cells.eur),
    Field("eur_per_working_month", "a month of working hours", cells.eur),
)
_PROOF = (
    Field("id"),
    Field("workspace"),
    Field("product"),
    Field("backend"),
    Field("bombs"),
    Field("passed", "held"),
    _count("attempts"),
    _count("came_through"),
    Field("asked_by"),
    _time("asked_at", "asked"),
)
_REPOSITORY = (
    Field("name"),
    _size("size_bytes", "size"),
    _count("pushes"),
    _time("last_push_at", "last push"),
    _time("last_backup_at", "last backup"),
)
_WORKSPACE = (
    Field("id"),
    Field("name"),
    Field("owner"),
    Field("project"),
    Field("product"),
    Field("size"),
    Field("state"),
    Field("eur_per_hour", "an hour", cells.eur),
    _time("expires_at", "expires"),
)

VIEWS: Mapping[str, View] = {
    "me": View((Field("name"), Field("kind"), Field("roles"), Field("scopes"))),
    "person": View(
        (Field("login"), Field("display_name", "name"), Field("roles"), Field("active"), Field("origin"), Field("id")),
    ),
    "project": View((Field("name"), Field("title"), Field("members"), _time("created_at", "created"))),
    "source": View((Field("name"), Field("title"), Field("datasets"), Field("active"), _time("created_at", "created"))),
    "source_key": View(
        (Field("id"), Field("label"), Field("fingerprint"), Field("added_by"), _time("created_at", "created"))
    ),
    "token": View(
        (
            Field("id"),
            Field("label"),
            _time("created_at", "created"),
            _time("expires_at", "expires"),
            _time("revoked_at", "revoked"),
        ),
    ),
    "contract": View(
        (
            Field("dataset"),
            _count("number"),
            Field("sha256", cell=cells.short),
            Field("proposed_by"),
            Field("published_by"),
            _time("published_at", "published"),
        ),
    ),
    "domain_key": View(
        (
            Field("domain"),
            Field("key_id", "key"),
            _time("created_at", "made"),
            _time("destroyed_at", "destroyed"),
            Field("master_key_id", "sealed by"),
            Field("datasets"),
        ),
    ),
    "opening": View(
        (
            Field("id"),
            Field("dataset"),
            Field("table"),
            Field("columns"),
            _count("cells"),
            Field("state"),
            Field("recipient"),
            Field("asked_by"),
            _time("asked_at", "asked"),
            Field("reason"),
            Field("decision"),
            _time("expires_at", "expires"),
        ),
    ),
    "key_change": View(
        (
            Field("id"),
            Field("domain"),
            Field("act"),
            Field("state"),
            Field("asked_by"),
            _time("asked_at", "asked"),
            Field("reason"),
            Field("decided_by"),
            Field("decision"),
            Field("new_key_id", "new key"),
        ),
    ),
    "contract_proposal": View(
        (
            Field("id"),
            Field("dataset"),
            _count("replaces", "replaces version"),
            Field("state"),
            Field("proposed_by"),
            _time("proposed_at", "proposed"),
            Field("note"),
            Field("decided_by"),
            Field("reason"),
        ),
    ),
    "contract_change": View(
        (
            Field("kind"),
            Field("table"),
            Field("column"),
            Field("before"),
            Field("after"),
            Field("opens", "more enters"),
        ),
    ),
    "delivery": View(
        _DELIVERY,
        (
            *_DELIVERY,
            Field("opened_by"),
            _time("submitted_at", "submitted"),
            Field("rejection.reason", "rejected because"),
            Field("operation.id", "operation"),
            Field("operation.failure.message", "failure"),
            Field("outcome.contract", "contract"),
            Field("outcome.dataset_version", "dataset version"),
            _count("outcome.rows_in", "rows read"),
            _count("outcome.rows_committed", "rows committed"),
            _count("outcome.rows_quarantined", "rows quarantined"),
            _size("outcome.bytes_in", "size delivered"),
            _size("outcome.bytes_committed", "size committed"),
            _time("outcome.finished_at", "finished"),
        ),
        (Part("files", "delivery_file", "files"), Part("outcome.files", "file_outcome", "what became of them")),
    ),
    "delivery_file": View(
        (Field("name"), _size("size_bytes", "size"), Field("received"), Field("sha256", cell=cells.short))
    ),
    "file_outcome": View(
        (
            Field("name"),
            Field("table"),
            Field("accepted"),
            _count("rows_in", "read"),
            _count("rows_committed", "committed"),
            _count("rows_quarantined", "quarantined"),
            Field("rule"),
            Field("message"),
            Field("left_out"),
            Field("drift", cell=cells.drift),
        )
    ),
    "quarantined_row": View(
        (Field("file"), _count("row"), Field("column"), Field("rule"), Field("message"), Field("masked"))
    ),
    **AIRLOCK,
    **CATALOG,
    **QUERIES,
    "dataset": View(
        (Field("name"), Field("title"), _count("latest", "version"), Field("owner"), _time("created_at", "made")),
        (
            Field("name"),
            Field("title"),
            Field("description"),
            Field("owner"),
            _count("latest", "version"),
            _time("created_at", "made"),
        ),
        (Part("newest.tables", "table", "tables"),),
    ),
    "version": View(
        (
            Field("id", "version"),
            Field("made_by"),
            Field("delivery"),
            Field("contract"),
            _count("rows_added"),
            _size("bytes_added", "size added"),
            _time("committed_at", "committed"),
            _time("expired_at", "expired"),
        ),
    ),
    "erasure": View(
        (Field("id"), Field("domain"), Field("asked_by"), _time("asked_at", "asked"), _time("done_at", "proven")),
        (
            Field("id"),
            Field("domain"),
            Field("reason"),
            Field("asked_by"),
            _time("asked_at", "asked"),
            _time("done_at", "proven"),
            Field("failed_because", "failed because"),
            _count("files", "files removed"),
            _count("mounts", "mounts removed"),
            _count("results", "results removed"),
            _count("profiles", "profiles removed"),
            _count("files_searched", "files searched afterwards"),
            Field("keys_searched", "keys looked by"),
            Field("keys_unsearched", "keys that could not be looked by"),
            Field("versions", "versions that can be read no more"),
            Field("in_quarantine", "deliveries still in quarantine"),
        ),
        (Part("tables", "erased_rows", "rows erased"),),
    ),
    "erased_rows": View((Field("dataset"), Field("table"), _count("rows"), _count("version", "from version"))),
    "retention": View(
        (
            Field("id", "version"),
            Field("made_by"),
            _time("committed_at", "committed"),
            Field("protection", "kept because"),
            Field("reason"),
        )
    ),
    "table": View(
        (
            Field("table"),
            _count("rows"),
            _size("size_bytes", "size"),
            _count("files"),
            Field("columns", cell=cells.columns),
        )
    ),
    "grant": View(_GRANT, (*_GRANT, Field("reason"), Field("granted_by"), _time("granted_at", "granted"))),
    "flow": View(
        (
            _time("eventTime", "time"),
            Field("eventType", "event"),
            Field("job.name", "job"),
            Field("inputs", "from", cells.names),
            Field("outputs", "to", cells.names),
        )
    ),
    "audit": View(
        (
            _count("number"),
            _time("at", "time"),
            Field("event.caller.name", "who"),
            Field("event.action", "action"),
            Field("event.target", "target"),
            Field("event.allowed", "allowed"),
            Field("event.details", "details"),
        )
    ),
    "chain": View((Field("intact"), _count("entries"), Field("broken_at"), Field("reason"), Field("head"))),
    "cost": View(
        (Field("month"), Field("by"), Field("total_eur", "total", cells.eur)),
        parts=(Part("lines", "cost_line", "lines"),),
    ),
    "cost_line": View(
        (
            Field("key"),
            Field("metric"),
            _count("quantity"),
            Field("amount_eur", "amount", cells.eur),
            _count("records"),
        )
    ),
    "budget": View(
        (
            Field("holder"),
            Field("name"),
            Field("month"),
            Field("spent_eur", "spent", cells.eur),
            Field("rule.eur_per_month", "budget", cells.eur),
            Field("part", "used", cells.percent),
            Field("stage"),
        )
    ),
    "hours": View((Field("hours.zone", "zone"), Field("hours.hours", "hours", cells.weekly), Field("idle"))),
    "forgotten": View(
        (
            Field("workspace"),
            Field("name"),
            Field("owner"),
            Field("project"),
            Field("size"),
            Field("use"),
            _count("days"),
            Field("eur_per_day", "a day", cells.eur),
        )
    ),
    "operation": View(
        _OPERATION,
        (
            *_OPERATION,
            Field("asked_by"),
            _time("deadline"),
            _count("attempt"),
            Field("failure.error_code", "error"),
            Field("failure.message", "because"),
            Field("failure.step", "at step"),
            _time("finished_at", "finished"),
        ),
        (Part("steps", "step", "steps"),),
    ),
    "step": View((Field("name"), Field("done"), Field("progress", cell=cells.percent))),
    "log_line": View(
        (_count("number"), _time("at", "time"), Field("body.message", "message"), Field("body", "facts", cells.facts))
    ),
    "repository": View(
        _REPOSITORY,
        (
            *_REPOSITORY,
            Field("address"),
            Field("last_push_by", "pushed by"),
            Field("backup_failure", "backup failed"),
            Field("created_by"),
            _time("created_at", "created"),
        ),
        (Part("backups", "repository_backup", "backups"),),
    ),
    "repository_backup": View(
        (Field("id", "backup"), _time("made_at", "made"), _count("refs"), _size("bytes", "size"))
    ),
    "push": View(
        (
            _time("at", "time"),
            Field("repository"),
            Field("login", "who"),
            Field("workspace"),
            Field("changes", "refs", cells.refs),
            _size("bytes", "size"),
        )
    ),
    "package": View(
        (
            _time("at", "time"),
            Field("ecosystem"),
            Field("package"),
            Field("version"),
            Field("login", "for"),
            Field("workspace"),
            _size("bytes", "size"),
            Field("sha256", cell=cells.short),
        )
    ),
    "product": View(
        _PRODUCT,
        (
            *_PRODUCT,
            Field("description"),
            Field("environment"),
            Field("needs"),
            Field("fallback"),
            _size("home_bytes", "home"),
            Field("idle"),
            Field("lifetime"),
            Field("warm_pool", "kept ready"),
            Field("published_by"),
            _time("published_at", "published"),
        ),
        (
            Part("sizes", "size", "sizes"),
            Part("forms", "parameter", "parameters"),
            Part("versions", "product_version", "versions"),
        ),
    ),
    "size": View(_SIZE),
    "parameter": View((Field("name"), Field("type"), Field("required"), Field("default"), Field("description"))),
    "product_version": View(
        (Field("id", "version"), Field("state"), Field("published_by"), _time("published_at", "published"))
    ),
    "quote": View(
        (
            Field("product"),
            Field("project"),
            Field("name"),
            *(Field(f"size.{field.key}", field.title, field.cell) for field in _SIZE),
            Field("backend"),
            _time("expires_at", "expires"),
            Field("ready", "ready now"),
            Field("warnings", cell=cells.sentences),
        )
    ),
    "workspace": View(
        _WORKSPACE,
        (
            *_WORKSPACE,
            Field("reason"),
            Field("progress", cell=cells.percent),
            Field("spent_eur", "cost so far", cells.eur),
            Field("uptime_seconds", "up", cells.duration),
            Field("idle_reason", "idle rule"),
            _time("idle_since"),
            _time("last_seen_at", "last used"),
            Field("backend"),
            Field("path"),
            Field("parameters"),
            Field("shared_with"),
            Field("looks_on"),
            Field("observed.detail", "seen"),
            Field("observed.exit_status", "exit status"),
            Field("operation.id", "operation"),
            _time("created_at", "created"),
            _time("terminated_at", "terminated"),
        ),
        (Part("mounts", "mount", "seen inside"), Part("operation.steps", "step", "steps")),
    ),
    "mount": View((Field("path"), Field("dataset_version", "dataset version"), Field("writable"))),
    "workspace_line": View(
        (
            _time("at", "time"),
            Field("story", "operation"),
            Field("body.message", "message"),
            Field("body", "facts", cells.facts),
        )
    ),
    "proof": View(
        _PROOF,
        (
            *_PROOF,
            Field("evidence.workspace", "machine"),
            _time("evidence.at", "made"),
            *(Field(f"evidence.{key}") for key in ("atoll", "host", "kernel", "isolation", "limits", "environment")),
            Field("sha256"),
        ),
        (Part("evidence.probes", "probe", "attempts"),),
    ),
    "probe": View((Field("group"), Field("name", "attempt"), Field("passed", "held"), Field("outcome"))),
    "setting": View((Field("name"), Field("value"), Field("help"))),
    "explained_column": View(
        (
            Field("source", "delivered"),
            Field("lake_name", "in the lake"),
            Field("lake_type", "type"),
            Field("words", "what is done"),
            Field("checks", cell=cells.sentences),
            Field("reason"),
        )
    ),
}
