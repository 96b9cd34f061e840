"""Files that cannot be read are named by one error, which shows nothing of what they hold."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tap_amazon_business.cli import read_object, read_state
from tap_amazon_business.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HUSH = "a-secret-in-a-file"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b'{"name": "' + HUSH.encode(), "not valid JSON"),
        (b'["' + HUSH.encode() + b'"]', "JSON object"),
        (b'{"name": "' + HUSH.encode() + b'\xff"}', "not UTF-8"),
    ],
    ids=["missing", "no JSON", "array", "no text"],
)
@pytest.mark.parametrize(
    ("reader", "option"),
    [
        (partial(read_object, "--config"), "--config"),
        (partial(read_object, "--catalog"), "--catalog"),
        (read_state, "--state"),
    ],
    ids=["config", "catalog", "state"],
)
def test_a_bad_file_is_named_with_its_option_and_the_reason(
    tmp_path: Path,
    reader: Callable[[str], dict[str, Any]],
    option: str,
    content: bytes | None,
    reason: str,
) -> None:
    path = tmp_path / "bad-file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TapError) as raised:
        reader(str(path))
    said = str(raised.value)
    assert said.startswith(f"{option} {path}: ")
    assert reason in said
    assert HUSH not in said
    assert "\n" not in said
