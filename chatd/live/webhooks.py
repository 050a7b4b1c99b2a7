"""Webhooks that were used lately, so that posting by one reads nothing from the database."""

from collections import OrderedDict

from chatd.model.objects.webhook import Webhook


class Webhooks:
    """The most recently used `capacity` of them.

    What ends with a channel or a guild stays until it is the oldest: who finds it here finds no such channel.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._by_id: OrderedDict[int, Webhook] = OrderedDict()

    def get(self, webhook_id: int) -> Webhook | None:
        found = self._by_id.get(webhook_id)
        if found is not None:
            self._by_id.move_to_end(webhook_id)
        return found

    def put(self, webhook: Webhook) -> None:
        self._by_id[webhook.id] = webhook
        self._by_id.move_to_end(webhook.id)
        if len(self._by_id) > self._capacity:
            self._by_id.popitem(last=False)

    def drop(self, webhook_id: int) -> None:
        self._by_id.pop(webhook_id, None)
