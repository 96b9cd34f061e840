"""Meltano's descriptions of the tap, on the Hub and in meltano.yml, match the tap's own."""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.support.chain import MELTANO, PROJECT, Chain
from tests.support.runs import run_tap
from tools.hub import TARGETS, Target, rewrite

if TYPE_CHECKING:
    from pathlib import Path

DEFINITION = PROJECT / "examples" / "hub" / "tap-amazon-business.yml"
# What describes the plugin to readers of the Hub, and not to Meltano.
FOR_READERS = {"domain_url", "keywords", "maintenance_status", "settings_preamble"}


@pytest.fixture(scope="module")
def about(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the tap prints about itself."""
    run = run_tap({}, tmp_path_factory.mktemp("about"), "--about", "--format", "json")
    said: dict[str, Any] = json.loads(run.output)
    return said


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    """Return the plugin definition for Meltano Hub."""
    found: dict[str, Any] = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """Return the tap as this project's meltano.yml defines it."""
    meltano = yaml.safe_load((PROJECT / "meltano.yml").read_text(encoding="utf-8"))
    (tap,) = meltano["plugins"]["extractors"]
    found: dict[str, Any] = tap
    return found


def expected(about: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the settings of the tap in Meltano's terms."""
    return [_setting(name, field) for name, field in about["settings"]["properties"].items()]


def _setting(name: str, field: dict[str, Any]) -> dict[str, Any]:
    setting = {"name": name, "kind": _kind(field), "description": field["description"]}
    if field.get("secret"):
        setting["sensitive"] = True
    if "default" in field:
        setting["value"] = field["default"]
    return setting


def _kind(field: dict[str, Any]) -> str:
    if field.get("format") == "date-time":
        return "date_iso8601"
    (kind,) = {*field["type"]} - {"null"}
    return str(kind)


def groups(about: dict[str, Any]) -> list[list[str]]:
    """Return the credential sets, one of which is required: the secrets of each API."""
    secrets = [s["name"] for s in expected(about) if s.get("sensitive")]
    return [[n for n in secrets if n.startswith(api)] for api in ("sp_api_", "business_api_")]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: str(target.path.name))
def test_settings_are_those_of_about(about: dict[str, Any], target: Target) -> None:
    text = target.path.read_text(encoding="utf-8")
    assert rewrite(text, target, about) == text, "run `make descriptions`"


def test_hub_lists_every_setting(about: dict[str, Any], definition: dict[str, Any]) -> None:
    listed = [
        {key: value for key, value in setting.items() if key not in {"label", "placeholder"}}
        for setting in definition["settings"]
    ]
    assert listed == expected(about)


def test_hub_labels_are_unique(definition: dict[str, Any]) -> None:
    labels = [setting["label"] for setting in definition["settings"]]
    assert len(set(labels)) == len(labels)


def test_meltano_yml_lists_every_setting_without_its_default(
    about: dict[str, Any], project: dict[str, Any]
) -> None:
    settings = [
        {key: value for key, value in setting.items() if key != "value"}
        for setting in expected(about)
    ]
    assert project["settings"] == settings


@pytest.mark.parametrize("place", ["definition", "project"])
def test_names_capabilities_and_credential_sets_match(
    about: dict[str, Any], place: str, request: pytest.FixtureRequest
) -> None:
    described = request.getfixturevalue(place)
    assert described["name"] == described["executable"] == about["name"]
    assert described["namespace"] == about["name"].replace("-", "_")
    assert sorted(described["capabilities"]) == sorted(about["capabilities"])
    assert described["settings_group_validation"] == groups(about)


def test_hub_installs_the_released_package(
    about: dict[str, Any], definition: dict[str, Any]
) -> None:
    assert definition["pip_url"] == about["name"]
    assert about["description"].rstrip(".") == definition["description"]


@pytest.mark.end_to_end
def test_both_are_valid_by_the_schema_of_meltano(definition: dict[str, Any]) -> None:
    (path,) = MELTANO.parents[1].glob("lib/*/site-packages/meltano/schemas/meltano.schema.json")
    schema = json.loads(path.read_text(encoding="utf-8"))
    meltano = yaml.safe_load((PROJECT / "meltano.yml").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(meltano)
    plugin = {key: value for key, value in definition.items() if key not in FOR_READERS}
    extractor = {"$ref": "#/$defs/plugins/extractors", "$defs": schema["$defs"]}
    Draft202012Validator(extractor).validate(plugin)


@pytest.mark.end_to_end
def test_meltano_adds_the_tap_from_the_hub_definition(
    about: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "meltano.yml").write_text("send_anonymous_usage_stats: false\n", encoding="utf-8")
    secret = "not-to-be-shown"  # noqa: S105
    chain = Chain(tmp_path, {"sp_api_client_secret": secret}, project=tmp_path)
    del chain.environment["MELTANO_ENVIRONMENT"]
    chain.run("add", "--no-install", "--from-ref", str(DEFINITION), "tap-amazon-business")
    printed = chain.run("config", "list", "tap-amazon-business", "--all")
    for setting in expected(about):
        assert setting["name"] in printed
    assert secret not in printed


@pytest.mark.end_to_end
@pytest.mark.parametrize("path", ["meltano.yml", "examples/accounts/meltano.yml"])
def test_meltano_changes_only_the_lines_it_is_asked_to(path: str, tmp_path: Path) -> None:
    file = tmp_path / "meltano.yml"
    before = (PROJECT / path).read_text(encoding="utf-8")
    file.write_text(before, encoding="utf-8")
    chain = Chain(tmp_path, {}, project=tmp_path)
    del chain.environment["MELTANO_ENVIRONMENT"]
    chain.run("select", "tap-amazon-business", "orders", "orderId")
    chain.run("config", "set", "tap-amazon-business", "request_timeout", "30")
    old, new = before.splitlines(), file.read_text(encoding="utf-8").splitlines()
    changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    # Nothing moves: otherwise `git pull` conflicts with a choice of streams.
    assert {change for change, *_ in changes} == {"equal", "insert"}
    added = [
        line.strip() for change, _, _, i, j in changes if change == "insert" for line in new[i:j]
    ]
    assert {"select:", "- orders.orderId", "request_timeout: 30"} <= set(added)
    assert len(added) <= 4
