"""A call on its way from a Trio task to a store thread and back."""

from collections.abc import Callable
from typing import Any

import msgspec
import trio


class Job(msgspec.Struct, eq=False):
    """The store thread fills in `result` or `error`; only the Trio thread touches `task`."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    then: Callable[[Any], Any] | None = None
    joinable: bool = False
    task: trio.lowlevel.Task | None = None  # None: nobody waits any more
    result: Any = None
    error: BaseException | None = None

    async def outcome(self, cancellable: bool) -> Any:
        """Wait for `report`, then return or raise as the call did. A cancelled wait leaves the call to itself."""
        self.task = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._leave if cancellable else _stay)
        if self.error is not None:
            raise self.error
        return self.result

    def _leave(self, _: Callable[[], Any]) -> trio.lowlevel.Abort:
        self.task = None
        return trio.lowlevel.Abort.SUCCEEDED

    def report(self) -> None:
        if self.task is not None:
            trio.lowlevel.reschedule(self.task)


def _stay(_: Callable[[], Any]) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.FAILED
