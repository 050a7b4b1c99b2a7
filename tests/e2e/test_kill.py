"""SIGKILL while messages are being posted: what was acknowledged is there once, and a retry makes no second one."""

import http.client
import itertools
import random
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.ledger import OK, REFUSED, UNKNOWN, Ledger, faults, read
from tests.e2e.world import world
from tests.support.http import Client

WRITERS = 8

# One message in so many is longer than the 2000 characters that are allowed.
REFUSED_EVERY = 5
TOO_LONG = 2001

# The kill comes after so many outcomes, at the least and at the most.
OUTCOMES = (20, 120)

DEADLINE_S = 30.0
PAGE = 100
LETTERS = 'abc äöü漢字😀 "\\\n'

Message = tuple[str, str]  # nonce and content


@pytest.mark.parametrize(("database", "kills"), [("sqlite", 20), ("postgres", 3)], indirect=["database"])
def test_kill_9_loses_and_doubles_nothing(
    kills: int, database: str, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(0)
    ledger = Ledger(tmp_path / "ledger")
    cut_off = found = 0
    server = serve()
    with world(server.url) as where:
        token, path = str(where.person.authorization), f"/channels/{where.channel_id}/messages"

    for kill in range(kills):
        outcomes: SimpleQueue[str] = SimpleQueue()
        with ThreadPoolExecutor(WRITERS) as pool:
            writers = [
                pool.submit(write_until_cut_off, Client(server.url, token), path, ledger, f"{kill}-{number}", outcomes)
                for number in range(WRITERS)
            ]
            for _ in range(chance.randint(*OUTCOMES)):
                outcomes.get(timeout=DEADLINE_S)
            server.kill()
            last = [message for writer in writers for message in writer.result(DEADLINE_S)]

        server = serve()
        with Client(server.url, token) as person:
            entries, messages = read(ledger.path), history(person, path)
            assert faults(entries, messages) == []
            unknown = {nonce for nonce, entry in entries.items() if entry.outcome == UNKNOWN}
            cut_off += len(unknown)
            found += sum(message["content"].partition(" ")[0] in unknown for message in messages)
            for nonce, content in last:
                assert post(person, path, ledger, nonce, content) != UNKNOWN

    entries = read(ledger.path)
    with Client(server.url, token) as person:
        assert faults(entries, history(person, path)) == []
    ledger.close()
    count = Counter(entry.outcome for entry in entries.values())
    with capsys.disabled():
        print(
            f"\n{kills} x kill -9 on {database}: {count[OK]} messages acknowledged, {count[REFUSED]} refused, "
            f"{cut_off} cut off ({found} of them stored); none lost or doubled",
            file=sys.stderr,
        )


def write_until_cut_off(
    client: Client, path: str, ledger: Ledger, name: str, outcomes: SimpleQueue[str]
) -> list[Message]:
    """Post one message after the other until the server is gone. Returns the last two, to be posted once more."""
    chance = random.Random(name)
    sent: list[Message] = []
    with client:
        for number in itertools.count(1):
            words = "".join(chance.choices(LETTERS, k=TOO_LONG if number % REFUSED_EVERY == 0 else number))
            nonce = f"{name}-{number}"
            # It ends in a letter, for white space at the end is not kept.
            sent.append((nonce, f"{nonce} {words}."))
            outcome = post(client, path, ledger, *sent[-1])
            outcomes.put(outcome)
            if outcome == UNKNOWN:
                break
    return sent[-2:]


def post(client: Client, path: str, ledger: Ledger, nonce: str, content: str) -> str:
    """Post one message, with the ledger's lines before and after. Returns the outcome."""
    ledger.sending(nonce, content)
    try:
        response = client.post(path, {"content": content, "nonce": nonce, "enforce_nonce": True})
    except (OSError, http.client.HTTPException):
        return ledger.unknown(nonce)
    if response.status >= 500:
        return ledger.unknown(nonce)
    if response.status >= 400:
        return ledger.refused(nonce)
    return ledger.ok(nonce, response.body["id"])


def history(client: Client, path: str) -> list[dict[str, Any]]:
    """All messages, the newest first, a page at a time."""
    messages: list[dict[str, Any]] = []
    page = client.get(f"{path}?limit={PAGE}").ok()
    while page:
        messages += page
        page = client.get(f"{path}?limit={PAGE}&before={page[-1]['id']}").ok()
    return messages
