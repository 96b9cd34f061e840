"""Writes docs/settings.md from `--about --format=markdown`: `make descriptions`."""

from __future__ import annotations

import re

from click.testing import CliRunner

from tap_amazon_business.tap import TapAmazonBusiness
from tools import PROJECT

PAGE = PROJECT / "docs" / "settings.md"

_HEAD = """# Settings

Every setting, with its default and the values that are allowed. `make descriptions` generates the
table from what `tap-amazon-business --about` prints. The [README](../README.md#settings) has a
shorter one.

- **With Meltano**, a setting is a variable, in the environment or in a file `.env`:
  `TAP_AMAZON_BUSINESS_` and its name in capitals. Or put it into `meltano.yml`:
  `meltano config set tap-amazon-business lookback_days 90`.
- **Without Meltano**, write a JSON file and pass it with `--config config.json`. Copy
  [sample_config.json](../sample_config.json) and fill in your credentials; add other settings from
  this table. With `--config=ENV`, the tap reads the variables.
- A list or an object in a variable is JSON: `'["US", "CA"]'`. An empty value counts as not set.
- **One credential set is required**, `sp_api_...` or `business_api_...`, with all its three values.
- The last ones, from `stream_maps` on, are settings that Meltano's SDK adds to every tap.

| setting | default | allowed | meaning |
|---|---|---|---|
"""
_ROW = re.compile(r"^\| ([\w.]+) \| (?:True|False) \| (.+?) \| (.+) \|$", re.MULTILINE)


def page() -> str:
    """Return the whole page."""
    shown = CliRunner().invoke(TapAmazonBusiness.cli, ["--about", "--format", "markdown"])
    return _HEAD + "".join(
        f"| `{name}` |{_json(default)} |{_allowed(name)} | {meaning} |\n"
        for name, default, meaning in _ROW.findall(shown.output)
    )


def _allowed(name: str) -> str:
    """Return the values that the schema allows, empty if it names none."""
    field = TapAmazonBusiness.config_jsonschema["properties"].get(name, {})
    if "enum" in field:
        return f" {', '.join(f'`{value}`' for value in field['enum'] if value)}"
    return f" {field['minimum']} to {field['maximum']}" if "maximum" in field else ""


def _json(default: str) -> str:
    """Return a default, printed as Python would, as it is written in a file of settings."""
    if default == "None":
        return ""
    spelt = default.lower() if default in {"True", "False"} else default.replace("'", '"')
    return f" `{spelt}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
