"""System checks of ``check --deploy``, by id."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.hashers import BasePasswordHasher, PBKDF2PasswordHasher
from django.core.checks import ERROR, WARNING, Tags, run_checks
from django.middleware.security import SecurityMiddleware
from django.test import override_settings
from django.urls import include, path, re_path
from example import settings as example_settings
from rest_framework_simplejwt import views as simplejwt

from drf_jwt_kit import audit
from drf_jwt_kit.audit import Verdict
from drf_jwt_kit.views import TokenObtainPairView

OFF = dict.fromkeys(
    ("LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS", "LOGIN_FAILURES_PER_ADDRESS", "LOGIN_FAILURES_PER_ACCOUNT")
)
PBKDF2 = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
REDIS = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}


class FewRounds(PBKDF2PasswordHasher):
    """PBKDF2 as OWASP has it."""

    iterations = 600_000


class ManyRounds(PBKDF2PasswordHasher):
    """PBKDF2 as newer versions of Django have it."""

    algorithm = "pbkdf2_many"
    iterations = 1_200_000


class Digest(BasePasswordHasher):
    """A hash that an older application left behind."""

    algorithm = "unsalted_sha1"


class NoAlgorithm(BasePasswordHasher):
    """A hasher that nobody finished."""


@pytest.fixture(autouse=True)
def _sane(settings: Any) -> None:
    """Start from settings that have nothing to be warned of, where the suite's hasher and cache have."""
    settings.PASSWORD_HASHERS = example_settings.PASSWORD_HASHERS
    settings.CACHES = REDIS


def messages(*, deploy: bool = True) -> list[Any]:
    """Return what the kit's checks say."""
    said = run_checks(tags=[Tags.security], include_deployment_checks=deploy)
    return [message for message in said if message.id.startswith("drf_jwt_kit")]


def found() -> list[tuple[str, int]]:
    """Return ids, without the app's name, and levels; nothing of it is said without ``--deploy``."""
    assert messages(deploy=False) == []
    said = messages()
    assert all(f"docs/checks.md#{message.id[-4:].lower()}" in message.hint for message in said)
    return [(message.id.removeprefix("drf_jwt_kit."), message.level) for message in said]


def test_a_sane_deployment_has_no_fault() -> None:
    """Silence where all is well."""
    assert found() == []


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ("django.core.cache.backends.dummy.DummyCache", [("E010", ERROR)]),
        ("django.core.cache.backends.locmem.LocMemCache", [("W011", WARNING)]),
        ("django.core.cache.backends.filebased.FileBasedCache", [("W023", WARNING)]),
        ("django.core.cache.backends.db.DatabaseCache", [("W023", WARNING)]),
        ("django.core.cache.backends.redis.RedisCache", []),
        ("django.core.cache.backends.memcached.PyMemcacheCache", []),
    ],
    ids=lambda value: str(value).rpartition(".")[2],
)
def test_a_cache_that_does_not_count(backend: str, expected: list[Any]) -> None:
    """THREATS, sessions: E010, W011 and W023, a cache that lies is named."""
    with override_settings(CACHES={"default": {"BACKEND": backend, "LOCATION": "nowhere"}}):
        assert found() == expected


@pytest.mark.parametrize("cache", ["dummy.DummyCache", "locmem.LocMemCache", "db.DatabaseCache"])
def test_no_cache_is_needed_where_nothing_is_counted(settings: Any, cache: str) -> None:
    """W024 says what there is to say: sign-in asks no cache, and answers."""
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{cache}", "LOCATION": "nowhere"}}
    settings.DRF_JWT_KIT = OFF
    assert found() == [("W024", WARNING)]


