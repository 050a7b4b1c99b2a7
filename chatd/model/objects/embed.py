"""Embeds (resources/message, "Embed Object") and their limits."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.wire import Object, Params

Url = Annotated[str, Meta(max_length=2048)]


class EmbedFooter(Object, frozen=True, kw_only=True):
    text: Annotated[str, Meta(max_length=limits.EMBED_FOOTER_LENGTH)]
    icon_url: Url | UnsetType | None = UNSET


class EmbedMediaParams(Params, kw_only=True):
    """As received: a size is not the sender's to say."""

    url: Url


class EmbedMedia(Object, frozen=True, kw_only=True):
    url: str
    width: int | UnsetType = UNSET
    height: int | UnsetType = UNSET


class EmbedProvider(Object, frozen=True, kw_only=True):
    name: str


class EmbedAuthor(Object, frozen=True, kw_only=True):
    name: Annotated[str, Meta(max_length=limits.EMBED_AUTHOR_LENGTH)]
    url: Url | UnsetType | None = UNSET
    icon_url: Url | UnsetType | None = UNSET


class EmbedField(Object, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=limits.EMBED_FIELD_NAME_LENGTH)]
    value: Annotated[str, Meta(min_length=1, max_length=limits.EMBED_FIELD_VALUE_LENGTH)]
    inline: bool = False


class Embed(Object, frozen=True, kw_only=True):
    """An embed as stored and sent."""

    type: str = "rich"
    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    timestamp: str | UnsetType = UNSET
    color: int | UnsetType = UNSET
    footer: EmbedFooter | UnsetType = UNSET
    image: EmbedMedia | UnsetType = UNSET
    thumbnail: EmbedMedia | UnsetType = UNSET
    provider: EmbedProvider | UnsetType = UNSET  # of what a link leads to
    author: EmbedAuthor | UnsetType = UNSET
    fields: tuple[EmbedField, ...] | UnsetType = UNSET


class EmbedParams(Params, kw_only=True):
    """An embed as received: null means absent, and `type` is the server's to say."""

    title: Annotated[str, Meta(max_length=limits.EMBED_TITLE_LENGTH)] | None = None
    description: Annotated[str, Meta(max_length=limits.EMBED_DESCRIPTION_LENGTH)] | None = None
    url: Url | None = None
    timestamp: str | None = None
    color: Annotated[int, Meta(ge=0, le=0xFFFFFF)] | None = None
    footer: EmbedFooter | None = None
    image: EmbedMediaParams | None = None
    thumbnail: EmbedMediaParams | None = None
    author: EmbedAuthor | None = None
    fields: Annotated[list[EmbedField], Meta(max_length=limits.EMBED_FIELDS)] | None = None
