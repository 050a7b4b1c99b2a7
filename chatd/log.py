"""Logging: one line per event on stderr, as text for people or JSON for collectors.

Owns the form of a line, the ids of the request and session it belongs to, and keeping secrets out of it. Does not own
what is worth a line: modules take `log.get(__name__)` and write `_log.info("session resumed", events=3)`.

A line is written by the task that logs it, with one blocking write to stderr. That is a few microseconds unless stderr
is a pipe that nobody reads, and then stopping beats growing.
"""

import json
import logging
import re
from collections.abc import MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

REDACTED = "[redacted]"

# Who the current task works for. Whoever starts a request or a session sets them; empty means none.
request_id: ContextVar[str] = ContextVar("request_id", default="")
session_id: ContextVar[str] = ContextVar("session_id", default="")


class Logger(logging.LoggerAdapter[logging.Logger]):
    """The standard library's logger, whose keyword arguments become the line's fields.

    Not `level` and `msg`: these are its own parameters.
    """

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        standard = {name: kwargs.pop(name) for name in ("exc_info", "stack_info", "stacklevel") if name in kwargs}
        return msg, {**standard, "extra": {"fields": kwargs}}


def get(name: str) -> Logger:
    """The logger of a module: `log.get(__name__)`."""
    return Logger(logging.getLogger(name))


def setup(format: str, level: str, stream: TextIO) -> None:
    """Write `format` ("text" or "json") to `stream`: chatd's events from `level` on, other libraries' warnings."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_FORMATS[format]())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("chatd").setLevel(level.upper())


def redact(text: str) -> str:
    """`text` without the secrets that can be known by their shape."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


_SECRET_FIELD = re.compile(r"(?:.*_)?(?:authorization|cookie|password|secret|token)", re.IGNORECASE)

_SECRETS = [
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        # A header or a field: key=value, key: value, or the repr of a dict or of a pair of bytes.
        (
            r"(authorization|password|access_token|refresh_token)"
            r"(\W{0,3}[=:,]\W{0,2}(?:b(?=['\"]))?\W{0,4})((?:bot|bearer)\s+)?(?:(?<=['\"])[^'\"]+|[^\s'\",;&}]+)",
            rf"\1\2\3{REDACTED}",
        ),
        # At least 16 characters, so that "bot created" stays what it is.
        (r"\b(bot|bearer)\s+[\w.=+/-]{16,}", rf"\1 {REDACTED}"),
        # JSON Web Tokens begin with the base64 of '{"'.
        (r"\b(?-i:eyJ)[\w-]+\.[\w-]+\.[\w-]*", REDACTED),
        # Bot tokens begin with the base64 of the digits of an id.
        (r"\b(?-i:[MNO])[\w-]{19,}\.[\w-]{4,}\.[\w-]{16,}", REDACTED),
        (r"\bmfa\.[\w-]{16,}", REDACTED),
        # Webhooks and interactions carry their token in the path.
        (r"(/(?:webhooks|interactions)/\d+/)[\w.-]{16,}", rf"\1{REDACTED}"),
        # Passwords in the URLs of databases.
        (r"(://[^\s:/@]*:)[^\s/]*@", rf"\1{REDACTED}@"),
    )
]


class _Format(logging.Formatter):
    """Collects what a line says, in order, free of secrets; subclasses write it."""

    def entry(self, record: logging.LogRecord) -> dict[str, Any]:
        ids = {"request_id": request_id.get(), "session_id": session_id.get()}
        fixed = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname,
            "logger": record.name.removeprefix("chatd."),
            "message": redact(record.getMessage()),
        }
        fields = {name: _plain(name, value) for name, value in getattr(record, "fields", {}).items()}
        trace = {"trace": redact(self.formatException(record.exc_info))} if record.exc_info else {}
        # The fixed part stands first and wins over a field of the same name.
        return {**fixed, **{name: value for name, value in ids.items() if value}, **fields, **trace, **fixed}


class _Text(_Format):
    def format(self, record: logging.LogRecord) -> str:
        entry = self.entry(record)
        trace = entry.pop("trace", "")
        head = f"{entry.pop('time')} {entry.pop('level')} {entry.pop('logger')}  {_one_line(entry.pop('message'))}"
        fields = "".join(f" {name}={_quoted(value)}" for name, value in entry.items())
        # Only a new event begins at the margin: no text of a client can look like one.
        return head + fields + "".join(f"\n  {line}" for line in map(_one_line, trace.splitlines()))


class _Json(_Format):
    def format(self, record: logging.LogRecord) -> str:
        # Not msgspec: this encoder also takes lone surrogates and integers of any size, and a line must not fail.
        return json.dumps(self.entry(record))


_FORMATS: dict[str, type[_Format]] = {"text": _Text, "json": _Json}


def _plain(name: str, value: Any) -> Any:
    """Numbers stay numbers, but ids do not: JSON readers round integers above 2**53."""
    if _SECRET_FIELD.fullmatch(name):
        return REDACTED
    return value if type(value) in (int, float, bool, type(None)) else redact(str(value))


def _one_line(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]


def _quoted(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() and re.fullmatch(r'[^\s"=]+', text) else json.dumps(text)
