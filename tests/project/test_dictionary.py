"""docs/data-dictionary.md is what the catalog says, and its joins join."""

from __future__ import annotations

import pytest

from tests.support.catalogs import discover, entry
from tools.dictionary import JOINS, PAGE, README, USES, joined_fields, page, paths, with_table

CATALOG = discover()


def test_the_page_is_generated_from_the_catalog() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make dictionary"


def test_the_readme_lists_every_stream() -> None:
    readme = README.read_text(encoding="utf-8")
    assert with_table(readme) == readme, "run: make dictionary"


@pytest.mark.parametrize("stream", [part["tap_stream_id"] for part in CATALOG["streams"]])
def test_the_page_shows_every_field_that_can_be_selected(stream: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    section = text.partition(f"### {stream}\n")[2].partition("\n### ")[0]
    names = {
        part["breadcrumb"][-1] for part in entry(CATALOG, stream)["metadata"] if part["breadcrumb"]
    }
    assert names
    assert not {name for name in names if f"{name}` |" not in section}


def test_every_stream_whose_use_is_explained_has_a_join() -> None:
    joined = {stream for first, _, second, _ in JOINS for stream in (first, second)}
    assert joined == USES.keys()
    assert joined <= {part["tap_stream_id"] for part in CATALOG["streams"]}


@pytest.mark.parametrize(("first", "second", "label"), [(f, s, label) for f, _, s, label in JOINS])
def test_a_join_names_fields_of_the_same_type(first: str, second: str, label: str) -> None:
    left, right = (dict(paths(entry(CATALOG, stream)["schema"])) for stream in (first, second))
    for one, other in zip(*joined_fields(label), strict=True):
        assert left[one]["type"][0] == right[other]["type"][0] == "string"
