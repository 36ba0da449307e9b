"""System checks, by id: one test for each fault."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import ERROR, WARNING, Tags, run_checks
from django.test import override_settings
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.views import APIView

from drf_jwt_kit.authentication import JWTAuthentication


def messages() -> list[Any]:
    """Return what the kit's checks say."""
    return [message for message in run_checks(tags=[Tags.security]) if message.id.startswith("drf_jwt_kit")]


def ids() -> list[str]:
    """Return their ids without the app's name."""
    return [message.id.removeprefix("drf_jwt_kit.") for message in messages()]


def claims(user: Any, session: Any) -> dict[str, Any]:
    """Return no claims: something that ``CLAIMS`` can name."""
    return {}


NO_FUNCTION = "a text"


class OwnAuthentication(JWTAuthentication):
    """A project's own authenticator on the kit's."""


def test_a_plain_installation_has_no_fault() -> None:
    """Issue 2.2: silence where all is well."""
    assert messages() == []


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"ANONYMUS_STATUS": 401}, "Did you mean 'ANONYMOUS_STATUS'?"),
        ({"refresh_grace_period": timedelta(0)}, None),
        ({"SESION_LIFETIME": None}, "Did you mean 'SESSION_LIFETIME'?"),
        ({"ANONYMOUS_STATUS": 404}, None),
        ({"ANONYMOUS_STATUS": "401"}, None),
        ({"ANONYMOUS_STATUS": True}, None),
        ({"PROTECT_BY_DEFAULT": 1}, None),
        ({"PROTECT_BY_DEFAULT": "yes"}, None),
        ({"REFRESH_GRACE_PERIOD": 30}, None),
        ({"REFRESH_GRACE_PERIOD": timedelta(seconds=-1)}, None),
        ({"SESSION_LIFETIME": timedelta(0)}, None),
        ({"SESSION_LIFETIME": 0}, None),
        ({"MAX_SESSIONS_PER_USER": 0}, None),
        ({"MAX_SESSIONS_PER_USER": True}, None),
        ({"MAX_SESSIONS_PER_USER": "3"}, None),
        ({"RECORD_USER_AGENT": None}, None),
        ({"RECORD_IP_ADDRESS": 0}, None),
        ({"ACCEPT_SESSIONLESS_ACCESS": "no"}, None),
        ({"CLAIMS": print}, None),
        ({"CLAIMS": "claims"}, None),
        ({"SIGN_IN_GATE": 5}, None),
        ({"LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "5 per minute"}, None),
        ({"LOGIN_FAILURES_PER_ADDRESS": "0/1h"}, None),
        ({"LOGIN_FAILURES_PER_ACCOUNT": "5/1w"}, None),
        ({"LOGIN_FAILURES_PER_ACCOUNT": "5/1h\n"}, None),
        ({"LOGIN_FAILURES_PER_ACCOUNT": 5}, None),
        ({"TRUSTED_PROXIES": -1}, None),
        ({"TRUSTED_PROXIES": False}, None),
        ({"THROTTLE_FAILS_OPEN": "False"}, None),
        ({1: 2}, None),
        ([], None),
        ("ANONYMOUS_STATUS", None),
        (None, None),
    ],
    ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", str(value))[:50],
)
def test_e001_a_fault_in_the_kits_settings(settings: Any, values: Any, hint: str | None) -> None:
    """DESIGN 2.3: an unknown key, a wrong type or an impossible value, with a did-you-mean."""
    settings.DRF_JWT_KIT = values
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E001", ERROR)
    assert hint is None or message.hint.startswith(hint)


def test_e001_names_every_fault(settings: Any) -> None:
    """One message for each, so that one run is enough."""
    settings.DRF_JWT_KIT = {"ANONYMOUS_STATUS": 1, "TRUSTED_PROXIES": "1", "NOPE": 1}
    assert ids() == ["E001"] * 3


@pytest.mark.parametrize("key", ["CLAIMS", "SIGN_IN_GATE"])
@pytest.mark.parametrize(
    "path",
    ["no.such.module", f"{__name__}.no_such_name", f"{__name__}.NO_FUNCTION", "json.", ".claims", "a..b", "..", " . "],
)
def test_e002_a_path_that_leads_nowhere(settings: Any, key: str, path: str) -> None:
    """DESIGN 2.3: what cannot be imported and called."""
    settings.DRF_JWT_KIT = {key: path}
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E002", ERROR)
    assert path in message.msg


def test_e002_is_silent_where_e001_speaks(settings: Any) -> None:
    """A dict too broken to read has one message."""
    settings.DRF_JWT_KIT = {"CLAIMS": "no.such.module", "NOPE": 1}
    assert ids() == ["E001"]


def test_a_path_that_leads_somewhere_is_no_fault(settings: Any) -> None:
    """A function that can be called."""
    settings.DRF_JWT_KIT = {"CLAIMS": f"{__name__}.claims", "SIGN_IN_GATE": f"{__name__}.claims"}
    assert messages() == []


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("ACCES_TOKEN_LIFETIME", "Did you mean 'ACCESS_TOKEN_LIFETIME'?"),
        ("ROTATE_REFRESH_TOKEN", "Did you mean 'ROTATE_REFRESH_TOKENS'?"),
        ("xyzzy", "See "),
    ],
)
def test_w003_an_unknown_key_of_simple_jwt(settings: Any, key: str, hint: str) -> None:
    """Issue 2.2: what nothing reads, with a did-you-mean."""
    settings.SIMPLE_JWT = {key: True}
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.W003", WARNING)
    assert message.hint.startswith(hint)


