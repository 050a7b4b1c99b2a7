"""Which messages name which files. A file is one as long as a message does: forwarding adds a row, no copy."""

import re
from collections.abc import Iterable, Sequence

from chatd.model.objects.attachment import StoredAttachment
from chatd.model.wire import MAX_STRING_INT, decoder
from chatd.store.db import Row, Tx, cols, marks
from chatd.store.discarded import NOT_DISCARDED
from chatd.store.rows import to_text

_NAME = re.compile(r"attachments/[0-9]{1,19}/([0-9]{1,19})")
_decode = decoder(StoredAttachment).decode

# By the messages of channels that are there.
_NAMED = f"attachments WHERE id = ? AND channel_id {NOT_DISCARDED}"


class _Named(Row):
    channel_id: int  # of the message
    file: str


def name_of(attachment: StoredAttachment) -> str:
    """The stored file's."""
    return f"attachments/{attachment.channel_id}/{attachment.id}"


def insert(tx: Tx, named: Iterable[tuple[int, int, StoredAttachment]]) -> None:
    """Channels, messages in them, and what they name."""
    rows = [(file.id, message_id, channel_id, to_text(file)) for channel_id, message_id, file in named]
    tx.insert_many("attachments", ("id", "message_id", "channel_id", "file"), rows)


def delete(tx: Tx, message_id: int, ids: Sequence[int]) -> None:
    """The message names them no more."""
    if ids:
        tx.run(f"DELETE FROM attachments WHERE message_id = ? AND id IN ({marks(len(ids))})", message_id, *ids)


def release(tx: Tx, message_ids: Sequence[int]) -> int:
    """The messages name no files any more; how many they named."""
    if not message_ids:
        return 0
    return tx.run(f"DELETE FROM attachments WHERE message_id IN ({marks(len(message_ids))})", *message_ids)


def get(tx: Tx, attachment_id: int) -> StoredAttachment | None:
    """As it was uploaded; None when no message names it any more."""
    found = tx.scalar(f"SELECT file FROM {_NAMED} LIMIT 1", attachment_id)
    return None if found is None else _decode(found)


def seen_in(tx: Tx, attachment_id: int) -> list[tuple[int, StoredAttachment]]:
    """The channels of the messages that name it, with what it is."""
    found = tx.rows(_Named, f"SELECT {cols(_Named)} FROM {_NAMED}", attachment_id)
    return [(row.channel_id, _decode(row.file)) for row in found]


def parse_name(name: str) -> int | None:
    """The attachment whose file has the name; None for what is no attachment's."""
    found = _NAME.fullmatch(name)
    return None if found is None or int(found[1]) > MAX_STRING_INT else int(found[1])
