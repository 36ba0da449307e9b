"""System checks, by id: one test for each fault."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.checks import ERROR, WARNING, Tags, run_checks
from django.db import connection
from django.middleware.cache import UpdateCacheMiddleware
from django.test import Client, modify_settings, override_settings
from django.utils.module_loading import import_string
from notes.views import MeView, NoteViewSet
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.views import APIView

from drf_jwt_kit import defaults, sessions
from drf_jwt_kit.authentication import JWTAuthentication
from tests.conftest import bearer


def messages() -> list[Any]:
    """Return what the kit's checks say."""
    return [message for message in run_checks(tags=[Tags.security]) if message.id.startswith("drf_jwt_kit")]


def ids() -> list[str]:
    """Return their ids without the app's name."""
    return [message.id.removeprefix("drf_jwt_kit.") for message in messages()]


def claims(user: Any, session: Any) -> dict[str, Any]:
    """Return no claims: something that ``CLAIMS`` can name."""
    return {}


async def answers_later(*args: Any) -> Any:
    """Return nothing yet."""


class AnswersLater:
    """An object of the kind."""

    async def __call__(self, *args: Any) -> Any:
        """Return nothing yet."""


NO_FUNCTION, ANSWERS_LATER = "a text", AnswersLater()


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
        ({"SESSION_LIFETIME": timedelta.max}, None),
        ({"SESSION_LIFETIME": timedelta(days=366 * 100)}, None),
        ({"REFRESH_GRACE_PERIOD": timedelta.max}, None),
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
        ({"LOGIN_FAILURES_PER_ADDRESS": "5/36501d"}, None),
        ({"SESSION_LIFETIME": timedelta(microseconds=999_999)}, None),
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
    [
        *("no.such.module", f"{__name__}.no_such_name", f"{__name__}.NO_FUNCTION", "json.", ".claims", "a..b", ".."),
        *(" . ", f"{__name__}.answers_later", f"{__name__}.ANSWERS_LATER"),
    ],
)
def test_e002_a_path_that_leads_nowhere(settings: Any, key: str, path: str) -> None:
    """DESIGN 2.3: what cannot be imported and called; nobody awaits a coroutine: each sign-in would be a 500."""
    settings.DRF_JWT_KIT = {key: path}
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E002", ERROR)
    assert path in message.msg


def test_e002_is_silent_where_e001_speaks(settings: Any) -> None:
    """A dict too broken to read has one message."""
    settings.DRF_JWT_KIT = {"CLAIMS": "no.such.module", "NOPE": 1}
    assert ids() == ["E001"]


NOWHERE = "no.such.name"


@pytest.mark.parametrize(
    ("dictionary", "key", "value"),
    [
        *(("SIMPLE_JWT", key, NOWHERE) for key in ("TOKEN_USER_CLASS", "USER_AUTHENTICATION_RULE")),
        *(("SIMPLE_JWT", f"TOKEN_{name}_SERIALIZER", NOWHERE) for name in ("OBTAIN", "REFRESH", "VERIFY", "BLACKLIST")),
        ("SIMPLE_JWT", "TOKEN_OBTAIN_SERIALIZER", f"{__name__}.claims"),
        ("SIMPLE_JWT", "TOKEN_OBTAIN_SERIALIZER", None),
        ("SIMPLE_JWT", "TOKEN_VERIFY_SERIALIZER", "drf_jwt_kit.tokens.AccessToken"),
        ("SIMPLE_JWT", "USER_AUTHENTICATION_RULE", f"{__name__}.NO_FUNCTION"),
        ("SIMPLE_JWT", "USER_AUTHENTICATION_RULE", f"{__name__}.answers_later"),
        ("SIMPLE_JWT", "AUTH_TOKEN_CLASSES", (NOWHERE,)),
        ("SIMPLE_JWT", "AUTH_TOKEN_CLASSES", (f"{__name__}.claims",)),
        ("SIMPLE_JWT", "AUTH_TOKEN_CLASSES", (OwnAuthentication,)),
        ("SIMPLE_JWT", "AUTH_TOKEN_CLASSES", (f"{__name__}.OwnAuthentication",)),
        ("SIMPLE_JWT", "AUTH_TOKEN_CLASSES", (f"{__name__}.NO_CLASS",)),
        ("REST_FRAMEWORK", "EXCEPTION_HANDLER", NOWHERE),
        ("REST_FRAMEWORK", "EXCEPTION_HANDLER", None),
    ],
)
def test_e002_a_path_that_simplejwt_or_drf_reads_late(settings: Any, dictionary: str, key: str, value: Any) -> None:
    """It was a 500 at the first request that needed it."""
    setattr(settings, dictionary, {key: value})
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E002", ERROR)
    assert f"{dictionary}[{key!r}]" in message.msg


