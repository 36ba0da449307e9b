"""What the user asked for, by the names of DESIGN.md 1: never to regress."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import argon2
import jwt
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, get_hasher, make_password
from django.core.management.utils import get_random_secret_key
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import get_converters
from example import settings as example_settings
from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView
from rest_framework_simplejwt import authentication, backends, serializers, tokens, views

import drf_jwt_kit.authentication
import drf_jwt_kit.backends
import drf_jwt_kit.conf
import drf_jwt_kit.serializers
import drf_jwt_kit.tokens
import drf_jwt_kit.views
from tests.conftest import PASSWORD, bearer

pytestmark = pytest.mark.django_db

# The endpoints that take credentials in their bodies, and the one that the example declares public.
NEEDS_NO_TOKEN = {
    "token_obtain_pair",
    "token_refresh",
    "token_verify",
    "token_revoke",
    "token_blacklist",
    "status",
}


class Endpoint(NamedTuple):
    """One method of one route of the example project."""

    name: str
    method: str
    path: str


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield every route beneath ``patterns`` with its whole path."""
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, path)
        else:
            yield path, entry


def filled(route: str) -> str:
    """Return a path that matches the route."""
    for kind in get_converters():
        route = route.replace(f"<{kind}:pk>", "1")
    return "/" + route


def endpoints() -> list[Endpoint]:
    """Return every endpoint of the example project that is a DRF view."""
    found = []
    for route, pattern in routes(get_resolver("example.urls").url_patterns):
        view = getattr(pattern.callback, "cls", None)
        if view is not None and issubclass(view, APIView):
            actions = getattr(pattern.callback, "actions", None) or {
                method: method for method in view.http_method_names if hasattr(view, method)
            }
            found += [Endpoint(pattern.name, method, filled(route)) for method in sorted(actions)]
    return [endpoint for endpoint in found if endpoint.method != "options"]


PROTECTED = [endpoint for endpoint in endpoints() if endpoint.name not in NEEDS_NO_TOKEN]


@pytest.fixture
def hostile(clock: Any, sign_in: Any, post: Any) -> dict[str, str]:
    """Headers that must open nothing: one for each way in which a token can be bad."""
    expired = sign_in().access
    clock.shift(timedelta(minutes=5))
    revoked, good = sign_in(), sign_in()
    post("token/revoke/", token=revoked.refresh)
    head, payload, signature = good.access.split(".")
    return {
        "garbage": "Bearer garbage",
        "expired": f"Bearer {expired}",
        "wrong_type": f"Bearer {good.refresh}",
        "revoked": f"Bearer {revoked.access}",
        "tampered": f"Bearer {head}.{payload}.{signature[:-4]}AAAA",
        "unsigned": f"Bearer {jwt.encode({'user_id': '1', 'token_type': 'access'}, None, algorithm='none')}",
    }


def test_us1_valid_credentials_give_both_tokens(post: Any, user: Any) -> None:
    """US1: ``POST /api/token/`` with valid credentials gives ``access`` and ``refresh``."""
    answer = post("token/", username="alice", password=PASSWORD)
    assert answer.status_code == 200
    assert all(answer.json()[kind].count(".") == 2 for kind in ("access", "refresh"))


def test_us1_wrong_credentials_are_a_401(post: Any, user: Any) -> None:
    """US1: with wrong ones 401."""
    assert post("token/", username="alice", password="wrong").status_code == 401


def test_us2_a_refresh_token_gives_a_new_access_token(client: Any, post: Any, tokens: Any) -> None:
    """US2: ``POST /api/token/refresh/`` with a valid refresh token gives a new access token."""
    answer = post("token/refresh/", refresh=tokens.refresh)
    assert answer.status_code == 200
    assert answer.json()["access"] != tokens.access
    assert client.get("/api/me/", **bearer(answer.json()["access"])).status_code == 200


