"""``override_settings`` reaches every endpoint of the kit, and what it changed is as before on exit."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from rest_framework.response import Response
from rest_framework.views import exception_handler

from tests.conftest import PASSWORD, bearer

pytestmark = pytest.mark.django_db

OTHER_KEY = "another-key-that-is-long-enough-for-hmac-with-sha-256-and-512-as-well-really"


def payload_of(token: str) -> dict[str, Any]:
    """Return what a token says, unverified."""
    return jwt.decode(token, options={"verify_signature": False})


def nobody(user: Any) -> bool:
    """Let nobody in: a project's ``USER_AUTHENTICATION_RULE``."""
    return False


def everybody(user: Any) -> bool:
    """Let everybody in who was found."""
    return user is not None


def wrapped(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Wrap errors, as a project's ``EXCEPTION_HANDLER`` does."""
    response = exception_handler(exc, context)
    if response is not None:
        response.data = {"error": response.data}
    return response


@pytest.fixture
def works(client: Any, post: Any) -> Any:
    """A function that tells the status of each endpoint for a pair of tokens."""

    def works(pair: Any, header: str = "HTTP_AUTHORIZATION", scheme: str = "Bearer") -> dict[str, int]:
        sent = {header: f"{scheme} {pair.access}"}
        return {
            "me": client.get("/api/me/", **sent).status_code,
            "sessions": client.get("/api/sessions/", **sent).status_code,
            "verify access": post("token/verify/", token=pair.access).status_code,
            "verify refresh": post("token/verify/", token=pair.refresh).status_code,
            "refresh": post("token/refresh/", refresh=pair.refresh).status_code,
        }

    return works


@contextmanager
def simple_jwt(**keys: Any) -> Any:
    """Override keys of ``SIMPLE_JWT``."""
    with override_settings(SIMPLE_JWT=keys):
        yield


ALL_GOOD = {"me": 200, "sessions": 200, "verify access": 200, "verify refresh": 200, "refresh": 200}
ALL_BAD = dict.fromkeys(ALL_GOOD, 401)


@pytest.mark.parametrize(
    ("overridden", "claim"),
    [
        ({"SIMPLE_JWT": {"ALGORITHM": "HS512", "SIGNING_KEY": OTHER_KEY}}, None),
        ({"SIMPLE_JWT": {"ALGORITHM": "HS384"}}, None),
        ({"SIMPLE_JWT": {"SIGNING_KEY": OTHER_KEY}}, None),
        ({"SECRET_KEY": OTHER_KEY}, None),
        ({"SIMPLE_JWT": {"ISSUER": "https://issuer.example"}}, "iss"),
        ({"SIMPLE_JWT": {"AUDIENCE": "https://api.example"}}, "aud"),
        ({"SIMPLE_JWT": {"AUDIENCE": ["a", "b"]}}, "aud"),
        ({"SIMPLE_JWT": {"USER_ID_CLAIM": "sub"}}, "sub"),
        ({"SIMPLE_JWT": {"JTI_CLAIM": "token_id"}}, "token_id"),
        ({"SIMPLE_JWT": {"TOKEN_TYPE_CLAIM": "kind"}}, "kind"),
    ],
    ids=lambda value: str(value)[:60],
)
class TestWhatTokensSay:
    """Settings that change what a token says or how it is signed."""

    def test_all_endpoints_agree_while_it_lasts(
        self, sign_in: Any, works: Any, overridden: dict[str, Any], claim: str | None
    ) -> None:
        """Issue 2.2: sign-in, requests, verify and refresh read the same settings."""
        with override_settings(**overridden):
            pair = sign_in()
            assert works(pair) == ALL_GOOD
            assert claim is None or all(claim in payload_of(token) for token in pair)

    def test_tokens_from_before_are_refused_while_it_lasts(
        self, sign_in: Any, works: Any, overridden: dict[str, Any], claim: str | None
    ) -> None:
        """Issue 2.2: nothing of the former settings is left over."""
        pair = sign_in()
        with override_settings(**overridden):
            assert works(pair) == ALL_BAD

    def test_it_reverts(self, sign_in: Any, works: Any, overridden: dict[str, Any], claim: str | None) -> None:
        """Issue 2.2: on exit all is as before, and nothing of the override is left over."""
        before = sign_in()
        with override_settings(**overridden):
            during = sign_in()
        assert works(before) == ALL_GOOD
        # An issuer that nobody asks for is no fault (RFC 7519 4.1.1); an audience that is not us is.
        assert works(during) == (ALL_GOOD if claim == "iss" else ALL_BAD)


def test_no_claim_is_named_as_before(sign_in: Any) -> None:
    """A renamed claim does not stand under its old name too."""
    with simple_jwt(USER_ID_CLAIM="sub", JTI_CLAIM="token_id", TOKEN_TYPE_CLAIM="kind"):
        for token in sign_in():
            assert not {"user_id", "jti", "token_type"} & payload_of(token).keys()


@pytest.mark.usefixtures("clock", "user")
@pytest.mark.parametrize(
    ("setting", "kind", "answered"),
    [("ACCESS_TOKEN_LIFETIME", "access", "expires_in"), ("REFRESH_TOKEN_LIFETIME", "refresh", "refresh_expires_in")],
)
def test_lifetimes(post: Any, setting: str, kind: str, answered: str) -> None:
    """FR-003 and FR-004: at sign-in and at refresh; on exit the default counts again."""

    def lasts(answer: Any) -> tuple[int, int]:
        payload = payload_of(answer.json()[kind])
        return answer.json()[answered], payload["exp"] - payload["iat"]

    def asked() -> Any:
        return post("token/", username="alice", password=PASSWORD)

    usual = lasts(asked())
    with simple_jwt(**{setting: timedelta(seconds=77)}):
        answer = asked()
        assert lasts(answer) == (77, 77)
        assert lasts(post("token/refresh/", refresh=answer.json()["refresh"])) == (77, 77)
    assert lasts(asked()) == usual


def test_leeway(clock: Any, client: Any, sign_in: Any) -> None:
    """``LEEWAY`` forgives a clock that is behind, in seconds or as a ``timedelta``."""
    pair = sign_in()
    clock.shift(timedelta(minutes=5, seconds=10))
    assert client.get("/api/me/", **bearer(pair.access)).status_code == 401
    for leeway in (11, timedelta(seconds=11), 11.0):
        with simple_jwt(LEEWAY=leeway):
            assert client.get("/api/me/", **bearer(pair.access)).status_code == 200
    assert client.get("/api/me/", **bearer(pair.access)).status_code == 401


def test_leeway_at_refresh(clock: Any, post: Any, sign_in: Any) -> None:
    """``LEEWAY`` counts for the row of the session as it does for the token."""
    refresh = sign_in().refresh
    clock.shift(timedelta(days=1, seconds=10))
    with simple_jwt(LEEWAY=11):
        assert post("token/refresh/", refresh=refresh).status_code == 200


@pytest.mark.parametrize("types", [("JWT",), ["JWT"], "JWT", ("Token", "JWT")])
def test_auth_header_types(client: Any, tokens: Any, types: Any) -> None:
    """``AUTH_HEADER_TYPES``, as a tuple, a list or one word; the challenge names the first."""
    first = types if isinstance(types, str) else types[0]
    with simple_jwt(AUTH_HEADER_TYPES=types):
        assert client.get("/api/me/", HTTP_AUTHORIZATION=f"JWT {tokens.access}").status_code == 200
        assert client.get("/api/me/", **bearer(tokens.access)).status_code == 403
        answer = client.get("/api/me/", HTTP_AUTHORIZATION="JWT garbage")
        assert answer["WWW-Authenticate"].startswith(f'{first} realm="api"')
        answer = client.post("/api/token/", {"username": "a", "password": "b"}, format="json")
        assert answer["WWW-Authenticate"].startswith(f'{first} realm="api"')
    assert client.get("/api/me/", HTTP_AUTHORIZATION=f"JWT {tokens.access}").status_code == 403
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200


def test_auth_header_name(client: Any, tokens: Any) -> None:
    """``AUTH_HEADER_NAME``: another header, and no longer the usual one."""
    with simple_jwt(AUTH_HEADER_NAME="HTTP_X_ACCESS_TOKEN"):
        assert client.get("/api/me/", HTTP_X_ACCESS_TOKEN=f"Bearer {tokens.access}").status_code == 200
        assert client.get("/api/me/", HTTP_X_ACCESS_TOKEN="Bearer x").status_code == 401
        assert client.get("/api/me/", **bearer(tokens.access)).status_code == 403
    assert client.get("/api/me/", HTTP_X_ACCESS_TOKEN=f"Bearer {tokens.access}").status_code == 403


def test_rotate_refresh_tokens(post: Any, tokens: Any) -> None:
    """``ROTATE_REFRESH_TOKENS = False`` and back."""
    with simple_jwt(ROTATE_REFRESH_TOKENS=False):
        assert "refresh" not in post("token/refresh/", refresh=tokens.refresh).json()
    assert "refresh" in post("token/refresh/", refresh=tokens.refresh).json()


def test_check_user_is_active(client: Any, post: Any, tokens: Any, django_user_model: Any) -> None:
    """``CHECK_USER_IS_ACTIVE = False`` lets inactive users go on with what they have."""
    django_user_model.objects.update(is_active=False)
    with simple_jwt(CHECK_USER_IS_ACTIVE=False):
        assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200
        assert post("token/refresh/", refresh=tokens.refresh).status_code == 200
    assert client.get("/api/me/", **bearer(tokens.access)).json()["code"] == "user_inactive"


def test_check_user_is_active_at_sign_in(post: Any, user: Any, settings: Any, django_user_model: Any) -> None:
    """``CHECK_USER_IS_ACTIVE = False`` with a backend that finds inactive users."""
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]
    django_user_model.objects.update(is_active=False)
    with simple_jwt(CHECK_USER_IS_ACTIVE=False):
        assert post("token/", username="alice", password=PASSWORD).status_code == 200
    assert post("token/", username="alice", password=PASSWORD).status_code == 401


