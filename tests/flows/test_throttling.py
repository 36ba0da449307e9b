"""``POST token/`` under its limits: what counts as a failure, and what a project can set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.db import DatabaseError
from django.urls import include, path
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
from rest_framework_simplejwt import serializers as simplejwt

from drf_jwt_kit.serializers import TokenObtainPairSerializer, sign_in
from drf_jwt_kit.views import TokenObtainPairView
from tests.attempts import attempt, statuses, wait_of
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "user"), pytest.mark.urls(__name__)]


class ByEmail(simplejwt.TokenObtainPairSerializer):
    """simplejwt's own serializer, told that the user is named by another field."""

    username_field = "email"


class EmailBackend(BaseBackend):
    """A backend that knows users by that field."""

    def authenticate(self, request: Any, email: str = "", password: str = "", **credentials: Any) -> Any:
        """Return the user, if the password is right."""
        user = get_user_model().objects.filter(email=email).first()
        return user if user is not None and user.check_password(password) else None


class ByPin(serializers.Serializer[Any]):
    """A serializer that rests on nobody's and names no user at all."""

    pin = serializers.CharField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Let alice in by her number."""
        if attrs["pin"] != "1234":
            raise AuthenticationFailed
        return sign_in(type(self), get_user_model().objects.get(username="alice"), self.context["request"])


class SaysItWith400(TokenObtainPairSerializer):
    """A serializer that answers a wrong password as DRF's own token view does."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Turn the 401 into a 400."""
        try:
            return super().validate(attrs)
        except AuthenticationFailed as failure:
            raise serializers.ValidationError("Unable to log in.", code="authorization") from failure


class LosesTheDatabase(TokenObtainPairSerializer):
    """A serializer whose query fails."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fail as a driver does."""
        raise DatabaseError("connection to db.internal lost")


urlpatterns = [
    path("api/", include("drf_jwt_kit.urls")),
    path("email/", TokenObtainPairView.as_view(serializer_class=ByEmail)),
    path("pin/", TokenObtainPairView.as_view(serializer_class=ByPin)),
    path("says-400/", TokenObtainPairView.as_view(serializer_class=SaysItWith400)),
    path("loses/", TokenObtainPairView.as_view(serializer_class=LosesTheDatabase)),
]


