"""The example for containers. No image is built: this checks what the Containerfile says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from tests.examples.warehouse import EXAMPLES
from tests.support.chain import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


def test_image_has_the_tested_versions_and_does_not_run_as_root() -> None:
    image = (EXAMPLES / "container/Containerfile").read_text(encoding="utf-8")
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for name in ("uv", "meltano"):
        version = re.search(rf"^{name.upper()}_VERSION := (.+)$", makefile, re.MULTILINE)
        assert version is not None
        assert set(re.findall(rf"{name}(?:\[\w+\])?==([\d.]+)", image)) == {version[1]}
    steps = re.findall(r"^([A-Z]+) (.+)$", image, re.MULTILINE)
    (install,) = (step for step in steps if step[1].endswith("meltano install"))
    assert steps.index(("USER", "10001")) < steps.index(install)
    assert "pip_url: tap-amazon-business\n" in (EXAMPLES / "accounts/meltano.yml").read_text(
        encoding="utf-8"
    ), "the image replaces it"
    assert ("ENTRYPOINT", '["meltano"]') in steps
    assert not re.search(r"TOKEN|SECRET|PASSWORD", image)


def test_image_loads_into_postgres_as_this_project_does() -> None:
    def loader(path: Path) -> tuple[str, str]:
        loaders = yaml.safe_load(path.read_text(encoding="utf-8"))["plugins"]["loaders"]
        (found,) = (one for one in loaders if one["name"] == "target-postgres")
        return found["pip_url"], found["env"]["PGTZ"]

    example = EXAMPLES / "container/postgres.meltano.yml"
    assert loader(example) == loader(PROJECT / "meltano.yml")