@pytest.mark.parametrize("name", ["ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME"])
@pytest.mark.parametrize("value", [300, "5m", None, timedelta(0), timedelta(seconds=-1)], ids=str)
def test_e004_a_lifetime_that_is_none(settings: Any, name: str, value: Any) -> None:
    """Issue 2.2: not a ``timedelta``, or not longer than nothing."""
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
    ("classes", "expected"),
    [
        (["rest_framework_simplejwt.authentication.JWTAuthentication"], ["W008"]),
        (["rest_framework.authentication.SessionAuthentication"], ["W008"]),
        ([], ["W008"]),
        (["drf_jwt_kit.authentication.JWTAuthentication"], []),
        (
            [
                "rest_framework.authentication.SessionAuthentication",
                "drf_jwt_kit.authentication.JWTAuthentication",
            ],
            [],
        ),
        ([f"{__name__}.OwnAuthentication"], []),
    ],
    ids=" ".join,
)
def test_w008_no_jwt_authenticator_among_the_defaults(settings: Any, classes: list[str], expected: list[str]) -> None:
    """Issue 2.2: simplejwt's own does not know which sessions were ended."""
    settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": classes}
    assert ids() == expected


@pytest.mark.parametrize(
    ("attribute", "frozen", "key"),
    [
        ("permission_classes", [AllowAny], "DEFAULT_PERMISSION_CLASSES"),
        ("permission_classes", (), "DEFAULT_PERMISSION_CLASSES"),
        ("authentication_classes", [], "DEFAULT_AUTHENTICATION_CLASSES"),
    ],
)
class TestLateInstallation:
    """E009: DRF's views froze other defaults than the kit's (tests/projects does it for real)."""

    @pytest.fixture(autouse=True)
    def _frozen(self, monkeypatch: Any, attribute: str, frozen: Any, key: str) -> None:
        """Leave DRF's base view as an early import leaves it."""
        monkeypatch.setattr(APIView, attribute, frozen)

    def test_it_is_an_error_that_says_how_to_mend_it(self, attribute: str, frozen: Any, key: str) -> None:
        """Law 7: never silently open."""
        [message] = messages()
        assert (message.id, message.level) == ("drf_jwt_kit.E009", ERROR)
        assert key in message.msg
        assert "Do not import DRF's views in settings" in message.hint

    def test_a_project_that_names_the_default_means_it(
        self, settings: Any, attribute: str, frozen: Any, key: str
    ) -> None:
        """The project wins, always."""
        settings.REST_FRAMEWORK = {key: ["drf_jwt_kit.authentication.JWTAuthentication"]}
        assert "E009" not in ids()

    def test_a_project_that_opted_out_means_it(self, settings: Any, attribute: str, frozen: Any, key: str) -> None:
        """``PROTECT_BY_DEFAULT = False``."""
        settings.DRF_JWT_KIT = {"PROTECT_BY_DEFAULT": False}
        assert "E009" not in ids()


def test_a_project_with_another_rest_framework_dict_is_checked(settings: Any, monkeypatch: Any) -> None:
    """Law 7: other keys say nothing of protection."""
    settings.REST_FRAMEWORK = {"PAGE_SIZE": 3}
    assert messages() == []
    monkeypatch.setattr(APIView, "permission_classes", [AllowAny])
    assert ids() == ["E009"]
    monkeypatch.setattr(APIView, "permission_classes", [IsAuthenticated])
    assert messages() == []


@pytest.mark.parametrize(
    "overridden",
    [
        {"DRF_JWT_KIT": {"NOPE": 1}},
        {"DRF_JWT_KIT": {"CLAIMS": "no.where"}},
        {"SIMPLE_JWT": {"NOPE": 1}},
        {"SIMPLE_JWT": {"ACCESS_TOKEN_LIFETIME": 1}},
        {"SIMPLE_JWT": {"SIGNING_KEY": "x"}},
    ],
    ids=str,
)
def test_every_message_says_where_to_read_on(overridden: dict[str, Any]) -> None:
    """STYLE: id, hint, docs link."""
    with override_settings(**overridden):
        assert all(message.hint and "checks" in message.hint for message in messages())


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


def test_keys_at_a_jwks_url_are_not_tried(settings: Any) -> None:
    """Checks send no requests."""
    settings.SIMPLE_JWT = {"ALGORITHM": "RS256", "JWK_URL": "http://127.0.0.1:1/jwks.json"}
    assert messages() == []


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ("django.core.cache.backends.dummy.DummyCache", ["drf_jwt_kit.E010"]),
        ("django.core.cache.backends.locmem.LocMemCache", ["drf_jwt_kit.W011"]),
        ("django.core.cache.backends.redis.RedisCache", []),
    ],
)
def test_e010_and_w011_a_cache_that_does_not_count(backend: str, expected: list[str]) -> None:
    """THREATS, sessions: a cache that lies is named, in deploy mode."""
    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:6379/0"}}):
        deployed = run_checks(tags=[Tags.security], include_deployment_checks=True)
        assert [message.id for message in deployed if message.id.startswith("drf_jwt_kit")] == expected
        assert messages() == []
