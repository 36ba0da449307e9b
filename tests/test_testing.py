"""The test kit: its tokens are what they say, and what it lets pass is closed."""

from __future__ import annotations

import sys
import time
import unittest
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect
from django.test import AsyncClient, Client, override_settings
from django.urls import include, path, re_path
from django.utils import timezone, translation
from django.utils.functional import lazystr
from django.views.decorators.http import require_GET, require_POST
from notes.models import Note
from notes.views import NoteViewSet
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import api_view
from rest_framework.permissions import BasePermission, IsAdminUser, IsAuthenticated
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter, SimpleRouter
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.versioning import QueryParameterVersioning
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet
from rest_framework_simplejwt import authentication as simplejwt

from drf_jwt_kit import audit, backends, testing
from drf_jwt_kit.authentication import JWTAuthentication
from drf_jwt_kit.exceptions import Expired
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.permissions import ProtectedByDefaultMixin, public
from drf_jwt_kit.testing import ATTACKS, assert_protected
from drf_jwt_kit.tokens import AccessToken, Token, UntypedToken
from tests.gallery.views import Chooser, SaidPublic

pytestmark = pytest.mark.django_db


def protected() -> list[audit.Row]:
    """Return the endpoints of the example project that are to be driven."""
    return [row for row in audit.rows() if row.verdict == "PROTECTED"]


LET_IN = "Let in, and must be refused:"

BAD = {
    "expired": testing.expired_token,
    "invalid": testing.tampered_token,
    "wrong_type": testing.wrong_type_token,
    "revoked": testing.revoked_token,
}


def pem(key: Any) -> str:
    """Return a private key as settings hold it."""
    format_, encryption = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, format_, encryption).decode()


def public_pem(key: Any) -> str:
    """Return the other half."""
    format_ = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, format_).decode()


def pair_of(algorithm: str, key: Any) -> dict[str, str]:
    """Return ``SIMPLE_JWT`` for a key of two halves."""
    return {"ALGORITHM": algorithm, "SIGNING_KEY": pem(key), "VERIFYING_KEY": public_pem(key)}


CONFIGURED = [
    {},
    {"ALGORITHM": "HS512", "SIGNING_KEY": "k" * 64},
    pair_of("RS256", rsa.generate_private_key(65537, 2048)),
    pair_of("ES256", ec.generate_private_key(ec.SECP256R1())),
    {"AUTH_HEADER_TYPES": ("JWT", "Token"), "AUTH_HEADER_NAME": "HTTP_X_ACCESS_TOKEN"},
    {"USER_ID_FIELD": "username", "USER_ID_CLAIM": "sub", "TOKEN_TYPE_CLAIM": "typ", "JTI_CLAIM": "id"},
    {"LEEWAY": timedelta(hours=1), "ACCESS_TOKEN_LIFETIME": timedelta(days=2)},
    {"AUDIENCE": "notes", "ISSUER": "https://issuer.example"},
]
CONFIGURED_IDS = ["default", "HS512", "RS256", "ES256", "header", "claims", "leeway", "audience"]


@pytest.fixture(params=CONFIGURED, ids=CONFIGURED_IDS)
def configured(request: Any, settings: Any) -> dict[str, Any]:
    """A project's ``SIMPLE_JWT``."""
    settings.SIMPLE_JWT = request.param
    return request.param


def ask(token: str) -> Any:
    """Return what the example's ``me/`` answers to a token, sent as the settings say."""
    client = APIClient()
    client.credentials(**testing._header(token))
    return client.get("/api/me/")


@pytest.mark.usefixtures("configured")
class TestTokens:
    """Under whatever the project configures."""

    def test_a_client_is_signed_in_as_the_user(self, user: Any) -> None:
        """By a session of its own, which can be ended."""
        client = testing.api_client_for(user)

        assert client.get("/api/me/").data["username"] == "alice"
        assert client.delete("/api/sessions/").status_code == 204
        assert client.get("/api/me/").status_code == 401

    def test_an_access_token_is_accepted(self, user: Any) -> None:
        """What the others are measured by."""
        assert ask(testing.access_token(user)).status_code == 200

    @pytest.mark.parametrize("reason", BAD)
    def test_a_bad_token_is_refused_for_what_it_is(self, user: Any, reason: str) -> None:
        """The reason tells that nothing else was found first."""
        answer = ask(BAD[reason](user))

        assert (answer.status_code, answer.data["reason"]) == (401, reason)

    def test_nothing_else_is_wrong_with_an_expired_token(self, user: Any, configured: dict[str, Any]) -> None:
        """Its time over, and the leeway: before that it was good."""
        token = testing.expired_token(user)

        with testing.freeze(timezone.now() - configured.get("LEEWAY", timedelta(0)) - timedelta(seconds=90)):
            assert ask(token).status_code == 200

    def test_nothing_else_is_wrong_with_a_tampered_token(self, user: Any) -> None:
        """The signature is a real one, of another payload."""
        token = AccessToken(testing.tampered_token(user), verify=False)

        token.verify()
        with testing.freeze():
            genuine = AccessToken(testing.access_token(user))
            changed = AccessToken(testing.tampered_token(user), verify=False)
        assert changed.payload["exp"] == genuine.payload["exp"] + 1
        assert ask(str(token)).status_code == 200  # signed anew

    def test_nothing_is_wrong_with_a_token_of_the_wrong_type(self, client: Any, user: Any) -> None:
        """It is a refresh token."""
        refresh = testing.wrong_type_token(user)

        assert client.post("/api/token/refresh/", {"refresh": refresh}, format="json").status_code == 200

    def test_nothing_else_is_wrong_with_a_revoked_token(self, user: Any) -> None:
        """Its session was ended, and that is all."""
        token = testing.revoked_token(user)
        TokenSession.objects.update(revoked_at=None)

        assert ask(token).status_code == 200

    def test_the_example_project_is_protected(self) -> None:
        """The proof holds, and is one: the tokens are bad by these settings."""
        assert assert_protected().driven == protected()


