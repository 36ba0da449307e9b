"""``SIGN_IN_GATE``: what a gate returns, what it asks for, what it refuses, and what then counts as a guess."""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model, user_logged_in
from django.core.exceptions import BadRequest, ImproperlyConfigured, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.urls import include, path
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken as TheirRefreshToken

from drf_jwt_kit import sessions
from drf_jwt_kit.exceptions import Expired, SecondFactorRequired
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.serializers import TokenObtainPairSerializer
from drf_jwt_kit.views import TokenObtainPairView
from tests.attacks import forge
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "user"), pytest.mark.urls(__name__)]


class Foreign(serializers.Serializer[Any]):
    """A serializer that rests on nobody's and makes simplejwt's tokens: the kit's view opens the session."""

    pin = serializers.CharField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Let alice in by her number."""
        token = TheirRefreshToken.for_user(get_user_model().objects.get(username="alice"))
        return {"refresh": str(token), "access": str(token.access_token)}


class WithItsOwnField(TokenObtainPairSerializer):
    """A serializer that declares the code, so that an error of it looks like one of how it was written."""

    otp = serializers.CharField(required=False)


urlpatterns = [
    path("api/", include("drf_jwt_kit.urls")),
    path("foreign/", TokenObtainPairView.as_view(serializer_class=Foreign)),
    path("own-field/", TokenObtainPairView.as_view(serializer_class=WithItsOwnField)),
]


def asks(request: Any, user: Any) -> dict[str, Any]:
    """Ask for a code, and look at the one that was sent."""
    code = request.data.get("otp")
    if code is None:
        raise SecondFactorRequired(methods=["otp", "sms"])
    if code != "123456":
        raise drf.AuthenticationFailed("Wrong code.", "second_factor_invalid")
    return {"amr": ["pwd", "otp"]}


REFUSALS = {
    "AuthenticationFailed": (drf.AuthenticationFailed(), 401),
    "PermissionDenied": (drf.PermissionDenied(), 403),
    "Django's PermissionDenied": (DjangoPermissionDenied("No."), 403),
    "ValidationError": (drf.ValidationError("Wrong code."), 400),
    "ValidationError of a field": (drf.ValidationError({"otp": ["Wrong code."]}), 400),
    "Django's ValidationError": (DjangoValidationError("Wrong code."), 400),
    "Django's ValidationError of a field": (DjangoValidationError({"otp": "Wrong code."}), 400),
    "NotFound": (drf.NotFound(), 404),
    "Http404": (Http404("No device."), 404),
    "Http404 without words": (Http404(), 404),
    "Django's BadRequest": (BadRequest("No code."), 400),
    "Django's SuspiciousOperation": (SuspiciousOperation("No code."), 400),
    "simplejwt's TokenError": (TokenError("No code."), 401),
    "a token of its own": (Expired(), 401),
}
NO_GUESSES = {
    "SecondFactorRequired": (SecondFactorRequired(), 401),
    "Throttled": (drf.Throttled(3), 429),
    "a service that is down": (drf.APIException(), 500),
    "a bug": (LookupError(), 500),
    "a bug with a number": (KeyError(401), 500),
}


def refuses(request: Any, user: Any) -> None:
    """Refuse as the test says."""
    raise (REFUSALS | NO_GUESSES)[request.META["HTTP_X_REFUSAL"]][0]


UNSIGNABLE: dict[str, Any] = {
    "a number without JSON": Decimal(1),
    "no number": float("nan"),
    "a number without end": float("inf"),
    "more than a token holds": "x" * 9000,
}
RETURNED: dict[str, Any] = {
    "nothing": None,
    "no claims": {},
    "one": {"amr": ["pwd"]},
    "several": {"amr": ["pwd", "otp"], "acr": "2", "auth_time": 1_700_000_000},
    "true": True,
    "false": False,
    "a list": ["otp"],
    "pairs": [("amr", "otp")],
    "text": "otp",
    "zero": 0,
    **{name: {"x": value} for name, value in UNSIGNABLE.items()},
    "a subject that is no text": {"sub": 5},
    **{name: {name: "1"} for name in ("sid", "gen", "exp", "iat", "jti", "user_id", "token_type", "aud", "iss")},
}


def returns(request: Any, user: Any) -> Any:
    """Return what the test says."""
    return RETURNED[request.META["HTTP_X_RETURNED"]]


@pytest.fixture
def gate(settings: Any) -> Any:
    """A function that puts one of this module's gates up."""

    def gate(name: str, **keys: Any) -> None:
        settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.{name}", **keys}

    return gate


