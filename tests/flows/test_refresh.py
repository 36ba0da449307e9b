"""``POST token/refresh/``: exchanging a refresh token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import pytest
from rest_framework_simplejwt.tokens import AccessToken as SimpleJWTAccessToken
from rest_framework_simplejwt.tokens import RefreshToken as SimpleJWTRefreshToken

from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.tokens import RefreshToken
from tests.conftest import bearer

pytestmark = pytest.mark.django_db


def payload_of(token: str) -> dict[str, Any]:
    """Return what a token says, unverified."""
    return jwt.decode(token, options={"verify_signature": False})


def test_the_answer_has_the_next_pair(clock: Any, client: Any, post: Any, tokens: Any) -> None:
    """US2: the same keys as at sign-in; the refresh token is a new one of the same session."""
    answer = post("token/refresh/", refresh=tokens.refresh)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh", "expires_in", "refresh_expires_in"}
    assert answer.json()["refresh"] != tokens.refresh
    assert payload_of(answer.json()["refresh"])["sid"] == payload_of(tokens.refresh)["sid"]
    assert client.get("/api/me/", **bearer(answer.json()["access"])).status_code == 200


def test_an_expired_refresh_token_is_a_401(post: Any, clock: Any, sign_in: Any) -> None:
    """US2 and SC-003."""
    refresh = sign_in().refresh
    clock.shift(timedelta(days=1))
    answer = post("token/refresh/", refresh=refresh)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Token is expired", "code": "token_not_valid", "reason": "expired"}
    assert answer["WWW-Authenticate"] == (
        'Bearer realm="api", error="invalid_token", error_description="Token is expired"'
    )


def test_a_refresh_token_works_until_its_last_second(post: Any, clock: Any, sign_in: Any) -> None:
    """FR-004: the lifetime is one day, to the second."""
    refresh = sign_in().refresh
    clock.shift(timedelta(days=1, seconds=-1))
    assert post("token/refresh/", refresh=refresh).status_code == 200


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("garbage", "invalid"),
        ("a.b.c", "invalid"),
        ("..", "invalid"),
        ("Bearer x", "invalid"),
        ("ey" * 5000, "invalid"),
        ("é.é.é", "invalid"),
    ],
)
def test_what_is_no_token_is_a_401(post: Any, token: str, reason: str) -> None:
    """US2: a text that is no token is refused like a bad one."""
    answer = post("token/refresh/", refresh=token)
    assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (401, "token_not_valid", reason)


def test_an_access_token_is_of_the_wrong_type(post: Any, tokens: Any) -> None:
    """THREATS, claims: simplejwt's sentence, with a reason."""
    answer = post("token/refresh/", refresh=tokens.access)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Token has wrong type", "code": "token_not_valid", "reason": "wrong_type"}


@pytest.mark.parametrize("value", [None, True, 1, 1.5, [], {}, "", "a\0b"])
def test_a_token_that_is_no_text_is_a_400(client: Any, value: Any) -> None:
    """DESIGN 2.1: 400 where the field is missing or no text."""
    answer = client.post("/api/token/refresh/", {"refresh": value}, format="json")
    assert (answer.status_code, set(answer.json())) == (400, {"refresh"})


def test_a_missing_field_is_a_400(post: Any) -> None:
    """DESIGN 2.1: simplejwt's body stays."""
    answer = post("token/refresh/")
    assert (answer.status_code, answer.json()) == (400, {"refresh": ["This field is required."]})


def test_without_rotation_the_answer_has_access_alone(post: Any, tokens: Any, settings: Any) -> None:
    """DESIGN 2.3: a project's ``ROTATE_REFRESH_TOKENS = False`` is honoured; the session stays revocable."""
    settings.SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": False}
    for _ in range(3):
        answer = post("token/refresh/", refresh=tokens.refresh)
        assert (answer.status_code, set(answer.json())) == (200, {"access", "expires_in"})
    post("token/revoke/", token=tokens.refresh)
    assert post("token/refresh/", refresh=tokens.refresh).json()["reason"] == "revoked"


def test_a_token_of_simplejwts_becomes_a_session_once(post: Any, user: Any) -> None:
    """DESIGN 4, adoption: an upgrade signs nobody out, and the second use outside grace is a replay."""
    old = str(SimpleJWTRefreshToken.for_user(user))
    assert not TokenSession.objects.exists()
    answer = post("token/refresh/", refresh=old)
    assert answer.status_code == 200
    assert TokenSession.objects.count() == 1
    assert payload_of(answer.json()["refresh"])["gen"] == 1


@pytest.mark.parametrize("token_class", [SimpleJWTRefreshToken, RefreshToken], ids=["simplejwt", "kit"])
def test_for_user_makes_a_token_that_can_be_refreshed(post: Any, user: Any, token_class: Any) -> None:
    """Issue 2.5: ``RefreshToken.for_user(user)`` in a project's own code works unchanged."""
    answer = post("token/refresh/", refresh=str(token_class.for_user(user)))
    assert (answer.status_code, payload_of(answer.json()["access"])["user_id"]) == (200, str(user.pk))


def test_for_user_makes_an_access_token_that_is_accepted(client: Any, user: Any) -> None:
    """Issue 2.5: so does ``AccessToken.for_user(user)``, and ``refresh.access_token``."""
    for token in (SimpleJWTAccessToken.for_user(user), SimpleJWTRefreshToken.for_user(user).access_token):
        assert client.get("/api/me/", **bearer(str(token))).status_code == 200


def test_an_access_token_without_a_session_may_be_refused(client: Any, user: Any, settings: Any) -> None:
    """DESIGN 2.3: ``ACCEPT_SESSIONLESS_ACCESS = False``."""
    settings.DRF_JWT_KIT = {"ACCEPT_SESSIONLESS_ACCESS": False}
    answer = client.get("/api/me/", **bearer(str(SimpleJWTAccessToken.for_user(user))))
    assert (answer.status_code, answer.json()["reason"]) == (401, "invalid")


def test_an_inactive_user_cannot_refresh(post: Any, tokens: Any, user: Any, django_user_model: Any) -> None:
    """Law 9: the user's state counts now."""
    django_user_model.objects.update(is_active=False)
    answer = post("token/refresh/", refresh=tokens.refresh)
    assert (answer.status_code, answer.json()["reason"]) == (401, "user_inactive")


def test_a_deleted_user_cannot_refresh(post: Any, tokens: Any, user: Any) -> None:
    """Law 9: simplejwt answered 500 here once."""
    user.delete()
    answer = post("token/refresh/", refresh=tokens.refresh)
    assert (answer.status_code, answer.json()["reason"]) == (401, "user_not_found")


def test_a_bad_authorization_header_does_not_matter(client: Any, tokens: Any) -> None:
    """THREATS, headers: an expired access token in the header is why one refreshes."""
    answer = client.post(
        "/api/token/refresh/", {"refresh": tokens.refresh}, format="json", HTTP_AUTHORIZATION="Bearer garbage"
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/api/token/refresh/", "/api/me/"])
def test_a_token_in_the_query_is_ignored(client: Any, tokens: Any, path: str) -> None:
    """THREATS, headers: addresses end up in logs."""
    query = f"?refresh={tokens.refresh}&access={tokens.access}&token={tokens.access}"
    assert client.post(path + query, {}, format="json").status_code in (400, 403)
