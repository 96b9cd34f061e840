"""Errors are messages for the user, with the status for the code that handles them."""

from __future__ import annotations

import logging

import click
import pytest
from click.testing import CliRunner

from tap_amazon_business.errors import PageTokenRefusedError, RequestFailedError, TapError

ERRORS = [TapError, RequestFailedError, PageTokenRefusedError]


@pytest.mark.parametrize("kind", ERRORS)
def test_the_command_line_logs_the_message_without_a_traceback(
    kind: type[TapError], caplog: pytest.LogCaptureFixture
) -> None:
    @click.command()
    def command() -> None:
        raise kind("The message.")

    result = CliRunner().invoke(command)
    assert result.exit_code == 1
    assert caplog.record_tuples == [("tap-amazon-business", logging.ERROR, "The message.")]


@pytest.mark.parametrize("kind", [RequestFailedError, PageTokenRefusedError])
def test_a_failed_request_keeps_its_status(kind: type[RequestFailedError]) -> None:
    assert kind("refused", status=404).status == 404


def test_a_request_without_a_response_has_no_status() -> None:
    assert RequestFailedError("no response").status is None


def test_a_refused_page_token_is_a_failed_request_to_whoever_does_not_care() -> None:
    with pytest.raises(RequestFailedError):
        raise PageTokenRefusedError("refused")