def test_user_authentication_rule(post: Any, tokens: Any) -> None:
    """``USER_AUTHENTICATION_RULE`` decides at sign-in and at refresh."""
    with simple_jwt(USER_AUTHENTICATION_RULE=f"{__name__}.nobody"):
        assert post("token/", username="alice", password=PASSWORD).json()["code"] == "no_active_account"
        answer = post("token/refresh/", refresh=tokens.refresh)
        assert (answer.status_code, answer.json()["reason"]) == (401, "user_inactive")
    assert post("token/refresh/", refresh=tokens.refresh).status_code == 200


def test_user_authentication_rule_of_simplejwts(post: Any, user: Any) -> None:
    """The path of simplejwt's own rule, copied from its docs, works."""
    rule = "rest_framework_simplejwt.authentication.default_user_authentication_rule"
    with simple_jwt(USER_AUTHENTICATION_RULE=rule):
        assert post("token/", username="alice", password=PASSWORD).status_code == 200
        assert post("token/", username="alice", password="wrong").status_code == 401


def test_user_id_field(sign_in: Any, works: Any) -> None:
    """``USER_ID_FIELD`` may be another unique field."""
    with simple_jwt(USER_ID_FIELD="username"):
        pair = sign_in()
        assert payload_of(pair.access)["user_id"] == "alice"
        assert works(pair) == ALL_GOOD


