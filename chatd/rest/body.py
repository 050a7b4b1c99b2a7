"""Request bodies: JSON, a form with JSON, fields and files in it, or nothing. Docs: reference, "Uploading Files"."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar, get_origin
from urllib.parse import parse_qsl

from chatd.model.errors import ENTITY_TOO_LARGE, ApiError
from chatd.model.validate import decode, decode_form, form_error
from chatd.model.wire import FormParams
from chatd.rest.http import FORM
from chatd.rest.multipart import FormReader, MalformedForm

T = TypeVar("T")

_URLENCODED = "application/x-www-form-urlencoded"
# Fields that hold the whole body; the second is what GitHub and Slack call it.
_PAYLOADS = ("payload_json", "payload")
_ACCEPTED = ("application/json", _URLENCODED, FORM)

# Takes a file in: the names of its field and of itself, and its bytes as they arrive.
Take = Callable[[str, str, AsyncIterator[bytes]], Awaitable[None]]


def parse_body(type_: type[T], content_type: str, raw: bytes) -> T:
    """What is no form. Raises ApiError 50035 or 50109."""
    if not raw:
        return decode(type_, b"{}")
    if _is_form_params(type_):
        raise _content_type_error((FORM,))
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return decode(type_, raw)
    if kind == _URLENCODED:
        fields = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)
        payloads = [text for name, text in fields if name in _PAYLOADS]
        if payloads:
            return decode(type_, payloads[-1].encode())
        if get_origin(type_) is None:  # a list has no fields
            return decode_form(type_, fields, {})
    raise _content_type_error(_ACCEPTED)


async def read_form(
    type_: type[T], content_type: str, body: AsyncIterator[bytes], max_bytes: int, take: Take | None
) -> T:
    """A form as it arrives: its JSON, or its fields where it has none, and its files to `take`.

    Everything but those may be `max_bytes` long together. Raises ApiError 50035, 50109 or 40005, and BodyFailed.
    """
    form = _Form(max_bytes)
    try:
        await form.read(FormReader(content_type, body), _is_form_params(type_), take)
    except MalformedForm as error:
        raise form_error((), "MULTIPART_FORM_INVALID", f"Malformed form: {error.reason}") from None
    if form.payload is not None:
        return decode(type_, form.payload)
    if get_origin(type_) is not None:  # a list has no fields
        raise form_error("payload_json", "BASE_TYPE_REQUIRED", "This field is required")
    return decode_form(type_, form.texts, form.files)


class _Form:
    """What of a form is held in memory."""

    def __init__(self, max_bytes: int) -> None:
        self.payload: bytes | None = None
        self.texts: list[tuple[str, str]] = []
        self.files: dict[str, bytes] = {}
        self._left = max_bytes

    async def read(self, parts: FormReader, has_files_as_fields: bool, take: Take | None) -> None:
        while (head := await parts.next_part()) is not None:
            if has_files_as_fields and head.filename is not None:
                self.files[head.name] = await self._gather(parts)
            elif not has_files_as_fields and head.name == "payload_json":  # whether it has a file name or not
                if self.payload is not None:
                    raise MalformedForm("two parts payload_json")
                self.payload = await self._gather(parts)
            elif head.filename is None:
                self.texts.append((head.name, (await self._gather(parts)).decode("utf-8", "replace")))
            elif take is None:  # dropping it silently would lose what was sent
                raise form_error(head.name, "ATTACHMENTS_NOT_SUPPORTED", "Files are not for this route")
            else:
                await take(head.name, head.filename, parts.data())

    async def _gather(self, parts: FormReader) -> bytes:
        pieces = []
        async for piece in parts.data():
            self._left -= len(piece)
            if self._left < 0:
                raise ENTITY_TOO_LARGE()
            pieces.append(piece)
        return b"".join(pieces)


def _is_form_params(type_: Any) -> bool:
    return issubclass(get_origin(type_) or type_, FormParams)


def _content_type_error(accepted: Sequence[str]) -> ApiError:
    names = ", ".join(map(repr, accepted))
    return form_error((), "CONTENT_TYPE_INVALID", f'Expected "Content-Type" header to be one of {{{names}}}.')