VERIFYING = [
    {"ALGORITHM": "RS256", "VERIFYING_KEY": CONFIGURED[2]["VERIFYING_KEY"]},
    {"ALGORITHM": "RS256", "JWK_URL": "http://127.0.0.1:1/"},
    {"ALGORITHM": "RS256", "SIGNING_KEY": None},
]


@pytest.mark.parametrize("simple_jwt", VERIFYING, ids=["PEM", "JWKS", "nothing"])
@pytest.mark.parametrize("make", [testing.api_client_for, testing.access_token, *BAD.values()])
def test_where_no_token_can_be_signed_the_setting_is_named(
    settings: Any, user: Any, make: Any, simple_jwt: Any
) -> None:
    """A service that takes the tokens of another one has no key for it; no session is started."""
    settings.SIMPLE_JWT = simple_jwt
    with pytest.raises(ImproperlyConfigured, match=r"SIMPLE_JWT\['SIGNING_KEY'\] signs no token with RS256"):
        make(user)
    assert not TokenSession.objects.exists()


def test_a_service_that_only_verifies_is_proven_with_a_pair_of_keys(settings: Any) -> None:
    """docs/proving.md: those of the test, in place of another service's."""
    settings.SIMPLE_JWT = VERIFYING[0]
    with pytest.raises(ImproperlyConfigured, match="override_settings"):
        assert_protected(urlconf="notes.urls")
    with override_settings(SIMPLE_JWT={**VERIFYING[0], **CONFIGURED[2]}):
        assert assert_protected(urlconf="notes.urls").driven


class TestFreeze:
    """Time that stands still."""

    def test_time_moves_when_it_is_told_to(self, user: Any) -> None:
        """Django, simplejwt and PyJWT tell the same time."""
        with testing.freeze(datetime(2026, 3, 1, tzinfo=UTC)) as clock:
            client = testing.api_client_for(user)
            clock.shift(timedelta(minutes=4, seconds=59))
            assert client.get("/api/me/").status_code == 200
            clock.shift(timedelta(seconds=1))
            assert client.get("/api/me/").data["reason"] == "expired"
            clock.move_to(datetime(2026, 3, 1, tzinfo=UTC))
            assert client.get("/api/me/").status_code == 200
            assert timezone.now() == datetime(2026, 3, 1, tzinfo=UTC)

    def test_now_is_when_it_stops(self) -> None:
        """A decorator is read long before: what ``setUp`` made would lie in the future."""
        frozen = testing.freeze()
        before = time.time_ns()
        with frozen:
            first = time.time()
            assert first == time.time()
            assert first * 1e9 == pytest.approx(before, abs=60e9)
            with testing.freeze(datetime(2030, 1, 1, tzinfo=UTC)), testing.freeze():
                assert timezone.now().year == 2030
        with testing.freeze(datetime(2030, 1, 1, tzinfo=UTC)), frozen:
            assert timezone.now().year == 2030

    def test_it_decorates_functions_and_test_cases(self) -> None:
        """As time-machine's own ``travel`` does."""
        frozen = testing.freeze(datetime(2026, 3, 1, tzinfo=UTC))

        @frozen
        def year() -> int:
            return timezone.now().year

        @frozen
        class Year(unittest.TestCase):
            def test_year(self) -> None:
                assert timezone.now().year == 2026

        assert year() == 2026
        assert unittest.TestResult() is not None
        result = unittest.defaultTestLoader.loadTestsFromTestCase(Year).run(unittest.TestResult())
        assert (result.testsRun, result.wasSuccessful()) == (1, True)

    def test_a_missing_package_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is not among the kit's dependencies."""
        monkeypatch.setitem(sys.modules, "time_machine", None)

        with pytest.raises(ImportError, match="pip install time-machine"):
            testing.freeze()


# -- The proof -------------------------------------------------------------------------------------


def urls(*patterns: Any) -> ModuleType:
    """Return a URLconf."""
    urlconf = ModuleType("urlconf")
    urlconf.urlpatterns = list(patterns)  # type: ignore[attr-defined]
    return urlconf