def test_e010_says_what_comes_of_it(settings: Any) -> None:
    """Law 8: 503, unless the project would rather have sign-ins than limits."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    [said] = messages()
    assert said.msg.endswith("sign-in answers 503, or with THROTTLE_FAILS_OPEN goes on without limits.")


@pytest.mark.parametrize(
    ("said", "proxies", "expected"),
    [
        ({"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}, 0, [("W015", WARNING)]),
        ({"USE_X_FORWARDED_HOST": True}, 0, [("W015", WARNING)]),
        ({"USE_X_FORWARDED_PORT": True, "USE_X_FORWARDED_HOST": True}, 0, [("W015", WARNING)]),
        ({"USE_X_FORWARDED_HOST": True}, 1, []),
        ({}, 0, []),
        ({}, 2, []),
    ],
    ids=str,
)
def test_w015_a_proxy_that_the_kit_does_not_know_of(
    settings: Any, said: dict[str, Any], proxies: int, expected: list[Any]
) -> None:
    """Issue 5.4: all users would share one address, and one limit."""
    settings.DRF_JWT_KIT = {"TRUSTED_PROXIES": proxies}
    with override_settings(**said):
        assert found() == expected
        assert all(any(name in message.msg for name in said) for message in messages())


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (OFF, [("W024", WARNING)]),
        ({**OFF, "LOGIN_FAILURES_PER_ADDRESS": "1000/1d"}, []),
        ({"LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": None}, []),
    ],
    ids=["all", "one is left", "one"],
)
def test_w024_no_limit_at_all(settings: Any, values: dict[str, Any], expected: list[Any]) -> None:
    """Issue 5.4: every guess is answered."""
    settings.DRF_JWT_KIT = values
    assert found() == expected


def test_a_broken_dict_is_named_once(settings: Any) -> None:
    """Where E001 speaks, checks that cannot read the dict say nothing."""
    settings.DRF_JWT_KIT = {**OFF, "NOPE": 1}
    settings.USE_X_FORWARDED_HOST = True
    assert [message.id for message in messages()] == ["drf_jwt_kit.E001"]


class OwnSecurityMiddleware(SecurityMiddleware):
    """A project's own."""


OWN_SECURITY = f"{__name__}.OwnSecurityMiddleware"


@pytest.mark.parametrize(
    ("exempt", "expected"),
    [
        (["^api/"], [("W022", WARNING)]),
        (["^health$", ""], [("W022", WARNING)]),
        ([r"token/$"], [("W022", WARNING)]),
        (["^health$"], []),
        ([], []),
    ],
    ids=str,
)
@pytest.mark.parametrize("own", [False, True], ids=["django's", "own"])
def test_w022_an_exemption_that_reaches_the_sign_in(
    settings: Any, client: Any, own: bool, exempt: list[str], expected: list[Any]
) -> None:
    """Issue 5.4: the check says what Django's middleware, or one on it, does with a sign-in over plain http."""
    settings.SECURE_SSL_REDIRECT, settings.SECURE_REDIRECT_EXEMPT = True, exempt
    if own:
        djangos = "django.middleware.security.SecurityMiddleware"
        settings.MIDDLEWARE = [OWN_SECURITY, *(path for path in settings.MIDDLEWARE if path != djangos)]
    assert found() == expected
    assert client.get("/api/token/").status_code == (405 if expected else 301)


class TenantURLs:
    """The kit beneath a path that has a parameter."""

    urlpatterns = [path("<slug:tenant>/", include("drf_jwt_kit.urls"))]


class LanguageURLs:
    """The kit beneath a language."""

    urlpatterns = i18n_patterns(path("api/", include("drf_jwt_kit.urls")))


class OwnURLs:
    """A project's own view on a path of its own, and no others."""

    urlpatterns = [path("login/token/", type("SignIn", (TokenObtainPairView,), {}).as_view())]


class OtherURLs:
    """simplejwt's view, which a project's URLconf had before and still has."""

    urlpatterns = [path("login/token/", simplejwt.TokenObtainPairView.as_view())]


class SlidingURLs:
    """And its other one."""

    urlpatterns = [path("login/token/", simplejwt.TokenObtainSlidingView.as_view())]


@pytest.mark.parametrize("urls", [TenantURLs, LanguageURLs, OwnURLs, OtherURLs, SlidingURLs])
@pytest.mark.parametrize(("exempt", "expected"), [(".*", True), ("token/$", True), ("^health$", False)])
def test_w022_wherever_the_sign_in_is(settings: Any, urls: type, exempt: str, expected: bool) -> None:
    """Its path may have parameters, and the view may be the project's own, or simplejwt's."""
    settings.ROOT_URLCONF = urls
    settings.SECURE_SSL_REDIRECT, settings.SECURE_REDIRECT_EXEMPT = True, [exempt]
    assert (("W022", WARNING) in found()) is expected


