"""The round trip that the doctor makes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.cache import caches
from django.core.exceptions import PermissionDenied
from django.core.mail import send_mail
from django.db import connection
from django.db.models import CharField
from django.http import HttpResponse
from django.urls import include, path, re_path
from rest_framework import views as drf_views
from rest_framework.throttling import AnonRateThrottle

from drf_jwt_kit import round_trip, serializers, subject
from drf_jwt_kit.findings import Finding, Status
from drf_jwt_kit.round_trip import Answer
from drf_jwt_kit.views import TokenRefreshView
from tests.attempts import count_hashing

# Outside of the suite's own transaction: the round trip's is the only one.
pytestmark = pytest.mark.django_db(transaction=True)

STEPS = [
    "anonymous call",
    "obtain",
    "call",
    "refresh",
    "verify",
    "replay",
    "call after the replay",
    "revoke",
    "call after the revocation",
]


def examined() -> list[Finding]:
    """Return what the round trip finds."""
    return list(round_trip.examine())


def steps(findings: list[Finding]) -> list[str]:
    """Return the steps that went well, however long they took."""
    went_well = {Status.OK, Status.WARNING}
    return [finding.found.partition(":")[0] for finding in findings if finding.status in went_well]


def everything() -> dict[str, Any]:
    """Return all rows of all tables, and all keys of the cache."""
    rows = {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in apps.get_models()}
    return {**rows, "cache": list(caches["default"]._cache)}


def refuse(request: Any, user: Any) -> None:
    """Let nobody in: a gate that wants a second factor, and has written to the user."""
    send_mail("Your code", "123456", "from@example.org", [user.email or "to@example.org"])
    raise PermissionDenied


def refuse_rule(user: Any) -> bool:
    """Let nobody in."""
    return False


class RefusingBackend(ModelBackend):
    """A backend that knows nobody."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Return nobody."""


class ByNumber(ModelBackend):
    """A backend that knows users by their number."""

    def authenticate(self, request: Any, username: Any = None, password: Any = None, **kwargs: Any) -> Any:
        """Return whose number it is."""
        user = get_user_model().objects.filter(pk=username).first()
        return user if user is not None and user.check_password(password) else None


class ChallengingSerializer(serializers.TokenObtainPairSerializer):
    """A serializer that answers with a challenge first."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return no tokens."""
        return {"challenge": "What is your mother's name?"}


class CuriousSerializer(serializers.TokenObtainPairSerializer):
    """A serializer that asks the database for claims."""

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Put what four queries tell on the token."""
        token = super().get_token(user)
        for number in range(4):
            token[f"groups_{number}"] = user.groups.count()
        return token


class BrokenSerializer(serializers.TokenRefreshSerializer):
    """A serializer with a mistake."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fail."""
        raise KeyError("oops")


def teapot_middleware(get_response: Any) -> Any:
    """Answer everything in the middleware."""
    return lambda request: HttpResponse("teapot", status=418)


def www_middleware(get_response: Any) -> Any:
    """Redirect everything."""
    return lambda request: HttpResponse(status=301, headers={"Location": "https://www.example.org/"})


def list_middleware(get_response: Any) -> Any:
    """Answer JSON that is no object."""
    return lambda request: HttpResponse("[]", content_type="application/json", status=404)


