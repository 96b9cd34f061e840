"""The rules of the architecture: imports without circles, and modules without state.

tests/project/test_contributing.py tests which module may import which.
"""

from __future__ import annotations

import ast
import graphlib
from itertools import chain
from pathlib import Path

import pytest

import tap_amazon_business

PACKAGE = "tap_amazon_business"
FOLDER = Path(tap_amazon_business.__file__).parent


def _name(path: Path) -> str:
    parts = path.relative_to(FOLDER.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


TREES = {_name(path): ast.parse(path.read_bytes()) for path in FOLDER.rglob("*.py")}


def imports(name: str, *, types: bool = True) -> set[str]:
    """Return what a module imports: own modules by their name, others by their package's.

    Args:
        name: The module.
        types: Whether imports for type checkers alone count, too.
    """
    found: set[str] = set()
    nodes = [TREES[name]] if types else _at_run_time(TREES[name])
    for node in chain.from_iterable(map(ast.walk, nodes)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{name} has a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in TREES else node.module)
    return {part if part.startswith(PACKAGE) else part.partition(".")[0] for part in found}


def _at_run_time(tree: ast.Module) -> list[ast.stmt]:
    return [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]


def below(prefix: str) -> list[str]:
    return [name for name in TREES if name == prefix or name.startswith(prefix + ".")]


# ---- imports -------------------------------------------------------------------------------------


def test_imports_have_no_circles_at_run_time() -> None:
    graph = {name: imports(name, types=False) & TREES.keys() for name in TREES}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("api", {"singer_sdk"}),
        ("sync", {"singer_sdk", "requests", "urllib3", "click"}),
        ("records", {"singer_sdk", "requests"}),
        ("streams", {"requests", "urllib3"}),
    ],
)
def test_a_package_does_without_foreign_ones(package: str, forbidden: set[str]) -> None:
    found = {name: imports(name) & forbidden for name in below(f"{PACKAGE}.{package}")}
    assert {name: crossing for name, crossing in found.items() if crossing} == {}


# ---- modules -------------------------------------------------------------------------------------


def test_modules_have_at_most_500_lines() -> None:
    lines = {path.name: len(path.read_bytes().splitlines()) for path in FOLDER.rglob("*.py")}
    assert {name: count for name, count in lines.items() if count > 500} == {}


def _is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in {"dict", "list", "set", "defaultdict", "deque", "Counter"}
    kinds = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
    return isinstance(value, kinds)


def _changes(tree: ast.Module, name: str) -> bool:
    """Return whether a module changes something by this name."""
    methods = [
        "add",
        "append",
        "clear",
        "extend",
        "insert",
        "pop",
        "remove",
        "setdefault",
        "update",
    ]
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id=found), ctx=ast.Store() | ast.Del()):
                pass
            case ast.Call(func=ast.Attribute(value=ast.Name(id=found), attr=method)):
                if method not in methods:
                    continue
            case ast.AugAssign(target=ast.Name(id=found)):
                pass
            case _:
                continue
        if found == name:
            return True
    return False


@pytest.mark.parametrize("name", TREES)
def test_a_module_has_no_state(name: str) -> None:
    tree = TREES[name]
    mutable = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_mutable(node.value)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    assert [part for part in mutable if not part.strip("_").isupper()] == []
    assert [part for part in mutable if _changes(tree, part)] == []
    assert not any(isinstance(node, ast.Global) for node in ast.walk(tree))