class SecondFactor(APIException):
    """A challenge of a project's own."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "second_factor_required"


def forbids(request: Any, user: Any) -> None:
    """Let nobody through."""
    raise PermissionDenied


def fails(request: Any, user: Any) -> None:
    """Let nobody through, as if the password were wrong."""
    raise AuthenticationFailed


def challenges(request: Any, user: Any) -> None:
    """Ask for a second factor, and look at the one that was sent."""
    if request.data.get("code") != "123456":
        raise SecondFactor


def is_away(request: Any, user: Any) -> None:
    """Fail: whoever knows the second factor does not answer."""
    raise ConnectionError("otp.internal refused the connection")


def posted(client: Any, url: str, times: int = 1, **body: str) -> list[int]:
    """Return the statuses of so many equal requests."""
    return [client.post(url, body, format="json").status_code for _ in range(times)]


@pytest.mark.parametrize("username", ["alice", "nobody", "inactive"])
def test_five_failures_then_429_until_the_time_it_tells(
    client: Any, clock: Any, django_user_model: Any, username: str
) -> None:
    """THREATS and 2.3: ``5/5m``, told in ``Retry-After``, for known and unknown users alike."""
    django_user_model.objects.create_user("inactive", password=PASSWORD, is_active=False)
    assert statuses(client, 5, username) == [401] * 5
    seconds = wait_of(attempt(client, username))
    assert seconds <= 300
    assert attempt(client, username, PASSWORD).status_code == 429
    clock.shift(timedelta(seconds=seconds - 1))
    assert wait_of(attempt(client, username, PASSWORD)) == 1
    clock.shift(timedelta(seconds=1))
    assert attempt(client, username).status_code == 401


def test_the_right_password_is_good_again_when_the_time_is_over(client: Any, clock: Any) -> None:
    """2.3: a limit by account and address ends with its window."""
    assert statuses(client, 5) == [401] * 5
    clock.shift(timedelta(seconds=wait_of(attempt(client, "alice", PASSWORD))))
    assert attempt(client, "alice", PASSWORD).status_code == 200


def test_successes_count_for_nothing(client: Any) -> None:
    """Issue 4.4: only failures are counted; a success takes its own count back, and no other."""
    assert statuses(client, 4) == [401] * 4
    assert statuses(client, 20, "alice", PASSWORD) == [200] * 20
    assert [*statuses(client, 2), attempt(client, "alice", PASSWORD).status_code] == [401, 429, 429]


MALFORMED: list[Any] = [
    *({}, {"username": "alice"}, {"username": "alice", "password": ""}, {"username": "alice", "password": 1}),
    *({"username": "alice", "password": "x" * 5000}, {"username": "alice", "password": "\0"}),
    *({"username": ["alice"], "password": "x"}, {"username": "x" * 300, "password": "x"}, [], "alice", None, 1),
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body)[:40])
def test_a_malformed_body_neither_counts_nor_resets(client: Any, settings: Any, body: Any) -> None:
    """Issue 4.4: no password was tried, so nothing was learnt and nothing is forgiven."""
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ADDRESS": "5/5m"}
    assert statuses(client, 4) == [401] * 4
    sent = [client.post("/api/token/", body, format="json", REMOTE_ADDR="192.0.2.1") for _ in range(7)]
    assert [answer.status_code for answer in sent] == [400] * 7
    assert statuses(client, 2) == [401, 429]


def test_what_cannot_be_read_does_not_count(client: Any) -> None:
    """2.2: broken JSON, another media type and another method are refused before anything is counted."""
    for _ in range(7):
        assert client.post("/api/token/", "{", content_type="application/json").status_code == 400
        assert client.post("/api/token/", "x", content_type="text/plain").status_code == 415
        assert client.get("/api/token/").status_code == 405
    assert statuses(client, 6, peer="127.0.0.1") == [401] * 5 + [429]


@pytest.mark.parametrize(("rate", "good"), [("1/1s", 1), ("2/1m", 2), ("7/2h", 7), ("10/1d", 10)])
def test_a_project_sets_its_rates(client: Any, clock: Any, settings: Any, rate: str, good: int) -> None:
    """2.3: count and period; nothing above the count is tried before the period ends."""
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": rate}
    assert statuses(client, good) == [401] * good
    clock.shift(timedelta(seconds=wait_of(attempt(client))))
    assert attempt(client, "alice", PASSWORD).status_code == 200


def test_none_turns_every_limit_off(client: Any, settings: Any) -> None:
    """2.3: with ``None`` three times nothing is limited."""
    names = ("LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS", "LOGIN_FAILURES_PER_ADDRESS", "LOGIN_FAILURES_PER_ACCOUNT")
    settings.DRF_JWT_KIT = dict.fromkeys(names)
    assert statuses(client, 110) == [401] * 110
    assert attempt(client, "alice", PASSWORD).status_code == 200


def test_one_limit_can_be_turned_off_alone(client: Any, settings: Any) -> None:
    """2.3: the limits do not depend on each other."""
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": None, "LOGIN_FAILURES_PER_ADDRESS": "20/1h"}
    assert statuses(client, 21) == [401] * 20 + [429]


@pytest.mark.parametrize(("gate", "refusal"), [("forbids", 403), ("fails", 401), ("challenges", 401)])
def test_a_gate_that_refuses_counts(client: Any, settings: Any, gate: str, refusal: int) -> None:
    """2.3: whoever has the password may not guess the second factor for ever: 403 and every 401 are failures."""
    settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.{gate}"}
    assert statuses(client, 6, "alice", PASSWORD) == [refusal] * 5 + [429]


def test_a_gate_that_is_passed_does_not_count(client: Any, settings: Any) -> None:
    """2.3: the second factor was right: the attempt is no failure."""
    settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.challenges"}
    good = {"username": "alice", "password": PASSWORD, "code": "123456"}
    assert posted(client, "/api/token/", 7, **good) == [200] * 7


@pytest.mark.parametrize("url", ["/api/token/", "/loses/"])
def test_what_fails_for_other_reasons_does_not_count(client: Any, settings: Any, url: str) -> None:
    """Law 8: while something behind the sign-in is down, nobody uses up their attempts."""
    if url == "/api/token/":
        settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.is_away"}
    expected = 500 if url == "/api/token/" else 503
    assert posted(client, url, 7, username="alice", password=PASSWORD) == [expected] * 7
    settings.DRF_JWT_KIT = {}
    assert attempt(client, "alice", PASSWORD, peer="127.0.0.1").status_code == 200


def test_a_serializer_without_a_user_name_is_limited_by_address(client: Any, settings: Any) -> None:
    """2.4: a project's own serializer works unchanged, and is not open to guessing."""
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ADDRESS": "8/1h"}
    assert posted(client, "/pin/", 20, pin="1234") == [200] * 20
    assert posted(client, "/pin/", 9, pin="0000") == [401] * 8 + [429]


def test_accounts_are_told_apart_by_the_serializers_own_field(client: Any, settings: Any) -> None:
    """2.4: ``username_field`` is an override point: one user's failures are not another's."""
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.EmailBackend"]
    get_user_model().objects.create_user("bob", email="bob@example.org", password=PASSWORD)
    assert posted(client, "/email/", 6, email="alice@example.org", password="wrong") == [401] * 5 + [429]
    assert posted(client, "/email/", email="bob@example.org", password=PASSWORD) == [200]


def test_a_wrong_password_counts_whatever_it_is_answered_with(client: Any) -> None:
    """THREATS: a project that answers 400 where DRF's own token view does is throttled as well."""
    assert posted(client, "/says-400/", 6, username="alice", password="wrong") == [400] * 5 + [429]


def test_other_endpoints_are_not_limited(client: Any) -> None:
    """2.3: the limits are for sign-in; who is signed in stays so."""
    refresh = attempt(client, "alice", PASSWORD).data["refresh"]
    assert statuses(client, 6) == [401] * 5 + [429]
    meta = {"format": "json", "REMOTE_ADDR": "192.0.2.1"}
    assert client.post("/api/token/verify/", {"token": refresh}, **meta).status_code == 200
    assert client.post("/api/token/refresh/", {"refresh": refresh}, **meta).status_code == 200
