"""Polls (resources/poll), and the events of their votes (events/gateway-events, "Polls")."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.reaction import PartialEmoji
from chatd.model.objects.user import User
from chatd.model.wire import Object, Params, Snowflake, length


class PollMedia(Object, frozen=True, kw_only=True):
    """A question, or an answer, which may have an emoji."""

    text: str
    emoji: PartialEmoji | UnsetType = UNSET


class PollAnswer(Object, frozen=True, kw_only=True):
    answer_id: int
    poll_media: PollMedia


class PollAnswerCount(Object, frozen=True, gc=False, kw_only=True):
    id: int
    count: int
    me_voted: bool


class PollResults(Object, frozen=True, kw_only=True):
    """An answer without votes is left out."""

    answer_counts: tuple[PollAnswerCount, ...]
    is_finalized: bool


class Poll(Object, frozen=True, kw_only=True):
    """As stored it has results from its end on. Without any they are unknown, not none."""

    question: PollMedia
    answers: tuple[PollAnswer, ...]
    expiry: str
    allow_multiselect: bool
    layout_type: int = 1
    results: PollResults | UnsetType = UNSET


class PollVote(Object, frozen=True, kw_only=True):
    """MESSAGE_POLL_VOTE_ADD and MESSAGE_POLL_VOTE_REMOVE."""

    user_id: Snowflake
    channel_id: Snowflake
    message_id: Snowflake
    guild_id: Snowflake | UnsetType = UNSET
    answer_id: int


class PollVoters(Object, frozen=True, kw_only=True):
    """Get Answer Voters."""

    users: tuple[User, ...]


class PollQuestionParams(Params, kw_only=True):
    text: Annotated[str, length(limits.POLL_QUESTION_LENGTH)]


class PollEmojiParams(Params, kw_only=True):
    """By the one or the other."""

    id: Snowflake | None = None
    name: str | None = None


class PollMediaParams(Params, kw_only=True):
    text: Annotated[str, length(limits.POLL_ANSWER_LENGTH)]
    emoji: PollEmojiParams | None = None


class PollAnswerParams(Params, kw_only=True):
    poll_media: PollMediaParams


class PollCreate(Params, kw_only=True):
    """Poll Create Request Object."""

    question: PollQuestionParams
    answers: Annotated[list[PollAnswerParams], length(limits.POLL_ANSWERS)]
    # discord.py sends 24.0
    duration: Annotated[float, Meta(ge=limits.POLL_HOURS[0], le=limits.POLL_HOURS[1])] | None = None
    allow_multiselect: bool | None = None
    layout_type: Literal[1] | None = None


class PollVoteParams(Params, kw_only=True):
    """As Discord's own client votes: all that the user votes for from now on."""

    answer_ids: Annotated[list[Snowflake], Meta(max_length=limits.POLL_ANSWERS[1])]


class PollVotersQuery(Params, kw_only=True):
    """Get Answer Voters."""

    after: Snowflake = Snowflake(0)
    limit: Annotated[int, Meta(ge=1, le=limits.POLL_VOTERS_PER_PAGE)] = 25
