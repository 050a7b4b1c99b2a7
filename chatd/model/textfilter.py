"""Texts against keywords and regular expressions: what AutoMod's rules look for, without rules.

Docs: resources/auto-moderation, "Keyword Matching Strategies". A `*` at either end of a keyword says how it matches:
`cat*` at the start of a word, `*cat` at the end of one, `*cat*` anywhere, `cat` as a whole word. Words are bounded by
whitespace and by the ends of the text, and by nothing else, as the page says. Keywords and texts are compared in
Unicode's NFKC form with cases folded, so that full-width or mathematical letters are letters.

Regular expressions see the NFKC form of the text and ignore case. All matching is RE2's: time linear in the text,
whatever the expressions are. Its syntax is nearly that of Rust's regex, which Discord's clients promise; `\\w`, `\\d`,
`\\s` and `\\b` know ASCII only.

What matches inside an allowed keyword's match is no match.
"""

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import re2

# Whitespace as `str.isspace` has it, as far as NFKC leaves it; RE2's \s knows six of them.
_SPACE = r"[\t-\r\x1c- \x{85}\x{1680}\x{2028}\x{2029}]"
# What a regular expression may become: programs of some 8,000 instructions, and as much for the states met on the way.
_REGEX_MEMORY = 256 * 1024
# Keywords may take as much as they need, which is about a hundred bytes for each of theirs, and what the states cost
# that ordinary text meets: with less than this a thousand keywords are a hundred times as slow.
_KEYWORDS_MEMORY = 4 * 1024 * 1024
_KEYWORD_BYTE_MEMORY = 128


# What `search` may do before it is called slow, in RE2's instructions at some four nanoseconds each: a millisecond.
_SLOW = 250_000
# A search begun anew, as it is for each character at the worst when something is found and something is allowed.
_SEARCH = 1000


class InvalidRegex(Exception):
    """The expression at `index` is none, or is too large."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(reason)
        self.index = index
        self.reason = reason


class Match(NamedTuple):
    keyword: str  # or regular expression, as configured
    content: str  # the part of the text


class TextFilter:
    """Compiling takes up to some 30 ms for a thousand long keywords. Raises InvalidRegex."""

    def __init__(self, keywords: Sequence[str], regexes: Sequence[str] = (), allowed: Sequence[str] = ()) -> None:
        self._keywords = _Keywords(keywords) if keywords else None
        self._allowed = _Keywords(allowed) if allowed else None
        self._regexes = [(source, _regex(index, source)) for index, source in enumerate(regexes)]
        # Instructions that RE2 may have to go through for each character, when an expression is made to be slow.
        self._size: int = sum(regex.programsize for _, regex in self._regexes)

    def is_slow(self, text: str) -> bool:
        """Whether `search` may take more than a millisecond, which it does at most for what is made to be slow."""
        steps = self._size
        if self._allowed is not None and self._keywords is not None:
            steps += _SEARCH if next(self._keywords.occurrences(fold(text).encode()), None) else 0
        return steps * len(text) > _SLOW

    def search(self, text: str) -> Match | None:
        """The first keyword that the text has, or else the first regular expression that it matches."""
        plain = normal(text)
        folded = plain.casefold().encode()
        allowed = _Allowed(self._allowed, folded) if self._allowed is not None else None
        if self._keywords is not None:
            for start, end, keyword in self._keywords.occurrences(folded):
                if allowed is None or not allowed.covers(start, end):
                    return Match(keyword, _unfolded(plain, start, end))
        for source, regex in self._regexes:
            for match in regex.finditer(plain):
                start, end = match.span()
                if allowed is None or not allowed.covers(_folded(plain, start), _folded(plain, end)):
                    return Match(source, plain[start:end])
        return None


def normal(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def fold(text: str) -> str:
    """What is compared."""
    return normal(text).casefold()


def literal(keyword: str) -> str:
    """What a keyword looks for, without its wildcards; empty for one that would match everything."""
    return fold(keyword).strip().strip("*").strip()


class _Keywords:
    """All keywords as one expression. Where several match at one place, the longest does."""

    def __init__(self, keywords: Iterable[str]) -> None:
        self._keywords: dict[bytes, str] = {}
        groups: dict[tuple[bool, bool], list[str]] = {}
        for keyword in keywords:
            bare, text = keyword.strip(), literal(keyword)
            self._keywords.setdefault(text.encode(), keyword)
            groups.setdefault((bare.startswith("*"), bare.endswith("*")), []).append(re2.escape(text))
        branches = [
            f"{'' if open_start else f'(?:^|{_SPACE})'}(?:{'|'.join(texts)}){'' if open_end else f'(?:{_SPACE}|$)'}"
            for (open_start, open_end), texts in groups.items()
        ]
        source = "|".join(branches)
        memory = _KEYWORDS_MEMORY + _KEYWORD_BYTE_MEMORY * len(source.encode())
        self._expression = _compile(source, max_mem=memory, longest_match=True, never_capture=True)

    def occurrences(self, folded: bytes) -> Iterator[tuple[int, int, str]]:
        """(start, end, keyword) of the longest keyword at each place, from left to right, overlapping ones too.

        Places are in bytes, as all of RE2's are.
        """
        position = 0
        while (match := self._expression.search(folded, position)) is not None:
            # A match has at most one whitespace at either end that is not the keyword's, which begins and ends in none.
            text = match.group().decode()
            found = text.strip().encode()
            start = match.start() + len(text.encode()) - len(text.lstrip().encode())
            yield start, start + len(found), self._keywords[found]
            position = match.start() + 1


class _Allowed:
    """Where allowed keywords are in a text; looked up when something is found, which is rare."""

    def __init__(self, keywords: _Keywords, folded: bytes) -> None:
        self._keywords = keywords
        self._folded = folded
        self._reach: list[int] | None = None

    def covers(self, start: int, end: int) -> bool:
        """Whether one of them reaches from `start`, or from before it, to `end`."""
        if self._reach is None:
            ends = [0] * (len(self._folded) + 1)
            for its_start, its_end, _ in self._keywords.occurrences(self._folded):
                ends[its_start] = its_end
            self._reach = list(accumulate(ends, max))
        return self._reach[start] >= end


def _regex(index: int, source: str) -> Any:
    try:
        return _compile(source, max_mem=_REGEX_MEMORY, case_sensitive=False)
    except re2.error as error:
        reason = error.args[0]
        raise InvalidRegex(index, reason.decode() if isinstance(reason, bytes) else str(reason)) from None


def _compile(source: str, **options: object) -> Any:
    chosen = re2.Options()
    chosen.log_errors = False
    for name, value in options.items():
        setattr(chosen, name, value)
    compiled = re2.compile(source, chosen)
    re2.purge()  # its cache would keep what rules have long given up
    return compiled


# Folding goes character by character, each of which becomes one or a few.


def _folded(plain: str, index: int) -> int:
    """The place in the folded bytes."""
    return len(plain[:index].casefold().encode())


def _unfolded(plain: str, start: int, end: int) -> str:
    """The part of the text that became these folded bytes."""
    if plain.isascii():
        return plain[start:end]
    ends = list(accumulate(len(character.casefold().encode()) for character in plain))
    return plain[bisect_right(ends, start) : bisect_left(ends, end) + 1]