@pytest.fixture
def post(client: Any) -> Any:
    """A function that signs alice in, with more in the body or in the headers."""

    def post(url: str = "/api/token/", *, headers: dict[str, str] | None = None, **body: Any) -> Any:
        body = {"username": "alice", "password": PASSWORD, "pin": "1", **body}
        return client.post(url, body, format="json", headers=headers)

    return post


@pytest.fixture
def logged_in() -> Any:
    """The users for whom ``user_logged_in`` was sent."""
    users: list[Any] = []

    def listen(user: Any, **arguments: Any) -> None:
        users.append(user)

    user_logged_in.connect(listen)
    yield users
    user_logged_in.disconnect(listen)


URLS = ["/api/token/", "/foreign/", "/own-field/"]


# -- What it returns -------------------------------------------------------------------------------


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("returned", ["nothing", "no claims", "one", "several"])
def test_what_it_returns_is_fixed_for_the_session(post: Any, gate: Any, url: str, returned: str) -> None:
    """Issue 5.6: claims on every token, over what the kit says itself, however often it is refreshed."""
    gate("returns")
    pair = post(url, headers={"X-Returned": returned}).data
    expected = RETURNED[returned] or {}
    for _ in range(2):
        for kind in ("access", "refresh"):
            payload = forge.payload_of(pair[kind])
            assert expected.items() <= payload.items()
            assert ("amr" in payload) == ("amr" in expected)
            assert "auth_time" in payload
        renewed = sessions.rotate(pair["refresh"])
        pair = {"access": str(renewed.access), "refresh": str(renewed.refresh)}


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("returned", ["true", "false", "a list", "pairs", "text", "zero"])
def test_anything_else_is_a_mistake(post: Any, gate: Any, caplog: Any, logged_in: Any, url: str, returned: str) -> None:
    """2.3: it says what it must return, and not what it returned, and nobody is signed in."""
    gate("returns")
    assert post(url, headers={"X-Returned": returned}).status_code == 500
    [error] = {record.exc_info[1] for record in caplog.records if record.exc_info}
    assert isinstance(error, ImproperlyConfigured)
    kind = type(RETURNED[returned]).__name__
    assert str(error) == f"{__name__}.returns must return a dict of claims or None, not {kind}."
    assert (TokenSession.objects.count(), logged_in) == (0, [])


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("name", ["sid", "gen", "exp", "iat", "jti", "user_id", "token_type", "aud", "iss"])
def test_a_claim_that_it_may_not_make_leaves_nothing(post: Any, gate: Any, logged_in: Any, url: str, name: str) -> None:
    """Law 11 and DESIGN 4: what the kit writes alone: no session, no signal, no count."""
    gate("returns", LOGIN_FAILURES_PER_ADDRESS="3/1h")
    assert [post(url, headers={"X-Returned": name}).status_code for _ in range(5)] == [500] * 5
    assert (TokenSession.objects.count(), logged_in) == (0, [])


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("returned", [*UNSIGNABLE, "a subject that is no text"])
def test_a_claim_that_no_token_can_have_leaves_nothing(
    post: Any, gate: Any, logged_in: Any, user: Any, *, url: str, returned: str
) -> None:
    """Neither a session that nobody has tokens of, nor one ended for its sake."""
    gate("returns", MAX_SESSIONS_PER_USER=1)
    device = sessions.start(user).session
    assert post(url, headers={"X-Returned": returned}).status_code == 500
    assert ([row.revoked_at for row in TokenSession.objects.all()], logged_in) == ([None], [])
    assert TokenSession.objects.get() == device


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("claim", ["a\0b", ["a\ud800b"], {"\\\0": 1}], ids=["NUL", "a surrogate", "in a name"])
@pytest.mark.django_db(transaction=True)
def test_a_claim_that_not_every_database_can_hold_is_a_mistake(
    post: Any, gate: Any, monkeypatch: Any, *, url: str, claim: Any
) -> None:
    """Law 8: nothing is down, so it is no 503 where PostgreSQL or MariaDB would refuse it."""
    monkeypatch.setitem(RETURNED, "claim", {"device": claim})
    gate("returns")
    assert post(url, headers={"X-Returned": "claim"}).status_code == 500
    assert not TokenSession.objects.exists()


