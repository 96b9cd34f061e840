"""The meaning of a response: action, body, and a message that shows no secret."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_amazon_business.api.responses import Action, Verdict, judge

HTML = b"<html><body>Service Unavailable</body></html>"


def verdict(status: int, body: object = b"", *, paging: bool = False, **headers: str) -> Verdict:
    """Judge a response; header names have underscores for hyphens."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return judge(status, named, content, paging=paging)


def errors(code: str = "InternalFailure", message: str = "It failed.", details: str = "") -> Any:
    return {"errors": [{"code": code, "message": message, "details": details}]}


# ---- actions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (429, Action.SLOW_DOWN),
        (500, Action.RETRY),
        (502, Action.RETRY),
        (503, Action.RETRY),
        (504, Action.RETRY),
        (401, Action.RENEW_TOKEN),
        (403, Action.RENEW_TOKEN),
        (400, Action.REFUSE),
        (404, Action.REFUSE),
        (405, Action.REFUSE),
        (413, Action.REFUSE),
        (415, Action.REFUSE),
        (301, Action.REFUSE),
        (307, Action.REFUSE),
        (204, Action.REFUSE),
        (501, Action.REFUSE),
    ],
)
@pytest.mark.parametrize("body", [b"", HTML, errors()], ids=["empty", "HTML", "errors"])
def test_the_status_decides_unless_it_is_200(status: int, action: Action, body: object) -> None:
    assert verdict(status, body).action is action


@pytest.mark.parametrize(
    "body",
    [
        b"",
        HTML,
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b'{"payload": {"orders": [',
        b'{"payload": "\xff"}',
        b"\xef\xbb\xbf",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        errors(),
    ],
    ids=lambda body: str(body)[:30],
)
def test_retries_a_200_without_data(body: object) -> None:
    assert verdict(200, body).action is Action.RETRY


@pytest.mark.parametrize("payload", [{"orders": []}, {"orders": None}, {}, None])
def test_retries_an_empty_list_beside_errors(payload: object) -> None:
    # It looks like the end of a list, but the list could not be made.
    assert verdict(200, {"payload": payload, **errors()}).action is Action.RETRY


def test_accepts_rows_beside_errors() -> None:
    body = {"payload": {"orders": [{"purchaseOrderNumber": "1"}]}, **errors("Warning", "partial")}
    found = verdict(200, body)
    assert (found.action, found.body) == (Action.ACCEPT, body)
    assert "Warning: partial" in found.problem


@pytest.mark.parametrize(
    ("status", "code", "paging", "action"),
    [
        (400, "InvalidInput", True, Action.RETRY_PAGE),
        (400, "InvalidInput", False, Action.REFUSE),
        (400, "InvalidRequest", True, Action.REFUSE),
        (404, "InvalidInput", True, Action.REFUSE),
    ],
)
def test_retries_a_page_only_after_invalid_input(
    *, status: int, code: str, paging: bool, action: Action
) -> None:
    assert verdict(status, errors(code), paging=paging).action is action


@given(st.integers(min_value=100, max_value=599), st.binary(max_size=40), st.booleans())
def test_any_response_has_a_verdict(status: int, content: bytes, paging: bool) -> None:  # noqa: FBT001
    found = judge(status, {}, content, paging=paging)
    assert found.status == status
    assert (found.action is Action.ACCEPT) == bool(found.body)


# ---- bodies --------------------------------------------------------------------------------------


def test_numbers_with_a_decimal_point_stay_the_text_that_amazon_sent() -> None:
    body = b'{"payload": {"amount": 0.10, "most": 1e400, "count": 2}}'
    expected = {"payload": {"amount": "0.10", "most": "1e400", "count": 2}}
    assert verdict(200, body).body == expected


def test_removes_nul_characters_from_names_and_values() -> None:
    body = b'{"a\\u0000b": ["c\\u0000", {"d": "\\u0000"}, 1]}'
    assert verdict(200, body).body == {"ab": ["c", {"d": ""}, 1]}


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert verdict(200, b'{"title": "cut \\ud83d", "amount": 0.10}').body == {
        "title": "cut ?",
        "amount": "0.10",
    }


