"""docs/failures.md quotes what the code prints, and covers every message."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.support.chain import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = PROJECT / "docs" / "failures.md"
PACKAGE = PROJECT / "tap_amazon_business"
GAP = "…"

# It ends threads of a stream that has ended, and reaches no user.
INTERNAL = "The stream has ended."
LOGS = {"warn", "warning", "error"}
ERRORS = {"TapError", "RequestFailedError", "PageTokenRefusedError"}


def rows() -> list[list[str]]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [
        row
        for line, row in zip(lines, cells, strict=True)
        if line.startswith("| ") and not line.startswith("| failure")
    ]


def quoted(row: list[str]) -> list[str]:
    return re.findall("`([^`]+)`", row[1])


def text_of(node: ast.AST) -> str | None:
    """Return the text of a literal, with a gap for each variable part."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%(\.1f|[sdr])", GAP, node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (text_of(part) if isinstance(part, ast.Constant) else GAP for part in node.values)
        return "".join(part or "" for part in parts)
    return None


@cache
def literals() -> tuple[str, ...]:
    """Return every text in the code, its gaps as such, and its white space folded."""
    found = [text_of(node) for path in modules() for node in ast.walk(parsed(path))]
    return tuple(re.sub(r"\s+", " ", text) for text in found if text)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def pattern(words: str) -> re.Pattern[str]:
    """Return what finds words in a literal, whose gaps may lie where the page has a value."""
    return re.compile(".*?".join(re.escape(part.strip()) for part in words.split(GAP)))


def messages() -> Iterator[str]:
    """Yield the text of each error and each warning in the code."""
    for path in modules():
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            text = text_of(node.args[0])
            # A message without words of its own repeats what another one said.
            own = (text or "").replace(GAP, "").strip(":;.% \n")
            if name in LOGS | ERRORS and text and len(own) > 3 and text != INTERNAL:
                yield re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:60])
def test_the_code_prints_what_the_page_quotes(row: list[str]) -> None:
    words = [part for part in quoted(row) if re.search("[a-z] [a-z]", part)]
    missing = [part for part in words if not any(pattern(part).search(t) for t in literals())]
    assert missing == []
    assert words or row[1] in {"nothing", "the same, for its stream"}


@pytest.mark.parametrize("message", sorted(set(messages())))
def test_the_page_quotes_each_message(message: str) -> None:
    page = re.sub(r"\s+", " ", PAGE.read_text(encoding="utf-8"))
    quotes = [part for part in re.findall("`([^`]+)`", page) if re.search("[a-z] [a-z]", part)]
    assert any(pattern(part).search(message) for part in quotes)


def test_the_short_page_quotes_what_the_code_prints() -> None:
    page = (PROJECT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    first = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| ")]
    words = [part for line in first for part in re.findall("`([^`]+)`", line) if " " in part]
    missing = [part for part in words if not any(pattern(part).search(t) for t in literals())]
    assert len(words) > 5
    assert missing == []
