"""Structured logs: one JSON object a line, for the whole process.

No log line holds a body, a query string, or the text of an unexpected error: such
texts may quote data. A traceback is told as `file:line:function` frames and the
names of the exception types. Messages of foreign libraries are told as their
templates, without what they would fill in.
"""

from __future__ import annotations

import logging
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import orjson

from atoll.api.request_id import REQUEST_ID

#: Loggers whose messages are written with no data in them.
_OWN = ("atoll", "uvicorn")
_WITHHELD = "(message of a library, withheld)"
_MAX_FRAMES = 40


class JsonFormatter(logging.Formatter):
    """Writes a record as JSON: time, level, logger, message, request_id, fields, and error with trace."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            "request_id": REQUEST_ID.get(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line["fields"] = fields
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = error_names(record.exc_info[1])
            line["trace"] = frames(record.exc_info[2])
        return orjson.dumps(line, default=str).decode()


def error_names(error: BaseException) -> list[str]:
    """Names of the exception's type and of those behind it; never their texts."""
    names: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(names) < _MAX_FRAMES:
        names.append(type(seen).__qualname__)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return names


def frames(trace: TracebackType | None) -> list[str]:
    """`file:line:function` of each frame, outermost first, the innermost forty."""
    found: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{_short(code.co_filename)}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    return found[-_MAX_FRAMES:]


def configure_logs(level: str, stream: IO[str] | None = None) -> None:
    """Make every log line of this process JSON on `stream` (standard error if not given).

    Uncaught errors of the process and of its threads are logged the same way, so that
    no traceback with a message reaches the console.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _OWN:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(level.upper())
    for name in ("uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).handlers.clear()
    # Its lines hold query strings; ours take their place.
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("atoll").critical("An error was caught by nobody.", exc_info=(kind, error or kind(), trace))


def _message(record: logging.LogRecord) -> str:
    if record.name.split(".")[0] in _OWN:
        return record.getMessage()
    return str(record.msg) if record.args and isinstance(record.msg, str) else _WITHHELD


def _short(file: str) -> str:
    """The last three parts: enough to find it, nothing of where the machine keeps it."""
    return "/".join(Path(file).parts[-3:])