@pytest.mark.parametrize("claim", [r"\u0000", "\\\\u0000", "\U0001f600"], ids=ascii)
def test_a_claim_that_every_database_can_hold_is_held(post: Any, gate: Any, monkeypatch: Any, claim: str) -> None:
    """What only looks like one that is not."""
    monkeypatch.setitem(RETURNED, "claim", {"device": claim})
    gate("returns")
    assert post(headers={"X-Returned": "claim"}).status_code == 200
    assert TokenSession.objects.get().claims["device"] == claim


# -- What it asks for ------------------------------------------------------------------------------


@pytest.mark.parametrize("url", URLS)
def test_a_second_factor_is_asked_for(post: Any, gate: Any, logged_in: Any, url: str) -> None:
    """2.3: 401 with the challenge of a failed sign-in, what to send, no session, and then 200."""
    gate("asks")
    answer = post(url)
    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "A second factor is required",
        "code": "second_factor_required",
        "methods": ["otp", "sms"],
    }
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert answer["Cache-Control"] == "no-store"
    assert (TokenSession.objects.count(), logged_in) == (0, [])
    answer = post(url, otp="123456")
    assert answer.status_code == 200
    assert forge.payload_of(answer.data["access"])["amr"] == ["pwd", "otp"]
    assert (TokenSession.objects.count(), len(logged_in)) == (1, 1)


def test_the_words_are_the_projects(post: Any, gate: Any) -> None:
    """DRF's arguments keep their meaning."""
    failure = SecondFactorRequired("Touch your key.", "touch_required", methods=["hwk"])
    assert failure.detail == {"detail": "Touch your key.", "code": "touch_required", "methods": ["hwk"]}
    assert failure.get_codes() == {"detail": "touch_required", "code": "touch_required", "methods": ["touch_required"]}


def test_whoever_has_no_password_is_not_asked(post: Any, gate: Any) -> None:
    """THREATS, enumeration: who has a second factor is told to nobody else."""
    gate("asks")
    for password in ("wrong", PASSWORD.upper()):
        assert post(password=password, otp="123456").json()["code"] == "no_active_account"


def test_asking_is_logged(post: Any, gate: Any, user: Any, caplog: Any) -> None:
    """THREATS, words: one line for what was asked for and one for what was wrong, with user and address."""
    gate("asks")
    caplog.set_level(logging.INFO, "drf_jwt_kit.security")
    for more in ({}, {"otp": "000000"}, {"otp": "123456"}):
        post(**more)
    told = [record for record in caplog.records if record.name == "drf_jwt_kit.security"]
    lines = [(record.levelname, record.getMessage()) for record in told]
    assert lines[:2] == [
        ("INFO", f"sign_in_challenged user={user.pk} address=127.0.0.1"),
        ("WARNING", f"sign_in_refused user={user.pk} address=127.0.0.1"),
    ]
    assert [line.split(" ")[0] for _level, line in lines[2:]] == ["session_started"]
    events = ["sign_in_challenged", "sign_in_refused", "session_started"]
    assert [vars(record)["event"] for record in told] == events
    assert {(vars(record)["user_id"], vars(record)["address"]) for record in told} == {(user.pk, "127.0.0.1")}
    assert "000000" not in caplog.text


