"""Voice messages: a sound, and nothing else. Docs: resources/message, "Voice Messages"."""

from chatd.model import permissions as p
from chatd.model.errors import (
    VOICE_MESSAGE_WITH_CONTENT,
    VOICE_MESSAGE_WITHOUT_AUDIO,
    VOICE_MESSAGE_WITHOUT_METADATA,
    VOICE_MESSAGES_NOT_ALLOWED,
)
from chatd.model.objects.message import MessageExtra
from chatd.service.access import Here


def check(here: Here, content: str, extra: MessageExtra) -> None:
    """Whether a message is what its flag says.

    Raises VOICE_MESSAGES_NOT_ALLOWED, VOICE_MESSAGE_WITH_CONTENT, VOICE_MESSAGE_WITHOUT_AUDIO or
    VOICE_MESSAGE_WITHOUT_METADATA.
    """
    if not here.permissions & p.SEND_VOICE_MESSAGES:
        raise VOICE_MESSAGES_NOT_ALLOWED()
    if content or extra.embeds or extra.components or extra.sticker_items or extra.poll:
        raise VOICE_MESSAGE_WITH_CONTENT()
    if len(extra.attachments) != 1 or not (extra.attachments[0].content_type or "").startswith("audio/"):
        raise VOICE_MESSAGE_WITHOUT_AUDIO()
    if not (extra.attachments[0].duration_secs and extra.attachments[0].waveform):
        raise VOICE_MESSAGE_WITHOUT_METADATA()
