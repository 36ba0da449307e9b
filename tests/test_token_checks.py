"""The system checks of SIMPLE_JWT, each by its id."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.checks import ERROR, WARNING
from django.db import models
from django.test import override_settings
from django.test.utils import isolate_apps
from django.urls import path

from drf_jwt_kit import token_checks
from drf_jwt_kit.views import TokenRefreshView
from tests.test_checks import ids, messages
from tests.test_doctor import pem


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("id", []),
        ("pk", []),
        ("username", []),
        (["id"], ["E026"]),
        (None, ["E026"]),
        ("email", ["E026"]),
        ("uuid", ["E026"]),
        ("ID", ["E026"]),
    ],
)
def test_a_user_is_named_by_a_unique_field(settings: Any, name: Any, expected: list[str]) -> None:
    """E026: ``email`` of Django's own user is not unique, and would let one user be taken for another."""
    settings.SIMPLE_JWT = {"USER_ID_FIELD": name}
    assert ids() == expected


@isolate_apps("tests")
@pytest.mark.parametrize(("name", "expected"), [("person_id", []), ("pk", []), ("person", ["E026"])])
def test_a_user_whose_key_is_another_row_is_named_by_its_column(
    settings: Any, monkeypatch: pytest.MonkeyPatch, name: str, expected: list[str]
) -> None:
    """E026: the other name is that of an object, which no claim can be."""

    class Member(AbstractBaseUser):
        """Who may sign in."""

        person = models.OneToOneField("self", models.CASCADE, primary_key=True)

        class Meta:
            """It is no model of an app's."""

            app_label = "tests"

    monkeypatch.setattr(token_checks, "get_user_model", lambda: Member)
    settings.SIMPLE_JWT = {"USER_ID_FIELD": name}
    assert [found.id.rpartition(".")[2] for found in token_checks.check_user_id()] == expected


def test_a_user_is_named_by_a_field_that_everybody_has(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """E026: nobody could be told from a user called "None"."""
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "username"}
    monkeypatch.setattr(get_user_model()._meta.get_field("username"), "null", True)
    assert ids() == ["E026"]


NEEDED = ["objects", "get_session_auth_hash", "get_session_auth_fallback_hash"]