class Closed(APIView):
    """What the project's defaults protect."""

    def get(self, request: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("secret")


class Open(Closed):
    """Somebody's mistake: nobody is asked for anything."""

    authentication_classes = []
    permission_classes = []
    http_method_names = ["get"]


def answering(handle: Any) -> Any:
    """Return an open view whose handler does what is given."""
    return type("Answering", (Open,), {"get": lambda self, request, **kwargs: handle()}).as_view()


def complaint(*patterns: Any, **kwargs: Any) -> list[str]:
    """Return the lines of the error that a URLconf causes."""
    with pytest.raises(AssertionError) as raised:
        assert_protected(urlconf=urls(*patterns), **kwargs)
    return str(raised.value).splitlines()


def all_got(answer: str) -> str:
    """Return how a line ends where each attack got the same answer."""
    return ", ".join(f"{attack} ({answer})" for attack in ATTACKS)


class TestExampleProject:
    """The bundled project, as it is and with one action opened."""

    def test_every_endpoint_is_driven_or_accounted_for(self) -> None:
        """SC-002: what the audit calls protected was asked with every bad token, and refused each time."""
        found = assert_protected()
        rows = audit.rows()

        assert found.driven == protected()
        assert found.public == [row for row in rows if row.verdict == "PUBLIC"]
        assert found.plain == [row for row in rows if row.verdict == "PLAIN"]
        assert (found.skipped, found.shadowed) == ([], [])
        assert found.requests == 5 * len(found.driven) > 0

    def test_an_opened_action_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Issue 5: everything about the viewset is as it was, but for one action that asks nobody."""

        class OpenNotes(NoteViewSet):
            """A check that forgets one action."""

            def check_permissions(self, request: Any) -> None:
                """Check all but one."""
                if self.action != "archive":
                    super().check_permissions(request)

        router = SimpleRouter(use_regex_path=False)
        router.register("notes", OpenNotes, basename="note")

        assert complaint(*router.urls) == [
            LET_IN,
            "  POST notes/<int:pk>/archive/ (tests.test_testing.OpenNotes.archive): no token (500)",
        ]
        monkeypatch.setattr(OpenNotes, "get_authenticators", lambda self: [])
        assert complaint(*router.urls)[1] == (
            f"  POST notes/<int:pk>/archive/ (tests.test_testing.OpenNotes.archive): {all_got('500')}"
        )


def test_requests_confirm_what_the_audit_says() -> None:
    """Law 7: of views of every kind none that it calls protected lets anything in, and each that it calls open does."""
    with pytest.raises(AssertionError) as raised:
        assert_protected(urlconf="tests.gallery.urls")
    verdicts: dict[str, set[bool]] = {}
    # One of them lets in whoever comes first, and nobody after that.
    for row in (row for row in audit.rows("tests.gallery.urls") if row.route != "counts-in-cache/"):
        verdicts.setdefault(row.verdict, set()).add(f"  {row.method} {row.route} ({row.view}):" in str(raised.value))

    assert verdicts == {
        "OPEN": {True},
        "PROTECTED": {False},
        "PUBLIC": {False},
        "PLAIN": {False},
        "UNKNOWN": {True, False},
    }


class AgelessToken(AccessToken):
    """An access token that is good for ever."""

    def get_token_backend(self) -> Any:
        """Return a backend that does not look at ``exp``."""
        return backends.current(any_age=True)


class TakesExpired(JWTAuthentication):
    """Take tokens of any age."""

    def get_validated_token(self, raw_token: bytes) -> Token:
        """Check all but the time."""
        return AgelessToken(raw_token)


class TakesTampered(JWTAuthentication):
    """Take tokens unsigned."""

    def get_validated_token(self, raw_token: bytes) -> Token:
        """Check all but the signature."""
        token = AccessToken(raw_token, verify=False)
        token.verify()
        if token.seconds_left <= 0:
            raise Expired
        return token


class TakesRefresh(JWTAuthentication):
    """Take tokens of any type."""

    def get_validated_token(self, raw_token: bytes) -> Token:
        """Check all but the type."""
        return UntypedToken(raw_token)


class TestAuthenticators:
    """A view is as closed as what it authenticates by."""

    @pytest.mark.parametrize(
        ("authenticator", "attack"),
        [
            (TakesExpired, "expired"),
            (TakesTampered, "tampered"),
            (TakesRefresh, "wrong type"),
            (simplejwt.JWTAuthentication, "revoked"),
        ],
    )
    def test_what_one_lets_in_is_named_and_nothing_else(self, authenticator: Any, attack: str) -> None:
        """Each of the tokens is bad in one way only, and found by it."""
        view = type("Lenient", (Closed,), {"authentication_classes": [authenticator], "http_method_names": ["get"]})

        assert complaint(path("lenient/", view.as_view()), path("closed/", Closed.as_view())) == [
            LET_IN,
            f"  GET lenient/ (tests.test_testing.Lenient): {attack} (200)",
        ]

    def test_a_view_for_staff_hides_nothing(self) -> None:
        """The user who is made may do everything: it must be the token that is refused."""
        view = type("Staff", (Closed,), {"authentication_classes": [TakesExpired], "permission_classes": [IsAdminUser]})

        assert len(complaint(path("staff/", view.as_view()))) == 3

    def test_one_session_for_each_user_is_enough(self, settings: Any, user: Any) -> None:
        """Each new session ends the one before: no attack may depend on one that was ended so."""
        settings.DRF_JWT_KIT = {"MAX_SESSIONS_PER_USER": 1}
        view = type("Lenient", (Closed,), {"authentication_classes": [TakesExpired], "http_method_names": ["get"]})

        assert "expired (200)" in complaint(path("lenient/", view.as_view()), user=user)[1]


class Broken(BasePermission):
    """Fail."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Raise."""
        raise KeyError("tenant")


class OncePerDay(SimpleRateThrottle):
    """One request a day from anyone."""

    rate = "1/day"

    def get_cache_key(self, request: Any, view: Any) -> str:
        """Count all as one."""
        return "once"


def not_found() -> Any:
    """Raise what becomes a 404."""
    raise Http404


def fail() -> Any:
    """Raise what becomes a 500."""
    raise ZeroDivisionError


class TestWhatIsRefused:
    """401, 403, or off to sign in; everything else was let in."""

    @pytest.mark.parametrize(
        ("handle", "answer"),
        [
            (lambda: Response("secret"), "200"),
            (lambda: Response(status=204), "204"),
            (lambda: Response(status=400), "400"),
            (
                lambda: HttpResponseRedirect("/elsewhere/?next=/accounts/login/"),
                "302 to /elsewhere/?next=/accounts/login/",
            ),
            (lambda: HttpResponse(status=304), "304 to "),
            (not_found, "404"),
            (fail, "500"),
        ],
    )  # fmt: skip
    def test_any_other_answer_was_let_in(self, handle: Any, answer: str) -> None:
        """The handler has run: that is what must not be."""
        line = f"  GET open/ (tests.test_testing.Answering): {all_got(answer)}"

        assert complaint(path("open/", answering(handle))) == [LET_IN, line]

    def test_an_exception_is_an_answer_however_the_project_is_set_up(self, settings: Any) -> None:
        """The run goes on, and tells of the rest."""
        settings.DEBUG_PROPAGATE_EXCEPTIONS = True

        assert len(complaint(path("b/", answering(fail)), path("a/", Open.as_view()), client=Client())) == 3

    def test_a_permission_that_fails_was_no_refusal(self) -> None:
        """What it would have said is not known."""
        view = type("Failing", (Closed,), {"permission_classes": [Broken], "http_method_names": ["get"]})

        assert "no token (500)" in complaint(path("failing/", view.as_view()))[1]

    def test_a_throttled_request_was_let_in(self) -> None:
        """DRF counts after it has asked for permission: a 429 is no refusal, and hides none."""
        view = type("Throttled", (Open,), {"throttle_classes": [OncePerDay]})

        (line,) = complaint(path("throttled/", view.as_view()))[1:]
        assert line.endswith("no token (200), expired (429), tampered (429), wrong type (429), revoked (429)")

    def test_requests_that_are_refused_are_not_counted_by_throttles(self) -> None:
        """The project's other tests meet their throttles as they were."""
        view = type("Throttled", (Closed,), {"throttle_classes": [OncePerDay]})
        assert_protected(urlconf=urls(path("throttled/", view.as_view()), path("closed/", Closed.as_view())), user=None)

        assert len(cache.get("once", [])) == 1  # the good token, which proves that it is the others that are bad

    @pytest.mark.parametrize("login_url", ["/accounts/login/", "https://sso.example/", "sign-in"])
    def test_being_sent_to_sign_in_is_a_refusal(self, settings: Any, login_url: str) -> None:
        """By Django's decorator, whose page is a path, another server's, or named."""
        settings.LOGIN_URL = login_url
        sign_in = path("sign-in/", answering(lambda: None), name="sign-in")
        found = assert_protected(
            urlconf=urls(path("open/", login_required(Open.as_view())), path("closed/", Closed.as_view()), sign_in),
            skip=["sign-in"],
        )

        assert [row.route for row in found.driven] == ["open/", "closed/", "closed/"]

    def test_another_servers_page_is_not_the_sign_in_page(self) -> None:
        """Its path is all that they share: the handler has run."""
        target = "https://sso.invalid/accounts/login/"
        (line,) = complaint(path("open/", answering(lambda: HttpResponseRedirect(target))))[1:]
        assert f"no token (302 to {target})" in line

    def test_a_prefix_for_the_language_leads_there(self, settings: Any) -> None:
        """`startproject` writes ``en-us``; Django serves ``en``, whatever language an earlier test left active."""
        settings.LANGUAGE_CODE = "en-us"
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
        prefixed = type("Prefixed", (), {"urlpatterns": i18n_patterns(path("closed/", Closed.as_view()))})
        with translation.override("de"):
            found = assert_protected(urlconf=prefixed)
        assert {row.route for row in found.driven} == {"en/closed/"}

    def test_what_a_response_holds_open_is_closed(self) -> None:
        """A file that is never sent would stay open: Python warns of it."""
        opened: list[Any] = []

        def send() -> FileResponse:
            opened.append(Path(__file__).open("rb"))  # noqa: SIM115 - the response closes it
            return FileResponse(opened[-1])

        complaint(path("file/", answering(send)))

        assert len(opened) == 5
        assert all(file.closed for file in opened)

    def test_refusals_are_not_logged_and_failures_are(self, caplog: pytest.LogCaptureFixture) -> None:
        """Hundreds of lines that say what is wanted would hide the few that do not."""
        complaint(path("closed/", Closed.as_view()), path("open/", answering(fail)))
        assert [(record.levelname, record.status_code) for record in caplog.records] == [("ERROR", 500)] * 5

        APIClient().get("/api/me/")
        assert caplog.records[-1].levelname == "WARNING"

    def test_every_endpoint_is_named_in_order(self) -> None:
        """All of them at once: nobody mends one, runs again, and finds the next."""
        mixed = type("Mixed", (Open,), {"post": Open.get, "http_method_names": ["get", "post"]})
        lines = complaint(path("b/", Open.as_view()), path("", Open.as_view()), path("a/", mixed.as_view()))

        assert lines[0] == LET_IN
        assert [line.partition(":")[0] for line in lines[1:]] == [
            '  GET "" (tests.test_testing.Open)',
            "  GET a/ (tests.test_testing.Mixed)",
            "  POST a/ (tests.test_testing.Mixed)",
            "  GET b/ (tests.test_testing.Open)",
        ]


class Deletes(Open):
    """An open door to everything."""

    http_method_names = ["delete"]

    def delete(self, request: Any) -> Response:
        """Delete all, break a constraint, and hope for a commit."""
        with transaction.atomic(durable=True):
            Note.objects.all().delete()
        transaction.on_commit(lambda: cache.set("committed", 1))
        Note.objects.create(owner_id=0, title="nobody's")
        return Response(status=204)


class BreaksConstraint(Open):
    """An open view that fails in the database."""

    def get(self, request: Any) -> Response:
        """Insert a user twice."""
        users = get_user_model().objects
        users.create(username="twice")
        users.create(username="twice")
        raise AssertionError


def durable(get_response: Any) -> Any:
    """Write each request down, in a transaction that must be the outermost."""

    def middleware(request: Any) -> Any:
        with transaction.atomic(durable=True):
            get_user_model().objects.create(username=f"{time.perf_counter_ns()}")
        return get_response(request)

    return middleware


@pytest.fixture(params=[False, True], ids=["autocommit", "ATOMIC_REQUESTS"])
def _atomic_requests(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to run views."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", request.param)


@pytest.mark.usefixtures("_atomic_requests")
class TestDatabase:
    """A run does no lasting harm."""

    def harm(self, owner: Any) -> None:
        """Run against an open door to everything, and look what is left."""
        note = Note.objects.create(owner=owner, title="Keep me")
        lines = complaint(path("deletes/", Deletes.as_view()), path("breaks/", BreaksConstraint.as_view()), user=owner)

        assert len(lines) == 3
        assert Note.objects.get() == note
        assert list(get_user_model().objects.all()) == [owner]
        assert not TokenSession.objects.exists()
        assert cache.get("committed") is None

    def test_what_handlers_do_is_rolled_back(self, user: Any) -> None:
        """Inside the transaction of a test case."""
        self.harm(user)

    @pytest.mark.django_db(transaction=True)
    def test_it_is_rolled_back_without_a_transaction_of_the_test(self, user: Any) -> None:
        """Where a test commits what it does."""
        self.harm(user)
        assert not connection.in_atomic_block

    def test_harm_that_one_request_does_hides_nothing_from_the_next(self) -> None:
        """Without users and sessions every token is refused, whatever an authenticator thinks of its age."""
        lenient = type("Lenient", (Closed,), {"authentication_classes": [TakesExpired], "http_method_names": ["get"]})
        ends_all = answering(get_user_model().objects.all().delete)
        lines = complaint(path("a/", ends_all), path("b/", lenient.as_view()))

        assert lines[2] == "  GET b/ (tests.test_testing.Lenient): expired (200)"

    def test_nothing_stays_of_a_run_that_finds_nothing(self) -> None:
        """Neither the user that was made nor sessions."""
        assert_protected()

        assert not get_user_model().objects.exists()
        assert not TokenSession.objects.exists()

    def test_a_transaction_that_must_be_the_outermost_is_let_be_so(self, settings: Any) -> None:
        """As in Django's own test cases."""
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.test_testing.durable"]

        assert assert_protected().driven == protected()

    def test_the_test_goes_on_after_it(self, user: Any) -> None:
        """The transaction of a test case is sound, whatever broke meanwhile."""
        complaint(path("breaks/", BreaksConstraint.as_view()))
        with pytest.raises(IntegrityError), transaction.atomic():
            get_user_model().objects.create(username="alice")

        assert get_user_model().objects.count() == 1


class Counts(Closed):
    """A view that is made ready with rows, for which the audit has no database."""

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Count users."""
        super().setup(request, *args, **kwargs)
        self.users = get_user_model().objects.count()


class CountsForAll(Counts):
    """One that anybody may read."""

    def get_permissions(self) -> list[Any]:
        """Ask those for a user who write."""
        return [] if self.request.method == "GET" else [IsAuthenticated()]

    def post(self, request: Any) -> Response:
        """Answer."""
        return Response("written")


class CountsInPublic(ProtectedByDefaultMixin, Counts):
    """One whose handler for GET is declared public."""

    get = public(Counts.get)


class CountsInSet(CountsForAll, ViewSet):
    """A viewset whose action has a name of its own."""

    def list(self, request: Any) -> Response:
        """Answer."""
        return Response("secret")


class TestWhatTheAuditIsNotTold:
    """A view that cannot be made ready without a database is ``UNKNOWN`` to the audit, whatever the method."""

    def test_each_method_of_its_class_is_driven(self) -> None:
        """Law 7: as of every view; a method that nobody has was refused, and proved nothing."""
        lines = complaint(
            path("all/", CountsForAll.as_view()),
            path("closed/", Counts.as_view()),
            path("set/", CountsInSet.as_view({"get": "list"})),
            path("gone/", CountsInSet.as_view({"post": "gone"}, http_method_names=["post"])),
            path("wrapped/", require_POST(CountsForAll.as_view())),
            path("open/", Counts.as_view(permission_classes=[], http_method_names=["options"])),
        )

        assert [line.partition(":")[0].strip() for line in lines[1:]] == [
            "GET all/ (tests.test_testing.CountsForAll)",
            "POST gone/ (tests.test_testing.CountsInSet.gone)",
            "OPTIONS open/ (tests.test_testing.Counts)",
            "GET set/ (tests.test_testing.CountsInSet.list)",
        ]

    def test_they_are_listed_by_method(self) -> None:
        """What is declared public is no fault; each may be skipped."""
        found = assert_protected(
            urlconf=urls(path("public/", CountsInPublic.as_view()), path("all/", CountsForAll.as_view())),
            skip=["GET all/"],
        )

        listed = [[(row.method, row.route) for row in rows] for rows in (found.driven, found.public, found.skipped)]
        assert listed == [
            [("OPTIONS", "public/"), ("POST", "all/"), ("HEAD", "all/"), ("OPTIONS", "all/")],
            [("GET", "public/"), ("HEAD", "public/")],
            [("GET", "all/")],
        ]


class TestClient:
    """Requests go through the client that is given, and through nobody's account."""

    @pytest.mark.parametrize("client_class", [APIClient, Client])
    def test_its_host_and_headers_are_kept(self, settings: Any, client_class: Any) -> None:
        """A project may serve nobody else."""
        settings.ALLOWED_HOSTS = ["api.example.com"]
        client = client_class(SERVER_NAME="api.example.com")
        client.cookies["language"] = "de"

        assert assert_protected(client).driven == protected()
        assert client.raise_request_exception
        assert client.cookies["language"].value == "de"

    def test_a_host_that_is_not_allowed_proves_nothing(self, settings: Any) -> None:
        """A 400 for all is no refusal of any token."""
        settings.ALLOWED_HOSTS = ["api.example.com"]

        assert "no token (400)" in complaint(path("closed/", Closed.as_view()))[1]

    def test_a_session_of_djangos_is_not_sent(self, user: Any) -> None:
        """A test's client is often signed in when the test begins."""
        client = Client()
        client.force_login(user)
        view = type("Both", (Closed,), {"authentication_classes": [JWTAuthentication, SessionAuthentication]})

        assert assert_protected(client, urlconf=urls(path("both/", view.as_view()))).requests == 10
        assert client.session["_auth_user_id"] == str(user.pk)

    def test_cookies_of_one_request_do_not_open_the_next(self, user: Any) -> None:
        """An open view that signs visitors in is named alone."""

        def sign_in() -> Response:
            client = Client()
            client.force_login(user)
            answer = Response()
            answer.set_cookie("sessionid", client.cookies["sessionid"].value)
            return answer

        view = type("Session", (Closed,), {"authentication_classes": [SessionAuthentication]})
        lines = complaint(path("a/", answering(sign_in)), path("b/", view.as_view()))
        assert [line.split()[1] for line in lines[1:]] == ["a/"]

    def test_a_client_with_credentials_of_its_own_is_refused(self, user: Any) -> None:
        """They would be sent in place of each token: the same one every time, and "no token" never."""
        credentials, forced, default = testing.api_client_for(user), APIClient(), Client(HTTP_AUTHORIZATION="Bearer x")
        forced.force_authenticate(user)

        for client in (credentials, forced, default, Client(headers={"Authorization": "Bearer x"})):
            with pytest.raises(ValueError, match="signed in nowhere"):
                assert_protected(client)

    def test_something_else_is_no_client(self, user: Any) -> None:
        """A user in the client's place is a slip; an asynchronous client answers later."""
        for client in (user, AsyncClient()):
            with pytest.raises(TypeError, match="client of Django's or DRF's"):
                assert_protected(client)

    def test_https_is_spoken_where_nothing_else_is_answered(self, settings: Any) -> None:
        """``SECURE_SSL_REDIRECT`` answers before any view does."""
        settings.SECURE_SSL_REDIRECT = True

        assert assert_protected().driven == protected()


class TestUser:
    """Whose tokens are sent."""

    def test_a_user_of_the_projects_is_taken(self, user: Any) -> None:
        """None is made then."""
        with override_settings(DRF_JWT_KIT={"CLAIMS": "tests.test_testing.claims_for_alice"}):
            assert assert_protected(user=user).driven == protected()

    def test_a_user_whose_good_tokens_are_refused_proves_nothing(self, user: Any) -> None:
        """Every token of somebody who is no administrator is refused here, bad or not."""
        staff_only = Closed.as_view(permission_classes=[IsAdminUser])

        assert complaint(path("closed/", staff_only), user=user) == [
            "Nothing was proven: good tokens are refused everywhere, too. Pass another user."
        ]

    @pytest.mark.parametrize("decorate", [lambda view: view, require_GET], ids=["as it is", "for GET alone"])
    def test_a_decorator_that_refuses_a_method_lets_nobody_in(self, decorate: Any) -> None:
        """Where no token gets in, as only sessions do, a 405 of Django's is no other door."""
        sessions_only = Closed.as_view(authentication_classes=[SessionAuthentication])

        assert "Nothing was proven" in complaint(path("closed/", decorate(sessions_only)))[0]
        assert assert_protected(urlconf=urls(path("a/", decorate(sessions_only)), path("b/", Closed.as_view()))).driven

    def test_where_none_can_be_made_one_is_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A project's user model may want what cannot be made up."""
        monkeypatch.setattr(get_user_model(), "REQUIRED_FIELDS", ["password"])

        with pytest.raises(ValueError, match="Pass one: user=") as raised:
            assert_protected()
        assert isinstance(raised.value.__cause__, TypeError)


def claims_for_alice(user: Any, session: Any) -> dict[str, Any]:
    """Return claims, and fail for others: a project's ``CLAIMS``."""
    assert user.get_username() == "alice"
    return {}


def another_urlconf(get_response: Any) -> Any:
    """Serve other URLs for the host: a project's middleware."""

    def middleware(request: Any) -> Any:
        request.urlconf = "tests.test_testing"
        return get_response(request)

    return middleware


urlpatterns = [path("<path:rest>", Closed.as_view())]


class TestRoutes:
    """Every route is driven, or named."""

    def test_a_shadowed_value_is_passed_over(self) -> None:
        """``1`` belongs to an earlier route; another value leads to this one."""
        patterns = [path("<int:pk>/", Closed.as_view()), path("<str:name>/", Open.as_view())]

        assert complaint(*patterns)[1].startswith("  GET <str:name>/ (tests.test_testing.Open): no token (200)")

    def test_one_view_at_two_places_is_driven_at_both(self) -> None:
        """That it was reached by another route proves nothing of this one: a decorator may stand there."""
        view = Closed.as_view()
        found = assert_protected(urlconf=urls(path("<int:pk>/", view), path("<str:name>/", view)))

        assert [row.route for row in found.driven] == ["<int:pk>/"] * 2 + ["<str:name>/"] * 2

    @pytest.mark.parametrize(
        ("first", "again"),
        [
            (path("a/", Closed.as_view()), path("a/", Open.as_view())),
            (path("a/", Closed.as_view()), re_path(r"^a/$", Open.as_view())),
            (path("<slug:name>/", Closed.as_view()), path("a/", Open.as_view())),
            (path("<int:pk>/", Closed.as_view()), path("<int:pk>/", Open.as_view())),
            (path("a.b/c", Closed.as_view()), re_path(r"^a\.b/", include([re_path("^c$", Open.as_view())]))),
            (re_path("^[ab]/$", Closed.as_view()), re_path("^[ab]/$", Open.as_view())),
        ],
        ids=["path", "re_path", "parameter", "alike", "include", "alike as re_path"],
    )
    def test_a_route_whose_paths_are_all_taken_is_out_of_reach(self, first: Any, again: Any) -> None:
        """Nobody gets there, so nothing is open."""
        found = assert_protected(urlconf=urls(first, again))

        assert [row.view for row in found.shadowed] == ["tests.test_testing.Open"]

    @pytest.mark.parametrize(
        ("first", "again"),
        [
            (path("api/reports", Closed.as_view()), path("api/", include([re_path("^reports", Open.as_view())]))),
            (path("reports", Closed.as_view()), re_path("reports", Open.as_view())),
            (path("export.csv", Closed.as_view()), re_path("^export.csv$", Open.as_view())),
            (path("a/b", Closed.as_view()), re_path("a/", include([path("b", Open.as_view())]))),
            (path("en-us/a/", Closed.as_view()), *i18n_patterns(path("a/", Open.as_view()))),
            (path("a/", Closed.as_view()), path(lazystr("a/"), Open.as_view())),
        ],
        ids=["no end", "neither end", "a dot", "include", "language", "translated"],
    )
    def test_a_route_that_may_have_more_paths_is_not_out_of_reach(self, first: Any, again: Any) -> None:
        """An earlier route gets the path that was found, and there are others: of those nothing is proven."""
        heading, named = complaint(first, again)

        assert heading.startswith("No path was found to these routes: give one in paths=")
        assert named.endswith(" (tests.test_testing.Open)")

    def test_two_routers_at_one_place(self) -> None:
        """A project's usual way to come by a shadowed route: each has a root."""
        one, two = DefaultRouter(), DefaultRouter()
        one.include_format_suffixes = two.include_format_suffixes = False
        one.register("notes", NoteViewSet, basename="note")
        two.register("more", NoteViewSet, basename="more")
        found = assert_protected(urlconf=urls(path("api/", include(one.urls)), path("api/", include(two.urls))))

        assert {row.view for row in found.shadowed} == {"rest_framework.routers.APIRootView"}
        assert {row.route for row in found.shadowed} == {"api/"}

    @pytest.mark.parametrize("route", ["either/", "ANY either/"])
    def test_a_choice_among_views_is_named(self, route: str) -> None:
        """Which one answered, and what the other would have, no request tells: that is no proof."""
        either = path("either/", Chooser(get=SaidPublic.as_view(), post=Open.as_view()))
        patterns = [path("closed/", NoteViewSet.as_view({"get": "list"})), either]

        for given in (patterns, [either]):
            assert complaint(*given, paths={"either/": "/either/"}) == [
                "One of several views answers there: test each yourself, and name the route in skip.",
                "  either/ (tests.gallery.views.Chooser)",
            ]
        assert len(assert_protected(urlconf=urls(*patterns), skip=[route]).skipped) == 1

    def test_a_route_that_no_path_leads_to_is_named(self) -> None:
        """It may be open: silence would be a proof of nothing."""
        closed = path("closed/", Closed.as_view())
        riddle = re_path(r"^(?P<word>(?=\w*7)[a-z]+\d)/$", Closed.as_view(), name="riddle")

        for patterns in ([closed, riddle], [riddle]):
            assert complaint(*patterns) == [
                "No path was found to these routes: give one in paths={route: path}, or name them in skip.",
                r"  ^(?P<word>(?=\w*7)[a-z]+\d)/$ (tests.test_testing.Closed)",
            ]
        for name in ("riddle", r"^(?P<word>(?=\w*7)[a-z]+\d)/$"):
            assert len(assert_protected(urlconf=urls(closed, riddle), skip=[name]).skipped) == 2
            assert len(assert_protected(urlconf=urls(closed, riddle), skip=name).skipped) == 2
            found = assert_protected(urlconf=urls(closed, riddle), paths={name: "/swordfish7/?format=json"})
            assert len(found.driven) == 4

    @pytest.mark.parametrize(
        ("regex", "given"),
        [
            ("(?x)^a/(?P<n>\\d+)/$  # a number :)\n", "/a/11/"),
            ("^a/(?P<n>\\d)(?P<m>(?P=n))/$", "/a/11/"),
            (r"^a\d+\(draft\)/$", "/a1(draft)/"),
        ],
    )
    def test_a_regex_that_cannot_be_read_is_named(self, regex: str, given: str) -> None:
        """And reached by a path that is given."""
        odd = re_path(regex, Closed.as_view(), name="odd")

        assert "\n".join(complaint(odd)[1:]) == f"  {odd.pattern} (tests.test_testing.Closed)"
        assert assert_protected(urlconf=urls(odd), paths={"odd": given}).requests == 10

    def test_all_paths_taken_by_earlier_routes(self) -> None:
        """Those that were tried, at least."""
        lines = complaint(path("<path:any>", Closed.as_view()), path("notes/<int:pk>/", Open.as_view()))

        assert lines[1:] == ["  notes/<int:pk>/ (tests.test_testing.Open)"]

    def test_a_given_path_leads_to_its_route(self) -> None:
        """A typing mistake would prove another route."""
        patterns = [path("a/", Closed.as_view()), path("b/", Closed.as_view())]
        for given in ("/b/", "/c/", "a/"):
            with pytest.raises(ValueError, match="does not lead to a/"):
                assert_protected(urlconf=urls(*patterns), paths={"a/": given})

    def test_a_given_path_may_have_a_query(self) -> None:
        """docs/proving.md: a view that wants a version there answers 404 before it asks who that is."""
        versions = type("Versions", (QueryParameterVersioning,), {"allowed_versions": ["1"]})
        books = path("books/", Closed.as_view(versioning_class=versions))

        assert complaint(books)[1].endswith(all_got("404"))
        assert assert_protected(urlconf=urls(books), paths={"books/": "/books/?version=1"}).requests == 10

    def test_names_that_no_route_has_are_refused(self) -> None:
        """What was left out once may be back under another name."""
        mistakes = [{"skip": [gone]} for gone in ("gone", "", "PUT", "PUT a/")]
        for mistake in (*mistakes, {"skip": "gone"}, {"paths": {"gone": "/a/"}}, {"paths": {"GET": "/a/"}}):
            with pytest.raises(ValueError, match="name what is not there"):
                assert_protected(urlconf=urls(path("a/", Closed.as_view())), **mistake)

    def test_one_method_is_left_out_or_one_everywhere(self) -> None:
        """A webhook knows its callers by a signature; some front ends ask for OPTIONS without a token."""
        both = type("Both", (Closed,), {"post": Closed.get})
        webhook, closed = path("webhook/", both.as_view(), name="hook"), path("closed/", Closed.as_view())

        for skip in (["POST webhook/", "OPTIONS"], ["POST hook", "OPTIONS closed/", "OPTIONS hook"]):
            found = assert_protected(urlconf=urls(webhook, closed), skip=skip)
            assert [(row.method, row.route) for row in found.driven] == [("GET", "webhook/"), ("GET", "closed/")]
            assert [row.method for row in found.skipped] == ["POST", "OPTIONS", "OPTIONS"]

    def test_strange_paths_arrive_as_they_are(self) -> None:
        """Spaces, letters of other alphabets, and what a URL would end at."""
        patterns = [path("ä b?c#d%25/", Open.as_view())]

        assert "no token (200)" in complaint(*patterns)[1]

    def test_other_urls_than_those_that_were_walked_prove_nothing(self, settings: Any) -> None:
        """Middleware may choose a URLconf for the host."""
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.test_testing.another_urlconf"]

        assert "no token (led to <path:rest>)" in complaint(path("closed/", Closed.as_view()))[1]
        assert assert_protected(urlconf="tests.test_testing").requests == 10

    def test_nothing_driven_is_no_proof(self) -> None:
        """All is public, plain or skipped: somebody drove the wrong URLs."""
        status = api_view(["GET"])(public(lambda request: Response("up")))
        nothing = ["Nothing was driven: no view of DRF's is there that is not declared @public, or skipped."]

        assert complaint() == nothing
        assert complaint(path("status/", status), path("plain/", login_required(Closed))) == nothing
        assert complaint(path("a/", Open.as_view()), skip=["a/"]) == nothing

    def test_public_views_are_listed_and_not_driven(self) -> None:
        """Their handlers do not run."""
        asked: list[Any] = []
        view = public(type("Public", (Open,), {"get": lambda self, request: asked.append(request)}))
        found = assert_protected(urlconf=urls(path("public/", view.as_view()), path("closed/", Closed.as_view())))

        assert ([row.route for row in found.public], asked) == (["public/"], [])
