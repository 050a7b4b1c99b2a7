"""The scenarios. Each module has a docstring (its help), `arguments(parser)` and `run(context)`."""

from types import ModuleType

from bench.scenarios import (
    chunks,
    fanout,
    guild,
    history,
    idle_memory,
    isolation,
    journal,
    latency,
    post,
    ready,
    restart,
    resume_storm,
    search,
    slow_consumers,
    startup,
)

SCENARIOS: dict[str, ModuleType] = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        fanout,
        post,
        latency,
        ready,
        resume_storm,
        restart,
        idle_memory,
        isolation,
        chunks,
        guild,
        slow_consumers,
        history,
        search,
        journal,
        startup,
    )
}
