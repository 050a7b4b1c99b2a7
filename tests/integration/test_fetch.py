"""GET of strangers' pages, from a site that answers with whatever it likes."""

import gzip
from collections.abc import AsyncIterator

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from chatd.web.fetch import HEAD_BYTES, PIECE_BYTES, REDIRECTS, Fetched, Refused, Unfetched, Web, fetch, public_web
from tests.support.site import Answers, Site, local_web, redirect, response, site, web

TYPES = frozenset(("text/html", "image/png"))
LIMIT = 10_000


async def get(url: str, network: Web | None = None, *, deadline_s: float = 5.0) -> Fetched:
    return await fetch(network or local_web(), url, TYPES, LIMIT, deadline_s)


@pytest.fixture
async def here() -> AsyncIterator[Site]:
    async with site({"/": response(b"<title>x</title>", "Text/HTML; Charset=UTF-8")}) as made:
        yield made


async def test_a_page(here: Site) -> None:
    assert await get(here.url()) == Fetched(here.url(), "text/html", "utf-8", b"<title>x</title>")
    head = here.heads[0].lower()
    assert head.startswith("get / http/1.1\r\n")
    assert f"\r\nhost: 127.0.0.1:{here.port}\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head
    assert not any(name in head for name in ("cookie:", "authorization:", "referer:"))


async def test_nothing_of_a_url_gets_into_the_head(here: Site) -> None:
    here.answers["/a%20b%0D%0AX:%20y?q=%C3%A4%00"] = response(b"ok")
    assert (await get(here.url("/a%20b%0D%0AX:%20y?q=ä\0#part"))).body == b"ok"
    assert len(here.heads[0].splitlines()) == 7


async def test_the_name_is_asked_for_and_the_address_connected_to(here: Site) -> None:
    url = here.url(host="some.test")
    assert (await get(url, web("127.0.0.1", some_test=["127.0.0.1"]))).url == url
    assert f"Host: some.test:{here.port}" in here.heads[0]


async def test_an_international_name(here: Site) -> None:
    await get(here.url(host="münchen.test"), web("127.0.0.1", **{"xn--mnchen-3ya_test": ["127.0.0.1"]}))
    assert "Host: xn--mnchen-3ya.test:" in here.heads[0]


async def test_the_next_address_where_one_does_not_answer(here: Site) -> None:
    # Nothing listens on the port of 127.0.0.2.
    network = web("127.0.0.1", "127.0.0.2", some_test=["127.0.0.2", "127.0.0.1"])
    assert (await get(here.url(host="some.test"), network)).body == b"<title>x</title>"


# --- refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://[::1]/", "http://0.0.0.0/", "http://127.1/", "http://0x7f000001/"),
        *("http://2130706433/", "http://localhost/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/"),
        *("http://[fe80::1%251]/", "http://8.8.8.8:8080/", "https://8.8.8.8:80808/", "https://8.8.8.8:22/"),
        *("ftp://8.8.8.8/", "file:///etc/passwd", "http://user@8.8.8.8/", "http://user:pass@8.8.8.8/", "http://@8.8.8.8/"),
        *("http://", "http:///x", "http://[", "http://[::g]/", "http://a b/", "http://a\0b/", f"http://{'a' * 300}/"),
        *("http://..", "http://a..b/", "http://a%2eb/", "//8.8.8.8/", "", "http://8.8.8.8\\@a/", "http://８.8.8.8:1/"),
    ],
)  # fmt: skip
async def test_urls_that_lead_nowhere(url: str) -> None:
    with pytest.raises(Unfetched):
        await fetch(public_web(), url, TYPES, LIMIT, 5.0)


_PARTS = st.sampled_from(
    [
        *(
            "http",
            "https",
            "ftp",
            ":",
            "//",
            "/",
            "@",
            "?",
            "#",
            "[",
            "]",
            ".",
            "..",
            "%",
            "%00",
            "\\",
            " ",
            "\t",
            "\r\n",
        ),
        *("a", "A", "é", "。", "ß", "١", "xn--", "x" * 64, "1", "0x7f", ":80", ":65536", "::1", "\0", "\ud800", "🙂"),
    ]
)


@given(st.lists(_PARTS).map("".join), st.sampled_from(["", "http://", "https://a.test/"]))
def test_any_url_is_refused_where_nothing_is_permitted(rest: str, start: str) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        await trio.lowlevel.checkpoint()
        return [host]

    with pytest.raises(Unfetched):
        trio.run(
            fetch, local_web()._replace(resolve=resolve, permits=lambda *_: False), start + rest, TYPES, LIMIT, 5.0
        )


async def test_a_name_of_a_refused_address_beside_a_permitted_one(here: Site) -> None:
    network = web("127.0.0.1", some_test=["127.0.0.1", "10.0.0.1"])
    with pytest.raises(Refused, match=r"some\.test is 10\.0\.0\.1"):
        await get(here.url(host="some.test"), network)
    assert here.asked == []


async def test_a_name_that_changes_its_mind_is_resolved_once(here: Site) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    async def rebinding(host: str, port: int) -> list[str]:
        await trio.lowlevel.checkpoint()
        return answers.pop(0)

    assert (await get(here.url(host="some.test"), local_web()._replace(resolve=rebinding))).body == b"<title>x</title>"
    assert answers == [["10.0.0.1"]]