def test_secret_key_fallbacks(sign_in: Any, works: Any) -> None:
    """DESIGN 7: after a change of ``SECRET_KEY`` the former key verifies as long as it is a fallback."""
    former = django_settings.SECRET_KEY
    pair = sign_in()
    with override_settings(SECRET_KEY=OTHER_KEY, SECRET_KEY_FALLBACKS=[former]):
        assert works(pair) == ALL_GOOD
    with override_settings(SECRET_KEY=OTHER_KEY, SECRET_KEY_FALLBACKS=[]):
        assert works(pair) == ALL_BAD


def test_a_session_goes_on_under_the_new_secret_key(sign_in: Any, post: Any, client: Any) -> None:
    """DESIGN 7: once refreshed under the new key, the fallback can be taken away."""
    former = django_settings.SECRET_KEY
    pair = sign_in()
    with override_settings(SECRET_KEY=OTHER_KEY, SECRET_KEY_FALLBACKS=[former]):
        answer = post("token/refresh/", refresh=pair.refresh).json()
    with override_settings(SECRET_KEY=OTHER_KEY):
        assert client.get("/api/me/", **bearer(answer["access"])).status_code == 200
        assert post("token/refresh/", refresh=answer["refresh"]).status_code == 200


@pytest.mark.parametrize("path", ["/api/me/", "/api/sessions/"])
def test_anonymous_status(client: Any, path: str) -> None:
    """DESIGN 2.2: 401 with RFC 6750's challenge, and 403 again on exit."""
    with override_settings(DRF_JWT_KIT={"ANONYMOUS_STATUS": 401}):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert client.get(path).status_code == 403