def test_us2_an_expired_or_invalid_refresh_token_is_a_401(post: Any, clock: Any, sign_in: Any) -> None:
    """US2: expired or invalid gives 401."""
    refresh = sign_in().refresh
    assert post("token/refresh/", refresh="invalid").status_code == 401
    clock.shift(timedelta(days=1))
    assert post("token/refresh/", refresh=refresh).status_code == 401


def test_us3_without_a_token_the_answer_is_403(client: Any) -> None:
    """US3: a protected endpoint without a Bearer token answers 403."""
    assert client.get("/api/me/").status_code == 403


def test_us3_with_a_token_the_answer_is_the_data(client: Any, tokens: Any) -> None:
    """US3: with ``Authorization: Bearer <access>`` it answers with the data."""
    answer = client.get("/api/me/", **bearer(tokens.access))
    assert (answer.status_code, answer.json()["username"]) == (200, "alice")


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        (drf_jwt_kit.tokens.Token, tokens.Token),
        (drf_jwt_kit.tokens.AccessToken, tokens.AccessToken),
        (drf_jwt_kit.tokens.RefreshToken, tokens.RefreshToken),
        (drf_jwt_kit.tokens.UntypedToken, tokens.UntypedToken),
        (drf_jwt_kit.backends.TokenBackend, backends.TokenBackend),
        (drf_jwt_kit.authentication.JWTAuthentication, authentication.JWTAuthentication),
        (drf_jwt_kit.serializers.TokenObtainPairSerializer, serializers.TokenObtainPairSerializer),
        (drf_jwt_kit.serializers.TokenRefreshSerializer, serializers.TokenRefreshSerializer),
        (drf_jwt_kit.serializers.TokenVerifySerializer, serializers.TokenVerifySerializer),
        (drf_jwt_kit.serializers.TokenBlacklistSerializer, serializers.TokenBlacklistSerializer),
        (drf_jwt_kit.views.TokenObtainPairView, views.TokenObtainPairView),
        (drf_jwt_kit.views.TokenRefreshView, views.TokenRefreshView),
        (drf_jwt_kit.views.TokenVerifyView, views.TokenVerifyView),
        (drf_jwt_kit.views.TokenBlacklistView, views.TokenBlacklistView),
    ],
    ids=lambda cls: cls.__module__ + "." + cls.__name__,
)
def test_fr_001_the_classes_are_simplejwts(own: type[Any], theirs: type[Any]) -> None:
    """FR-001: JWTs are made and checked by simplejwt: subclassed, configured, never re-implemented."""
    assert issubclass(own, theirs)


@pytest.mark.parametrize("module", [drf_jwt_kit.tokens, drf_jwt_kit.backends, drf_jwt_kit.authentication])
def test_fr_001_nothing_else_signs_or_verifies(module: Any) -> None:
    """FR-001: no module of the kit calls PyJWT or ``hmac`` itself to make or check a token."""
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert not imported & {"jwt", "hmac"}


@pytest.mark.parametrize(
    ("name", "path"),
    [("token_obtain_pair", "token/"), ("token_refresh", "token/refresh/"), ("token_verify", "token/verify/")],
)
def test_fr_002_endpoints_to_obtain_refresh_and_verify(client: Any, name: str, path: str) -> None:
    """FR-002: they are there, by name and by path."""
    assert reverse(f"drf_jwt_kit:{name}") == f"/api/{path}"
    assert client.post(f"/api/{path}", {}, format="json").status_code == 400


def lifetime(token: str) -> timedelta:
    """Return how long a token lasts."""
    payload = jwt.decode(token, options={"verify_signature": False})
    return timedelta(seconds=payload["exp"] - payload["iat"])


def test_fr_003_the_access_lifetime(clock: Any, sign_in: Any, settings: Any) -> None:
    """FR-003: configurable, default 5 minutes."""
    assert lifetime(sign_in().access) == timedelta(minutes=5)
    settings.SIMPLE_JWT = {"ACCESS_TOKEN_LIFETIME": timedelta(hours=3)}
    assert lifetime(sign_in().access) == timedelta(hours=3)


