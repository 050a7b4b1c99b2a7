"""Request bodies: JSON, a form with JSON or fields in it, or nothing. Docs: reference, "Uploading Files"."""

from collections.abc import Sequence
from typing import TypeVar, get_origin
from urllib.parse import parse_qsl

from chatd.model.errors import ApiError
from chatd.model.validate import decode, decode_form, form_error
from chatd.model.wire import FormParams
from chatd.rest.multipart import Form, MalformedForm, parse

T = TypeVar("T")

_FORM = "multipart/form-data"
_URLENCODED = "application/x-www-form-urlencoded"
# Fields that hold the whole body; the second is what GitHub and Slack call it.
_PAYLOADS = ("payload_json", "payload")
_ACCEPTED = ("application/json", _URLENCODED, _FORM)


def parse_body(type_: type[T], content_type: str, raw: bytes) -> T:
    """Raises ApiError 50035 or 50109."""
    if not raw:
        return decode(type_, b"{}")
    kind = content_type.partition(";")[0].strip().lower()
    if issubclass(get_origin(type_) or type_, FormParams):
        if kind != _FORM:
            raise _content_type_error((_FORM,))
        return _fields_of_form(type_, _parse(content_type, raw))
    if kind == "application/json":
        return decode(type_, raw)
    if kind == _FORM:
        return decode(type_, _json_of_form(_parse(content_type, raw)))
    if kind == _URLENCODED:
        fields = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)
        payloads = [text for name, text in fields if name in _PAYLOADS]
        if payloads:
            return decode(type_, payloads[-1].encode())
        if get_origin(type_) is None:  # a list has no fields
            return decode_form(type_, fields, {})
    raise _content_type_error(_ACCEPTED)


def _parse(content_type: str, raw: bytes) -> Form:
    try:
        return parse(content_type, raw)
    except MalformedForm as error:
        raise form_error((), "MULTIPART_FORM_INVALID", f"Malformed form: {error.reason}") from None


def _fields_of_form(type_: type[T], form: Form) -> T:
    texts = [(name, value.decode("utf-8", "replace")) for name, value in form.fields.items()]
    return decode_form(type_, texts, {file.name: file.data for file in form.files})


def _json_of_form(form: Form) -> bytes:
    if form.files:
        # Attachments are not kept by this version; dropping them silently would lose what was sent.
        raise form_error(form.files[0].name, "ATTACHMENTS_NOT_SUPPORTED", "This server does not take files yet")
    if form.payload_json is None:
        raise form_error("payload_json", "BASE_TYPE_REQUIRED", "This field is required")
    return form.payload_json


def _content_type_error(accepted: Sequence[str]) -> ApiError:
    names = ", ".join(map(repr, accepted))
    return form_error((), "CONTENT_TYPE_INVALID", f'Expected "Content-Type" header to be one of {{{names}}}.')
