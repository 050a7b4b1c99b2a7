"""Mentions agree with a reader that goes from character to character (reference, "Message Formatting")."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatd.model.markup import Mentions, mentions

DIGITS = frozenset("0123456789")
LARGEST = 2**63 - 1

# What mentions are made of, so that most texts are nearly one.
pieces = st.sampled_from(["<@", "<@!", "<@&", "@everyone", "@here", "everyone", *"<@!&> x_é語1"])
ids = st.integers(0, 2**65).map(str) | st.integers(10**14, 10**18).map(str) | st.just("١" * 18)
texts = st.lists(pieces | ids | st.builds("<@{}>".format, ids) | st.text(max_size=3), max_size=12).map("".join)


def read(text: str) -> Mentions:
    users: list[int] = []
    roles: list[int] = []
    everyone = False
    for start in range(len(text)):
        for word in ("@everyone", "@here"):
            end = start + len(word)
            if text[start:end] == word and not (text[end : end + 1].isalnum() or text[end : end + 1] == "_"):
                everyone = True
        found = read_id(text, start)
        if found is not None:
            kind, id_ = found
            named = roles if kind == "role" else users
            if id_ not in named:
                named.append(id_)
    return Mentions(tuple(users), tuple(roles), everyone)


def read_id(text: str, start: int) -> tuple[str, int] | None:
    """The mention that begins here: <@ID>, <@!ID> or <@&ID>, with an id of 15 to 20 digits that anybody can have."""
    if text[start : start + 2] != "<@":
        return None
    start += 2
    sign = text[start : start + 1] if text[start : start + 1] in ("!", "&") else ""
    start += len(sign)
    end = start
    while end < len(text) and text[end] in DIGITS:
        end += 1
    if text[end : end + 1] != ">" or not 15 <= end - start <= 20 or int(text[start:end]) > LARGEST:
        return None
    return "role" if sign == "&" else "user", int(text[start:end])


@given(text=texts)
@example(text="<@&!111111111111111111>")
@settings(max_examples=500)
def test_what_is_read_agrees(text: str) -> None:
    assert mentions(text) == read(text)