def test_it_may_be_asked_without_a_request(user: Any, gate: Any, caplog: Any) -> None:
    """A serializer of the kit's in a project's own code has no address to tell."""
    gate("asks_at_once")
    caplog.set_level(logging.INFO, "drf_jwt_kit.security")
    serializer = TokenObtainPairSerializer(data={"username": "alice", "password": PASSWORD})
    with pytest.raises(SecondFactorRequired):
        serializer.is_valid()
    assert caplog.messages == [f"sign_in_challenged user={user.pk} address=None"]


def asks_at_once(request: Any, user: Any) -> None:
    """Ask whoever comes."""
    raise SecondFactorRequired


# -- What counts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_it_refuses_is_a_guess(post: Any, gate: Any, caplog: Any, *, url: str, refusal: str) -> None:
    """2.3: whoever has the password may not guess codes for ever, whichever way the gate says no, and the log tells."""
    gate("refuses", LOGIN_FAILURES_PER_ADDRESS="5/5m")
    status = REFUSALS[refusal][1]
    answers = [post(url, headers={"X-Refusal": refusal}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [status] * 5 + [429]
    events = [getattr(record, "event", "") for record in caplog.records if record.name == "drf_jwt_kit.security"]
    assert events == ["sign_in_refused"] * 5 + ["sign_in_throttled"]


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("refusal", NO_GUESSES)
def test_what_is_no_guess_does_not_count(post: Any, gate: Any, url: str, refusal: str) -> None:
    """2.3: what asks, what has throttled already, what is down: no second factor was tried."""
    gate("refuses", LOGIN_FAILURES_PER_ADDRESS="5/5m")
    status = NO_GUESSES[refusal][1]
    assert [post(url, headers={"X-Refusal": refusal}).status_code for _ in range(7)] == [status] * 7


@pytest.mark.parametrize(
    ("refusal", "body"),
    [
        ("ValidationError", {"non_field_errors": ["Wrong code."]}),
        ("ValidationError of a field", {"otp": ["Wrong code."]}),
        ("Django's ValidationError", {"non_field_errors": ["Wrong code."]}),
        ("Django's ValidationError of a field", {"otp": ["Wrong code."]}),
        ("Django's PermissionDenied", {"detail": "No.", "code": "permission_denied"}),
        ("Http404", {"detail": "No device.", "code": "not_found"}),
        ("Http404 without words", {"detail": "Not found.", "code": "not_found"}),
        ("simplejwt's TokenError", {"detail": "No code.", "code": "token_not_valid", "reason": "invalid"}),
        ("a token of its own", {"detail": "Token is expired", "code": "token_not_valid", "reason": "expired"}),
    ],
)
def test_a_refusal_is_answered_as_drf_would(post: Any, gate: Any, refusal: str, body: Any) -> None:
    """2.2: the body is that of the error that the gate raised."""
    gate("refuses")
    assert post(headers={"X-Refusal": refusal}).json() == body


def test_asking_in_between_wins_no_guesses(post: Any, gate: Any) -> None:
    """THREATS, throttling: neither an empty code nor none takes a wrong one back."""
    gate("asks")
    found = []
    for number in range(6):
        found.append(post(otp=f"{number:06}").status_code)
        assert post().status_code == (401 if number < 4 else 429)
    assert found == [401] * 5 + [429]


def test_asking_forgives_no_wrong_password(post: Any, gate: Any) -> None:
    """THREATS, throttling: wrong passwords and wrong codes share their counters."""
    gate("asks")
    assert [post(password="wrong").status_code for _ in range(3)] == [401] * 3
    assert post().status_code == 401
    assert [post(otp="000000").status_code for _ in range(3)] == [401, 401, 429]
    assert post(otp="123456").status_code == 429
