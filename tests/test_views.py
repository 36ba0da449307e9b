"""What all endpoints share: methods, bodies, negotiation, caching and failure."""

from __future__ import annotations

import inspect
import json
import traceback
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, OperationalError, ProgrammingError, connection, transaction
from django.test import RequestFactory
from django.urls import include, path
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.generics import ListAPIView
from rest_framework.test import APIClient
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle, SimpleRateThrottle
from rest_framework_simplejwt import serializers as simplejwt_serializers
from rest_framework_simplejwt.tokens import Token as PlainToken

from drf_jwt_kit import sessions, views
from drf_jwt_kit.authentication import JWTAuthentication
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.serializers import SessionListSerializer, TokenObtainPairSerializer, TokenRefreshSerializer
from tests.conftest import PASSWORD, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

SID = "01960000-0000-7000-8000-00000000abcd"
FIELDS = {
    "/api/token/": "username",
    "/api/token/refresh/": "refresh",
    "/api/token/verify/": "token",
    "/api/token/revoke/": "token",
    "/api/token/blacklist/": "refresh",
}
POSTED = list(FIELDS)
LISTED = ["/api/sessions/", "/api/sessions/others/", f"/api/sessions/{SID}/"]


class AddsToTheAnswer(views.TokenRefreshView):
    """A view that answers more than its serializer."""

    def answer(self, serializer: Any) -> Any:
        """Add a word."""
        return {**super().answer(serializer), "hint": "soon again"}


class Throttles(views.TokenObtainPairView):
    """A view that is throttled."""

    def get_throttles(self) -> list[Any]:
        """Refuse."""
        raise Throttled(wait=17)


class RefusesEverybody(BaseThrottle):
    """A project's own throttle."""

    def allow_request(self, request: Any, view: Any) -> bool:
        """Allow none."""
        return False


class TwiceAMinute(ScopedRateThrottle):
    """DRF's own throttle, with the rate of a project."""

    THROTTLE_RATES = {"token_refresh": "2/min"}


class FiveAMinute(SimpleRateThrottle):
    """A throttle of DRF's for everybody."""

    rate = "5/min"

    def get_cache_key(self, request: Any, view: Any) -> str:
        """Count all together."""
        return "everybody"


OFTEN = [
    views.TokenObtainPairView,
    views.TokenRefreshView,
    views.TokenVerifyView,
    views.TokenRevokeView,
    views.TokenBlacklistView,
    views.SessionListView,
]


class LosesTheDatabase(TokenObtainPairSerializer):
    """A serializer whose query fails."""

    error = DatabaseError()

    def validate(self, attrs: Any) -> Any:
        """Fail as a driver does."""
        raise self.error


class HasABug(TokenRefreshSerializer):
    """A serializer with a mistake in it."""

    def validate(self, attrs: Any) -> Any:
        """Make a mistake."""
        raise ZeroDivisionError


class ByCookie(views.SessionListView):
    """A list for pages that Django signed in, too."""

    authentication_classes = (JWTAuthentication, SessionAuthentication)


class OthersByCookie(views.OtherSessionsView):
    """Signing all others out, from such a page."""

    authentication_classes = (JWTAuthentication, SessionAuthentication)


class Told(SessionListSerializer):
    """A project's list, which looks at the request and at what its view adds."""

    def get_current(self, session: TokenSession) -> bool:
        """Look."""
        assert self.context["request"].user == session.user
        return bool(self.context["added"]) and super().get_current(session)


class Tells(views.SessionListView):
    """The view that has it."""

    serializer_class = Told

    def get_serializer_context(self) -> dict[str, Any]:
        """Add something."""
        return {**super().get_serializer_context(), "added": True}


class Devices(ListAPIView):
    """A project's own list, by the kit's serializer."""

    authentication_classes = (JWTAuthentication, SessionAuthentication)
    queryset = TokenSession.objects.all()
    serializer_class = SessionListSerializer