@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/",
        "http://inner.test/",
        "//inner.test/",
        "http://a@127.0.0.1/",
        "file:///etc/passwd",
        "gopher:x",
    ],
)
async def test_a_redirect_is_checked_like_the_first_url(here: Site, location: str) -> None:
    here.answers["/"] = redirect(location)
    with pytest.raises(Refused):
        await get(here.url(), web("127.0.0.1", inner_test=["10.0.0.1"]))
    assert here.asked == ["/"]


# --- redirects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["301 x", "302 x", "303 x", "307 x", "308 x"])
async def test_redirects(here: Site, status: str) -> None:
    here.answers["/a"] = redirect("b/c?d=e f", status)
    here.answers["/b/c?d=e%20f"] = redirect(here.url())
    found = await get(here.url("/a"))
    assert found.url == here.url()
    assert here.asked == ["/a", "/b/c?d=e%20f", "/"]


async def test_too_many_redirects(here: Site) -> None:
    here.answers["/"] = redirect("/")
    with pytest.raises(Unfetched, match="too many"):
        await get(here.url())
    assert len(here.asked) == 1 + REDIRECTS


async def test_a_redirect_to_nowhere(here: Site) -> None:
    here.answers["/"] = response(status="302 Found")
    with pytest.raises(Unfetched):
        await get(here.url())


# --- answers -------------------------------------------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
OPEN_ENDED = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nContent-Type: image/png\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (OPEN_ENDED + b"abc", b"abc"),
        (EARLY + EARLY + response(b"abc"), b"abc"),
        (response(b"abc") + b"and more", b"abc"),
        (response(b"x" * 2 * LIMIT), b"x" * LIMIT),
        (OPEN_ENDED + b"x" * 2 * LIMIT, b"x" * LIMIT),
        ([bytes([byte]) for byte in response(b"abc")], b"abc"),
        (response(b"abc", Content_Encoding="identity"), b"abc"),
        # It says more than comes.
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nabc", b"abc"),
    ],
    ids=str,
)
async def test_bodies(here: Site, answer: bytes | list[bytes], body: bytes) -> None:
    here.answers["/"] = answer
    assert (await get(here.url())).body == body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        CHUNKED + b"no number\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        EARLY,
        response(b"x", "text/plain"),
        response(b"x", "application/octet-stream"),
        b"HTTP/1.1 200 OK\r\n\r\nno type",
        response(b"x", status="204 No Content"),
        response(b"x", status="206 Partial Content"),
        response(b"x", status="404 Not Found"),
        response(b"x", status="500 Internal Server Error"),
        response(gzip.compress(b"x" * 1000), Content_Encoding="gzip"),
        response(b"x", Content_Encoding="br"),
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * (HEAD_BYTES + 20_000),
        EARLY * 1000 + response(b"x"),
    ],
    ids=lambda answer: repr(answer[:60]),
)
async def test_answers_that_are_of_no_use(here: Site, answer: bytes) -> None:
    here.answers["/"] = answer
    with pytest.raises(Unfetched):
        await get(here.url())


async def test_an_endless_page_is_left_after_its_beginning(here: Site) -> None:
    here.answers["/"] = [OPEN_ENDED, *([b"x" * 65536] * 1000)]
    assert len((await get(here.url())).body) == LIMIT
    with trio.fail_after(5):
        await here.abandoned.wait()


async def test_an_endless_page_of_small_chunks_is_left_after_as_many_bytes(here: Site) -> None:
    here.answers["/"] = [CHUNKED, *([b"1\r\nx\r\n" * 10_000] * 1000)]
    found = await get(here.url())
    assert len(found.body) <= (HEAD_BYTES + LIMIT + PIECE_BYTES) // 6
    with trio.fail_after(5):
        await here.abandoned.wait()


@pytest.mark.parametrize("answers", [{"/": None}, {"/": redirect("/next"), "/next": None}], ids=["at once", "later"])
async def test_silence_ends_with_the_deadline(answers: Answers) -> None:
    async with site(answers) as made:
        with pytest.raises(Unfetched, match="took more than"):
            await get(made.url(), deadline_s=0.2)
        with trio.fail_after(5):
            await made.abandoned.wait()


async def test_a_name_server_that_is_silent_ends_with_the_deadline() -> None:
    async def silent(host: str, port: int) -> list[str]:
        await trio.sleep_forever()

    with pytest.raises(Unfetched, match="took more than"):
        await get("http://some.test/", local_web()._replace(resolve=silent), deadline_s=0.01)


async def test_nobody_listens(here: Site) -> None:
    with pytest.raises(Unfetched, match="cannot be reached"):
        await get(here.url(host="127.0.0.2"), web("127.0.0.2"))


# --- TLS -----------------------------------------------------------------------------------------------------------


async def test_tls_verifies_the_name_that_was_asked_for() -> None:
    async with site({"/": response(b"secret")}, tls=True) as made:
        network = web("127.0.0.1", localhost=["127.0.0.1"], other_test=["127.0.0.1"])
        assert (await get(made.url(host="localhost", scheme="https"), network)).body == b"secret"
        with pytest.raises(Unfetched, match="certificate"):
            await get(made.url(host="other.test", scheme="https"), network)
        assert made.asked == ["/"]


async def test_tls_with_an_authority_that_nobody_knows() -> None:
    async with site({"/": response(b"secret")}, tls=True) as made:
        network = web("127.0.0.1", localhost=["127.0.0.1"])._replace(tls=public_web().tls)
        with pytest.raises(Unfetched, match="certificate"):
            await get(made.url(host="localhost", scheme="https"), network)


async def test_tls_is_no_plain_page(here: Site) -> None:
    with pytest.raises(Unfetched):
        await get(here.url(scheme="https"), deadline_s=0.2)
