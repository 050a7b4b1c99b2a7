"""Embeds: from what a client sent to what is stored. Docs: resources/message, "Embed Object"."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from chatd.model import limits, urls
from chatd.model.objects.embed import Embed, EmbedMedia, EmbedParams
from chatd.model.validate import form_error
from chatd.model.wire import parse_timestamp, timestamp

_PICTURES = ("image.url", "thumbnail.url", "footer.icon_url", "author.icon_url")
_ADDRESSES = ("url", "author.url", *_PICTURES)


def embeds_from(received: Sequence[EmbedParams]) -> tuple[Embed, ...]:
    """Check what the types cannot say: something to show in each, 6,000 characters over all, times and addresses that
    are some.
    """
    embeds = tuple(_embed_from(embed, f"embeds.{index}") for index, embed in enumerate(received))
    if sum(map(_characters, embeds)) > limits.EMBEDS_LENGTH:
        raise form_error(
            "embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
            f"Embed size exceeds maximum size of {limits.EMBEDS_LENGTH}",
        )
    return embeds


def _embed_from(received: EmbedParams, path: str) -> Embed:
    given = {name: value for name in received.__struct_fields__ if (value := getattr(received, name)) is not None}
    if not given:
        raise form_error(f"{path}.description", "BASE_TYPE_REQUIRED", "This field is required")
    if "timestamp" in given:
        try:
            given["timestamp"] = timestamp(parse_timestamp(given["timestamp"]))
        except ValueError as error:
            raise form_error(f"{path}.timestamp", "DATE_TIME_TYPE_PARSE", str(error)) from None
    for name in ("image", "thumbnail"):
        if name in given:
            given[name] = EmbedMedia(url=given[name].url)
    if "fields" in given:
        given["fields"] = tuple(given["fields"])
    embed = Embed(**given)
    _check_addresses(embed, path)
    return embed


def _check_addresses(embed: Embed, path: str) -> None:
    """Clients follow them. Those of pictures may name a file of the message instead."""
    for place in _ADDRESSES:
        url: Any = embed
        for name in place.split("."):
            url = getattr(url, name, UNSET)
        if not url or (place in _PICTURES and url.startswith("attachment://")):
            continue
        if fault := urls.fault(url):
            raise form_error(f"{path}.{place}", *fault)


def _characters(embed: Embed) -> int:
    """What counts toward the limit (resources/message, "Embed Limits")."""
    texts = [embed.title, embed.description]
    texts += [embed.footer.text] if embed.footer is not UNSET else []
    texts += [embed.author.name] if embed.author is not UNSET else []
    for field in embed.fields if embed.fields is not UNSET else ():
        texts += [field.name, field.value]
    return sum(len(text) for text in texts if text is not UNSET)
