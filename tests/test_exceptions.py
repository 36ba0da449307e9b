"""Refusals, and how they are answered."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
from rest_framework import exceptions as drf
from rest_framework import serializers
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


class Stumbles(serializers.Serializer[Any]):
    """A serializer with a bug; DRF's frames around it hold what was posted."""

    password = serializers.CharField()

    def validate(self, attrs: Any) -> Any:
        """Fail with one error because of another, and that one while DRF was validating too."""
        try:
            serializers.CharField().run_validation({"no": "text"})
        except drf.ValidationError as first:
            raise ZeroDivisionError from first


def test_no_frame_of_drfs_is_left_in_a_chain_of_errors() -> None:
    """Law 10: an error report shows the variables of every error in the chain, not of the last one alone."""
    with pytest.raises(ZeroDivisionError) as caught:
        Stumbles(data={"password": "hunter2"}).is_valid()
    clean = kit.without_posted_data(caught.value)
    assert clean is caught.value
    for error in (clean, clean.__cause__):
        modules = {frame.f_globals["__name__"] for frame, _line in traceback.walk_tb(error.__traceback__)}
        assert modules
        assert not {name for name in modules if name.startswith("rest_framework.")}


def test_a_failure_is_logged_without_frames(caplog: Any) -> None:
    """Law 10: error trackers read the variables from a record's traceback, so it has none, only text."""
    with pytest.raises(ConnectionError) as caught:
        raise ConnectionError("the directory is down")
    kit.log_failure("It failed.", caught.value)
    (record,) = caplog.records
    assert record.exc_info is None
    assert "It failed." in record.getMessage()
    assert "the directory is down" in record.getMessage()


def refuse_to_say() -> None:
    """Fail for another failure's sake, each with a password in its words."""
    try:
        int("hunter2")
    except ValueError as first:
        raise ConnectionError("GET /?password=aHVudGVyMg== failed") from first


def test_a_failure_whose_words_may_hold_a_secret_is_logged_without_them(caplog: Any) -> None:
    """Law 10: a directory's error may quote what it was asked, in any encoding; where it failed is told."""
    with pytest.raises(ConnectionError) as caught:
        refuse_to_say()
    kit.log_failure("It failed.", caught.value, in_words=False)
    (written,) = caplog.messages
    errors = [line for line in written.splitlines() if not line.startswith(" ")]
    assert errors == ["It failed.", "builtins.ValueError", "builtins.ConnectionError"]
    assert "in refuse_to_say" in written
