"""The import rule: an import goes to a lower floor or stays in its package.

Each rule is a function over parsed modules that yields one line per offence, so that the rules themselves are tested
on a few lines of source below.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1] / "chatd"

FLOORS = {
    "__main__": 5,
    "app": 5,
    "periodic": 4,
    "cli": 5,
    "control": 5,
    "demo": 5,
    "rest": 4,
    "gateway": 4,
    "service": 3,
    "live": 2,
    "web": 1,
    "store": 1,
    "model": 0,
    "config": 0,
    "log": 0,
    "metrics": 0,
    "__init__": 0,  # the version
}
COMPOSITION = 5  # the floor that may import anything

# Libraries that one package hides from the others; replacing one is then a job in one package.
HOMES = {
    "apsw": "store",
    "sqlite3": "store",
    "psycopg": "store",
    "httpx": "store",
    "redis": "live",
    "hypercorn": "rest",
    "quart": "rest",
    "quart_trio": "rest",
    "httptools": "rest or web",
    "python_multipart": "rest",
    "wsproto": "gateway",
    "zstandard": "live",
    "argon2": "service",
    "PIL": "service",
    "jwt": "service",
}

# What model does without: it is pure, and time is an argument.
IMPURE = {"asyncio", "socket", "trio"}

# The only imports inside functions or by name, each in one place: what needs an optional library, or costs a start
# that does not use it.
LATE = {
    ("chatd.store.connect", "import_module"),  # psycopg
    ("chatd.store.blobs", "import_module"),  # httpx
    ("chatd.app", "chatd.rest.pages"),  # hypercorn and Quart
    ("chatd.cli", "import_module"),  # the verb that is asked for
}

# Names that get round the rules, or break a promise of a part: name -> where it is forbidden ("" = everywhere).
FORBIDDEN = {"TYPE_CHECKING": "", "import_module": "", "__import__": "", "open_nursery": "service"}

Modules = Mapping[str, ast.Module]
Rule = Callable[[Modules], Iterator[str]]


class Edge(NamedTuple):
    source: str
    target: str
    line: int
    in_function: bool


def edges(modules: Modules) -> Iterator[Edge]:
    for source, tree in modules.items():
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        in_functions = {node for function in functions for node in ast.walk(function)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for target in targets(node, modules):
                    yield Edge(source, target, node.lineno, node in in_functions)


def targets(node: ast.Import | ast.ImportFrom, modules: Modules) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    # A relative import has no full name here; the rule `relative` finds it by its dots.
    base = "." * node.level + (node.module or "")
    # "from chatd.store import messages" imports chatd.store.messages, if that is a module.
    return [full if (full := f"{base}.{alias.name}") in modules else base for alias in node.names]


def part(module: str) -> str:
    """The package or module directly below chatd."""
    return [*module.split("."), "__init__"][1]


def relative(modules: Modules) -> Iterator[str]:
    for edge in edges(modules):
        if edge.target.startswith("."):
            yield f"{edge.source}:{edge.line}: relative import of {edge.target}"


def upward(modules: Modules) -> Iterator[str]:
    for edge in edges(modules):
        if edge.target.split(".")[0] != "chatd" or part(edge.source) == part(edge.target):
            continue
        here, there = FLOORS[part(edge.source)], FLOORS[part(edge.target)]
        if here <= there and here != COMPOSITION:
            yield f"{edge.source}:{edge.line}: floor {here} imports {edge.target} on floor {there}"


def circular(modules: Modules) -> Iterator[str]:
    graph: dict[str, set[str]] = {}
    for edge in edges(modules):
        if edge.target in modules:
            graph.setdefault(edge.source, set()).add(edge.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield "circle: " + " imports ".join(reversed(error.args[1]))


def away_from_home(modules: Modules) -> Iterator[str]:
    for edge in edges(modules):
        home = HOMES.get(edge.target.split(".")[0])
        if home and part(edge.source) not in home.split():
            yield f"{edge.source}:{edge.line}: {edge.target} belongs to chatd.{home}"


def impure(modules: Modules) -> Iterator[str]:
    for edge in edges(modules):
        if part(edge.source) == "model" and edge.target.split(".")[0] in IMPURE:
            yield f"{edge.source}:{edge.line}: model imports {edge.target}"


def late(modules: Modules) -> Iterator[str]:
    for edge in edges(modules):
        if edge.in_function and (edge.source, edge.target) not in LATE:
            yield f"{edge.source}:{edge.line}: {edge.target} is imported inside a function"


def forbidden(modules: Modules) -> Iterator[str]:
    for source, tree in modules.items():
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=word) | ast.Attribute(attr=word) | ast.alias(name=word):
                    if FORBIDDEN.get(word) in ("", part(source)) and (source, word) not in LATE:
                        yield f"{source}:{node.lineno}: {word}"


RULES: list[Rule] = [relative, upward, circular, away_from_home, impure, late, forbidden]


@pytest.mark.parametrize("rule", RULES)
def test_chatd_keeps_the_rule(rule: Rule) -> None:
    modules = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
        modules[name] = ast.parse(path.read_text("utf-8"), str(path))
    offences = "\n".join(rule(modules))
    assert not offences, f"{rule.__name__}:\n{offences}"


@pytest.mark.parametrize(
    ("rule", "sources", "offences"),
    [
        (relative, {"chatd.store.a": "from . import b"}, ["chatd.store.a:1: relative import of ."]),
        (
            upward,
            {"chatd.store.a": "import chatd.live.bus"},
            ["chatd.store.a:1: floor 1 imports chatd.live.bus on floor 2"],
        ),
        (
            upward,
            {"chatd.rest.a": "from chatd import gateway", "chatd.gateway": ""},
            ["chatd.rest.a:1: floor 4 imports chatd.gateway on floor 4"],
        ),
        (
            upward,
            {"chatd.log": "from chatd.model.wire import x"},
            ["chatd.log:1: floor 0 imports chatd.model.wire on floor 0"],
        ),
        (
            upward,
            {"chatd.rest.a": "import trio, chatd.live.bus\nfrom chatd import __version__\nfrom chatd.rest import b"},
            [],
        ),
        (upward, {"chatd.app": "from chatd import cli", "chatd.cli": ""}, []),
        (
            circular,
            {"chatd.store.a": "from chatd.store import b", "chatd.store.b": "import chatd.store.a"},
            ["circle: chatd.store.a imports chatd.store.b imports chatd.store.a"],
        ),
        (circular, {"chatd.store": "from chatd.store import a", "chatd.store.a": ""}, []),
        (
            away_from_home,
            {"chatd.rest.a": "from psycopg.rows import x"},
            ["chatd.rest.a:1: psycopg.rows belongs to chatd.store"],
        ),
        (away_from_home, {"chatd.store.a": "import psycopg"}, []),
        (impure, {"chatd.model.a": "import trio.lowlevel"}, ["chatd.model.a:1: model imports trio.lowlevel"]),
        (
            late,
            {"chatd.store.a": "async def f():\n    if x:\n        import json"},
            ["chatd.store.a:3: json is imported inside a function"],
        ),
        (late, {"chatd.app": "def f():\n    from chatd.rest.pages import x"}, []),
        (forbidden, {"chatd.rest.a": "from typing import TYPE_CHECKING"}, ["chatd.rest.a:1: TYPE_CHECKING"]),
        (forbidden, {"chatd.store.connect": "from importlib import import_module"}, []),
        (forbidden, {"chatd.rest.a": "if typing.TYPE_CHECKING: pass"}, ["chatd.rest.a:1: TYPE_CHECKING"]),
        (
            forbidden,
            {"chatd.service.a": "trio.open_nursery()", "chatd.rest.a": "trio.open_nursery()"},
            ["chatd.service.a:1: open_nursery"],
        ),
    ],
)
def test_rule_finds_the_offence(rule: Rule, sources: dict[str, str], offences: list[str]) -> None:
    assert list(rule({name: ast.parse(source) for name, source in sources.items()})) == offences