class Reader:
    """What reads tokens without being one: simplejwt asks for no more."""

    token_type = "access"


NO_CLASS = Reader()


def test_a_class_that_reads_tokens_need_not_be_a_token(settings: Any) -> None:
    """Drop-in."""
    settings.SIMPLE_JWT = {"AUTH_TOKEN_CLASSES": (f"{__name__}.Reader",)}
    assert messages() == []


@pytest.mark.parametrize(
    ("dictionary", "key", "value"),
    [
        *(
            ("REST_FRAMEWORK", f"DEFAULT_{kind}_CLASSES", value)
            for kind in ("AUTHENTICATION", "PERMISSION")
            for value in (None, f"{__name__}.OwnAuthentication", OwnAuthentication)
        ),
        ("SIMPLE_JWT", "AUTH_TOKEN_CLASSES", None),
        ("SIMPLE_JWT", "AUTH_TOKEN_CLASSES", ()),
        ("SIMPLE_JWT", "AUTH_TOKEN_CLASSES", "drf_jwt_kit.tokens.AccessToken"),
    ],
    ids=str,
)
def test_e031_what_should_be_a_list_and_is_none(settings: Any, dictionary: str, key: str, value: Any) -> None:
    """Every view was a 500, and so was the check."""
    setattr(settings, dictionary, {key: value})
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E031", ERROR)
    assert f"{dictionary}[{key!r}]" in message.msg


def own_authenticator() -> Any:
    """Make an authenticator: what DRF calls need not be a class."""
    return OwnAuthentication()


def test_an_authenticator_that_is_no_class_is_passed_over(settings: Any) -> None:
    """DRF calls it, whatever it is."""
    settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": [f"{__name__}.own_authenticator", SESSION, KIT]}
    assert ids() == ["W013"]


