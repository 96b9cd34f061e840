"""The command line: options, variables and files, and every deviation from the SDK in these."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import IO, Any

import click
from singer_sdk import Tap
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.helpers._classproperty import classproperty
from typing_extensions import override

from tap_amazon_business.errors import TapError
from tap_amazon_business.sync.bookmark import BOOKMARK_FIELDS

# The SDK's values of --test.
_TEST, _TEST_SCHEMA, _NO_TEST = "all", "schema", "disabled"
_TEST_HELP = (
    "Sign in and ask each operation once: a line for each, and exit status 0 if all is ok. "
    "--test=schema writes the schemas instead."
)
_SDK_VARIABLES = frozenset({"LOGLEVEL", "LOG_CONFIG"})


class CommandLine(Tap):
    """A tap that reads configuration, state and catalog, and names the file that is wrong."""

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        # The SDK's errors are tracebacks that do not name the file; a pipe can be read only once.
        found = super().cb_config(ctx, param, tuple(path for path in value if path == "ENV"))
        for path in value:
            if path != "ENV":
                found.config.update(read_object("--config", path))
        return found

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: str | None = None,
        catalog: str | None = None,
    ) -> None:
        # The SDK understands only one form of a state, and ignores the others without a word.
        files: dict[str, IO[str]] = {}
        if state:
            files["state"] = io.StringIO(json.dumps(read_state(state)))
        if catalog:
            files["catalog"] = io.StringIO(json.dumps(read_object("--catalog", catalog)))
        super().invoke(about=about, about_format=about_format, config=config, **files)

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        # The SDK ignores the catalog, and the result.
        if value in {_TEST_SCHEMA, _NO_TEST}:
            super().cb_test(ctx, param, value)
            return
        config, catalog = ctx.params["config"], ctx.params["catalog"]
        tap = cls(
            config=config.config,
            parse_env_config=config.parse_env,
            catalog=read_object("--catalog", catalog) if catalog else None,
            validate_config=True,
        )
        ctx.exit(0 if tap.run_connection_test() else 1)

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        # The SDK opens the files itself, and explains its usage where a file is missing. They are
        # eager, as --test needs the catalog, in any position; --test itself does something else.
        command = super().get_singer_command()
        own = {
            "catalog": click.Option(["--catalog"], is_eager=True, help="A Singer catalog."),
            "state": click.Option(["--state"], is_eager=True, help="Where the last sync ended."),
            "test": click.Option(
                ["--test"],
                is_flag=False,
                flag_value=_TEST,
                default=_NO_TEST,
                callback=cls.cb_test,
                expose_value=False,
                help=_TEST_HELP,
            ),
        }
        command.params[:] = [own.get(option.name or "", option) for option in command.params]
        return command

    @classproperty
    @override
    def _env_var_config(self) -> dict[str, Any]:
        # The SDK's own fails with a traceback on a variable that is empty or malformed.
        schema, prefix = self.config_jsonschema, self._env_var_prefix
        self.append_builtin_config(schema)
        parse_environment_config({}, prefix)  # reads the .env file
        found: dict[str, Any] = {}
        for name, field in schema["properties"].items():
            variable = prefix + name.upper()
            if os.environ.get(variable, "").strip():
                try:
                    found |= parse_environment_config({"properties": {name: field}}, prefix)
                except ValueError as error:
                    raise TapError(
                        f"{variable}: the value is not of the type of {name}."
                    ) from error
        return found

    def warn_of_unknown_variables(self) -> None:
        """Warn of variables of the tap's prefix that are no settings."""
        prefix = self._env_var_prefix
        fields = self.config_jsonschema["properties"]
        known = {name.upper() for name in fields} | _SDK_VARIABLES
        # Meltano's own variables for a plugin begin with another underscore. Of an object it makes
        # a variable for each part, too.
        objects = [name for name, field in fields.items() if "object" in field["type"]]
        others = ("_", *(f"{name.upper()}_" for name in objects))
        for variable in os.environ:
            name = variable.removeprefix(prefix)
            if variable.startswith(prefix) and name not in known and not name.startswith(others):
                self.logger.warning(
                    "%s: there is no such setting; the variable is ignored", variable
                )

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Load a state.

        Raises:
            TapError: The state is damaged.
        """
        found = _bookmarks(state)
        if found and not found.keys() & self.streams.keys():
            self.logger.warning(
                "The state belongs to streams that this tap does not have (%s); reading everything",
                ", ".join(sorted(map(str, found))),
            )
        # Another tap's state may contain more for a stream of the same name, such as partitions.
        own = {
            stream: {name: part[name] for name in BOOKMARK_FIELDS if name in part}
            if stream in self.streams
            else part
            for stream, part in found.items()
        }
        super().load_state({"bookmarks": own})


# ---- files ---------------------------------------------------------------------------------------


def read_object(option: str, path: str) -> dict[str, Any]:
    """Read the JSON object in the file that a command-line option names.

    Raises:
        TapError: The file cannot be read, or contains no JSON object.
    """
    return _parse(_text(option, path), f"{option} {path}")


def read_state(path: str) -> dict[str, Any]:
    """Read a state: Singer's, a STATE message, or what `meltano state get` prints.

    An empty file is no state.

    Raises:
        TapError: The file cannot be read, or contains none of these.
    """
    name = f"--state {path}"
    text = _text("--state", path)
    document = _parse(text, name) if text.strip() else {}
    if document.get("type") == "STATE":
        document = document.get("value") or {}
    while isinstance(inner := document.get("singer_state"), dict):
        document = inner
    if document and "bookmarks" not in document:
        raise TapError(
            f"{name}: the file contains no Singer state: 'bookmarks' is missing. Correct it, or "
            "leave it out to read everything."
        )
    return document


def _bookmarks(state: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the part of a state that belongs to each stream.

    Raises:
        TapError: The state is damaged.
    """
    found: Any = state.get("bookmarks", {})
    if not isinstance(found, dict) or not all(isinstance(part, dict) for part in found.values()):
        raise TapError(
            "The state is damaged: 'bookmarks' must be an object with an object per stream. "
            "Correct it, or clear it to read everything again."
        )
    return dict(found)


def _text(option: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise TapError(f"{option} {path}: cannot read the file: {reason}.") from error


def _parse(text: str, name: str) -> dict[str, Any]:
    """Parse a JSON object. No error shows its content, which may be secret.

    Raises:
        TapError: The text is no JSON object.
    """
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise TapError(f"{name}: the file is not valid JSON{where}.") from error
    if not isinstance(document, dict):
        raise TapError(f"{name}: the file must contain a JSON object.")
    return document


def _refuse_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python's decoder takes and JSON does not have."""
    raise ValueError(name)