class NamesItsScope(views.TokenObtainPairView):
    """A view with a scope of the project's, as DRF's own documentation has it."""

    throttle_classes = (FiveAMinute,)

    def get_throttles(self) -> Any:
        """Name it."""
        self.throttle_scope = "login"
        return super().get_throttles()


class KeepsAccessBack(TokenObtainPairSerializer):
    """A serializer that keeps the access token out of the answer."""

    def validate(self, attrs: Any) -> Any:
        """Take it out."""
        return {**super().validate(attrs), "access": "in a cookie"}


class Withholding:
    """What answers something else in the place of tokens."""

    def validate(self, attrs: Any) -> Any:
        """Take it from the request."""
        return {**super().validate(attrs), **self.context["request"].data["answer"]}  # type: ignore[misc]


class Withholds(Withholding, TokenObtainPairSerializer):
    """A serializer that does."""


class WithholdsSimpleJWTs(Withholding, simplejwt_serializers.TokenObtainPairSerializer):
    """The same on simplejwt's."""


class Asks(simplejwt_serializers.TokenObtainSerializer):
    """A serializer that asks for a second factor where that is needed."""

    def validate(self, attrs: Any) -> Any:
        """Make no token."""
        super().validate(attrs)
        return {"refresh": None, "next": "/otp/"}


class Remakes(TokenObtainPairSerializer):
    """A serializer that makes the access token anew, and may keep the other one back."""

    def validate(self, attrs: Any) -> Any:
        """Make it."""
        data = {**super().validate(attrs), "access": str(self.get_token(self.user).access_token)}
        return data if self.initial_data["refresh"] == "kept" else {"access": data["access"]}


def chosen(name: str) -> Any:
    """Return a view of the kit's that chooses simplejwt's serializer late."""
    view, serializer = getattr(views, f"Token{name}View"), getattr(simplejwt_serializers, f"Token{name}Serializer")
    late = type(f"Late{name}", (serializer,), {"__module__": __name__})
    return type(f"Chooses{name}", (view,), {"get_serializer_class": lambda self: late})


class ReadsItsData(TokenObtainPairSerializer):
    """A serializer that looks at what was sent when it is made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Look."""
        super().__init__(*args, **kwargs)
        self.fields["username"].trim_whitespace = "@" not in self.initial_data["username"]


class TakesNoName(TokenObtainPairSerializer):
    """A serializer that tells a name and takes none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Have such a field."""
        super().__init__(*args, **kwargs)
        self.fields["username"] = serializers.CharField(read_only=True)

    def validate(self, attrs: Any) -> Any:
        """Let nobody in."""
        raise AuthenticationFailed


class OnSimpleJWTs(simplejwt_serializers.TokenObtainPairSerializer):
    """A serializer that rests on simplejwt's."""


class Echo(serializers.Serializer):
    """A serializer that rests on nobody's."""

    said = serializers.CharField()


class OfItsOwn(views.TokenViewBase):
    """A view that names its serializer and no setting."""


class PlainAccess(PlainToken):
    """A token class that rests on simplejwt's first one alone."""

    token_type = "access"
    lifetime = timedelta(minutes=5)


class LooksByItself(JWTAuthentication):
    """An authenticator that looks for users in its own way."""

    def get_user(self, validated_token: Any) -> Any:
        """Look."""
        return get_user_model().objects.get(pk=validated_token["user_id"])


