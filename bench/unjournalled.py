"""chatd without a journal and without notes of where sessions stand: `python -m bench.unjournalled serve …`.

For the scenario `journal`, which measures what the two cost. chatd has no option for it: a server that forgets its
sessions is nobody's wish. Everything else is the same program.
"""

import sys

from chatd.cli import main
from chatd.service.checkpoints import Checkpoints
from chatd.store import journal


def _nothing(*_: object) -> None:
    pass


async def _save_nothing(_: Checkpoints, clean: bool = False) -> None:
    pass


if __name__ == "__main__":
    for name in [name for name in vars(journal) if name == "mark" or name.startswith("keep_")]:
        setattr(journal, name, _nothing)
    setattr(Checkpoints, "save", _save_nothing)  # noqa: B010
    sys.exit(main(sys.argv[1:]))