# ---- waiting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "seconds"), [("0", 0), ("2", 2), (" 37 ", 37), ("900", 900), ("99999999", 900)]
)
def test_reads_retry_after_in_seconds_up_to_a_quarter_of_an_hour(
    status: int, value: str, seconds: float
) -> None:
    assert verdict(status, retry_after=value).retry_after == seconds


# A header is read as Latin-1, which has a superscript two.
@pytest.mark.parametrize(
    "value", ["", "soon", "-5", "1.5", "1e9", "NaN", "Mon, 01 Jun 2026 13:00:00 GMT", "²"]
)
def test_ignores_a_retry_after_that_is_not_whole_seconds(value: str) -> None:
    assert verdict(429, retry_after=value).retry_after == 0


def test_a_retry_after_of_hundreds_of_digits_is_cut() -> None:
    assert verdict(429, retry_after="9" * 400).retry_after == 900


# ---- messages ------------------------------------------------------------------------------------


def test_the_problem_names_status_code_message_details_and_request_id() -> None:
    body = errors("InvalidInput", "Invalid Input", "limit")
    problem = verdict(400, body, x_amzn_requestid="the-id").problem
    assert problem == "HTTP 400 InvalidInput: Invalid Input, limit [x-amzn-RequestId the-id]"


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [("text/html; charset=utf-8", "text/html"), ("", "no content type")],
)
def test_the_problem_names_the_content_type_of_a_foreign_body(content_type: str, kind: str) -> None:
    assert (
        f"the body is not from this API ({kind})"
        in verdict(404, HTML, content_type=content_type).problem
    )


@pytest.mark.parametrize(
    "odd", ["text", {}, [], ["text"], [None], [[]], [{}], [{"code": None, "message": ["odd"]}]]
)
def test_errors_of_an_odd_shape_still_give_a_problem(odd: object) -> None:
    assert verdict(404, {"errors": odd}).problem.startswith("HTTP 404: ")


@pytest.mark.parametrize("part", ["code", "message", "details"])
def test_the_problem_stays_short_and_on_one_line(part: str) -> None:
    error = {"code": "InvalidInput", "message": "", "details": "", part: "line\n" * 10_000}
    problem = verdict(400, {"errors": [error]}).problem
    assert "line line" in problem
    assert "\n" not in problem
    assert len(problem) < 400


# Looking for addresses in the whole of the text would take hours.
@pytest.mark.timeout(60)
@pytest.mark.parametrize("part", ["code", "message", "details"])
def test_looks_for_addresses_only_in_the_beginning_of_a_long_text(part: str) -> None:
    error = {"code": "", "message": "", "details": "", part: "x" * 1_000_000}
    assert "x" * 250 in verdict(500, {"errors": [error]}).problem


@pytest.mark.parametrize("part", ["code", "message", "details"])
@pytest.mark.parametrize("before", [0, 285, 295])
def test_the_problem_shows_no_e_mail_address(part: str, before: int) -> None:
    error = {"code": "", "message": "", "details": ""}
    error[part] = "x" * before + " jane.doe+1@example.co.uk"
    problem = verdict(400, {"errors": [error]}).problem
    assert not re.search(r"jane|example", problem)


@pytest.mark.parametrize("before", [0, 250, 270, 295, 1190])
@pytest.mark.parametrize("part", ["code", "message", "details", "request id"])
def test_the_problem_shows_no_access_token(part: str, before: int) -> None:
    secret = "Atza|0123456789"  # noqa: S105
    said = f"{'x' * before} {secret} was not expected"
    error = {"code": "", "message": "", "details": "", part: said}
    headers = {"x-amzn-requestid": said} if part == "request id" else {}
    body = json.dumps({"errors": [error]}).encode()
    problem = judge(403, headers, body, paging=False, secret=secret).problem
    assert "Atza" not in problem