urlpatterns = [
    path("tells/", Tells.as_view()),
    path("names-its-scope/", NamesItsScope.as_view()),
    path("given-a-scope/", views.TokenObtainPairView.as_view(throttle_scope="login", throttle_classes=[FiveAMinute])),
    path("keeps-back/", views.TokenObtainPairView.as_view(serializer_class=KeepsAccessBack)),
    path("takes-no-name/", views.TokenObtainPairView.as_view(serializer_class=TakesNoName)),
    path("devices/", Devices.as_view()),
    path("reads/", views.TokenObtainPairView.as_view(serializer_class=ReadsItsData)),
    path("of-its-own/", OfItsOwn.as_view(serializer_class=OnSimpleJWTs)),
    path("echo/", OfItsOwn.as_view(serializer_class=Echo)),
    path("withholds/", views.TokenObtainPairView.as_view(serializer_class=Withholds)),
    path("withholds/simplejwts/", views.TokenObtainPairView.as_view(serializer_class=WithholdsSimpleJWTs)),
    path("asks/", views.TokenObtainPairView.as_view(serializer_class=Asks)),
    path("remakes/", views.TokenObtainPairView.as_view(serializer_class=Remakes)),
    *(path(f"chosen/{name}/", chosen(name.title()).as_view()) for name in ("refresh", "verify", "blacklist")),
    path("by-itself/", views.SessionListView.as_view(authentication_classes=[LooksByItself])),
    path("api/", include("drf_jwt_kit.urls")),
    path("own/<uuid:pk>/", views.SessionDetailView.as_view()),
    path("by-cookie/", ByCookie.as_view()),
    path("others-by-cookie/", OthersByCookie.as_view()),
    path("adds/", AddsToTheAnswer.as_view()),
    path("throttles/", Throttles.as_view()),
    path("refuses/", views.TokenObtainPairView.as_view(throttle_classes=[RefusesEverybody])),
    *(path(f"often/{cls.__name__}/", cls.as_view(throttle_classes=[FiveAMinute])) for cls in OFTEN),
    path("scoped/refresh/", views.TokenRefreshView.as_view(throttle_classes=[TwiceAMinute])),
    path("scoped/verify/", views.TokenVerifyView.as_view(throttle_classes=[TwiceAMinute])),
    path("loses/", views.TokenObtainPairView.as_view(serializer_class=LosesTheDatabase)),
    path("bug/", views.TokenRefreshView.as_view(serializer_class=HasABug)),
]


def is_plain_error(answer: Any, status: int) -> bool:
    """Return whether an answer is the contract's kind of error."""
    body = answer.json()
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json"), answer.content
    assert answer["Cache-Control"] == "no-store"
    return isinstance(body["detail"], str) and isinstance(body["code"], str)


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options", "head", "trace"])
@pytest.mark.parametrize("every_view", [False, True], ids=["", "PROTECT_EVERY_VIEW"])
def test_other_methods_are_a_405(client: Any, settings: Any, path: str, method: str, every_view: bool) -> None:
    """THREATS, bodies: no side effect, and ``OPTIONS`` tells nothing of the code."""
    settings.DRF_JWT_KIT = {"PROTECT_EVERY_VIEW": every_view}
    answer = client.generic(method.upper(), path)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert answer["Cache-Control"] == "no-store"
    assert b"description" not in answer.content
    assert method == "head" or is_plain_error(answer, 405)


