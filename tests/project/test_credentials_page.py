"""docs/get-credentials.md: its commands work, and its settings and roles are the tap's."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from simulator.lwa import BUSINESS
from tap_amazon_business.api.operations import OPERATIONS
from tap_amazon_business.authorize import business_page, code_in, main
from tap_amazon_business.settings import SCHEMA, given
from tests.support.catalogs import discover
from tests.support.chain import PROJECT
from tests.support.consent import confirm
from tests.support.leaks import leaks
from tests.support.serving import BUSINESS_ONLY, VENDOR_ONLY
from tools.dictionary import USES

if TYPE_CHECKING:
    from simulator import Simulator

PAGE = (PROJECT / "docs" / "get-credentials.md").read_text(encoding="utf-8")
COMMAND = "tap-amazon-business-authorize "


def samples() -> list[str]:
    found = re.findall(r"^ *```sh\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    return [re.sub(r" *\\\n *", " ", sample).strip() for sample in found]


def test_curl_exchanges_a_code(tidy: Simulator) -> None:
    (sample,) = [sample for sample in samples() if "curl" in sample]
    (redirect_uri,) = re.findall("REDIRECT_URI=(.*)", sample)
    page = business_page("US", BUSINESS.application_id, "s", BUSINESS.redirect_uri)
    code = code_in(confirm(page, tidy.url), "s")
    script = sample.replace("https://api.amazon.com", tidy.url)
    done = subprocess.run(
        ["bash", "-euc", script.replace(redirect_uri, BUSINESS.redirect_uri)],
        input=f"{code}\n{BUSINESS.client_id}\n{BUSINESS.client_secret}\n",
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "no_proxy": "127.0.0.1"},
    )
    assert json.loads(done.stdout)["refresh_token"] == BUSINESS.refresh_token
    assert not leaks(done.stderr)


@pytest.mark.parametrize("sample", [s for s in samples() if s.startswith(COMMAND)])
def test_the_command_accepts_its_arguments(sample: str) -> None:
    # It gets as far as the first secret, which nobody types.
    done = CliRunner().invoke(main, sample.split()[1:], input="")
    assert "Client id" in done.output
    assert "Usage:" not in done.output


def test_both_commands_are_shown() -> None:
    shown = {sample.split()[1] for sample in samples() if sample.startswith(COMMAND)}
    assert shown == set(main.commands)


def test_every_variable_belongs_to_a_setting() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `TAP_AMAZON_BUSINESS_(\w+)`", PAGE, re.MULTILINE)
    assert [setting.upper() for setting, _ in rows] == [variable for _, variable in rows]
    settings = {setting for setting, _ in rows}
    secrets = {name for name, field in SCHEMA["properties"].items() if field.get("secret")}
    assert settings == secrets - {"hash_salt"} | {"sp_api_region", "business_api_regions"}


def test_names_every_role() -> None:
    roles = {
        role for operation in OPERATIONS.values() for role in re.findall("'(.+?)'", operation.role)
    }
    assert roles
    assert not {role for role in roles if role not in re.sub(r"\s+", " ", PAGE)}


def test_names_the_streams_of_each_side() -> None:
    for name, side in (("Selling Partner API", VENDOR_ONLY), ("Amazon Business", BUSINESS_ONLY)):
        (cell,) = re.findall(rf"^\| {name} \| (.*?) \|", PAGE, re.MULTILINE)
        config = {**dict.fromkeys([*VENDOR_ONLY, *BUSINESS_ONLY], "any"), **side}
        found = {part["tap_stream_id"] for part in discover(given(config))["streams"]}
        assert set(re.findall(r"`(\w+)`", cell)) == found & USES.keys()
