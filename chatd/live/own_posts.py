"""Who posts has read the channel so far. Kept here and written down now and then, so that posting writes no more than
the message.
"""

from collections.abc import Mapping, Sequence

from chatd.store.read_states import Mark


class OwnPosts:
    """The newest message of people in each channel, until it is written down.

    Past `capacity` (of users and channels) nothing is noted: the author's other devices show the channel as unread.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._size = 0
        self._newest: dict[int, dict[int, int]] = {}  # user -> channel -> message

    def note(self, user_id: int, channel_id: int, message_id: int) -> None:
        is_new = channel_id not in self._newest.get(user_id, ())
        if is_new and self._size >= self._capacity:
            return
        self._size += is_new
        self._newest.setdefault(user_id, {})[channel_id] = message_id

    def of_user(self, user_id: int) -> Mapping[int, int]:
        """Channel -> message, as of now."""
        return dict(self._newest.get(user_id, {}))

    def marks(self) -> list[Mark]:
        """All of them, to be written down."""
        return [
            Mark(user_id, channel_id, message_id)
            for user_id, channels in self._newest.items()
            for channel_id, message_id in channels.items()
        ]

    def written(self, marks: Sequence[Mark]) -> None:
        """Forget these, but for those with a newer message by now."""
        for mark in marks:
            channels = self._newest.get(mark.user_id, {})
            if channels.get(mark.channel_id) == mark.message_id:
                del channels[mark.channel_id]
                self._size -= 1
                if not channels:
                    del self._newest[mark.user_id]
