"""Files that cannot be read are named by one error, which shows none of their content."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tap_amazon_business.cli import read_object, read_state
from tap_amazon_business.errors import TapError
from tap_amazon_business.tap import TapAmazonBusiness

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


def test_a_configuration_may_come_from_a_pipe(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pipe = tmp_path / "config.json"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=['{"sp_api_region": "moon"}'])
    writer.start()
    done = CliRunner().invoke(TapAmazonBusiness.cli, ["--config", str(pipe)])
    writer.join(60)
    assert done.exit_code == 1
    assert "sp_api_region" in caplog.text
