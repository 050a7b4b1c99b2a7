"""What has been read by posting, until it is written down."""

from chatd.live.own_posts import OwnPosts
from chatd.store.read_states import Mark


def test_the_newest_counts_and_what_is_written_is_forgotten() -> None:
    posts = OwnPosts(10)
    posts.note(1, 7, 100)
    posts.note(1, 7, 101)
    posts.note(2, 8, 102)
    marks = posts.marks()
    assert marks == [Mark(1, 7, 101), Mark(2, 8, 102)]
    posts.note(1, 7, 103)  # while the others are written
    posts.written(marks)
    assert posts.marks() == [Mark(1, 7, 103)]
    assert posts.of_user(1) == {7: 103}
    assert posts.of_user(2) == {}


def test_it_is_bounded() -> None:
    posts = OwnPosts(2)
    for channel_id in (1, 2, 3):
        posts.note(1, channel_id, 100)
    posts.note(2, 1, 100)
    posts.note(1, 2, 101)  # one that is there
    assert posts.marks() == [Mark(1, 1, 100), Mark(1, 2, 101)]
    posts.written(posts.marks())
    posts.note(2, 1, 102)
    assert posts.marks() == [Mark(2, 1, 102)]