def test_session_lifetime(sign_in: Any, client: Any, clock: Any, post: Any) -> None:
    """``SESSION_LIFETIME`` counts for sessions that begin while it is set."""
    with override_settings(DRF_JWT_KIT={"SESSION_LIFETIME": timedelta(minutes=1)}):
        pair = sign_in()
    clock.shift(timedelta(minutes=1))
    assert post("token/refresh/", refresh=pair.refresh).json()["reason"] == "expired"
    assert client.get("/api/me/", **bearer(pair.access)).json()["reason"] == "expired"


def test_refresh_grace_period(sign_in: Any, post: Any) -> None:
    """``REFRESH_GRACE_PERIOD = 0`` is strict, from the next request on."""
    refresh = sign_in().refresh
    post("token/refresh/", refresh=refresh)
    assert post("token/refresh/", refresh=refresh).status_code == 200
    with override_settings(DRF_JWT_KIT={"REFRESH_GRACE_PERIOD": timedelta(0)}):
        assert post("token/refresh/", refresh=refresh).json()["reason"] == "reused"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("get", "/api/me/", 403), ("get", "/api/sessions/", 403), ("post", "/api/token/", 400)],
)
def test_a_projects_exception_handler(client: Any, method: str, path: str, status: int) -> None:
    """``REST_FRAMEWORK["EXCEPTION_HANDLER"]`` reaches every endpoint."""
    with override_settings(REST_FRAMEWORK={"EXCEPTION_HANDLER": f"{__name__}.wrapped"}):
        answer = getattr(client, method)(path, {}, format="json")
        assert (answer.status_code, set(answer.json())) == (status, {"error"})
    assert "error" not in getattr(client, method)(path, {}, format="json").json()


def test_rest_framework_is_no_source_of_simple_jwt(client: Any, tokens: Any, works: Any) -> None:
    """DESIGN 2.3, traps: with ``SIMPLE_JWT`` absent simplejwt reads ``REST_FRAMEWORK``; the kit does not."""
    with override_settings(REST_FRAMEWORK={"ALGORITHM": "HS512", "SIGNING_KEY": OTHER_KEY}):
        assert works(tokens) == ALL_GOOD


@pytest.mark.parametrize("empty", [{}, None])
def test_simple_jwt_empty(sign_in: Any, works: Any, empty: Any) -> None:
    """``SIMPLE_JWT = {}`` means the defaults."""
    with override_settings(SIMPLE_JWT=empty):
        assert works(sign_in()) == ALL_GOOD


def test_the_settings_are_never_changed(sign_in: Any, works: Any) -> None:
    """DESIGN 2.3, traps: whatever the kit does, ``django.conf.settings`` stays as the project wrote it."""
    project = {
        "SIMPLE_JWT": {"ACCESS_TOKEN_LIFETIME": timedelta(minutes=1)},
        "REST_FRAMEWORK": {"PAGE_SIZE": 10},
        "DRF_JWT_KIT": {"TRUSTED_PROXIES": 1},
    }
    written = copy.deepcopy(project)
    with override_settings(**project):
        works(sign_in())
        assert project == written
        assert {name: getattr(django_settings, name) for name in written} == written
    assert not {"SIMPLE_JWT", "REST_FRAMEWORK", "DRF_JWT_KIT"} & set(dir(django_settings._wrapped))


def test_a_broken_kit_setting_opens_nothing(client: Any, tokens: Any) -> None:
    """Law 8: a server started past the checks refuses rather than run on half-read settings."""
    with override_settings(DRF_JWT_KIT={"ANONYMOUS_STATUS": "401"}):
        assert client.get("/api/me/", **bearer("garbage")).status_code >= 400
        assert client.get("/api/me/").status_code >= 400
    assert client.get("/api/me/", **bearer(tokens.access)).status_code == 200
