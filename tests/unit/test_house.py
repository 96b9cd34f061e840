"""The rules of the architecture: which module imports which, and what a module may hold."""

from __future__ import annotations

import ast
import graphlib
import inspect
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tap_amazon_business.streams.vendor_items import ITEM_STREAMS

import tap_amazon_business
from tap_amazon_business.api.operations import OPERATIONS
from tap_amazon_business.streams.business import BUSINESS_STREAMS
from tap_amazon_business.streams.children import Child, ChildStream
from tap_amazon_business.streams.invoices import INVOICE_STREAMS
from tap_amazon_business.streams.order_reports import (
    ListedOrderReportsStream,
    ListedReports,
    OrderReportsStream,
    PurchaseOrderReportsStream,
)
from tap_amazon_business.streams.sliced import SlicedStream
from tap_amazon_business.streams.vendor import VENDOR_STREAMS

if TYPE_CHECKING:
    from tap_amazon_business.streams.base import AmazonStream

PACKAGE = "tap_amazon_business"
FOLDER = Path(tap_amazon_business.__file__).parent
LONGEST_MODULE = 300
LONGEST_BARE_STREAM = 12


def _name(path: Path) -> str:
    parts = path.relative_to(FOLDER.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


SOURCES = {_name(path): path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.py")}
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}
STREAM_MODULES = [
    name for name in TREES if name.startswith(f"{PACKAGE}.streams.") and ".schemas" not in name
]
CLASSES = {
    f"{module.removeprefix(PACKAGE + '.')}.{part.name}": part
    for module, tree in TREES.items()
    for part in ast.walk(tree)
    if isinstance(part, ast.ClassDef)
}


def imports(name: str) -> set[str]:
    """Return what a module imports: own modules by their name, others by their package's."""
    found: set[str] = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{name} has a relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in TREES else node.module)
    return {part if part.startswith(PACKAGE) else part.partition(".")[0] for part in found}


def below(prefix: str) -> list[str]:
    return [name for name in TREES if name == prefix or name.startswith(prefix + ".")]


# ---- imports -------------------------------------------------------------------------------------


def test_imports_have_no_circles() -> None:
    # Those of TYPE_CHECKING count, too.
    graph = {name: imports(name) & TREES.keys() for name in TREES}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("api", ("sync", "streams", "settings", "validation", "tap", "writer", "records")),
        ("sync", ("api", "streams", "settings", "validation", "tap", "writer", "records")),
        ("streams", ("tap", "validation", "writer")),
        ("streams.schemas", ("api", "sync", "settings", "tap", "writer", "streams.base")),
        ("records", ("api", "sync", "streams", "settings", "tap", "writer")),
        ("times", ("api", "sync", "streams", "settings", "records", "tap", "writer")),
        ("redaction", ("api", "sync", "streams", "settings", "records", "tap", "writer")),
        ("errors", ("api", "sync", "streams", "settings", "records", "tap", "writer")),
        ("clock", ("api", "sync", "streams", "settings", "records", "tap", "writer")),
        ("settings", ("sync", "streams", "tap", "validation", "writer")),
        ("writer", ("api", "sync", "streams", "settings", "tap")),
    ],
)
def test_imports_run_one_way(room: str, forbidden: tuple[str, ...]) -> None:
    walled = set(chain.from_iterable(below(f"{PACKAGE}.{part}") for part in forbidden))
    found = {name: imports(name) & walled for name in below(f"{PACKAGE}.{room}")}
    assert {name: crossing for name, crossing in found.items() if crossing} == {}


@pytest.mark.parametrize(
    ("room", "forbidden"),
    [
        ("api", {"singer_sdk"}),
        ("sync", {"singer_sdk", "requests", "urllib3", "click"}),
        ("records", {"singer_sdk", "requests"}),
        ("streams", {"requests", "urllib3"}),
    ],
)
def test_a_room_does_without_foreign_packages(room: str, forbidden: set[str]) -> None:
    found = {name: imports(name) & forbidden for name in below(f"{PACKAGE}.{room}")}
    assert {name: crossing for name, crossing in found.items() if crossing} == {}


