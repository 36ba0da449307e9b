"""THREATS "Words": no password and no token in anything that is written down."""

from __future__ import annotations

import html
import json
import logging
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from django.utils.log import AdminEmailHandler
from django.views.decorators.debug import sensitive_variables
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView
from rest_framework_simplejwt import serializers as simplejwt_serializers
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.exceptions import TokenError

from drf_jwt_kit import sessions
from drf_jwt_kit.authentication import JWTAuthentication
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.serializers import (
    TokenBlacklistSerializer,
    TokenObtainPairSerializer,
    TokenRefreshSerializer,
    TokenRevokeSerializer,
    TokenVerifySerializer,
)
from drf_jwt_kit.signals import refresh_token_reused, session_revoked, session_started, token_refreshed
from drf_jwt_kit.tokens import AccessToken, RefreshToken, UntypedToken
from tests import urls as project
from tests.attacks import forge
from tests.attacks.conftest import Doors, another_user
from tests.conftest import PASSWORD, Tokens, bearer

pytestmark = pytest.mark.django_db

WRONG = "a wrong password, sent by mistake"
TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
FORMATTER = logging.Formatter("%(name)s %(levelname)s %(message)s %(exc_text)s")


def spoken(text: str) -> list[str]:
    """Return what of the secrets stands in a text."""
    secrets = (PASSWORD, WRONG, *PASSWORD.split(" ")[3:], django_settings.SECRET_KEY)
    found = [secret for secret in secrets if secret in text]
    return found + TOKEN.findall(text)


def drive_everything(client: Any, doors: Doors, clock: Any, user: Any) -> None:
    """Sign in, fail, refresh, replay, revoke, send garbage: what any log would tell of."""

    def post(path: str, **body: Any) -> Any:
        return client.post(f"/api/token/{path}", body, format="json")

    first = post("", username="alice", password=PASSWORD).json()
    for name in ("alice", "nobody", PASSWORD):
        post("", username=name, password=WRONG)
    post("", username="alice", password=PASSWORD + "\0")
    post("", username="alice", password=[PASSWORD])
    post("", username={"name": "alice"}, password=WRONG)
    client.generic("POST", "/api/token/", f'{{"username": "alice", "password": "{WRONG}"', "application/json")
    second = post("refresh/", refresh=first["refresh"]).json()
    clock.shift(timedelta(seconds=31))
    for token in (second["access"], second["access"][:-3] + "AAA", second["refresh"]):
        doors.header("/api/me/", token)
        doors.header("/api/me/", f"{token} {token}")
        client.get(f"/api/sessions/{forge.payload_of(token)['sid']}/", **bearer(token))
        post("verify/", token=token)
        post("blacklist/", refresh=token + "x")
    post("refresh/", refresh=first["refresh"])
    post("revoke/", token=first["refresh"])
    third = post("", username="alice", password=PASSWORD).json()
    type(user).objects.filter(pk=user.pk).update(is_active=False)
    doors.header("/api/me/", third["access"])
    post("refresh/", refresh=third["refresh"])
    post("", username="alice", password=PASSWORD)
    for _ in range(6):
        post("", username="mallory", password=WRONG)


@pytest.mark.parametrize("debug", [False, True])
def test_logs_hold_no_secrets(request: Any, client: Any, doors: Doors, clock: Any, user: Any, debug: bool) -> None:
    """Law 10: every line of every logger, at every level, with ``DEBUG`` on and off."""
    request.getfixturevalue("settings").DEBUG = debug
    caplog = request.getfixturevalue("caplog")
    caplog.set_level(logging.DEBUG)
    drive_everything(client, doors, clock, user)
    assert len(caplog.records) > 20
    for record in caplog.records:
        if record.name == "django.db.backends":
            continue  # a project that logs SQL logs parameters; no token and no password is one, see below
        shown = FORMATTER.format(record) + repr(
            {name: value for name, value in vars(record).items() if name != "request"}
        )
        # A user who types the password into the field for the name has told it to the log: simplejwt's users know.
        assert not [
            word for word in spoken(shown) if word not in (PASSWORD, *PASSWORD.split()) or "username=" not in shown
        ]


def test_the_database_is_told_no_secret(
    client: Any, doors: Doors, clock: Any, user: Any, django_assert_max_num_queries: Any
) -> None:
    """Laws 5 and 10: no statement has a token or the sent password among its parameters."""
    with django_assert_max_num_queries(500) as captured:
        drive_everything(client, doors, clock, user)
    statements = [query["sql"] for query in captured.captured_queries]
    assert len(statements) > 20
    assert not [TOKEN.findall(sql) for sql in statements if TOKEN.search(sql)]
    assert not [sql for sql in statements if WRONG in sql]


