"""Refusals, and how they are answered."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework import exceptions as drf
from rest_framework.test import APIRequestFactory
from rest_framework_simplejwt import exceptions as simplejwt

from drf_jwt_kit import exceptions as kit

CONTRACT = [
    (kit.Invalid, "token_not_valid", "invalid", "Token is invalid"),
    (kit.Expired, "token_not_valid", "expired", "Token is expired"),
    (kit.WrongType, "token_not_valid", "wrong_type", "Token has wrong type"),
    (kit.Revoked, "token_not_valid", "revoked", "Token has been revoked"),
    (kit.Reused, "token_not_valid", "reused", "Refresh token has already been used"),
    (kit.UserInactive, "user_inactive", "user_inactive", "User is inactive"),
    (kit.UserNotFound, "user_not_found", "user_not_found", "User not found"),
    (kit.PasswordChanged, "password_changed", "password_changed", "The user's password has been changed."),
]


class Plain(drf.APIException):
    """A project's exception that never asks DRF's to begin."""

    def __init__(self, detail: str) -> None:
        """Take the sentence as it is."""
        self.detail = detail  # type: ignore[assignment]


def answer(refused: simplejwt.TokenError, **more: Any) -> kit.InvalidToken:
    """Return the 401 for a refusal."""
    return kit.unauthorized(refused, scheme="Bearer", realm="api", **more)


@pytest.mark.parametrize(("refusal", "code", "reason", "sentence"), CONTRACT)
def test_code_reason_and_sentence(refusal: type[kit.Refused], code: str, reason: str, sentence: str) -> None:
    """DESIGN 2.2: fixed words, and simplejwt's ``TokenError`` for who catches that."""
    refused = refusal()
    assert isinstance(refused, simplejwt.TokenError)
    assert (refused.code, refused.reason, str(refused.args[0])) == (code, reason, sentence)
    assert {"code", "detail", "reason"} == set(answer(refused).detail)


def test_every_reason_of_the_contract_has_one_refusal() -> None:
    """DESIGN 2.2: the list is closed."""
    assert len({reason for _, _, reason, _ in CONTRACT}) == len(CONTRACT) == 8
    assert {refusal for refusal, *_ in CONTRACT} == set(kit.Refused.__subclasses__())


def test_an_expired_token_is_simplejwts_too() -> None:
    """Drop-in: who catches ``ExpiredTokenError`` goes on."""
    assert isinstance(kit.Expired(), simplejwt.ExpiredTokenError)


@pytest.mark.parametrize(
    ("refused", "detail", "reason"),
    [
        (simplejwt.TokenError("Tenant is gone"), "Tenant is gone", "invalid"),
        (simplejwt.TokenError(), "Token is invalid", "invalid"),
        (simplejwt.ExpiredTokenError("Too late"), "Too late", "expired"),
        (kit.Invalid("Another sentence"), "Another sentence", "invalid"),
    ],
)
def test_a_sentence_of_the_projects_own_is_kept(refused: Any, detail: str, reason: str) -> None:
    """Issue 2.5: a project's token class raises simplejwt's errors."""
    assert answer(refused).detail == {"detail": detail, "code": "token_not_valid", "reason": reason}


def test_parts_of_the_body_can_be_replaced() -> None:
    """The authenticator adds simplejwt's ``messages``."""
    assert answer(kit.Invalid(), detail={"code": "other", "messages": []}).detail["code"] == "other"


@pytest.mark.parametrize("failure", [answer(kit.Invalid()), kit.AuthenticationFailed("x", challenge="Bearer")])
def test_a_refused_token_stays_a_401(failure: Any) -> None:
    """STYLE, traps: DRF sets 403 and another authenticator's challenge on the exception."""
    before = failure.auth_header
    failure.status_code = 403
    failure.auth_header = "Basic"
    assert (failure.status_code, failure.auth_header) == (401, before)


def test_a_failure_behind_us_is_a_503() -> None:
    """Law 8: with ``Retry-After``."""
    failure = kit.ServiceUnavailable()
    response = kit.exception_handler(failure, {})
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert set(response.data) == {"detail", "code"}


@pytest.mark.parametrize(
    ("failure", "body"),
    [
        (drf.NotFound(), {"detail": "Not found.", "code": "not_found"}),
        (drf.ParseError("Broken."), {"detail": "Broken.", "code": "parse_error"}),
        (Plain("Locked."), {"detail": "Locked.", "code": "error"}),
        (drf.ValidationError({"a": ["b"]}), {"a": ["b"]}),
        (drf.ValidationError(["b"]), ["b"]),
    ],
)
def test_a_code_stands_beside_a_sentence(failure: Any, body: Any) -> None:
    """DESIGN 2.2: and field errors stay as DRF writes them."""
    assert kit.with_code(failure).detail == body


@pytest.mark.parametrize(
    ("failure", "status", "body"),
    [
        (drf.PermissionDenied(), 403, {"detail": "You do not have permission to perform this action."}),
        (drf.NotFound(), 404, {"detail": "Not found."}),
        (drf.AuthenticationFailed("No."), 401, {"detail": "No."}),
        (
            drf.NotAuthenticated(),
            401,
            {"detail": "Authentication credentials were not provided.", "code": "not_authenticated"},
        ),
    ],
)
def test_the_handler_answers_as_drf_does(failure: Any, status: int, body: Any) -> None:
    """A project's own errors look as ever; only "nothing was sent" has its code."""
    response = kit.exception_handler(failure, {"request": APIRequestFactory().get("/"), "view": None})
    assert (response.status_code, response.data) == (status, body)


def test_the_handler_leaves_what_is_no_answer() -> None:
    """A bug is not answered with JSON."""
    assert kit.exception_handler(ZeroDivisionError(), {}) is None