class OddURLs:
    """A view on a path that Django itself cannot reverse."""

    urlpatterns = [re_path(r"^login\d+\(old\)/token/$", simplejwt.TokenObtainPairView.as_view())]


def test_w022_a_sign_in_that_no_path_is_found_to(settings: Any) -> None:
    """Its route stands for the path."""
    settings.ROOT_URLCONF = OddURLs
    settings.SECURE_SSL_REDIRECT, settings.SECURE_REDIRECT_EXEMPT = True, [""]
    assert ("W022", WARNING) in found()


@pytest.mark.parametrize(
    "overridden",
    [
        {"SECURE_SSL_REDIRECT": False},
        {"MIDDLEWARE": []},
        {"MIDDLEWARE": ["no.such.middleware"]},
        {"ROOT_URLCONF": "notes.urls"},
        {"ROOT_URLCONF": None},
    ],
    ids=["no redirect", "no middleware", "middleware that is nowhere", "no sign-in", "no URLconf"],
)
def test_w022_leaves_to_django_what_django_says(settings: Any, overridden: dict[str, Any]) -> None:
    """``security.W008`` and ``security.W001`` speak of no redirect and of no middleware."""
    settings.SECURE_SSL_REDIRECT, settings.SECURE_REDIRECT_EXEMPT = True, [""]
    with override_settings(**overridden):
        assert found() == []


@pytest.mark.parametrize(
    ("hasher", "expected"),
    [
        ("django.contrib.auth.hashers.MD5PasswordHasher", [("E021", ERROR)]),
        (f"{__name__}.Digest", [("E021", ERROR)]),
        (f"{__name__}.ManyRounds", [("W020", WARNING)]),
        (PBKDF2, [("W020", WARNING)]),
        (f"{__name__}.FewRounds", []),
        ("django.contrib.auth.hashers.Argon2PasswordHasher", []),
        ("django.contrib.auth.hashers.ScryptPasswordHasher", []),
        ("django.contrib.auth.hashers.BCryptSHA256PasswordHasher", []),
        ("drf_jwt_kit.hashers.Argon2idPasswordHasher", []),
    ],
    ids=lambda value: str(value).rpartition(".")[2],
)
def test_e021_and_w020_the_preferred_hasher(settings: Any, hasher: str, expected: list[Any]) -> None:
    """SC-001: too slow for it, or fast for everybody; nothing is measured here."""
    settings.PASSWORD_HASHERS = [hasher, "drf_jwt_kit.hashers.Argon2idPasswordHasher"]
    assert found() == expected


def test_an_older_hasher_in_the_list_is_no_fault(settings: Any) -> None:
    """It verifies what it made, and makes nothing new."""
    settings.PASSWORD_HASHERS = [*example_settings.PASSWORD_HASHERS, "django.contrib.auth.hashers.MD5PasswordHasher"]
    assert found() == []


@pytest.mark.parametrize("hashers", [[], ["no.such.Hasher"], [f"{__name__}.NoAlgorithm"]], ids=str)
def test_hashers_that_cannot_be_made_do_not_break_the_checks(settings: Any, hashers: list[str]) -> None:
    """``manage.py jwt_doctor`` names them."""
    settings.PASSWORD_HASHERS = hashers
    assert found() == []


class TestOpenViews:
    """Law 7: what is open says so."""

    def test_the_example_project_has_none(self) -> None:
        """Everything is protected there, or declared."""
        assert found() == []

    @override_settings(ROOT_URLCONF="tests.gallery.urls")
    def test_each_open_endpoint_is_named(self) -> None:
        """Method, route and view, as the audit has them: one message each."""
        said = [(message.id[-4:], message.msg) for message in messages()]
        rows = {verdict: [row for row in audit.rows() if row.verdict is verdict] for verdict in audit.Verdict}
        expected = [("W014", row) for row in rows[Verdict.OPEN]] + [("W025", row) for row in rows[Verdict.UNKNOWN]]
        assert len(said) == len(expected) > 60
        for number, row in expected:
            start = f"{row.method} {row.route} ({row.view}) "
            assert [text for found, text in said if found == number and text.startswith(start)], row

    def test_a_project_without_urls_has_nothing_to_open(self, settings: Any) -> None:
        """Not every process that runs checks serves pages."""
        del settings.ROOT_URLCONF
        assert found() == []
