"""Slack's messages as messages. Docs: resources/webhook, "Execute Slack-Compatible Webhook"; api.slack.com.

`channel`, `icon_emoji`, `mrkdwn` and `mrkdwn_in` are passed over, as on Discord. What is too long is cut off.
"""

import re

from msgspec import UNSET

from chatd.model import limits
from chatd.model.markup import clipped
from chatd.model.objects.embed import EmbedAuthor, EmbedField, EmbedFooter, EmbedMediaParams, EmbedParams
from chatd.model.objects.webhook import SlackAttachment, SlackAttachmentField, SlackMessage, WebhookExecute
from chatd.model.wire import timestamp

_LINK = re.compile(r"<(https?://[^|>\s]+)\|([^>\n]+)>")
_COLOR = re.compile(r"#?([0-9a-fA-F]{6})")
_NAMED_COLORS = {"good": 0x2EB67D, "warning": 0xECB22E, "danger": 0xE01E5A}
# The three characters that Slack has its clients escape.
_ESCAPES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ESCAPE = re.compile("|".join(_ESCAPES))
# Zero-width: a field's name and value may not be empty.
_BLANK = "\u200b"


def message(body: SlackMessage) -> WebhookExecute:
    name = None if body.username is None else clipped(body.username, limits.WEBHOOK_NAME_LENGTH[1]) or None
    return WebhookExecute(
        content=clipped(_text(body.text or ""), limits.MESSAGE_CONTENT_LENGTH),
        username=name,
        avatar_url=body.icon_url,
        embeds=[_embed(attachment) for attachment in body.attachments],
    )


def _embed(attachment: SlackAttachment) -> EmbedParams:
    texts = [_text(text) for text in (attachment.pretext, attachment.text) if text]
    return EmbedParams(
        title=clipped(_text(attachment.title), limits.EMBED_TITLE_LENGTH) or None,
        url=attachment.title_link,
        description=clipped("\n".join(texts), limits.EMBED_DESCRIPTION_LENGTH) or None,
        color=_color(attachment.color or ""),
        timestamp=None if attachment.ts is None else timestamp(int(attachment.ts * 1000)),
        footer=_footer(attachment) if attachment.footer else None,
        author=_author(attachment) if attachment.author_name else None,
        image=None if attachment.image_url is None else EmbedMediaParams(url=attachment.image_url),
        thumbnail=None if attachment.thumb_url is None else EmbedMediaParams(url=attachment.thumb_url),
        fields=[_field(field) for field in attachment.fields[: limits.EMBED_FIELDS]] or None,
    )


def _footer(attachment: SlackAttachment) -> EmbedFooter:
    text = clipped(attachment.footer, limits.EMBED_FOOTER_LENGTH)
    return EmbedFooter(text=text, icon_url=attachment.footer_icon or UNSET)


def _author(attachment: SlackAttachment) -> EmbedAuthor:
    name = clipped(attachment.author_name, limits.EMBED_AUTHOR_LENGTH)
    return EmbedAuthor(name=name, url=attachment.author_link or UNSET, icon_url=attachment.author_icon or UNSET)


def _field(field: SlackAttachmentField) -> EmbedField:
    return EmbedField(
        name=clipped(_text(field.title), limits.EMBED_FIELD_NAME_LENGTH) or _BLANK,
        value=clipped(_text(field.value), limits.EMBED_FIELD_VALUE_LENGTH) or _BLANK,
        inline=field.short,
    )


def _color(text: str) -> int | None:
    """Names, or hexadecimal digits; nothing for what is neither."""
    found = _COLOR.fullmatch(text)
    return _NAMED_COLORS.get(text) if found is None else int(found[1], 16)


def _text(text: str) -> str:
    """Links become those of Markdown."""
    linked = _LINK.sub(r"[\2](\1)", text)
    return _ESCAPE.sub(lambda found: _ESCAPES[found[0]], linked)