@pytest.mark.parametrize("path", [f"{__name__}.claims", None])
def test_a_path_that_leads_somewhere_is_no_fault(settings: Any, path: str | None) -> None:
    """A function that can be called, or none."""
    settings.DRF_JWT_KIT = {"CLAIMS": path, "SIGN_IN_GATE": path}
    assert messages() == []


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["rest_framework_simplejwt.authentication.JWTAuthentication"], ["W008"]),
        (["rest_framework.authentication.SessionAuthentication"], ["W008"]),
        ([], ["W008"]),
        (["drf_jwt_kit.authentication.JWTAuthentication"], []),
        (
            [
                "drf_jwt_kit.authentication.JWTAuthentication",
                "rest_framework.authentication.SessionAuthentication",
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


KIT = "drf_jwt_kit.authentication.JWTAuthentication"
SESSION = "rest_framework.authentication.SessionAuthentication"
REMOTE_USER = "rest_framework.authentication.RemoteUserAuthentication"
BASIC = "rest_framework.authentication.BasicAuthentication"


@pytest.mark.parametrize(
    ("classes", "named"),
    [
        ([SESSION, KIT], ["SessionAuthentication"]),
        ([BASIC, REMOTE_USER, KIT], ["RemoteUserAuthentication"]),
        ([REMOTE_USER, SESSION, f"{__name__}.OwnAuthentication", SESSION], ["RemoteUser", "Session"]),
        ([BASIC, KIT], []),
        ([KIT, SESSION], []),
        ([f"{__name__}.OwnAuthentication", SESSION, KIT], []),
    ],
    ids=lambda value: " ".join(path.rpartition(".")[2] for path in value),
)
def test_w013_an_authenticator_that_is_asked_before_the_kits(
    settings: Any, classes: list[str], named: list[str]
) -> None:
    """Issue 5.4: a session before the token; one with a challenge knows only what was sent to it."""
    settings.REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": classes}
    said = messages()
    assert [(message.id, message.level) for message in said] == [("drf_jwt_kit.W013", WARNING)] * len(named)
    assert all(name in message.msg for name, message in zip(named, said, strict=True))


@pytest.mark.django_db
@pytest.mark.parametrize(("classes", "harm"), [([SESSION, KIT], True), ([KIT, SESSION], False)], ids=["W013", "sane"])
def test_what_w013_warns_of(tokens: Any, monkeypatch: Any, classes: list[str], harm: bool) -> None:
    """Law 4 and SC-002: behind a session no token counts, good or bad, and unsafe requests want a CSRF token."""
    monkeypatch.setattr(MeView, "authentication_classes", [import_string(path) for path in classes])
    monkeypatch.setattr(NoteViewSet, "authentication_classes", [import_string(path) for path in classes])
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(get_user_model().objects.create_user("bob"))
    seen = [browser.get("/api/me/", **bearer(access)) for access in (tokens.access, "revoked")]
    made = browser.post("/api/notes/", {"title": "a"}, content_type="application/json", **bearer(tokens.access))
    names = [answer.json().get("username") for answer in seen]
    assert (names, made.status_code) == ((["bob", "bob"], 403) if harm else (["alice", None], 201))


@pytest.mark.parametrize(
    ("use_tz", "zone", "expected"),
    [
        (False, "America/Chicago", ["W017"]),
        (False, "Europe/Berlin", ["W017"]),
        (False, "Australia/Lord_Howe", ["W017"]),
        (False, "UTC", []),
        (False, "Asia/Kolkata", []),
        (False, "Pacific/Kiritimati", []),
        (True, "America/Chicago", []),
    ],
)
def test_w017_naive_times_where_an_hour_comes_twice(use_tz: bool, zone: str, expected: list[str]) -> None:
    """Issue 5.4: a clock that is put back; a zone that keeps its offset does no harm."""
    with override_settings(USE_TZ=use_tz, TIME_ZONE=zone):
        said = messages()
    assert [message.id.removeprefix("drf_jwt_kit.") for message in said] == expected
    assert all(message.level == WARNING and zone in message.msg for message in said)


@pytest.mark.django_db
def test_what_w017_warns_of(user: Any) -> None:
    """Law 11: at 1:10 for the second time that night, a refresh token for half an hour has expired already."""
    second_time = datetime(2026, 11, 1, 7, 10, tzinfo=UTC).timestamp()
    half_an_hour = {"REFRESH_TOKEN_LIFETIME": timedelta(minutes=30)}
    with (
        override_settings(USE_TZ=False, TIME_ZONE="America/Chicago", SIMPLE_JWT=half_an_hour),
        time_machine.travel(second_time, tick=False),
    ):
        refresh = sessions.start(user).refresh
    assert refresh is not None
    assert refresh["exp"] == second_time - 30 * 60


EVERYBODY = {"CORS_ALLOW_ALL_ORIGINS": True, "CORS_ALLOW_CREDENTIALS": True}


@pytest.mark.parametrize(
    ("cors", "expected"),
    [
        (EVERYBODY, True),
        ({"CORS_ORIGIN_ALLOW_ALL": True, "CORS_ALLOW_CREDENTIALS": True}, True),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": ["^https://a\\.example$", ".*"], "CORS_ALLOW_CREDENTIALS": True}, True),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": [re.compile("https://")], "CORS_ALLOW_CREDENTIALS": True}, True),
        ({"CORS_ORIGIN_REGEX_WHITELIST": ["http"], "CORS_ALLOW_CREDENTIALS": True}, True),
        ({"CORS_ALLOW_ALL_ORIGINS": True}, False),
        ({"CORS_ALLOW_ALL_ORIGINS": False, "CORS_ORIGIN_ALLOW_ALL": True, "CORS_ALLOW_CREDENTIALS": True}, False),
        ({"CORS_ALLOWED_ORIGINS": ["https://a.example"], "CORS_ALLOW_CREDENTIALS": True}, False),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": ["^https://\\w+\\.a\\.example$"], "CORS_ALLOW_CREDENTIALS": True}, False),
        ({"CORS_ALLOWED_ORIGIN_REGEXES": [".*"]}, False),
        ({}, False),
    ],
    ids=str,
)
@modify_settings(
    INSTALLED_APPS={"append": "corsheaders"}, MIDDLEWARE={"prepend": "corsheaders.middleware.CorsMiddleware"}
)
def test_e016_any_origin_with_credentials(client: Any, cors: dict[str, Any], expected: bool) -> None:
    """Issue 5.4: the check says what the real middleware does for the page of a stranger."""
    with override_settings(**cors):
        said = [(message.id, message.level) for message in messages()]
        answer = client.get("/api/me/", HTTP_ORIGIN="https://nobody.invalid")
    assert said == ([("drf_jwt_kit.E016", ERROR)] if expected else [])
    named = answer.get("Access-Control-Allow-Origin") == "https://nobody.invalid"
    assert (named and answer.get("Access-Control-Allow-Credentials") == "true") is expected


class OwnUpdateCacheMiddleware(UpdateCacheMiddleware):
    """A project's own."""


FETCH = "django.middleware.cache.FetchFromCacheMiddleware"
SITE_CACHES = [
    ["django.middleware.cache.UpdateCacheMiddleware", FETCH],
    [f"{__name__}.OwnUpdateCacheMiddleware", FETCH],
    ["django.middleware.cache.CacheMiddleware"],
    [],
]


@pytest.mark.parametrize("middleware", SITE_CACHES, ids=["django's", "own", "both in one", "none"])
@pytest.mark.parametrize("header", ["Authorization", "X-Token"])
def test_e030_a_site_cache_that_does_not_know_the_header(
    client: Any, user: Any, settings: Any, header: str, middleware: list[str]
) -> None:
    """Law 7: the check says what the real middleware does; Django itself tells users apart by `Authorization`."""
    settings.SIMPLE_JWT = {"AUTH_HEADER_NAME": f"HTTP_{header.upper().replace('-', '_')}"}
    settings.MIDDLEWARE = [*middleware, *settings.MIDDLEWARE]
    said = [(message.id, message.level) for message in messages()]
    mine = client.get("/api/me/", headers={header: f"Bearer {sessions.start(user).access}"})
    anybody = client.get("/api/me/")
    assert mine.status_code == 200
    assert said == ([("drf_jwt_kit.E030", ERROR)] if anybody.status_code == 200 else [])
    assert (anybody.status_code == 200) is (header == "X-Token" and bool(middleware))


def test_cors_settings_alone_are_no_fault() -> None:
    """Where nothing reads them, they open nothing."""
    with override_settings(**EVERYBODY):
        assert messages() == []


def test_e009_what_views_were_made_without_is_an_error_that_says_how_to_mend_it(monkeypatch: Any) -> None:
    """Law 7: never silently open (tests/projects does it for real)."""
    monkeypatch.setattr(defaults, "make_good", lambda: ["DEFAULT_PERMISSION_CLASSES"])
    [message] = messages()
    assert (message.id, message.level) == ("drf_jwt_kit.E009", ERROR)
    assert "DEFAULT_PERMISSION_CLASSES" in message.msg
    assert "Do not import its views before that" in message.hint


@pytest.mark.parametrize(
    ("attribute", "lost", "key"),
    [
        ("permission_classes", [AllowAny], "DEFAULT_PERMISSION_CLASSES"),
        ("permission_classes", (), "DEFAULT_PERMISSION_CLASSES"),
        ("authentication_classes", [], "DEFAULT_AUTHENTICATION_CLASSES"),
    ],
)
def test_e009_views_that_lost_the_kits_defaults_later(
    settings: Any, monkeypatch: Any, attribute: str, lost: Any, key: str
) -> None:
    """Some app's ``ready``, say; but where the project names the default, or opted out, it means it."""
    monkeypatch.setattr(APIView, attribute, lost)
    assert ids() == ["E009"]
    settings.REST_FRAMEWORK = {"PAGE_SIZE": 3}
    assert ids() == ["E009"]
    settings.REST_FRAMEWORK = {key: ["drf_jwt_kit.authentication.JWTAuthentication"]}
    assert "E009" not in ids()
    settings.REST_FRAMEWORK, settings.DRF_JWT_KIT = {}, {"PROTECT_BY_DEFAULT": False}
    assert "E009" not in ids()


def test_a_tuple_of_the_same_is_the_same(monkeypatch: Any) -> None:
    """Whoever wrote it."""
    monkeypatch.setattr(APIView, "permission_classes", (IsAuthenticated,))
    assert ids() == []


def test_projects_without_the_kit_are_checked_too(settings: Any) -> None:
    """A test may take it away; its checks stay registered."""
    settings.INSTALLED_APPS = [
        app for app in settings.INSTALLED_APPS if app not in {"drf_jwt_kit", "django.contrib.admin"}
    ]
    assert "E009" not in ids()


@pytest.mark.parametrize(("autocommit", "expected"), [(True, []), (False, ["E028"])])
def test_e028_nothing_is_committed(monkeypatch: pytest.MonkeyPatch, autocommit: bool, expected: list[str]) -> None:
    """Law 4: signing out answers 204 and is forgotten."""
    monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", autocommit)
    assert ids() == expected


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
        said = messages()
    assert said
    assert all(f"docs/checks.md#{message.id[-4:].lower()}" in message.hint for message in said)
