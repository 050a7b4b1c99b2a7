"""Searching a guild's messages (resources/message, "Search Guild Messages")."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.objects.message import Message
from chatd.model.objects.thread import Thread, ThreadMember
from chatd.model.wire import Object, Params, Snowflake

AuthorType = Literal["user", "bot", "webhook", "-user", "-bot", "-webhook"]
Has = Literal[
    "link", "embed", "file", "image", "video", "sound", "sticker", "poll", "snapshot",
    "-link", "-embed", "-file", "-image", "-video", "-sound", "-sticker", "-poll", "-snapshot",
]  # fmt: skip
EmbedType = Literal["image", "video", "gif", "sound", "article"]

Ids = Annotated[list[Snowflake], Meta(max_length=limits.SEARCH_VALUES)]
Names = Annotated[
    list[Annotated[str, Meta(max_length=limits.SEARCH_NAME_LENGTH)]], Meta(max_length=limits.SEARCH_VALUES)
]
Filenames = Annotated[
    list[Annotated[str, Meta(max_length=limits.SEARCH_CONTENT_LENGTH)]], Meta(max_length=limits.SEARCH_VALUES)
]


class MessageSearch(Params, kw_only=True):
    """Search Guild Messages. A message has to fit every parameter; of a list, except `has`, any one value."""

    limit: Annotated[int, Meta(ge=1, le=limits.SEARCH_PAGE)] = limits.SEARCH_PAGE
    offset: Annotated[int, Meta(ge=0, le=limits.SEARCH_RESULTS - limits.SEARCH_PAGE)] = 0
    max_id: Snowflake | UnsetType = UNSET
    min_id: Snowflake | UnsetType = UNSET
    slop: Annotated[int, Meta(ge=0, le=limits.SEARCH_SLOP)] = limits.SEARCH_SLOP_DEFAULT
    content: Annotated[str, Meta(max_length=limits.SEARCH_CONTENT_LENGTH)] = ""
    channel_id: Annotated[list[Snowflake], Meta(max_length=limits.SEARCH_CHANNELS)] = []
    author_type: list[AuthorType] = []
    author_id: Ids = []
    mentions: Ids = []
    mentions_role_id: Ids = []
    mention_everyone: bool | UnsetType = UNSET
    replied_to_user_id: Ids = []
    replied_to_message_id: Ids = []
    pinned: bool | UnsetType = UNSET
    has: list[Has] = []
    embed_type: list[EmbedType] = []
    embed_provider: Names = []
    link_hostname: Names = []
    attachment_filename: Filenames = []
    attachment_extension: Names = []
    sort_by: Literal["timestamp", "relevance"] = "timestamp"
    sort_order: Literal["asc", "desc"] = "desc"
    include_nsfw: bool = False


class FoundMessage(Message, frozen=True, kw_only=True):
    hit: bool = True  # messages around it are no longer returned


class MessageSearchResult(Object, frozen=True, kw_only=True):
    doing_deep_historical_index: bool
    total_results: int
    messages: tuple[tuple[FoundMessage], ...]
    threads: tuple[Thread, ...]
    members: tuple[ThreadMember, ...]
