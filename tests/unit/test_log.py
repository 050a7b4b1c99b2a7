import io
import json
import logging
import re
from collections.abc import Iterator

import pytest

from chatd import log

SECRET = "MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.0123456789abcdefghijklmnop"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A stream for `log.setup`, which leaves the process's logging as it was."""
    root, chatd = logging.getLogger(), logging.getLogger("chatd")
    handlers, levels = root.handlers[:], (root.level, chatd.level)
    root.handlers[:] = []  # setup closes the handlers that it replaces; these are pytest's
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    chatd.setLevel(levels[1])


def test_text_line(stream: io.StringIO) -> None:
    log.setup("text", "info", stream)
    log.get("chatd.gateway").info("session %s", "resumed", events=3, user='a "b"', empty="")
    time, _, rest = stream.getvalue().partition(" ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert rest == 'INFO gateway  session resumed events=3 user="a \\"b\\"" empty=""\n'


def test_json_line(stream: io.StringIO) -> None:
    log.setup("json", "info", stream)
    log.get("chatd.gateway").info("session resumed", events=3, ok=True, user_id=_Id(2**60), time="mine", bad="\ud800")
    line = json.loads(stream.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "gateway",
        "message": "session resumed",
        "events": 3,
        "ok": True,
        "user_id": "1152921504606846976",
        "bad": "\ud800",
    }


class _Id(int):
    """As snowflakes are: an integer whose text is what readers need."""


def test_ids_of_the_context_are_on_the_line(stream: io.StringIO) -> None:
    log.setup("text", "info", stream)
    request, session = log.request_id.set("r1"), log.session_id.set("s1")
    log.get("chatd.rest").info("done", status=204)
    log.request_id.reset(request)
    log.session_id.reset(session)
    log.get("chatd.rest").info("idle")
    first, second = stream.getvalue().splitlines()
    assert first.endswith("done request_id=r1 session_id=s1 status=204")
    assert second.endswith("idle")


def test_level_holds_for_chatd_and_warnings_for_others(stream: io.StringIO) -> None:
    log.setup("text", "debug", stream)
    log.get("chatd.store").debug("chatd's")
    logging.getLogger("other").info("other's information")
    logging.getLogger("other").warning("other's warning")
    assert [line.partition("  ")[2] for line in stream.getvalue().splitlines()] == ["chatd's", "other's warning"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_exception_with_its_trace_is_one_record(stream: io.StringIO, form: str) -> None:
    log.setup(form, "info", stream)
    try:
        raise ValueError(f"line one\n2026-11-21T02:03:04.567Z INFO rest  forged {SECRET}")
    except ValueError:
        log.get("chatd.rest").exception("request failed", status=500)
    text = stream.getvalue()
    assert SECRET not in text
    assert "ValueError: line one" in text
    assert [line for line in text.splitlines() if not line.startswith("  ")] == text.splitlines()[:1]
    if form == "json":
        assert json.loads(text)["trace"].startswith("Traceback (most recent call last):")


def test_control_characters_cannot_forge_a_line(stream: io.StringIO) -> None:
    log.setup("text", "info", stream)
    log.get("chatd.rest").info("a\nb\x1b[2J", name="c\nd")
    assert stream.getvalue().endswith('  a\\nb\\x1b[2J name="c\\nd"\n')
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"Authorization: Bot {SECRET}", "Authorization: Bot [redacted]"),
        ("authorization=hunter2", "authorization=[redacted]"),
        ("[(b'authorization', b'Bearer short')]", "[(b'authorization', b'Bearer [redacted]')]"),
        ("{'password': 'hunter2', 'login': 'ada'}", "{'password': '[redacted]', 'login': 'ada'}"),
        ("{'password': 'two, words'}", "{'password': '[redacted]'}"),
        ('{"refresh_token":"abc"}', '{"refresh_token":"[redacted]"}'),
        (f"sent Bot {SECRET}", "sent Bot [redacted]"),
        (f"sent {SECRET} again", "sent [redacted] again"),
        (f"bearer {JWT}", "bearer [redacted]"),
        (f"?token={JWT}&v=10", "?token=[redacted]&v=10"),
        ("mfa.abcdefghijklmnopqrstuvwxyz", "[redacted]"),
        ("POST /webhooks/123/abcdefghijklmnopqrstuvwxyz?wait=1", "POST /webhooks/123/[redacted]?wait=1"),
        ("postgres://chatd:hunter2@db/chatd", "postgres://chatd:[redacted]@db/chatd"),
        ("bot created, password too short", "bot created, password too short"),
        ("http://127.0.0.1:8080/api/v10/users/@me", "http://127.0.0.1:8080/api/v10/users/@me"),
    ],
)
def test_secrets_are_redacted(text: str, clean: str) -> None:
    assert log.redact(text) == clean


def test_secret_reaches_no_line(stream: io.StringIO) -> None:
    log.setup("json", "info", stream)
    log.get("chatd.rest").info("sent %s", SECRET, header=f"Bot {SECRET}", bot_token="x1", given=[JWT])
    line = json.loads(stream.getvalue())
    assert line["message"] == "sent [redacted]"
    assert line["header"] == "Bot [redacted]"
    assert line["bot_token"] == "[redacted]"
    assert line["given"] == "['[redacted]']"
