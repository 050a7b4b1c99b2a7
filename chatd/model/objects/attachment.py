"""Files of messages (resources/message, "Attachment Object")."""

from enum import IntFlag
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from chatd.model import limits
from chatd.model.wire import Object, Params, Snowflake


class AttachmentFlags(IntFlag):
    IS_SPOILER = 1 << 3
    IS_ANIMATED = 1 << 5


class AttachmentInfo(Object, frozen=True, gc=False, kw_only=True):
    id: Snowflake
    filename: str
    size: int  # bytes
    content_type: str | UnsetType = UNSET
    width: int | UnsetType = UNSET
    height: int | UnsetType = UNSET
    title: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    duration_secs: float | UnsetType = UNSET
    waveform: str | UnsetType = UNSET
    flags: int | UnsetType = UNSET


class StoredAttachment(AttachmentInfo, frozen=True, gc=False, kw_only=True):
    """As it is kept with its message: the URL, which is signed anew each time, is made of the ids and the name."""

    channel_id: Snowflake


class Attachment(AttachmentInfo, frozen=True, gc=False, kw_only=True):
    """As it is shown."""

    url: str
    proxy_url: str


class AttachmentParams(Params, kw_only=True):
    """Attachment Request: of a new file `id` is the n of its `files[n]`."""

    id: Snowflake
    filename: Annotated[str, Meta(min_length=1, max_length=limits.ATTACHMENT_TEXT_LENGTH)] | None = None
    title: Annotated[str, Meta(max_length=limits.ATTACHMENT_TEXT_LENGTH)] | UnsetType | None = UNSET
    description: Annotated[str, Meta(max_length=limits.ATTACHMENT_TEXT_LENGTH)] | UnsetType | None = UNSET
    is_spoiler: bool | UnsetType | None = UNSET
    duration_secs: Annotated[float, Meta(ge=0, le=2**31 - 1)] | None = None
    waveform: Annotated[str, Meta(max_length=limits.WAVEFORM_LENGTH)] | None = None


class RefreshUrls(Params, kw_only=True):
    """Refresh Attachment URLs, as Discord's own client has it."""

    attachment_urls: Annotated[list[str], Meta(max_length=limits.REFRESHED_URLS)]


class RefreshedUrl(Object, frozen=True, gc=False, kw_only=True):
    original: str
    refreshed: str | None


class RefreshedUrls(Object, frozen=True, gc=False, kw_only=True):
    refreshed_urls: tuple[RefreshedUrl, ...]
