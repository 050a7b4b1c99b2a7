"""What a poll may contain: from what a client sent to what is stored. Docs: resources/poll."""

from msgspec import UNSET, UnsetType

from chatd.model import limits
from chatd.model import permissions as p
from chatd.model.errors import CANNOT_USE_POLL_EMOJI, MISSING_PERMISSIONS
from chatd.model.objects.poll import Poll, PollAnswer, PollCreate, PollEmojiParams, PollMedia
from chatd.model.objects.reaction import PartialEmoji
from chatd.model.unicode_emoji import is_emoji
from chatd.model.validate import form_error
from chatd.model.wire import timestamp
from chatd.service.access import DirectAccess, GuildPlace
from chatd.service.core import Core

_HOUR_MS = 3_600_000


def new(core: Core, here: GuildPlace | DirectAccess, received: PollCreate) -> Poll:
    """Raises MISSING_PERMISSIONS, CANNOT_USE_POLL_EMOJI or a form error."""
    if not here.permissions & p.SEND_POLLS:
        raise MISSING_PERMISSIONS()
    hours = limits.POLL_HOURS_DEFAULT if received.duration is None else received.duration
    if hours != int(hours):
        raise form_error("poll.duration", "NUMBER_TYPE_COERCE", f'Value "{hours}" is not int.')
    return Poll(
        question=PollMedia(text=received.question.text),
        answers=tuple(
            PollAnswer(
                answer_id=number,
                poll_media=PollMedia(text=answer.poll_media.text, emoji=_emoji(here, answer.poll_media.emoji)),
            )
            for number, answer in enumerate(received.answers, 1)
        ),
        expiry=timestamp(core.clock_ms() + int(hours) * _HOUR_MS),
        allow_multiselect=bool(received.allow_multiselect),
    )