@pytest.fixture(params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
def anyhow(request: Any, monkeypatch: Any) -> None:
    """With and without a transaction around the project's views."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", request.param)


@pytest.mark.usefixtures("anyhow", "user")
def test_every_step_goes_well_within_its_budget_and_nothing_is_left() -> None:
    """Issue 5.5, on each of the suite's databases: a full round trip, measured and undone."""
    before = everything()
    findings = examined()
    assert steps(findings) == STEPS
    assert all(re.search(r": \d{3}[ \w]* in [\d.]+ ms with \d SQL statements?( of \d)?\.", it.found) for it in findings)
    assert findings[STEPS.index("replay")].found.startswith("replay: 401 reused")
    assert everything() == before


def test_statements_are_counted(user: Any) -> None:
    """DESIGN 5: the same numbers as tests/flows/test_query_budget.py has."""
    counted = {it.found.partition(":")[0]: re.search(r"(\d) SQL.* of (\d)", it.found) for it in examined()}
    pairs = {step: (int(found[1]), int(found[2])) for step, found in counted.items() if found}
    assert pairs["anonymous call"] == (0, 0)
    assert (pairs["call"], pairs["verify"], pairs["revoke"]) == ((2, 2), (1, 1), (2, 2))
    assert all(0 < count <= 4 == budget for count, budget in (pairs["obtain"], pairs["refresh"]))


@pytest.mark.parametrize(
    "overridden",
    [
        {"ALLOWED_HOSTS": [".example.org"], "SECURE_SSL_REDIRECT": True},
        {
            "ALLOWED_HOSTS": ["example.org", "example.com"],
            "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        },
        {"ALLOWED_HOSTS": [], "DEBUG": True},
        {"FORCE_SCRIPT_NAME": "/below"},
        {"SIMPLE_JWT": {"AUTH_HEADER_TYPES": ("JWT",), "AUTH_HEADER_NAME": "HTTP_X_TOKEN"}},
        {"SIMPLE_JWT": {"ALGORITHM": "HS512", "SIGNING_KEY": "k" * 64}},
        {"DRF_JWT_KIT": {"ANONYMOUS_STATUS": 401}},
        {"DRF_JWT_KIT": {"TRUSTED_PROXIES": 2, "MAX_SESSIONS_PER_USER": 1}},
        {"DRF_JWT_KIT": {"LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": None}},
        {"USE_TZ": False},
    ],
    ids=str,
)
def test_it_finds_its_way_through_a_projects_settings(settings: Any, overridden: dict[str, Any]) -> None:
    """Hosts, https, prefixes, headers, schemes and limits."""
    for name, value in overridden.items():
        setattr(settings, name, value)
    assert steps(examined()) == STEPS


class StrictThrottle(AnonRateThrottle):
    """One request a day from one address."""

    rate = "1/day"


def test_limits_of_the_projects_own_are_neither_reached_nor_used_up(monkeypatch: Any) -> None:
    """DRF's throttles write into the cache whoever asked."""
    monkeypatch.setattr(TokenRefreshView, "throttle_classes", [StrictThrottle])
    assert steps(examined()) == STEPS
    assert not caches["default"]._cache


class NestedURLs:
    """A URLconf that includes the kit two namespaces deep."""

    inner = ([path("auth/", include("drf_jwt_kit.urls", namespace="tokens"))], "v1")
    urlpatterns = [path("api/", include(inner, namespace="outer"))]


def test_it_finds_the_endpoints_in_any_namespace(settings: Any) -> None:
    """A project may include them beneath its own."""
    settings.ROOT_URLCONF = NestedURLs
    assert steps(examined()) == STEPS


class CapturingURLs:
    """A URLconf that reads a version and a tenant in front of the kit's paths."""

    inner = [path("<slug:tenant>/", include("drf_jwt_kit.urls"))]
    urlpatterns = [re_path(r"^(?P<version>v\d)/auth/", include(inner))]


def test_it_finds_the_endpoints_beneath_parameters(settings: Any) -> None:
    """Whatever stands there; `reverse()` would have to be told."""
    settings.ROOT_URLCONF = CapturingURLs
    assert steps(examined()) == STEPS


def test_it_sends_a_header_as_clients_do(settings: Any) -> None:
    """A name that no header has in ``request.META`` lets nobody in (W032)."""
    settings.SIMPLE_JWT = {"AUTH_HEADER_NAME": "Authorization"}
    finding = examined()[-1]
    assert finding.status is Status.ERROR
    assert finding.found.startswith("call: 403 not_authenticated instead of 200")


def test_what_breaks_the_sign_in_is_named_with_a_remedy_that_fits(settings: Any) -> None:
    """No word of authentication backends where a serializer cannot be imported."""
    settings.SIMPLE_JWT = {"TOKEN_OBTAIN_SERIALIZER": "no.such.serializer"}
    [finding] = [it for it in examined() if it.found.startswith("obtain:")]
    assert finding.status is Status.ERROR
    assert "No module named" in finding.found
    assert finding.remedy == "Mend what stands in parentheses."


def test_a_project_without_the_urls_is_told(settings: Any) -> None:
    """There is nothing to try, and how to change that."""
    settings.ROOT_URLCONF = "notes.urls"
    [finding] = examined()
    assert finding.status is Status.WARNING
    assert "drf_jwt_kit.urls is nowhere in the URLconf" in finding.found
    assert 'include("drf_jwt_kit.urls")' in finding.remedy


def test_without_rotation_there_is_no_replay(settings: Any) -> None:
    """DESIGN 2.3: the project's choice is honoured, and what it costs is said."""
    settings.SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": False}
    findings = examined()
    assert steps(findings) == [step for step in STEPS if "replay" not in step]
    [note] = [finding for finding in findings if finding.status is Status.NOTE]
    assert "not rotated" in note.found
    assert "ROTATE_REFRESH_TOKENS" in note.remedy


@pytest.mark.parametrize(
    ("overridden", "named", "words"),
    [
        ({"DRF_JWT_KIT": {"SIGN_IN_GATE": f"{__name__}.refuse"}}, "SIGN_IN_GATE", "403 permission_denied,"),
        (
            {"SIMPLE_JWT": {"TOKEN_OBTAIN_SERIALIZER": f"{__name__}.ChallengingSerializer"}},
            "TOKEN_OBTAIN_SERIALIZER",
            "200,",
        ),
        (
            {"SIMPLE_JWT": {"USER_AUTHENTICATION_RULE": f"{__name__}.refuse_rule"}},
            "USER_AUTHENTICATION_RULE",
            "401 no_active_account",
        ),
        ({"AUTHENTICATION_BACKENDS": [f"{__name__}.RefusingBackend"]}, "AUTHENTICATION_BACKENDS", "401"),
    ],
    ids=["gate", "serializer", "rule", "backend"],
)
def test_a_project_that_asks_for_more_is_no_fault(
    settings: Any, mailoutbox: list[Any], overridden: dict[str, Any], named: str, words: str
) -> None:
    """The refusal is named, whoever decides is named, and the rest goes on; a gate's mail stays here."""
    for name, value in overridden.items():
        setattr(settings, name, value)
    findings = examined()
    [note] = [finding for finding in findings if finding.status is Status.NOTE]
    assert note.found.startswith(f"obtain: a right name and password got {words}")
    assert named in note.remedy
    rest = [step for step in STEPS if step != "obtain"]
    # A rule of the project's is asked at every refresh, too.
    assert steps(findings) == (rest if named != "USER_AUTHENTICATION_RULE" else rest[:2])
    assert mailoutbox == []


def in_an_envelope(exc: Exception, context: Any) -> Any:
    """Answer errors as this project does."""
    response = drf_views.exception_handler(exc, context)
    if response is not None:
        response.data = {"error": {"message": "No."}}
    return response


def test_a_project_with_words_of_its_own_is_no_fault(settings: Any) -> None:
    """A refusal is known by its status then."""
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": f"{__name__}.in_an_envelope"}
    assert steps(examined()) == STEPS


def test_users_with_numbers_for_names_sign_in(user: Any, settings: Any, monkeypatch: Any) -> None:
    """A client has them from a form, as text."""
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.ByNumber"]
    monkeypatch.setattr(type(user), "get_username", lambda user: user.pk)
    assert steps(examined()) == STEPS


def test_a_refusal_that_nothing_explains_is_an_error() -> None:
    """With the kit's own ways to sign in, nobody could."""
    finding = round_trip._refusal(Answer(401, {"code": "no_active_account"}, 0.1, 1, ""))
    assert finding.status is Status.ERROR
    assert "AUTHENTICATION_BACKENDS" in finding.remedy


@pytest.mark.parametrize(
    ("overridden", "found", "remedy"),
    [
        ({"ALLOWED_HOSTS": [], "DEBUG": False}, "400 instead of 403 (Invalid HTTP_HOST header", "ALLOWED_HOSTS"),
        ({"MIDDLEWARE": [f"{__name__}.teapot_middleware"]}, "418 instead of 403.", "running server"),
        ({"MIDDLEWARE": [f"{__name__}.www_middleware"]}, "301 instead of 403 (to https://www.example.org/)", "server"),
        ({"MIDDLEWARE": [f"{__name__}.list_middleware"]}, "404 instead of 403.", "middleware"),
    ],
    ids=["hosts", "418", "301", "404"],
)
def test_a_door_that_does_not_open_is_an_error(
    settings: Any, overridden: dict[str, Any], found: str, remedy: str
) -> None:
    """It stops there, and says what it was answered."""
    for name, value in overridden.items():
        setattr(settings, name, value)
    [finding] = examined()
    assert finding.status is Status.ERROR
    assert finding.found.startswith(f"anonymous call: {found}")
    assert finding.found.endswith("The steps after it were not tried.")
    assert remedy in finding.remedy


def test_a_mistake_in_a_project_is_named(settings: Any) -> None:
    """With the exception, where a client would get a 500."""
    settings.SIMPLE_JWT = {"TOKEN_REFRESH_SERIALIZER": f"{__name__}.BrokenSerializer"}
    findings = examined()
    assert steps(findings) == STEPS[:3]
    assert findings[-1].found == ("refresh: 500 instead of 200 (KeyError: 'oops'). The steps after it were not tried.")


def test_settings_that_make_no_session_end_the_trip(settings: Any) -> None:
    """What was found before stays."""
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "nope"}
    _anonymous, refused, ended = examined()
    assert "got 500 (AttributeError: 'User' object has no attribute 'nope')" in refused.found
    assert ended.found == "Could not be examined: AttributeError: 'User' object has no attribute 'nope'"
    assert {refused.status, ended.status} == {Status.ERROR}


def test_a_cache_that_is_down_is_named(settings: Any) -> None:
    """Law 8: sign-in answers 503; what needs no cache goes on."""
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    findings = examined()
    assert steps(findings) == [step for step in STEPS if step != "obtain"]
    [error] = [finding for finding in findings if finding.status is Status.ERROR]
    assert re.search(
        r"got 503 service_unavailable \(redis\.exceptions\.ConnectionError: .*\), and no tokens", error.found
    )
    assert "cache" in error.remedy


def test_statements_beyond_the_budget_are_noted(settings: Any) -> None:
    """They are the project's, and it may mean them."""
    settings.SIMPLE_JWT = {"TOKEN_OBTAIN_SERIALIZER": f"{__name__}.CuriousSerializer"}
    noted = [finding for finding in examined() if finding.status is not Status.OK]
    assert [finding.found.partition(":")[0] for finding in noted] == ["obtain", "refresh"]
    assert all(re.search(r"with \d SQL statements of 4\.", finding.found) for finding in noted)
    assert all("claims" in finding.remedy for finding in noted)


def test_a_sign_in_that_takes_long_is_a_warning() -> None:
    """SC-001: under 200 ms."""
    slow = round_trip._judged("obtain", Answer(200, {}, 0.201, 4, ""))
    assert slow.status is Status.WARNING
    assert "longer than 200 ms" in slow.found
    assert round_trip._judged("obtain", Answer(200, {}, 0.199, 4, "")).status is Status.OK
    assert round_trip._judged("call", Answer(200, {}, 0.201, 2, "")).status is Status.OK


def test_a_user_who_cannot_be_made_is_a_note(monkeypatch: Any, user: Any) -> None:
    """Not every user model can be filled in; tests/projects has some."""
    monkeypatch.setitem(subject._VALUES, CharField, lambda: user.username)
    [finding] = examined()
    assert finding.status is Status.NOTE
    assert finding.found.startswith("Not examined, as no user could be made up: IntegrityError")
    assert "by hand" in finding.remedy


def test_the_preferred_hasher_is_the_one_that_is_used(settings: Any) -> None:
    """What is measured is what new passwords cost: one to be stored, one to be checked."""
    counted = count_hashing(settings)
    examined()
    assert counted.calls == 2
