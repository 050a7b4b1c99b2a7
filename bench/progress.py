"""Progress of long runs on stderr: one line that is rewritten on a terminal, a line now and then elsewhere."""

import sys
import time

# Without a terminal (CI logs) a sign of life is enough.
QUIET_INTERVAL_S = 15.0


class Progress:
    def __init__(self) -> None:
        self.context = ""
        self._terminal = sys.stderr.isatty()
        self._next = 0.0

    def at(self, context: str) -> None:
        """What is being measured from now on."""
        self.context = context
        self._next = 0.0
        self.show("")

    def show(self, detail: str) -> None:
        text = f"{self.context} {detail}".rstrip()
        if self._terminal:
            print(f"\r\033[K{text[:150]}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + QUIET_INTERVAL_S
            print(text, file=sys.stderr, flush=True)

    def done(self) -> None:
        if self._terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
