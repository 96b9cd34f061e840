"""Redaction: no e-mail address, no access token, no text that may hold one."""

from __future__ import annotations

import logging
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_amazon_business.redaction import oauth_code, redact, redact_log_record, redact_secret

TOKEN = "Atza|0123"  # noqa: S105


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("purchase order jane@example.com failed", "purchase order (e-mail) failed"),
        ("<jane.doe+1@example.co.uk>, 'j@d.de'", "<(e-mail)>, '(e-mail)'"),
        ('"jane doe"@example.com', "(e-mail)"),
        ("a@b.c d@e.f", "(e-mail) (e-mail)"),
        ("jane%40example.com", "(e-mail)"),
        ("müller@übung.de", "(e-mail)"),
        ("nobody@localhost", "(e-mail)"),
    ],
)
def test_replaces_e_mail_addresses(message: str, expected: str) -> None:
    assert redact(message) == expected


@pytest.mark.parametrize("message", ["", "no address", "7 @ 12.50", "@", "a@", "50% of 40", "%4"])
def test_leaves_other_text_alone(message: str) -> None:
    assert redact(message) == message


names = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)


@given(names, names, st.text(max_size=5), st.booleans())
def test_no_address_survives(name: str, domain: str, around: str, quoted: bool) -> None:  # noqa: FBT001
    address = f"q{name}@x{domain}.com"
    shown = quote(address, safe="") if quoted else address
    assert f"x{domain}.com" not in redact(f"{around} {shown} {around}")


def test_replaces_an_access_token_wherever_it_stands() -> None:
    assert redact_secret(f"a{TOKEN}, {TOKEN}", TOKEN) == "a(access token), (access token)"


def test_an_empty_access_token_replaces_nothing() -> None:
    assert redact_secret("text", "") == "text"


def test_a_log_record_loses_addresses_in_message_and_arguments() -> None:
    arguments = ("/orders/j%40d.de", 200)
    record = logging.LogRecord(
        "urllib3", logging.DEBUG, __file__, 1, "jane@example.com %s %d", arguments, None
    )
    assert redact_log_record(record) is True
    assert record.getMessage() == "(e-mail) (e-mail) 200"


def test_a_log_record_with_a_percent_sign_can_still_be_formatted() -> None:
    record = logging.LogRecord("urllib3", logging.DEBUG, __file__, 1, "%s", ("100% of %s",), None)
    redact_log_record(record)
    assert record.getMessage() == "100% of %s"


@pytest.mark.parametrize("code", ["invalid_grant", "server_error", "InvalidInput"])
def test_keeps_an_error_code(code: str) -> None:
    assert oauth_code(code) == code


@pytest.mark.parametrize(
    "value", [None, "", 7, ["invalid_grant"], "bad Atzr|123", "jane@example.com", "x" * 101, "a b"]
)
def test_drops_what_is_not_an_error_code(value: object) -> None:
    assert oauth_code(value) == ""