@pytest.mark.parametrize("name", NEEDED)
def test_e029_a_user_model_that_lacks_what_tokens_need(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A sign-in was a 500: simplejwt finds users by the first, sessions know credentials by the others."""
    has = dict.fromkeys(NEEDED)
    del has[name]
    customer = type("Customer", (), {**has, "_meta": get_user_model()._meta})
    monkeypatch.setattr(token_checks, "get_user_model", lambda: customer)
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E029", ERROR)
    assert name in message.msg


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("ACCES_TOKEN_LIFETIME", "Did you mean 'ACCESS_TOKEN_LIFETIME'?"),
        ("ROTATE_REFRESH_TOKEN", "Did you mean 'ROTATE_REFRESH_TOKENS'?"),
        ("xyzzy", "See "),
        (5, "See "),
    ],
)
def test_w003_an_unknown_key_of_simple_jwt(settings: Any, key: str, hint: str) -> None:
    """Issue 2.2: what nothing reads, with a did-you-mean."""
    settings.SIMPLE_JWT = {key: True}
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.W003", WARNING)
    assert message.hint.startswith(hint)


@pytest.mark.parametrize("name", ["ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME"])
@pytest.mark.parametrize("value", [300, "5m", None, timedelta(0), timedelta(seconds=-1), timedelta.max], ids=str)
def test_e004_a_lifetime_that_is_none(settings: Any, name: str, value: Any) -> None:
    """Issue 2.2: not a ``timedelta``, not longer than nothing, or longer than there are dates for."""
    settings.SIMPLE_JWT = {name: value}
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E004", ERROR)
    assert name in message.msg


@pytest.mark.parametrize(
    "lifetimes",
    [
        {"REFRESH_TOKEN_LIFETIME": timedelta(minutes=5)},
        {"REFRESH_TOKEN_LIFETIME": timedelta(minutes=1)},
        {"ACCESS_TOKEN_LIFETIME": timedelta(days=1)},
        {"ACCESS_TOKEN_LIFETIME": timedelta(days=2)},
    ],
    ids=str,
)
def test_e005_refresh_not_longer_than_access(settings: Any, lifetimes: Any) -> None:
    """Issue 2.2: a refresh token that ends first can never be used."""
    settings.SIMPLE_JWT = lifetimes
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E005", ERROR)


@pytest.mark.parametrize("key", ["BLACKLIST_AFTER_ROTATION", "CHECK_REVOKE_TOKEN", "UPDATE_LAST_LOGIN"])
def test_w006_a_setting_that_has_nothing_left_to_do(settings: Any, key: str) -> None:
    """DESIGN 2.3: a check says so; where it is off there is nothing to say."""
    settings.SIMPLE_JWT = {key: True}
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.W006", WARNING)
    assert key in message.msg
    settings.SIMPLE_JWT = {key: False}
    assert messages() == []


@pytest.mark.parametrize(
    "overridden",
    [
        {"SECRET_KEY": "k" * 31},
        {"SIMPLE_JWT": {"SIGNING_KEY": "short"}},
        {"SIMPLE_JWT": {"SIGNING_KEY": b"short"}},
        {"SIMPLE_JWT": {"SIGNING_KEY": ""}},
        {"SIMPLE_JWT": {"SIGNING_KEY": None}},
        {"SIMPLE_JWT": {"ALGORITHM": "HS384", "SIGNING_KEY": "k" * 47}},
        {"SIMPLE_JWT": {"ALGORITHM": "HS512", "SIGNING_KEY": "k" * 63}},
        {"SECRET_KEY_FALLBACKS": ["short"]},
    ],
    ids=str,
)
def test_e007_a_weak_key(overridden: dict[str, Any]) -> None:
    """RFC 7518 3.2: as long as the hash; the message does not repeat the key."""
    with override_settings(**overridden):
        [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E007", ERROR)
    assert "short" not in str(message)
    assert "kkk" not in str(message)


@pytest.mark.parametrize(
    "simple_jwt",
    [
        {"SIGNING_KEY": "k" * 32},
        {"SIGNING_KEY": "ä" * 16},
        {"ALGORITHM": "HS512", "SIGNING_KEY": "k" * 64},
        {"ALGORITHM": "RS256", "SIGNING_KEY": "-", "VERIFYING_KEY": "-"},
    ],
    ids=str,
)
def test_a_key_that_is_long_enough_is_no_fault(settings: Any, simple_jwt: dict[str, Any]) -> None:
    """Bytes count; other kinds of keys have no such length."""
    settings.SIMPLE_JWT = simple_jwt
    assert "E007" not in ids()


@pytest.mark.parametrize("algorithm", [None, 256, "", "none", "HS257"])
def test_an_impossible_algorithm_does_not_break_the_checks(settings: Any, algorithm: Any) -> None:
    """``manage.py check`` is there to say what is wrong, not to fall over it."""
    settings.SIMPLE_JWT = {"ALGORITHM": algorithm}
    assert any(message.level == ERROR for message in messages())


@pytest.mark.parametrize(
    "leeway", ["10", -1, timedelta(seconds=-1), float("nan"), float("inf"), 1e300, [], "", print, True, timedelta.max]
)
def test_e018_a_leeway_that_is_no_time(settings: Any, leeway: Any) -> None:
    """Issue 5.4: simplejwt finds out at each token, and says that the token is bad; E012 must not blame the keys."""
    settings.SIMPLE_JWT = {"LEEWAY": leeway}
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E018", ERROR)


@pytest.mark.parametrize(
    ("leeway", "lifetime", "expected"),
    [
        (300, timedelta(minutes=5), ["W019"]),
        (timedelta(hours=1), timedelta(minutes=5), ["W019"]),
        (299, timedelta(minutes=5), []),
        (60, timedelta(minutes=1), ["W019"]),
        (0, timedelta(minutes=5), []),
        (0.5, timedelta(minutes=5), []),
        (None, timedelta(minutes=5), []),
        (300, 300, ["E004"]),
        (300, timedelta(0), ["E004"]),
    ],
    ids=str,
)
def test_w019_a_leeway_that_outlasts_the_token(settings: Any, leeway: Any, lifetime: Any, expected: list[str]) -> None:
    """Issue 5.4: clocks differ by seconds; no lifetime, no comparison."""
    settings.SIMPLE_JWT = {"LEEWAY": leeway, "ACCESS_TOKEN_LIFETIME": lifetime}
    assert ids() == expected


@pytest.mark.parametrize(
    "simple_jwt",
    [
        {"ALGORITHM": "RS256", "SIGNING_KEY": "no pem", "VERIFYING_KEY": "no pem"},
        {"ALGORITHM": "ES256", "SIGNING_KEY": "k" * 64},
        {"ALGORITHM": "HS999"},
    ],
    ids=str,
)
def test_e012_keys_that_do_not_sign_and_verify(settings: Any, simple_jwt: dict[str, Any]) -> None:
    """DESIGN 7: a sign-and-verify self-test, whose message repeats no key."""
    settings.SIMPLE_JWT = simple_jwt
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E012", ERROR)
    assert "no pem" not in message.msg


PAIR = pem(rsa.generate_private_key(65537, 2048))
JWKS = {"ALGORITHM": "RS256", "JWK_URL": "http://127.0.0.1:1/jwks.json"}
PUBLIC = {"ALGORITHM": "RS256", "VERIFYING_KEY": PAIR["VERIFYING_KEY"]}


def test_keys_at_a_jwks_url_are_not_tried(settings: Any) -> None:
    """Checks send no requests; the key that signs is tried."""
    settings.SIMPLE_JWT = {**JWKS, "SIGNING_KEY": PAIR["SIGNING_KEY"]}
    assert messages() == []


@pytest.mark.parametrize("simple_jwt", [JWKS, {**JWKS, "SIGNING_KEY": None}, {**JWKS, "SIGNING_KEY": "no pem"}])
def test_e012_a_key_that_does_not_sign_beside_a_jwks_url(settings: Any, simple_jwt: dict[str, Any]) -> None:
    """Signing in would answer 500."""
    settings.SIMPLE_JWT = simple_jwt
    assert ids() == ["E012"]


def test_e012_a_key_of_bytes_that_are_no_text(settings: Any) -> None:
    """Python reads them from the environment so; the check died of it."""
    settings.SIMPLE_JWT = {"SIGNING_KEY": "\udcff" * 40}
    assert ids() == ["E012"]


@pytest.mark.parametrize("signing", [{}, {"SIGNING_KEY": None}, {"SIGNING_KEY": ""}], ids=str)
@pytest.mark.parametrize("verifying", [JWKS, PUBLIC], ids=["JWKS", "PEM"])
def test_where_nobody_signs_in_no_key_needs_to_sign(settings: Any, verifying: Any, signing: dict[str, Any]) -> None:
    """A service that takes another one's tokens; where there is a sign-in, it would answer 500."""
    settings.SIMPLE_JWT = {**verifying, **signing}
    assert ids() == ["E012"]
    settings.ROOT_URLCONF = "notes.urls"
    assert messages() == []


class _Refreshes:
    """A URLconf that refreshes, and signs nobody in."""

    urlpatterns = (path("refresh/", TokenRefreshView.as_view()),)


def test_e012_a_service_that_refreshes_makes_tokens(settings: Any) -> None:
    """It would answer 500."""
    settings.SIMPLE_JWT = {**PUBLIC, "SIGNING_KEY": ""}
    settings.ROOT_URLCONF = _Refreshes
    assert ids() == ["E012"]


@pytest.mark.parametrize(
    "simple_jwt",
    [
        {**JWKS, "SIGNING_KEY": "no"},
        {**PUBLIC, "SIGNING_KEY": "no"},
        {**PUBLIC, "VERIFYING_KEY": "no"},
        {**PUBLIC, "ALGORITHM": "ES256"},
        {**JWKS, "ALGORITHM": "RS999"},
        {"ALGORITHM": "RS256"},
        {"ALGORITHM": "RS256", "VERIFYING_KEY": ""},
    ],
    ids=["JWKS and no key", "PEM and no key", "no PEM", "another algorithm", "no algorithm", "nothing", "empty"],
)
def test_e012_a_service_that_cannot_verify(settings: Any, simple_jwt: dict[str, Any]) -> None:
    """Nobody signs in there, and no token of another one's is accepted; a key that it has should be one."""
    settings.ROOT_URLCONF = "notes.urls"
    settings.SIMPLE_JWT = simple_jwt
    assert ids() == ["E012"]


@pytest.mark.parametrize(
    "simple_jwt",
    [
        {"USER_ID_CLAIM": "auth_time"},
        {"USER_ID_CLAIM": "iat"},
        {"USER_ID_CLAIM": "aud"},
        {"USER_ID_CLAIM": "sid"},
        {"USER_ID_CLAIM": "gen"},
        {"USER_ID_CLAIM": None},
        {"USER_ID_CLAIM": 1},
        {"USER_ID_CLAIM": "jti"},
        {"USER_ID_CLAIM": "hash_password"},
        {"JTI_CLAIM": "iss"},
        {"JTI_CLAIM": ""},
        {"TOKEN_TYPE_CLAIM": "nbf"},
        {"TOKEN_TYPE_CLAIM": "jti"},
        {"REVOKE_TOKEN_CLAIM": "exp"},
        {"USER_ID_CLAIM": "null"},
        {"TOKEN_TYPE_CLAIM": None, "JTI_CLAIM": None},
    ],
    ids=str,
)
def test_e027_a_claim_that_is_something_else_already(settings: Any, simple_jwt: dict[str, Any]) -> None:
    """With some of these a sign-in was a 500, with others no token was worth anything."""
    settings.SIMPLE_JWT = simple_jwt
    [message] = [message for message in messages() if message.id != "drf_jwt_kit.E012"]
    assert (message.id, message.level) == ("drf_jwt_kit.E027", ERROR)
    assert next(iter(simple_jwt)) in message.msg


@pytest.mark.parametrize(
    "simple_jwt",
    [
        {"USER_ID_CLAIM": "sub"},
        {"JTI_CLAIM": None},
        {"TOKEN_TYPE_CLAIM": None},
        {"JTI_CLAIM": "id", "TOKEN_TYPE_CLAIM": "typ", "USER_ID_CLAIM": "user", "REVOKE_TOKEN_CLAIM": "pw"},
    ],
    ids=str,
)
def test_claims_with_names_of_their_own_are_no_fault(settings: Any, simple_jwt: dict[str, Any]) -> None:
    """Simplejwt's settings keep their meaning."""
    settings.SIMPLE_JWT = simple_jwt
    assert messages() == []


@pytest.mark.parametrize(
    "name", ["Authorization", "HTTP_Authorization", "AUTHORIZATION", "HTTP_X-TOKEN", "HTTP_", "", None]
)
def test_w032_a_header_that_no_request_has(settings: Any, client: Any, tokens: Any, name: Any) -> None:
    """SC-002: nobody is let in, which no test notices that puts the name into ``request.META`` itself."""
    settings.SIMPLE_JWT = {"AUTH_HEADER_NAME": name}
    assert [(it.id, it.level) for it in messages()] == [("drf_jwt_kit.W032", WARNING)]
    assert client.get("/api/me/", headers={"Authorization": f"Bearer {tokens.access}"}).status_code == 403


@pytest.mark.parametrize("name", ["HTTP_AUTHORIZATION", "HTTP_X_ACCESS_TOKEN", "HTTP_X_2"])
def test_a_header_that_a_request_may_have_is_no_fault(settings: Any, name: str) -> None:
    """As WSGI names it."""
    settings.SIMPLE_JWT = {"AUTH_HEADER_NAME": name}
    assert ids() == []


@pytest.mark.parametrize(
    "types", [(), [], "", None, (None,), {"Bearer"}, (b"Bearer",), ("Bearer token",), ("JWT", "")], ids=str
)
def test_e033_no_scheme_that_a_header_can_have(settings: Any, types: Any) -> None:
    """RFC 9110 11.1: a scheme is a token; without one there is no challenge either."""
    settings.SIMPLE_JWT = {"AUTH_HEADER_TYPES": types}
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E033", ERROR)


@pytest.mark.parametrize("types", ["JWT", ("JWT", "Bearer"), ["x-token!"]], ids=str)
def test_a_scheme_that_a_header_can_have_is_no_fault(settings: Any, types: Any) -> None:
    """One, or several."""
    settings.SIMPLE_JWT = {"AUTH_HEADER_TYPES": types}
    assert ids() == []