@pytest.mark.parametrize("header", ["HTTP_X_HTTP_METHOD_OVERRIDE", "HTTP_X_METHOD_OVERRIDE", "HTTP_X_HTTP_METHOD"])
def test_a_method_override_header_is_ignored(client: Any, tokens: Any, header: str) -> None:
    """THREATS, bodies: a GET is a GET."""
    answer = client.get("/api/sessions/", **bearer(tokens.access), **{header: "DELETE"})
    assert (answer.status_code, TokenSession.objects.filter(revoked_at=None).count()) == (200, 1)
    assert client.get("/api/token/", **{header: "POST"}).status_code == 405


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"other": 1}', b"[]", b"null", b'"x"', b"1", b"1.5", b"true", b"[{}]", b""],
    ids=ascii,
)
def test_a_body_without_the_fields_is_a_400(client: Any, path: str, body: bytes) -> None:
    """DESIGN 2.2: whatever JSON it is."""
    answer = client.generic("POST", path, body, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'token': 1}",
        b'{"token": NaN}',
        b'{"token": Infinity}',
        b'{"token": "\xff"}',
        b'\xef\xbb\xbf{"token": "x"}',
        b'{"token": "x"} trailing',
        b"\x00",
        '{"token": "x"}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"token":' * 100_000,
        b"[" * 10_000 + b"]" * 10_000,
        b'{"token": ' + b"9" * 5_000 + b"}",
    ],
    ids=lambda body: f"{ascii(body)[:30]} of {len(body)}",
)
def test_a_body_that_is_no_json_is_a_400(client: Any, path: str, body: bytes) -> None:
    """THREATS, bodies: broken, deep, or in another encoding."""
    answer = client.generic("POST", path, body, content_type="application/json")
    assert is_plain_error(answer, 400)
    assert answer.json()["code"] == "parse_error"


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize("value", ["\\ud800", "a\\u0000b"])
def test_a_text_that_no_database_holds_is_a_400_or_401(client: Any, path: str, value: str) -> None:
    """THREATS, bodies: NUL and lone surrogates."""
    body = f'{{"{FIELDS[path]}": "{value}", "password": "x"}}'
    answer = client.generic("POST", path, body, content_type="application/json")
    assert answer.status_code in ({400, 401} if path != "/api/token/revoke/" else {200, 400})


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/html",
        "application/xml",
        "application/octet-stream",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; charset=nonsense",
        "application/jsonp",
        "nonsense",
        "",
    ],
)
def test_another_content_type_is_a_415(client: Any, path: str, content_type: str) -> None:
    """THREATS, bodies: JSON in UTF-8, and forms where RFC 7009 wants them."""
    answer = client.generic("POST", path, b'{"token": "x"}', content_type=content_type)
    assert is_plain_error(answer, 415)
    assert answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize("path", [path for path in POSTED if path != "/api/token/revoke/"])
