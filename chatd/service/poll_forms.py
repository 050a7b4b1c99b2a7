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
from chatd.service import usable_emojis
from chatd.service.access import Here
from chatd.service.actors import Actor
from chatd.service.core import Core

_HOUR_MS = 3_600_000


async def new(core: Core, me: Actor, here: Here, received: PollCreate) -> Poll:
    """Raises MISSING_PERMISSIONS, CANNOT_USE_POLL_EMOJI or a form error."""
    if not here.permissions & p.SEND_POLLS:
        raise MISSING_PERMISSIONS()
    answers = []
    for number, answer in enumerate(received.answers, 1):
        media = answer.poll_media
        emoji = UNSET if media.emoji is None else await _emoji(core, me, here, media.emoji)
        answers.append(PollAnswer(answer_id=number, poll_media=PollMedia(text=media.text, emoji=emoji)))
    return Poll(
        question=PollMedia(text=received.question.text),
        answers=tuple(answers),
        expiry=timestamp(core.clock_ms() + _hours(received.duration) * _HOUR_MS),
        allow_multiselect=bool(received.allow_multiselect),
    )


def _hours(duration: float | None) -> int:
    if duration is None:
        return limits.POLL_HOURS_DEFAULT
    if not duration.is_integer():
        raise form_error("poll.duration", "NUMBER_TYPE_COERCE", f'Value "{duration}" is not int.')
    return int(duration)


async def _emoji(core: Core, me: Actor, here: Here, received: PollEmojiParams) -> PartialEmoji | UnsetType:
    """An id names a custom one, whatever the name; with neither there is none."""
    if received.id is not None:
        found = await usable_emojis.find(core, me, here, received.id)
        if found is None:
            raise CANNOT_USE_POLL_EMOJI()
        return PartialEmoji(id=found.id, name=found.name, animated=found.animated)
    if not received.name:
        return UNSET
    if not is_emoji(received.name):
        raise CANNOT_USE_POLL_EMOJI()
    return PartialEmoji(id=None, name=received.name)
