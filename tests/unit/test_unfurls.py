"""What is known of links."""

from chatd.config import Unfurl
from chatd.model.objects.embed import Embed
from chatd.service.unfurls import KNOWN_LINKS, KNOWN_MS, UNKNOWN_MS, Unfurls
from tests.support.site import local_web

EMBED = Embed(url="https://a.test/")


async def test_what_was_found_is_known_for_longer_than_that_nothing_was() -> None:
    unfurls = Unfurls(Unfurl(), local_web())
    unfurls.remember("a", EMBED, 0)
    unfurls.remember("b", None, 0)
    for url, embed, end_ms in (("a", EMBED, KNOWN_MS), ("b", None, UNKNOWN_MS)):
        known = unfurls.recall(url, end_ms - 1)
        assert known is not None
        assert known.embed is embed
        assert unfurls.recall(url, end_ms) is None


async def test_the_oldest_are_forgotten() -> None:
    unfurls = Unfurls(Unfurl(), local_web())
    for number in range(KNOWN_LINKS):
        unfurls.remember(str(number), EMBED, 0)
    unfurls.remember("0", EMBED, 0)
    unfurls.remember("new", EMBED, 0)
    known = [unfurls.recall(url, 1) is not None for url in ("0", "1", "2", "new")]
    assert known == [True, False, True, True]
