"""tap-amazon-business-authorize: from a consent to settings that the tap works with."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from simulator import Reply
from simulator.lwa import APPLICATIONS, BUSINESS, SELLING_PARTNER, Application
from tap_amazon_business.authorize import main
from tests.support.consent import confirm
from tests.support.leaks import leaks
from tests.support.runs import TAP, run_command
from tests.support.serving import FAST_PLANS

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator import Simulator

COMMAND = TAP.with_name("tap-amazon-business-authorize")
PREFIXES = {SELLING_PARTNER.name: "SP_API", BUSINESS.name: "BUSINESS_API"}
VENDOR = ("vendor", "--marketplace", "DE", "--application-id", SELLING_PARTNER.application_id)
WRONG = "a-wrong-secret"


def same(address: str) -> str:
    return address


@dataclass(frozen=True)
class Done:
    """The result of the command."""

    status: int
    output: str
    log: str

    @property
    def variables(self) -> dict[str, str]:
        """The variables that it says to set, apart from what the user gave."""
        found = dict(re.findall(r"variable  (\S+)\nvalue     ([^(\n].*)", self.output))
        return {str(name): str(value) for name, value in found.items()}


def arguments(application: Application) -> list[str]:
    more = {
        SELLING_PARTNER.name: VENDOR,
        BUSINESS.name: ("business", "--region", "US", "--application-id", BUSINESS.application_id),
    }[application.name]
    return [*more, "--redirect-uri", application.redirect_uri]


def credentials(application: Application, secret: str = "") -> dict[str, str]:
    prefix = f"TAP_AMAZON_BUSINESS_{PREFIXES[application.name]}"
    return {
        f"{prefix}_CLIENT_ID": application.client_id,
        f"{prefix}_CLIENT_SECRET": secret or application.client_secret,
    }


def authorize(
    simulator: Simulator,
    *parts: str,
    environment: dict[str, str],
    change: Callable[[str], str] = same,
) -> Done:
    """Run the command; on its page confirm the access, and give it the address afterwards."""
    with subprocess.Popen(
        [str(COMMAND), *parts, "--lwa-url", simulator.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        start_new_session=True,  # without a terminal
    ) as process:
        assert process.stdout is not None
        shown = []
        for line in process.stdout:
            shown.append(line)
            if line.startswith("https://"):
                break
        answer = change(confirm(shown[-1].strip(), simulator.url))
        output, log = process.communicate(answer + "\n", timeout=60)
    assert not leaks(log)
    return Done(process.returncode, "".join(shown) + output, log)


@pytest.fixture(scope="module", params=APPLICATIONS, ids=lambda part: part.name)
def application(request: pytest.FixtureRequest) -> Application:
    found: Application = request.param
    return found


@pytest.fixture(scope="module")
def done(tidy: Simulator, application: Application) -> Done:
    """Authorize an application."""
    return authorize(tidy, *arguments(application), environment=credentials(application))


def test_the_tap_works_with_the_variables_it_prints(
    tidy: Simulator, application: Application, done: Done
) -> None:
    assert (done.status, done.log) == (0, "")
    assert f"TAP_AMAZON_BUSINESS_{PREFIXES[application.name]}_REFRESH_TOKEN" in done.variables
    hosts = {
        f"TAP_AMAZON_BUSINESS_{name}_URL": tidy.url for name in ("SP_API", "BUSINESS_API", "LWA")
    }
    plans = {"TAP_AMAZON_BUSINESS_RATE_LIMITS": json.dumps(FAST_PLANS)}
    environment = {**credentials(application), **done.variables, **hosts, **plans}
    run = run_command(str(TAP), "--config", "ENV", "--test", environment=environment)
    assert run.status == 0, run.log


def test_shows_the_refresh_token_and_no_other_secret(application: Application, done: Done) -> None:
    found = set(leaks(done.output))
    assert found == {application.refresh_token, application.refresh_token.partition("|")[2]}


def test_a_vendor_needs_no_redirect_uri(tidy: Simulator) -> None:
    done = authorize(tidy, *VENDOR, environment=credentials(SELLING_PARTNER))
    assert done.variables == {
        "TAP_AMAZON_BUSINESS_SP_API_REFRESH_TOKEN": SELLING_PARTNER.refresh_token,
        "TAP_AMAZON_BUSINESS_SP_API_REGION": "EU",
    }


def test_a_wrong_state_is_refused_without_a_request(tidy: Simulator) -> None:
    tidy.reset_stats()
    done = authorize(
        tidy,
        *VENDOR,
        environment=credentials(SELLING_PARTNER),
        change=lambda address: re.sub("state=[^&]+", "state=another", address),
    )
    assert done.status == 1
    assert "The state in this address is not the one of this consent page" in done.log
    assert not tidy.stats().token_requests


def test_a_refused_code_is_printed_with_what_to_do(tidy: Simulator) -> None:
    done = authorize(
        tidy,
        *VENDOR,
        environment=credentials(SELLING_PARTNER),
        change=lambda address: re.sub("code=[^&]+", "code=unknown", address),
    )
    assert done.status == 1
    (line,) = done.log.splitlines()
    assert line.startswith("Error: Login with Amazon refused the authorization code: HTTP 400")
    assert "a code works once, for about five minutes" in line
    assert not done.variables


def test_a_wrong_client_secret_names_its_setting(tidy: Simulator) -> None:
    done = authorize(tidy, *VENDOR, environment=credentials(SELLING_PARTNER, WRONG))
    assert done.status == 1
    assert "check sp_api_client_id and sp_api_client_secret" in done.log
    assert WRONG not in done.log + done.output


def test_tries_again_after_a_transient_failure(tidy: Simulator) -> None:
    tidy.fail_next("token", Reply(503))
    done = authorize(tidy, *VENDOR, environment=credentials(SELLING_PARTNER))
    assert done.status == 0
    assert "Login with Amazon (sp_api): HTTP 503; attempt 1 of 8, retrying in" in done.log


def test_asks_for_secrets_without_showing_them(tidy: Simulator) -> None:
    query = f"application_id={SELLING_PARTNER.application_id}&state=any"
    address = confirm(f"https://any/apps/authorize/consent?{query}", tidy.url)
    (code,) = re.findall("spapi_oauth_code=([^&]+)", address)
    answers = [SELLING_PARTNER.client_id, SELLING_PARTNER.client_secret, code]
    done = CliRunner(env=dict.fromkeys(credentials(SELLING_PARTNER), "")).invoke(
        main, [*VENDOR, "--lwa-url", tidy.url], input="\n".join(answers) + "\n"
    )
    assert done.exit_code == 0, done.output
    assert f"value     {SELLING_PARTNER.refresh_token}\n" in done.stdout
    assert SELLING_PARTNER.client_id not in done.output
    assert SELLING_PARTNER.client_secret not in done.output


@pytest.mark.parametrize("command", ["vendor", "business"])
def test_no_option_takes_a_secret(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"]).output
    assert set(re.findall(r"--[\w-]+", shown)) <= {
        *("--marketplace", "--region", "--application-id", "--redirect-uri"),
        *("--draft", "--published", "--lwa-url", "--help"),
    }


@pytest.mark.parametrize("url", ["http://example.com", "https://user:secret@example.com"])
def test_secrets_go_to_safe_addresses_only(url: str) -> None:
    done = CliRunner().invoke(main, [*VENDOR, "--lwa-url", url])
    assert done.exit_code == 2
    assert "--lwa-url" in done.output