def test_a_form_is_a_415(client: Any, path: str) -> None:
    """THREATS, bodies: a plain HTML form reaches nothing but sign-out."""
    answer = client.generic("POST", path, b"token=x", content_type="application/x-www-form-urlencoded")
    assert is_plain_error(answer, 415)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", 'application/json;charset="UTF-8"'],
)
def test_json_may_say_that_it_is_utf_8(client: Any, user: Any, content_type: str) -> None:
    """RFC 8259 8.1, and RFC 9110 8.3.1: names have no case."""
    body = json.dumps({"username": "alice", "password": PASSWORD})
    assert client.generic("POST", "/api/token/", body, content_type=content_type).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png", "nonsense", "*/*", "text/*;q=0.1", ""])
@pytest.mark.parametrize("path", ["/api/token/", "/api/sessions/", "/api/token/?format=api", "/api/token/?format=x"])
def test_the_answer_is_json_whatever_the_client_accepts(client: Any, path: str, accept: str) -> None:
    """DESIGN 2.2: nothing is answered with an HTML page."""
    answer = client.generic("POST", path, b"{}", content_type="application/json", HTTP_ACCEPT=accept)
    assert answer["Content-Type"] == "application/json"
    assert answer.status_code in {400, 403}


@pytest.mark.parametrize("path", POSTED)
def test_a_body_of_3_mb_is_a_413(client: Any, path: str) -> None:
    """THREATS, bodies: more than ``DATA_UPLOAD_MAX_MEMORY_SIZE``."""
    answer = client.generic("POST", path, b'{"token": "' + b"x" * 3_000_000, content_type="application/json")
    assert is_plain_error(answer, 413)
    assert answer.json()["code"] == "request_too_large"


@pytest.mark.parametrize(
    "body", [b"&".join(b"a%d=1" % number for number in range(1100)), b"x" * 3_000_000], ids=["fields", "size"]
)
def test_a_form_that_is_too_large_is_refused(client: Any, body: bytes) -> None:
    """THREATS, bodies: 1 100 fields, or 3 MB."""
    answer = client.generic("POST", "/api/token/revoke/", body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in {400, 413}
    assert is_plain_error(answer, answer.status_code)


class Torn(BytesIO):
    """A body whose sender went away."""

    def read(self, *args: Any) -> bytes:
        """Fail as a socket does."""
        raise OSError("connection reset by peer")


def test_a_body_that_breaks_off_is_a_400() -> None:
    """DESIGN 2.2: a client that hangs up is no server error."""
    request = RequestFactory().post("/api/token/", b"{}", content_type="application/json")
    request._stream = Torn()
    answer = views.TokenObtainPairView.as_view()(request)
    assert (answer.status_code, answer.data["code"]) == (400, "parse_error")


@pytest.mark.parametrize("path", POSTED + LISTED)
def test_errors_are_never_stored(client: Any, path: str) -> None:
    """DESIGN 2.2: ``Cache-Control: no-store`` on errors."""
    for answer in (client.get(path), client.post(path, {}, format="json"), client.delete(path)):
        assert answer["Cache-Control"] == "no-store"


def test_answers_are_never_stored(client: Any, post: Any, tokens: Any) -> None:
    """DESIGN 2.2: and on what went well."""
    answers = [
        post("token/", username="alice", password=PASSWORD),
        post("token/refresh/", refresh=tokens.refresh),
        post("token/verify/", token=tokens.access),
        client.get("/api/sessions/", **bearer(tokens.access)),
        client.delete("/api/sessions/others/", **bearer(tokens.access)),
        client.delete("/api/sessions/", **bearer(tokens.access)),
        post("token/revoke/", token=tokens.access),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 204, 204, 200]
    assert {answer["Cache-Control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize("path", LISTED)
def test_session_endpoints_need_a_token(client: Any, path: str) -> None:
    """DESIGN 2.1: 403 without one, 401 with a bad one."""
    assert is_plain_error(client.delete(path), 403)
    assert is_plain_error(client.delete(path, **bearer("garbage")), 401)


@pytest.mark.parametrize("pk", ["1", "x", "null", "0" * 32, SID.upper(), "%00", "é", "x" * 5000])
def test_an_odd_session_id_is_a_404(client: Any, tokens: Any, pk: str) -> None:
    """DESIGN 2.1: like one that never was."""
    answer = client.delete(f"/api/sessions/{pk}/", **bearer(tokens.access))
    assert is_plain_error(answer, 404)
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("lost", [True, False])
def test_a_database_that_fails_is_a_503(client: Any, caplog: Any, monkeypatch: Any, *, lost: bool) -> None:
    """Laws 8 and 10: JSON with ``Retry-After``, and no word of the database in it; statements are quoted nowhere."""
    words = "db.internal: " + ("no route to hunter2" if lost else "LINE 1: SELECT crypt('hunter2')")
    monkeypatch.setattr(LosesTheDatabase, "error", (OperationalError if lost else ProgrammingError)(words))
    answer = client.post("/loses/", {"username": "a", "password": "b"}, format="json")
    assert is_plain_error(answer, 503)
    assert (answer.json()["code"], answer["Retry-After"]) == ("service_unavailable", "5")
    assert b"internal" not in answer.content
    assert "The database failed." in caplog.text
    assert ("hunter2" in caplog.text) is lost


def test_a_mistake_is_not_hidden(client: Any) -> None:
    """Issue 4.2: no path catches everything; a bug is Django's 500, for the project to see."""
    assert client.post("/bug/", {"refresh": "x"}, format="json").status_code == 500


def test_a_mistake_is_reported_without_what_was_posted() -> None:
    """Law 10: error trackers show every frame's variables, whatever Django's own reports hide."""
    with pytest.raises(ZeroDivisionError) as caught:
        APIClient().post("/bug/", {"refresh": "posted-word"}, format="json")
    frames = [frame for frame, _line in traceback.walk_tb(caught.value.__traceback__)]
    assert any(frame.f_code.co_name == "validate" for frame in frames)
    told = {frame.f_globals["__name__"] for frame in frames if "posted-word" in repr(frame.f_locals)}
    others = {"django.test.client", "rest_framework.test", __name__}  # who sent it, and the project's own code
    assert told <= others


def test_a_session_can_be_named_by_djangos_own_converter(client: Any, tokens: Any) -> None:
    """Section 2.1 writes ``sessions/<uuid>/``, and so may a project."""
    sid = TokenSession.objects.get().pk
    assert client.delete(f"/own/{sid}/", **bearer(tokens.access)).status_code == 204
    assert TokenSession.objects.get().revoke_reason == "signed_out"


def test_sessions_are_listed_and_ended_for_whoever_is_signed_in_otherwise(client: Any, user: Any, tokens: Any) -> None:
    """A project's page with Django's session beside the token: none of the devices is the one that asks."""
    client.force_login(user)
    assert [row["current"] for row in client.get("/by-cookie/").json()] == [False]
    assert client.delete("/others-by-cookie/").status_code == 204
    assert TokenSession.objects.get().revoke_reason == "signed_out_everywhere"


def test_throttling_has_retry_after(client: Any) -> None:
    """DESIGN 2.2: 429 with ``Retry-After``."""
    answer = client.post("/throttles/", {}, format="json")
    assert is_plain_error(answer, 429)
    assert (answer.json()["code"], answer["Retry-After"]) == ("throttled", "17")


def test_throttling_that_tells_no_time_has_retry_after_too(client: Any) -> None:
    """DESIGN 2.2: DRF's base class of throttles has no ``wait``."""
    answer = client.post("/refuses/", {}, format="json")
    assert is_plain_error(answer, 429)
    assert answer["Retry-After"] == "60"


def test_drfs_scoped_throttle_counts_where_the_project_has_a_rate(client: Any, settings: Any) -> None:
    """DESIGN 2.1: 429 by the project's own rates, and an endpoint without one stays free."""
    settings.REST_FRAMEWORK = {"DEFAULT_THROTTLE_RATES": TwiceAMinute.THROTTLE_RATES}
    answers = [client.post("/scoped/refresh/", {"refresh": "x"}, format="json").status_code for _ in range(3)]
    assert answers == [401, 401, 429]
    answers = [client.post("/scoped/verify/", {"token": "x"}, format="json").status_code for _ in range(3)]
    assert answers == [401, 401, 401]


@pytest.mark.parametrize("view", OFTEN)
@pytest.mark.parametrize("opened", [False, True])
def test_a_throttle_of_drfs_whose_cache_is_down_fails_as_the_kits_own(
    client: Any, tokens: Any, settings: Any, view: Any, opened: bool
) -> None:
    """Law 8: 503 as JSON, or uncounted where the project wants that."""
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:1/0"}}
    settings.DRF_JWT_KIT = {"THROTTLE_FAILS_OPEN": opened}
    send = client.get if view is views.SessionListView else client.post
    answer = send(f"/often/{view.__name__}/", **bearer(tokens.access))
    if opened:
        assert answer.status_code in (200, 400)
    else:
        assert is_plain_error(answer, 503)
        assert int(answer["Retry-After"]) > 0


def test_answer_is_an_override_point(client: Any, tokens: Any) -> None:
    """DESIGN 2.4: a view may add to what is answered."""
    answer = client.post("/adds/", {"refresh": tokens.refresh}, format="json")
    assert (answer.status_code, answer.json()["hint"]) == (200, "soon again")


@pytest.mark.parametrize("view", [*OFTEN, views.OtherSessionsView, views.SessionDetailView])
def test_no_view_runs_in_atomic_requests(view: Any) -> None:
    """Law 4: a revocation outlives its 401."""
    assert view.as_view()._non_atomic_requests == {"default"}
    assert inspect.getdoc(view)


@pytest.mark.parametrize("refused", [{"token": "garbage"}, {}])
def test_a_refusal_condemns_no_surrounding_transaction(client: Any, user: Any, refused: Any, monkeypatch: Any) -> None:
    """Law 4: under ``ATOMIC_REQUESTS`` DRF's handler marks it for rollback; what was written before stays."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    with transaction.atomic():
        user.first_name = "kept"
        user.save()
        assert client.post("/api/token/verify/", refused, format="json").status_code in {400, 401}
        assert not transaction.get_rollback()
    user.refresh_from_db()
    assert user.first_name == "kept"


def test_a_transaction_that_was_lost_before_stays_lost(client: Any) -> None:
    """The kit only mends what it did itself."""
    with transaction.atomic():
        transaction.set_rollback(True)
        client.post("/api/token/verify/", {}, format="json")
        assert transaction.get_rollback()


def test_revoke_takes_a_form(client: Any, tokens: Any) -> None:
    """RFC 7009 2.1: ``application/x-www-form-urlencoded``."""
    body = f"token={tokens.refresh}&token_type_hint=refresh_token"
    answer = client.generic(
        "POST", "/api/token/revoke/", body, content_type="application/x-www-form-urlencoded; charset=utf-8"
    )
    assert (answer.status_code, answer.json()) == (200, {})
    assert client.get("/api/sessions/", **bearer(tokens.access)).json()["reason"] == "revoked"


def test_a_projects_list_of_sessions_knows_what_its_view_does(client: Any, tokens: Any) -> None:
    """2.4: both are meant to be subclassed."""
    assert [row["current"] for row in client.get("/tells/", **bearer(tokens.access)).json()] == [True]


def test_a_projects_own_list_tells_the_session_that_asks(client: Any, user: Any, sign_in: Any) -> None:
    """docs/api.md: the serializer may stand in any view, and knows the device by its token, if there is one."""
    sign_in()
    access = sign_in().access
    asks = str(TokenSession.objects.latest("created_at").pk)
    listed = client.get("/devices/", **bearer(access)).json()
    assert {row["id"]: row["current"] for row in listed}[asks] is True
    assert sum(row["current"] for row in listed) == 1
    client.force_login(user)
    assert [row["current"] for row in client.get("/devices/").json()] == [False, False]
    assert SessionListSerializer(TokenSession.objects.first()).data["current"] is False
    of_another_issuer = SimpleNamespace(auth=SimpleNamespace(payload={"sid": "abc"}))
    told = SessionListSerializer(TokenSession.objects.first(), context={"request": of_another_issuer})
    assert told.data["current"] is False


def test_a_name_that_a_serializer_does_not_take_is_no_failure(client: Any, user: Any) -> None:
    """2.2: the serializer decides; the attempt is counted by what was sent."""
    body = {"username": "alice", "password": PASSWORD}
    found = [client.post("/takes-no-name/", body, format="json").status_code for _ in range(6)]
    assert found == [401] * 5 + [429]


@pytest.mark.parametrize("path", ["/names-its-scope/", "/given-a-scope/"])
def test_a_view_may_have_a_scope_of_the_projects(client: Any, user: Any, path: str) -> None:
    """Drop-in: DRF's throttles look for it on the view."""
    body = {"username": "alice", "password": PASSWORD}
    assert client.post(path, body, format="json").status_code == 200


def test_what_a_serializer_makes_of_its_answer_is_answered(client: Any, user: Any) -> None:
    """2.4: ``validate`` may take a token out of the body, to send it otherwise."""
    answer = client.post("/keeps-back/", {"username": "alice", "password": PASSWORD}, format="json").json()
    assert answer["access"] == "in a cookie"
    assert sessions.rotate(answer["refresh"]).session.generation == 1


def test_a_serializer_may_look_at_what_was_sent_when_it_is_made(client: Any, user: Any) -> None:
    """Drop-in: simplejwt's view makes it once, with data."""
    body = {"username": " alice", "password": PASSWORD}
    assert client.post("/reads/", body, format="json").status_code == 200


def test_a_view_may_name_a_serializer_and_no_setting(client: Any, user: Any) -> None:
    """2.4: as the class says. It rests on the kit's where it rests on simplejwt's."""
    pair = client.post("/of-its-own/", {"username": "alice", "password": PASSWORD}, format="json").json()
    assert sessions.rotate(pair["refresh"]).session == TokenSession.objects.get()
    assert client.post("/echo/", {"said": "hello"}, format="json").json() == {"said": "hello"}


@pytest.mark.parametrize("path", ["/withholds/", "/withholds/simplejwts/"])
@pytest.mark.parametrize("refresh", [None, "", "sealed", 7])
def test_tokens_that_a_serializer_withholds_stay_so(client: Any, user: Any, refresh: Any, path: str) -> None:
    """2.4: what is answered is the project's to say, as long as it is no token of another making."""
    body = {"username": "alice", "password": PASSWORD, "answer": {"refresh": refresh, "access": refresh}}
    answer = client.post(path, body, format="json")
    assert (answer.status_code, answer.json()["refresh"], answer.json()["access"]) == (200, refresh, refresh)


def test_a_serializer_that_makes_no_token_starts_no_session(client: Any, user: Any) -> None:
    """2.4: it asks for something else first."""
    answer = client.post("/asks/", {"username": "alice", "password": PASSWORD}, format="json")
    assert (answer.status_code, answer.json()) == (200, {"refresh": None, "next": "/otp/"})
    assert not TokenSession.objects.exists()


@pytest.mark.parametrize("refresh", ["kept", "taken out"])
def test_an_access_token_of_another_making_is_the_sessions(client: Any, user: Any, refresh: str) -> None:
    """Law 4: it would outlive the session."""
    body = {"username": "alice", "password": PASSWORD, "refresh": refresh}
    answer = client.post("/remakes/", body, format="json").json()
    assert ("refresh" in answer) == (refresh == "kept")
    assert client.get("/api/sessions/", **bearer(answer["access"])).status_code == 200
    sessions.revoke(TokenSession.objects.get())
    assert client.get("/api/sessions/", **bearer(answer["access"])).status_code == 401


@pytest.mark.parametrize("name", ["refresh", "verify", "blacklist"])
def test_a_serializer_that_a_view_chooses_late_rests_on_the_kits(client: Any, tokens: Any, name: str) -> None:
    """Laws 3 and 4: ``get_serializer_class`` is DRF's way to do so."""
    field = "token" if name == "verify" else "refresh"
    sessions.revoke(TokenSession.objects.get())
    answer = client.post(f"/chosen/{name}/", {field: tokens.refresh}, format="json")
    assert (answer.status_code, answer.json()["reason"]) == (401, "revoked")


@pytest.mark.parametrize("path", ["/api/sessions/", "/by-itself/"])
def test_a_token_of_simplejwts_first_class_has_its_session(client: Any, tokens: Any, settings: Any, path: str) -> None:
    """Law 4: it dies with it, whoever looks for users; and that is the session that asks."""
    settings.SIMPLE_JWT = {"AUTH_TOKEN_CLASSES": [f"{__name__}.PlainAccess"]}
    assert [row["current"] for row in client.get(path, **bearer(tokens.access)).json()] == [True]
    assert client.delete("/api/sessions/others/", **bearer(tokens.access)).status_code == 204
    assert client.get(path, **bearer(tokens.access)).status_code == 200
    sessions.revoke(TokenSession.objects.get(revoked_at=None))
    assert client.get(path, **bearer(tokens.access)).status_code == 401