# -- Error reports ---------------------------------------------------------------------------------


def failing_claims(user: Any, session: Any) -> dict[str, Any]:
    """Fail as a project's hook may."""
    raise LookupError("the hook failed")


def unsignable_claims(user: Any, session: Any) -> dict[str, Any]:
    """Return what no token may have."""
    return {"score": float("nan")}


def dated_claims(user: Any, session: Any) -> dict[str, Any]:
    """Return what PyJWT cannot write, while it has the key."""
    return {"joined": datetime(2020, 1, 1, tzinfo=UTC)}


def failing_gate(request: Any, user: Any) -> None:
    """Fail as a project's gate may."""
    raise LookupError("the gate failed")


def shown(value: Any) -> str:
    """Return how a tracker shows a variable: a query that nobody has made yet is made by that, and may fail."""
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - as they do
        return f"Error in formatting: {error}"


class Reporter(AdminEmailHandler):
    """Write what Django mails to administrators, and what error trackers send home."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__(include_html=True)
        self.reports: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Report one error."""
        super().emit(record)
        error = record.exc_info[1] if record.exc_info else None
        while error is not None:
            frames = [frame for frame, _line in traceback.walk_tb(error.__traceback__)]
            self.reports += [shown(value) for frame in frames for value in frame.f_locals.values()]
            error = error.__cause__ or error.__context__

    def send_mail(self, subject: str, message: str, *args: Any, **kwargs: Any) -> None:
        """Keep it: HTML and text."""
        self.reports += [subject, message, kwargs["html_message"]]


@pytest.fixture
def reports() -> Iterator[list[str]]:
    """The error reports of a test."""
    handler = Reporter()
    loggers = [logging.getLogger(name) for name in ("django.request", "drf_jwt_kit")]
    for logger in loggers:
        logger.addHandler(handler)
    yield handler.reports
    for logger in loggers:
        logger.removeHandler(handler)


def assert_silent(reports: list[str]) -> None:
    """Assert that no report has a secret, and show the lines that have one; long texts come in pieces there."""
    whole = (re.sub(r"'\s+b?'", "", html.unescape(report)) for report in reports)
    told = [line.strip() for report in whole for line in report.splitlines() if spoken(line)]
    assert not told, "\n".join(line[:300] for line in told[:12])


FAILURES = {
    "gate at sign-in": ("SIGN_IN_GATE", "failing_gate", "", "the gate failed"),
    "claims at sign-in": ("CLAIMS", "failing_claims", "", "the hook failed"),
    "claims at refresh": ("CLAIMS", "failing_claims", "refresh/", "the hook failed"),
    "a claim that is no JSON at sign-in": ("CLAIMS", "unsignable_claims", "", "A token would be refused"),
    "a claim that is no JSON at refresh": ("CLAIMS", "unsignable_claims", "refresh/", "A token would be refused"),
    "a claim that cannot be written at sign-in": ("CLAIMS", "dated_claims", "", "not JSON serializable"),
    "a claim that cannot be written at refresh": ("CLAIMS", "dated_claims", "refresh/", "not JSON serializable"),
}