def test_fr_004_the_refresh_lifetime(clock: Any, sign_in: Any, settings: Any) -> None:
    """FR-004: configurable, default 1 day."""
    assert lifetime(sign_in().refresh) == timedelta(days=1)
    settings.SIMPLE_JWT = {"REFRESH_TOKEN_LIFETIME": timedelta(days=3)}
    assert lifetime(sign_in().refresh) == timedelta(days=3)


def test_fr_005_every_view_is_protected_by_default() -> None:
    """FR-005: with ``IsAuthenticated``, in a project whose settings say nothing of it."""
    assert not hasattr(example_settings, "REST_FRAMEWORK")
    assert APIView.permission_classes == [IsAuthenticated]
    assert APIView.authentication_classes == [drf_jwt_kit.authentication.JWTAuthentication]


@pytest.mark.parametrize("endpoint", PROTECTED, ids=" ".join)
def test_fr_005_every_endpoint_asks_for_a_token(client: Any, endpoint: Endpoint) -> None:
    """FR-005: nobody had to ask for it."""
    answer = getattr(client, endpoint.method)(endpoint.path)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")


def test_sc_001_the_hasher_is_fast_enough(settings: Any) -> None:
    """SC-001: the example's hasher is Argon2id with 19 MiB, two passes and one lane; benchmarks time it."""
    settings.PASSWORD_HASHERS = example_settings.PASSWORD_HASHERS
    assert isinstance(get_hasher(), Argon2PasswordHasher)
    encoded = make_password(get_random_secret_key())
    assert encoded.startswith("argon2$argon2id$")
    parameters = argon2.extract_parameters(encoded.removeprefix("argon2"))
    assert parameters.memory_cost == 19 * 1024
    assert (parameters.time_cost, parameters.parallelism) == (2, 1)


def test_sc_002_the_walk_finds_the_endpoints() -> None:
    """SC-002: the walk sees what the example project has, so it proves something."""
    assert {endpoint.name for endpoint in endpoints()} >= {"note-list", "note-archive", "me", "session_list"}
    assert {endpoint.name for endpoint in endpoints()} >= NEEDS_NO_TOKEN
    assert len(PROTECTED) >= 11


@pytest.mark.parametrize("kind", ["garbage", "expired", "wrong_type", "revoked", "tampered", "unsigned"])
def test_sc_002_every_protected_endpoint_refuses_a_bad_token(client: Any, hostile: dict[str, str], kind: str) -> None:
    """SC-002: 100 % of protected endpoints reject requests without a valid Bearer token."""
    for endpoint in PROTECTED:
        answer = getattr(client, endpoint.method)(endpoint.path, HTTP_AUTHORIZATION=hostile[kind])
        assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid"), endpoint
        assert answer.json()["reason"] == (kind if kind in {"expired", "wrong_type", "revoked"} else "invalid")
        assert 'error="invalid_token"' in answer["WWW-Authenticate"]


def test_sc_002_every_protected_endpoint_lets_a_good_token_in(client: Any, sign_in: Any) -> None:
    """SC-002: it is the token that is refused, not everybody."""
    for endpoint in PROTECTED:
        answer = getattr(client, endpoint.method)(endpoint.path, **bearer(sign_in().access))
        assert answer.status_code not in {401, 403}, endpoint


def test_sc_003_an_expired_token_is_named(client: Any, clock: Any, sign_in: Any, post: Any) -> None:
    """SC-003: a clear sentence, a stable code and a reason, at a protected endpoint and at refresh."""
    pair = sign_in()
    clock.shift(timedelta(days=1))
    for answer in (client.get("/api/me/", **bearer(pair.access)), post("token/refresh/", refresh=pair.refresh)):
        assert answer.status_code == 401
        assert "Token is expired" in str(answer.json()["detail"])
        assert (answer.json()["code"], answer.json()["reason"]) == ("token_not_valid", "expired")