def test_schemas_import_types_and_records_only() -> None:
    schemas = below(f"{PACKAGE}.streams.schemas")
    found = set(chain.from_iterable(map(imports, schemas))) - set(schemas)
    assert found == {"__future__", "typing", "singer_sdk", f"{PACKAGE}.records"}


# ---- modules -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in SOURCES if ".schemas." not in name])
def test_a_module_stays_short(name: str) -> None:
    assert len(SOURCES[name].splitlines()) <= LONGEST_MODULE


def _is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in {"dict", "list", "set", "defaultdict", "deque", "Counter"}
    kinds = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
    return isinstance(value, kinds)


def _changes(tree: ast.Module, name: str) -> bool:
    """Tell whether a module changes something by this name, however it may."""
    methods = {
        "add",
        "append",
        "clear",
        "extend",
        "insert",
        "pop",
        "remove",
        "setdefault",
        "update",
    }
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


# ---- classes -------------------------------------------------------------------------------------


def _attributes(part: ast.FunctionDef) -> set[str]:
    """Return the attributes that a method assigns to `self`."""
    return {
        node.attr
        for node in ast.walk(part)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_sets_all_its_attributes_in_init(name: str) -> None:
    methods = [part for part in CLASSES[name].body if isinstance(part, ast.FunctionDef)]
    first = [_attributes(method) for method in methods if method.name == "__init__"]
    later = [_attributes(method) for method in methods if method.name != "__init__"]
    assert set().union(*later) - set().union(*first) == set()


@pytest.mark.parametrize("name", CLASSES)
def test_nobody_sets_an_attribute_of_another_object(name: str) -> None:
    found = [
        ast.unparse(node)
        for node in ast.walk(CLASSES[name])
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and not (isinstance(node.value, ast.Name) and node.value.id == "self")
    ]
    # The SDK's hooks: its flag of a state that is to be written, and messages and log records.
    allowed = {"self.state_manager.is_flushed", "message.schema"}
    assert [part for part in found if part not in allowed] == []


@pytest.mark.parametrize(
    "part",
    [
        part
        for module in STREAM_MODULES
        for part in TREES[module].body
        if isinstance(part, ast.ClassDef)
        and part.name.endswith("Stream")
        and not any(isinstance(member, ast.FunctionDef) for member in part.body)
    ],
    ids=lambda part: part.name,
)
def test_a_stream_without_methods_is_a_few_lines(part: ast.ClassDef) -> None:
    assert part.end_lineno is not None
    assert part.end_lineno - part.lineno <= LONGEST_BARE_STREAM


ALL_STREAMS: tuple[type[AmazonStream], ...] = (
    *VENDOR_STREAMS,
    *ITEM_STREAMS,
    *BUSINESS_STREAMS,
    *INVOICE_STREAMS,
    OrderReportsStream,
    PurchaseOrderReportsStream,
    ListedOrderReportsStream,
)


def test_every_stream_of_the_stream_modules_is_known_here() -> None:
    named = {
        part.name
        for module in STREAM_MODULES
        for part in TREES[module].body
        if isinstance(part, ast.ClassDef)
        and any(
            isinstance(member, ast.Assign) and ast.unparse(member.targets[0]) == "name"
            for member in part.body
        )
    }
    assert named <= {kind.__name__ for kind in ALL_STREAMS}


@pytest.mark.parametrize("stream", ALL_STREAMS, ids=lambda stream: stream.__name__)
def test_a_stream_names_its_operation_or_needs_none(stream: type[AmazonStream]) -> None:
    assert not inspect.isabstract(stream)
    if issubclass(stream, SlicedStream):
        assert stream.operation in OPERATIONS.values()
    else:
        # Their rows come from a parent, or from the operation of their one strategy.
        assert issubclass(stream, (ChildStream, OrderReportsStream))


@pytest.mark.parametrize(
    "child",
    [*(stream for stream in ALL_STREAMS if issubclass(stream, Child)), ListedReports],
    ids=lambda child: child.__name__,
)
def test_a_child_makes_records_in_some_way(child: type[Child]) -> None:
    ways = {child.children: Child.children, child.reader: Child.reader}
    if issubclass(child, ChildStream):
        ways[child.child_of] = ChildStream.child_of  # another child makes them
    assert any(own is not inherited for own, inherited in ways.items())