class OwnView(APIView):
    """A project's own view, around one of the kit's serializers."""

    permission_classes = (AllowAny,)
    serializer_class: Any = None

    def post(self, request: Request) -> Response:
        """Do what the serializer does."""
        serializer = self.serializer_class(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        return Response(serializer.validated_data)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("prefix", ["/api/token/", "/own/"])
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_an_error_report_holds_no_secret(
    client: Any, tokens: Tokens, settings: Any, reports: list[str], *, failure: Any, prefix: str, debug: bool
) -> None:
    """Law 10: a hook fails: neither the mail, nor its frames' variables, nor the page of ``DEBUG`` tells a secret."""
    settings.ROOT_URLCONF, settings.DEBUG = __name__, debug
    hook, name, path, told = failure
    settings.DRF_JWT_KIT = {hook: f"{__name__}.{name}"}
    body = {"refresh": tokens.refresh} if path else {"username": "alice", "password": PASSWORD}
    answer = client.post(f"{prefix}{path}", body, format="json")
    assert answer.status_code == 500
    assert [report for report in reports if told in report]
    assert_silent([*reports, answer.content.decode()])


OWN = {
    "": TokenObtainPairSerializer,
    "refresh/": TokenRefreshSerializer,
    "verify/": TokenVerifySerializer,
    "revoke/": TokenRevokeSerializer,
    "blacklist/": TokenBlacklistSerializer,
}
PLAIN = (simplejwt_serializers.TokenRefreshSerializer, simplejwt_serializers.TokenVerifySerializer)


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", OWN)
def test_the_report_of_a_projects_own_view_holds_no_secret(
    client: Any, tokens: Tokens, settings: Any, reports: list[str], break_database: Any, *, path: str, debug: bool
) -> None:
    """Law 10: what the database's failure is answered with is the project's; what was sent is told to nobody."""
    settings.ROOT_URLCONF, settings.DEBUG = __name__, debug
    break_database()
    body = {"username": "alice", "password": PASSWORD, "refresh": tokens.refresh, "token": tokens.refresh}
    answer = client.post(f"/own/{path}", body, format="json")
    assert answer.status_code == 500
    assert [report for report in reports if "is_valid" in report]
    assert_silent([*reports, answer.content.decode()])


UNREADABLE = {
    "no boundary": {"data": b"x", "content_type": "multipart/form-data"},
    "too many fields": {"data": "&".join(["a=1"] * 1100), "content_type": "application/x-www-form-urlencoded"},
    "too large": {"data": "a" * 3_000_000, "content_type": "application/x-www-form-urlencoded"},
}

JSON_REFUSALS = [(status, "application/json") for status in (400, 413, 415)]


@pytest.mark.parametrize("form", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("path", ["me/", "sessions/"])
def test_a_report_does_not_stumble_over_a_form(
    client: Any, tokens: Tokens, reports: list[str], break_database: Any, path: str, form: dict[str, Any]
) -> None:
    """Law 8 and 2.2: 503 and JSON, though Django wants to show in its mail what nobody can read."""
    break_database()
    answer = client.post(f"/api/{path}", **form, **bearer(tokens.access))
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/json")
    assert reports
    assert_silent(reports)


@pytest.mark.parametrize("form", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("path", OWN)
def test_the_report_of_a_refusal_does_not_stumble_either(
    client: Any, reports: list[str], path: str, form: dict[str, Any]
) -> None:
    """2.2: JSON at every endpoint of the kit, for a project that has refusals reported as well."""
    answer = client.post(f"/api/token/{path}", **form)
    assert (answer.status_code, answer.headers["Content-Type"]) in JSON_REFUSALS
    assert reports


@pytest.mark.parametrize("field", ["refresh", "access", "token ", "password"])
def test_the_report_of_a_form_with_another_field_holds_no_token(
    client: Any, tokens: Tokens, settings: Any, reports: list[str], field: str
) -> None:
    """Law 10: a client that mistakes the name, on a site where ``DEBUG`` is on."""
    settings.DEBUG = True
    form = "application/x-www-form-urlencoded"
    answer = client.post("/api/token/revoke/", urlencode({field: tokens.refresh}), content_type=form)
    assert answer.status_code == 400
    assert reports
    assert_silent(reports)


def failing_afterwards(get_response: Any) -> Any:
    """Be a middleware that fails once there is an answer."""

    def middleware(request: Any) -> None:
        get_response(request)
        raise LookupError("the middleware failed")

    return middleware


def test_the_report_of_a_middleware_that_fails_afterwards_holds_no_token(
    tokens: Tokens, settings: Any, reports: list[str]
) -> None:
    """Law 10: a form that was answered is still with the request, on a site where ``DEBUG`` is on."""
    settings.DEBUG, settings.MIDDLEWARE = True, [f"{__name__}.failing_afterwards"]
    form = "application/x-www-form-urlencoded"
    client = APIClient(raise_request_exception=False)
    answer = client.post("/api/token/revoke/", urlencode({"token": tokens.refresh}), content_type=form)
    assert answer.status_code == 500
    assert reports
    assert_silent([*reports, answer.content.decode()])


@pytest.mark.parametrize("path", ["token/refresh/", "token/verify/", "token/revoke/", "token/blacklist/", "me/"])
def test_the_report_of_a_broken_database_holds_no_secret(
    client: Any, doors: Doors, tokens: Tokens, reports: list[str], break_database: Any, path: str
) -> None:
    """Laws 8 and 10: the 503 is reported, without what was sent."""
    break_database()
    if path == "me/":
        answer = doors.header("/api/me/", tokens.access)
    else:
        answer = client.post(f"/api/{path}", {"refresh": tokens.refresh, "token": tokens.refresh}, format="json")
    assert answer.status_code == 503
    assert_silent(reports)


class Talkative:
    """A backend that fails with the password in its hands, which it hides itself: Django leaves that to it."""

    @sensitive_variables()
    def authenticate(self, request: Any, username: str = "", password: str = "") -> Any:
        """Fail."""
        raise LookupError("the directory is down")


def test_the_report_of_a_failed_backend_holds_no_secret(
    client: Any, user: Any, settings: Any, reports: list[str]
) -> None:
    """Laws 8 and 10: the log tells that it failed, not for which password."""
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Talkative"]
    assert client.post("/api/token/", {"username": "alice", "password": PASSWORD}, format="json").status_code == 503
    assert reports
    assert_silent(reports)


class Starts(APIView):
    """A project's own view, which begins a session by itself."""

    permission_classes = (AllowAny,)

    def post(self, request: Request) -> Response:
        """Begin it."""
        return Response({"access": str(sessions.start(get_user_model().objects.get(username="alice")).access)})


class Reads(APIView):
    """A project's own view, which hands a token to ``reads``, and catches nothing."""

    permission_classes = (AllowAny,)
    reads: Any = None

    def post(self, request: Request) -> Response:
        """Read it."""
        self.reads(request.data["token"])
        return Response()


def read_by_function(request: HttpRequest, reads: Any) -> HttpResponse:
    """Be a plain view that does the same."""
    reads(json.loads(request.body)["token"])
    return HttpResponse()


async def read_by_coroutine(request: HttpRequest, reads: Any) -> HttpResponse:
    """Be a plain async view that does the same."""
    return read_by_function(request, reads)


class Validates(APIView):
    """A project's own view, which keeps nothing of what simplejwt's serializer is given."""

    permission_classes = (AllowAny,)
    serializer_class: Any = None

    def post(self, request: Request) -> Response:
        """Validate it."""
        return Response(self.serializer_class(data=request.data).is_valid(raise_exception=True))


class OddError(Exception):
    """A project's exception whose attribute is called as a group's is."""

    exceptions = ("none", None)


def fail_oddly(sent: Any) -> None:
    """Raise it."""
    raise OddError


def complain(token: str) -> None:
    """Raise an error of the project's own because of a refusal."""
    try:
        simplejwt.RefreshToken(token)
    except TokenError as refusal:
        del token
        raise OddError from refusal


READ_BY: dict[str, Any] = {
    "complaint": complain,
    "refresh": simplejwt.RefreshToken,
    "access": simplejwt.AccessToken,
    "any": simplejwt.UntypedToken,
    "kit-refresh": RefreshToken,
    "kit-access": AccessToken,
    "rotate": sessions.rotate,
}


class FailingView(APIView):
    """A project's view with a bug."""

    def get(self, request: Request) -> Response:
        """Fail."""
        raise LookupError("the view failed")


class FailingAuthentication(JWTAuthentication):
    """A project's authenticator with a bug."""

    def get_user(self, validated_token: Any) -> Any:
        """Fail once the user is known."""
        super().get_user(validated_token)
        raise LookupError("the view failed")


class FailingClass(AccessToken):
    """A project's class of tokens with a bug."""

    def verify(self) -> None:
        """Fail."""
        raise LookupError("the view failed")


class FailingNames(TokenObtainPairSerializer):
    """A project's serializer whose name has a rule with a bug."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the rule."""
        super().__init__(*args, **kwargs)
        self.fields["username"].validators.append(failing_rule)


def failing_rule(value: str) -> None:
    """Fail."""
    raise LookupError("the view failed")


def raise_again(exc: Exception, context: dict[str, Any]) -> Response:
    """Be an exception handler that answers nothing."""
    raise exc


def failing_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """Be an exception handler with a bug."""
    raise LookupError("the view failed")


urlpatterns = [
    *project.urlpatterns,
    path("starts/", Starts.as_view()),
    path("failing/", FailingView.as_view()),
    path("failing/user/", FailingView.as_view(authentication_classes=[FailingAuthentication])),
    *(path(f"reads/{name}/", Reads.as_view(reads=staticmethod(reads))) for name, reads in READ_BY.items()),
    *(path(f"function/{name}/", read_by_function, {"reads": reads}) for name, reads in READ_BY.items()),
    path("reads/odd/", Reads.as_view(reads=staticmethod(fail_oddly))),
    path("coroutine/", read_by_coroutine, {"reads": simplejwt.RefreshToken}),
    *(path(f"own/{name}", OwnView.as_view(serializer_class=cls)) for name, cls in OWN.items()),
    *(path(f"validates/{plain.__name__}/", Validates.as_view(serializer_class=plain)) for plain in PLAIN),
]


@pytest.mark.parametrize("debug", [False, True])
def test_the_report_of_a_projects_bug_holds_no_token(
    client: Any, tokens: Tokens, settings: Any, reports: list[str], debug: bool
) -> None:
    """Law 10: a view that fails for somebody who is signed in: mail, frames and page show no token."""
    settings.ROOT_URLCONF, settings.DEBUG = __name__, debug
    answer = client.get("/failing/", **bearer(tokens.access))
    assert answer.status_code == 500
    assert [report for report in reports if "the view failed" in report]
    assert_silent([*reports, answer.content.decode()])


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        ("/failing/user/", {}),
        ("/api/me/", {"SIMPLE_JWT": {"AUTH_TOKEN_CLASSES": [f"{__name__}.FailingClass"]}}),
        ("/api/me/", {"REST_FRAMEWORK": {"EXCEPTION_HANDLER": f"{__name__}.failing_handler"}}),
        ("/api/sessions/", {"REST_FRAMEWORK": {"EXCEPTION_HANDLER": f"{__name__}.failing_handler"}}),
        ("/api/token/", {"SIMPLE_JWT": {"TOKEN_OBTAIN_SERIALIZER": f"{__name__}.FailingNames"}}),
    ],
    ids=["get_user", "a class of tokens", "a handler", "a handler of the kit's view", "a rule for names"],
)
def test_the_report_of_a_bug_on_the_way_holds_no_secret(
    tokens: Tokens, settings: Any, reports: list[str], *, where: str, wrong: dict[str, Any], debug: bool
) -> None:
    """Law 10: a project's code fails while a token is read, or refused, or a name is; other frames hold the secret."""
    client, settings.ROOT_URLCONF, settings.DEBUG = APIClient(raise_request_exception=False), __name__, debug
    if "REST_FRAMEWORK" in wrong:
        sessions.revoke(TokenSession.objects.get())
    with override_settings(**wrong):
        if where == "/api/token/":
            answer = client.post(where, {"username": "alice", "password": PASSWORD}, format="json")
        else:
            answer = client.get(where, **bearer(tokens.access))
    assert answer.status_code == 500
    assert [report for report in reports if "the view failed" in report]
    assert_silent([*reports, answer.content.decode()])


@sensitive_variables("pin")
def hidden_pin(pin: str) -> None:
    """Fail with a secret that is hidden as Django's documentation says."""
    raise LookupError("the pin failed")


def gate_with_a_pin(request: Any, user: Any) -> None:
    """Be a project's gate that asks for another secret."""
    hidden_pin(WRONG)


class Mailer(AdminEmailHandler):
    """Write what Django mails to administrators, and no more."""

    mails: list[str]

    def send_mail(self, subject: str, message: str, *args: Any, **kwargs: Any) -> None:
        """Keep it: HTML and text."""
        self.mails = [subject, message, kwargs["html_message"]]


def test_what_a_project_hides_stays_hidden(user: Any, settings: Any) -> None:
    """Law 10: Django's filter finds `sensitive_variables` by its frame, which is left out and not emptied."""
    settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.gate_with_a_pin"}
    client, mailer, logger = APIClient(raise_request_exception=False), Mailer(True), logging.getLogger("django.request")
    logger.addHandler(mailer)
    answer = client.post("/api/token/", {"username": "alice", "password": PASSWORD}, format="json")
    logger.removeHandler(mailer)
    assert answer.status_code == 500
    mails = mailer.mails
    assert any("the pin failed" in mail for mail in mails)
    assert_silent(mails)


@pytest.mark.parametrize("debug", [False, True])
def test_the_report_of_a_session_that_a_project_cannot_start_holds_no_key(
    client: Any, user: Any, settings: Any, reports: list[str], debug: bool
) -> None:
    """Law 10: PyJWT has the key at hand when the claims cannot be written, whoever asked for the token."""
    settings.ROOT_URLCONF, settings.DEBUG = __name__, debug
    settings.DRF_JWT_KIT = {"CLAIMS": f"{__name__}.dated_claims"}
    answer = client.post("/starts/")
    assert answer.status_code == 500
    assert [report for report in reports if "not JSON serializable" in report]
    assert_silent([*reports, answer.content.decode()])


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("by", READ_BY)
@pytest.mark.parametrize("view", ["reads", "function"])
@pytest.mark.parametrize("sent", ["{.access}x", "{.refresh}x", "e30.e30.e30"], ids=["access", "refresh", "nothing"])
def test_the_report_of_a_view_that_catches_no_refusal_holds_no_secret(
    client: Any, tokens: Tokens, settings: Any, reports: list[str], *, view: str, by: str, sent: str, debug: bool
) -> None:
    """Law 10: PyJWT has the key at hand, and each on the way has the token, whoever asks simplejwt to read one."""
    settings.ROOT_URLCONF, settings.DEBUG = __name__, debug
    answer = client.post(f"/{view}/{by}/", {"token": sent.format(tokens)}, format="json")
    assert answer.status_code == 500
    assert [report for report in reports if "Token" in report]
    assert_silent([*reports, answer.content.decode()])


OF_KIND = {"{.access}": AccessToken, "{.refresh}": RefreshToken}


def read_and_log(reads: Any, sent: list[str]) -> None:
    """Be a project's code that takes a token, and logs why it is refused."""
    try:
        reads(sent.pop())
    except TokenError:
        logging.getLogger("django.request").exception("Refused.")


@pytest.mark.parametrize("reads", [AccessToken, RefreshToken, UntypedToken])
@pytest.mark.parametrize("sent", ["{.access}x", "{.refresh}x", "{.access}", "{.refresh}", "e30.e30.e30", "{.access}="])
def test_what_a_project_logs_of_a_refusal_holds_no_secret(
    tokens: Tokens, reports: list[str], reads: Any, sent: str
) -> None:
    """Law 10: whoever catches what the kit's classes raise need not fear to log it; a task has no request."""
    read_and_log(reads, [sent.format(tokens)])
    is_good = sent in OF_KIND and reads in (UntypedToken, OF_KIND[sent])
    assert is_good == (not reports)
    assert_silent(reports)


@pytest.mark.parametrize("serializer", PLAIN)
@pytest.mark.parametrize("debug", [False, True])
def test_nor_does_that_of_simplejwts_serializers(
    client: Any, tokens: Tokens, settings: Any, reports: list[str], *, serializer: Any, debug: bool
) -> None:
    """Law 10: DRF's frames have the token as well."""
    settings.ROOT_URLCONF, settings.DEBUG = __name__, debug
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": f"{__name__}.raise_again"}
    body = {"refresh": f"{tokens.refresh}x", "token": f"{tokens.refresh}x"}
    answer = client.post(f"/validates/{serializer.__name__}/", body, format="json")
    assert answer.status_code == 500
    assert [report for report in reports if "Token" in report]
    assert_silent([*reports, answer.content.decode()])


def test_what_is_about_no_token_is_reported_as_it_is(client: Any, settings: Any, reports: list[str]) -> None:
    """Django: whatever a project's view raises is answered and reported, and its developers see DRF's variables."""
    settings.ROOT_URLCONF = __name__
    assert client.post("/reads/odd/", {"token": "none"}, format="json").status_code == 500
    assert [report for report in reports if "OddError" in report]
    assert [report for report in reports if report.startswith("<bound method Reads.post of ")]


@pytest.mark.parametrize("debug", [False, True])
def test_nor_does_the_report_of_an_async_one(tokens: Tokens, settings: Any, reports: list[str], debug: bool) -> None:
    """Law 10: under ASGI, Django reports from another thread than the view's."""
    settings.ROOT_URLCONF, settings.DEBUG = __name__, debug
    post = async_to_sync(AsyncClient(raise_request_exception=False).post)
    answer = post("/coroutine/", json.dumps({"token": f"{tokens.refresh}x"}), content_type="application/json")
    assert answer.status_code == 500
    assert [report for report in reports if "Token" in report]
    assert_silent([*reports, answer.content.decode()])


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("view", ["reads", "function"])
@pytest.mark.parametrize(
    ("by", "sent"), [("access", "{.refresh}"), ("kit-access", "{.refresh}"), ("rotate", "{.access}")]
)
def test_the_report_of_a_view_that_is_sent_another_kind_holds_no_secret(
    client: Any, tokens: Tokens, settings: Any, reports: list[str], *, view: str, by: str, sent: str, debug: bool
) -> None:
    """Law 10: such a token is good."""
    settings.ROOT_URLCONF, settings.DEBUG = __name__, debug
    assert client.post(f"/{view}/{by}/", {"token": sent.format(tokens)}, format="json").status_code == 500
    assert [report for report in reports if "Token" in report]
    assert_silent(reports)


# -- Other words -----------------------------------------------------------------------------------


def test_representations_hold_no_secret(user: Any, rf: Any) -> None:
    """Law 10: ``repr`` and ``str`` of what project code is handed."""
    pair = sessions.start(user, rf.get("/"))
    for shown in (pair, pair.session, [pair], {"pair": pair}):
        assert not spoken(repr(shown)), repr(shown)
        assert not spoken(str(shown))


@pytest.mark.parametrize("as_message", [str, repr])
def test_refusals_do_not_repeat_the_token(doors: Doors, tokens: Tokens, as_message: Any, kinds: Any) -> None:
    """Law 10: neither exceptions, nor their chains, nor answers repeat what was sent."""
    expired = forge.token({**kinds["refresh"], "exp": 1})
    for token in (tokens.access, expired, forge.token(kinds["refresh"], key="x"), tokens.refresh[:-4]):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - whichever it is, it must not speak
            sessions.rotate(token)
        error: BaseException | None = caught.value
        while error is not None:
            assert not spoken(as_message(error))
            error = error.__cause__ or error.__context__
        assert not spoken(doors.body("refresh", token).content.decode())
        assert not spoken(str(doors.body("refresh", token).headers))


def test_a_refused_header_is_not_repeated(rf: Any, tokens: Tokens, kinds: Any, user: Any) -> None:
    """Law 10: exceptions of the authenticator and of a sign-in, their chains and their tracebacks as text."""
    malformed = (f"{tokens.access} {tokens.access}", tokens.refresh, forge.token({**kinds["access"], "exp": 1}))
    for sent in (*malformed, forge.token(kinds["access"], key="x"), f"{tokens.access}=", f'"{tokens.access}"'):
        with pytest.raises(APIException) as caught:
            JWTAuthentication().authenticate(Request(rf.get("/", HTTP_AUTHORIZATION=f"Bearer {sent}")))
        assert not spoken(as_told(caught.value))
    serializer = TokenObtainPairSerializer(data={"username": "alice", "password": WRONG})
    with pytest.raises(APIException) as caught:
        serializer.is_valid()
    assert not spoken(as_told(caught.value))


def as_told(error: BaseException | None) -> str:
    """Return all that an exception and its chain say of themselves."""
    said = "".join(traceback.format_exception(error))
    while error is not None:
        said += f"{error}{error!r}{error.args}{vars(error)}"
        error = error.__cause__ or error.__context__
    return said


def test_the_admin_shows_no_secret(client: Any, tokens: Tokens, django_user_model: Any) -> None:
    """Law 10: list, page and history of sessions."""
    admin = another_user(django_user_model, "root", is_staff=True, is_superuser=True)
    browser = Client()
    browser.force_login(admin)
    session = TokenSession.objects.get()
    base = "/admin/drf_jwt_kit/tokensession/"
    for where in (base, f"{base}?q=alice", f"{base}{session.pk}/change/", f"{base}{session.pk}/history/"):
        page = browser.get(where)
        assert page.status_code == 200, where
        assert not spoken(page.content.decode())
        assert session.credential_hash not in page.content.decode()


def test_a_dump_holds_no_secret(tokens: Tokens) -> None:
    """Laws 5 and 10: what ``dumpdata`` writes of sessions."""
    out = StringIO()
    call_command("dumpdata", "drf_jwt_kit", stdout=out)
    assert json.loads(out.getvalue())
    assert not spoken(out.getvalue())
    for token in tokens:
        for part in (token, *token.split(".")[1:], forge.payload_of(token)["jti"]):
            assert part not in out.getvalue()


NAMES = [
    "eve\r\nfake line",
    "eve\nINFO ok",
    "\x1b[31meve",
    "\x1b]0;x\x07",
    "eve\x00",
    "\u2028eve",
    "eve\x85",
    "\x9b31m",
    "\u202eeve",
    *("eve\rx", "eve\x08\x08\x08", "eve\x7f", "eve\x0b\x0c\x1c\x1d\x1e", "\u2029eve", "\u200e\u2066eve", "\ufeffeve"),
    *("%s %d %n", "%(message)s", "{0.__class__}", "${jndi:ldap://127.0.0.1:9/x}", "eve' address=203.0.113.9"),
]


@pytest.mark.parametrize("name", NAMES, ids=forge.label)
def test_a_user_name_cannot_write_log_lines(client: Any, user: Any, caplog: Any, name: str) -> None:
    """THREATS: CR, LF, ESC and their relatives in a user name are escaped in our log lines."""
    caplog.set_level(logging.DEBUG)
    client.post("/api/token/", {"username": name, "password": WRONG}, format="json")
    client.post(
        "/api/token/", {"username": "alice", "password": PASSWORD}, format="json", HTTP_USER_AGENT="\x1b[31m\r\nx"
    )
    lines = [FORMATTER.format(record) for record in caplog.records if record.name.startswith("drf_jwt_kit")]
    assert lines
    for line in lines:
        assert line.isprintable(), ascii(line)
    named = [line for line in lines if " sign_in_failed " in line]
    assert named == ([] if "\0" in name else [named_line(name)])


def named_line(name: str) -> str:
    """Return the one line that a failed sign-in leaves, as a formatter writes it."""
    return f"drf_jwt_kit.security WARNING sign_in_failed username={name.strip()!r} address=127.0.0.1 None"


SENT_AS_NAMES = {
    "bare": "{}",
    "in a sentence": "Bearer {}, please",
    "quoted": '"{}"',
    "after a name": "alice={}",
    "twice": "{0} {0}",
}


@pytest.mark.parametrize("name", SENT_AS_NAMES.values(), ids=SENT_AS_NAMES)
def test_a_token_sent_as_a_user_name_is_not_logged(
    client: Any, tokens: Tokens, settings: Any, caplog: Any, name: str
) -> None:
    """Law 10: neither line of a failed sign-in repeats it, whatever stands around it and however long it is."""
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ADDRESS": "1/1d"}
    short = forge.token({"sub": "1"})
    for token, status in ((short, 401), (short, 429), (tokens.refresh, 429), ("x" * 200 + " " + tokens.access, 429)):
        body = {"username": name.format(token), "password": WRONG}
        assert client.post("/api/token/", body, format="json").status_code == status
    lines = [record.getMessage() for record in caplog.records if record.name == "drf_jwt_kit.security"]
    assert [line.split(" ")[0] for line in lines] == ["sign_in_failed"] + ["sign_in_throttled"] * 3
    for line in lines:
        assert "[token]" in line
        for part in (*short.split("."), *tokens.access.split("."), *tokens.refresh.split(".")):
            assert part[:16] not in line


ORDINARY = [
    "alice",
    "alice.b.liddell",
    "eyewitness.of.events",
    "first.middle.last@mail.example.com",
    "10.0.0.1",
    "..",
    "e",
]


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_name_is_logged_as_it_is(client: Any, user: Any, caplog: Any, name: str) -> None:
    """The log is for finding out whom somebody attacks: dots alone make no token."""
    client.post("/api/token/", {"username": name, "password": WRONG}, format="json")
    assert [line for line in caplog.messages if line.startswith(f"sign_in_failed username={name!r} ")]


@pytest.fixture
def heard() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The signals of a test, by name, and what they said."""
    signals = {
        "session_started": session_started,
        "token_refreshed": token_refreshed,
        "refresh_token_reused": refresh_token_reused,
        "session_revoked": session_revoked,
        "user_logged_in": user_logged_in,
        "user_login_failed": user_login_failed,
    }
    heard: list[tuple[str, dict[str, Any]]] = []
    listeners = [(signal, partial(_listen, heard, name)) for name, signal in signals.items()]
    for signal, listen in listeners:
        signal.connect(listen)
    yield heard
    for signal, listen in listeners:
        signal.disconnect(listen)


def _listen(heard: list[tuple[str, dict[str, Any]]], name: str, **arguments: Any) -> None:
    """Note a signal."""
    heard.append((name, arguments))


def test_every_event_is_signalled(client: Any, doors: Doors, clock: Any, user: Any, heard: Any) -> None:
    """THREATS: sign-in, failure, refresh, replay, revoke: each signal with user, session, request and reason."""
    drive_everything(client, doors, clock, user)
    found: dict[str, list[dict[str, Any]]] = {}
    for name, arguments in heard:
        found.setdefault(name, []).append(arguments)
        if arguments.get("reason") != "user_inactive":  # whose request noticed it is by the way
            assert arguments["request"].META["REMOTE_ADDR"] == "127.0.0.1"
        if "session" in arguments:
            assert arguments["session"].user == user
            assert TokenSession.objects.filter(pk=arguments["session"].pk).exists()
        assert not spoken(repr({key: value for key, value in arguments.items() if key != "credentials"}))
        assert PASSWORD not in repr(arguments.get("credentials", {}).get("password", ""))
    counts = {name: len(arguments) for name, arguments in found.items()}
    assert counts == {
        "session_started": 2,
        "user_logged_in": 2,
        "token_refreshed": 1,
        "refresh_token_reused": 1,
        "session_revoked": 2,
        "user_login_failed": 9,
    }
    assert [arguments["reason"] for arguments in found["session_revoked"]] == ["reused", "user_inactive"]


def test_every_event_is_logged(client: Any, doors: Doors, clock: Any, user: Any, caplog: Any) -> None:
    """THREATS: a line for each, throttling too, with user, session, address and reason, to read and to filter by."""
    caplog.set_level(logging.INFO, "drf_jwt_kit.security")
    drive_everything(client, doors, clock, user)
    records = [record for record in caplog.records if record.name == "drf_jwt_kit.security"]
    assert [record.event for record in records] == [
        *("session_started", "sign_in_failed", "sign_in_failed", "sign_in_failed", "token_refreshed"),
        *("refresh_token_reused", "session_revoked", "session_started", "session_revoked", "sign_in_failed"),
        *(["sign_in_failed"] * 5 + ["sign_in_throttled"]),
    ]
    for record in records:
        assert record.address == "127.0.0.1"
        assert record.getMessage().startswith(f"{record.event} ")
        if "sign_in" in record.event:
            assert re.search("username='.+' address=127.0.0.1$", record.getMessage())
        else:
            named = f"user={user.pk} session={record.session_id} address=127.0.0.1 reason={record.reason}"
            assert record.getMessage() == f"{record.event} {named}"
            assert (record.user_id, record.reason) in {(user.pk, reason) for reason in ("", "reused", "user_inactive")}
            assert bool(record.reason) == (record.event == "session_revoked")
            assert TokenSession.objects.filter(pk=record.session_id, user=user).exists()
