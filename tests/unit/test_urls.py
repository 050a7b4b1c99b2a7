"""Addresses that clients may send."""

import pytest

from chatd.model.urls import fault


@pytest.mark.parametrize(
    "url",
    [
        "https://chat.test",
        "http://chat.test/a/b?c=d#e",
        "HTTPS://CHAT.TEST",
        "https://user:word@chat.test:8080/",
        "https://[::1]:65535/",
        "https://bücher.test/größe",
    ],
)
def test_addresses(url: str) -> None:
    assert fault(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "chat.test",
        "//chat.test",
        "https:",
        "https://",
        "https:///path",
        "https://:80",
        "https://chat.test:99999",
        "https://chat.test:0",
        "https://chat.test:port",
        "https://[::1",
        "https://chat.test/a b",
        " https://chat.test",
        "https://chat.test/\n",
        "https://chat.test/\x7f",
    ],
)
def test_what_is_none(url: str) -> None:
    assert fault(url) == ("URL_TYPE_INVALID_URL", "Not a well formed URL.")


@pytest.mark.parametrize("scheme", ["ftp", "javascript", "file", "attachment", "discord"])
def test_other_schemes(scheme: str) -> None:
    message = f"Scheme \"{scheme}\" is not supported. Scheme must be one of ('http', 'https')."
    assert fault(f"{scheme}://chat.test") == ("URL_TYPE_INVALID_SCHEME", message)
    assert fault(f"{scheme}://chat.test", (scheme,)) is None
