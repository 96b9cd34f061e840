"""Copies the tap's settings, as `--about` prints them, into the files that Meltano reads.

`make descriptions` runs it. It writes the `settings` of the tap in `meltano.yml` and in
`examples/accounts/meltano.yml`, and with defaults, labels and placeholders those of the Hub's
definition.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from typing_extensions import override

from tools import PROJECT

TAP = "tap-amazon-business"

WORDS = {
    "sp_api": "Selling Partner API",
    "business_api": "Amazon Business API",
    "lwa": "Login with Amazon",
    "po": "Purchase Order",
    "id": "ID",
    "url": "URL",
}
"""Parts of a setting's name that a label spells otherwise than in title case."""

PLACEHOLDERS = {
    "client_id": "amzn1.application-oa2-client...",
    "client_secret": "amzn1.oa2-cs.v1...",
    "refresh_token": "Atzr|...",
    "_date": "2026-01-01",
}
"""What a value looks like, by the end of a setting's name."""


@dataclass(frozen=True)
class Target:
    """A file with the tap's settings.

    Attributes:
        path: The file.
        parents: The keys that lead to the plugin; none where the file is the plugin.
        hub: Whether settings have labels, placeholders and defaults. A project leaves them out.
    """

    path: Path
    parents: tuple[str, ...]
    hub: bool = False


TARGETS = (
    Target(PROJECT / "meltano.yml", ("plugins", "extractors")),
    Target(PROJECT / "examples/accounts/meltano.yml", ("plugins", "extractors")),
    Target(PROJECT / "examples/hub/tap-amazon-business.yml", (), hub=True),
)


class _MeltanoStyle(yaml.SafeDumper):
    """Quotes as Meltano does, so that its commands leave these lines alone."""

    @override
    def choose_scalar_style(self) -> str:
        style = super().choose_scalar_style()
        has_quote = isinstance(self.event, yaml.ScalarEvent) and "'" in self.event.value
        return '"' if style == "'" and has_quote else style


def main() -> None:
    """Write all files."""
    described = about()
    for target in TARGETS:
        old = target.path.read_text(encoding="utf-8")
        new = rewrite(old, target, described)
        target.path.write_text(new, encoding="utf-8")
        print(f"{target.path.relative_to(PROJECT)}: {'unchanged' if new == old else 'written'}")


def about() -> dict[str, Any]:
    """Return what the tap prints about itself."""
    tap = Path(sys.executable).parent / TAP
    command = [str(tap), "--about", "--format", "json"]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    described: dict[str, Any] = json.loads(printed)
    return described


def rewrite(text: str, target: Target, described: dict[str, Any]) -> str:
    """Return the text of a file with the tap's settings as they are now.

    Args:
        text: The file as it is. Everything outside these settings stays.
        target: The file.
        described: What the tap prints about itself.

    Raises:
        ValueError: The file has no settings of the tap.
    """
    fields = described["settings"]["properties"].items()
    settings = [_setting(name, field, hub=target.hub) for name, field in fields]
    indent = "  " * len(target.parents)
    # The block of the plugin that has a namespace: others inherit from it.
    plugin = rf"^{indent[2:]}- name: {TAP}\n" if indent else rf"^name: {TAP}\n"
    found = re.search(
        rf"({plugin}(?:{indent}.*\n)*?{indent}settings:\n)((?:{indent}(?:- |  ).*\n)+)",
        text,
        re.MULTILINE,
    )
    if found is None:
        raise ValueError(f"no settings of {TAP} in {target.path}")
    start, end = found.span(2)
    return text[:start] + _dump(settings, target.parents) + text[end:]


def _dump(settings: list[dict[str, Any]], parents: tuple[str, ...]) -> str:
    """Return settings as Meltano writes them, indented as below their parents."""
    nested: dict[str, Any] = {"settings": settings}
    if parents:
        nested = {parents[-1]: [nested]}
    for parent in parents[-2::-1]:
        nested = {parent: nested}
    text: str = yaml.dump(
        nested, Dumper=_MeltanoStyle, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return text.partition("settings:\n")[2]


def _setting(name: str, field: dict[str, Any], *, hub: bool) -> dict[str, Any]:
    setting: dict[str, Any] = {"name": name}
    if hub:
        setting["label"] = _label(name)
    setting["kind"] = _kind(field)
    setting["description"] = field["description"]
    if field.get("secret"):
        setting["sensitive"] = True
    shapes = [shape for end, shape in PLACEHOLDERS.items() if name.endswith(end)]
    if hub and shapes:
        setting["placeholder"] = shapes[0]
    if hub and "default" in field:
        setting["value"] = field["default"]
    return setting


def _kind(field: dict[str, Any]) -> str:
    """Return Meltano's name of a setting's type.

    Never "options": Meltano answers any other value with a traceback, the tap with the values.
    """
    if field.get("format") == "date-time":
        return "date_iso8601"
    (kind,) = {*field["type"]} - {"null"}
    return str(kind)


def _label(name: str) -> str:
    """Return a setting's name in words."""
    parts = re.findall("|".join([*(rf"{part}(?=_|$)" for part in WORDS), "[^_]+"]), name)
    return " ".join(WORDS.get(part, part.title()) for part in parts)


if __name__ == "__main__":
    main()
