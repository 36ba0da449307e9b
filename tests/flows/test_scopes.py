"""``HasScope`` over HTTP: wherever a permission can stand, however it is combined, whoever asks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import include, path
from rest_framework.authentication import BaseAuthentication, BasicAuthentication, SessionAuthentication
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView, exception_handler
from rest_framework.viewsets import ViewSet

from drf_jwt_kit import sessions
from drf_jwt_kit.authentication import JWTAuthentication
from drf_jwt_kit.permissions import HasScope, ProtectedByDefaultMixin, public
from drf_jwt_kit.tokens import AccessToken
from drf_jwt_kit.views import SessionListView
from tests.conftest import bearer

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

WRITE = HasScope("notes:write")
SENTENCE = "Token lacks a scope that is needed"


class Answers(APIView):
    """A view that has something to say."""

    def get(self, request: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("read")


class Plain(Answers):
    """The usual way to write it."""

    permission_classes = [IsAuthenticated, WRITE]


class Alone(Answers):
    """Nothing else is asked."""

    permission_classes = [WRITE]


class Mixed(ProtectedByDefaultMixin, Answers):
    """With the mixin."""

    permission_classes = [WRITE]


@public
class Public(Answers):
    """Open, but for the scope."""

    permission_classes = [IsAuthenticated, WRITE]


@public
class PublicMixed(ProtectedByDefaultMixin, Answers):
    """The same with the mixin."""

    permission_classes = [IsAuthenticated, WRITE]


class PublicHandler(ProtectedByDefaultMixin, Answers):
    """One handler is open, but for the scope."""

    permission_classes = [WRITE]

    @public
    def get(self, request: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("read")


class AfterTheSession(Plain):
    """An authenticator without a challenge stands first."""

    authentication_classes = [SessionAuthentication, JWTAuthentication]


class AfterBasic(Plain):
    """One with a challenge of its own stands first."""

    authentication_classes = [BasicAuthentication, JWTAuthentication]


class BeforeTheSession(Plain):
    """The reader of tokens stands first."""

    authentication_classes = [JWTAuthentication, SessionAuthentication]


class KitView(SessionListView):
    """One of the kit's own endpoints."""

    permission_classes = (IsAuthenticated, WRITE)


class OfAnObject(GenericAPIView):
    """A view that checks its permissions once more for an object."""

    permission_classes = [IsAuthenticated, WRITE]

    def get(self, request: Any) -> Response:
        """Answer."""
        self.check_object_permissions(request, object())
        return Response("read")


class SetOf(ProtectedByDefaultMixin, ViewSet):
    """A viewset that asks for more in one action."""

    @action(detail=False, permission_classes=[WRITE])
    def written(self, request: Any) -> Response:
        """Answer."""
        return Response("written")


@api_view(["GET"])
@permission_classes([IsAuthenticated, WRITE])
def function(request: Any) -> Response:
    """Answer."""
    return Response("read")


class Several(Answers):
    """Two scopes at once."""

    permission_classes = [HasScope("notes:read", "notes:write")]


class Either(Answers):
    """Admins, or the scope."""

    permission_classes = [IsAdminUser | WRITE]


class EitherTheOtherWay(Answers):
    """The scope, or admins."""

    permission_classes = [WRITE | IsAdminUser]


class Both(Answers):
    """Two permissions as one."""

    permission_classes = [HasScope("notes:read") & WRITE]


class Neither(OfAnObject):
    """Whoever has not the scope, for objects too."""

    permission_classes = [IsAuthenticated, ~WRITE]


class Nested(Answers):
    """All operators."""

    permission_classes = [IsAuthenticated & (IsAdminUser | (WRITE & ~HasScope("notes:none")))]


class OtherRealm(JWTAuthentication):
    """A project's reader of tokens."""

    www_authenticate_realm = "notes"


class InOtherRealm(Plain):
    """A view of that project's."""

    authentication_classes = [OtherRealm]


class ByKey(BaseAuthentication):
    """A project's authenticator, which hands on what it knows in a shape of its own."""

    def authenticate(self, request: Any) -> tuple[Any, Any]:
        """Know alice, whatever was sent."""
        known = {"scope": "notes:write"}
        auth = {"dict": known, "object": SimpleNamespace(payload=known), "text": "notes:write"}
        return get_user_model().objects.get(username="alice"), auth[request.META["HTTP_X_KEY"]]


class Keyed(Plain):
    """A view that knows no tokens."""

    authentication_classes = [ByKey]


class Hinting(Answers):
    """A project's own refusal in the same words, with more in it than belongs into a header."""

    def get(self, request: Any, **kwargs: Any) -> Response:
        """Refuse."""
        raise PermissionDenied({"code": "insufficient_scope", "scope": 'a"\r\nX-Evil: 1\\é', "realm": "x", "scheme": 1})


class Unlike(Answers):
    """Refusals of a project's own that only look a little alike."""

    def get(self, request: Any, **kwargs: Any) -> Response:
        """Refuse."""
        raise PermissionDenied(
            {
                "words": "insufficient_scope",
                "list": ["insufficient_scope"],
                "none": {"detail": "No."},
                "deep": {"code": {"code": "insufficient_scope"}},
                "many": {"code": ["insufficient_scope"]},
            }[kwargs["kind"]]
        )


router = SimpleRouter()
router.register("set", SetOf, basename="set")

VIEWS: list[Any] = [
    Plain, Alone, Mixed, Public, PublicMixed, PublicHandler, AfterTheSession, AfterBasic, BeforeTheSession, KitView,
    OfAnObject, Several, Either, EitherTheOtherWay, Both, Neither, Nested, InOtherRealm, Keyed, Hinting,
]  # fmt: skip

urlpatterns = [
    path("api/", include("drf_jwt_kit.urls")),
    *(path(f"{view.__name__}/", view.as_view()) for view in VIEWS),
    path("Unlike/<str:kind>/", Unlike.as_view()),
    path("function/", function),
    *router.urls,
]

PLACES = [
    *("Plain", "Alone", "Mixed", "Public", "PublicMixed", "PublicHandler", "AfterTheSession", "AfterBasic"),
    *("BeforeTheSession", "KitView", "OfAnObject", "set/written", "function"),
]


@pytest.fixture
def get(client: Any, user: Any) -> Any:
    """A function that asks ``where`` with a token that grants ``scope``."""

    def get(where: str, scope: Any, **more: Any) -> Any:
        return client.get(f"/{where}/", **bearer(str(sessions.start(user, scope=scope).access)), **more)

    return get


@pytest.mark.parametrize("where", PLACES)
class TestPlaces:
    """Where a permission can stand."""

    def test_the_scope_opens(self, get: Any, where: str) -> None:
        """Issue 5.6: the token says that its user may."""
        assert get(where, "notes:read notes:write").status_code == 200

    def test_without_it_the_answer_is_403(self, get: Any, where: str) -> None:
        """RFC 6750 3.1: the body names the scope, and so does the challenge."""
        answer = get(where, "notes:read")
        assert answer.status_code == 403
        assert answer.json() == {"detail": SENTENCE, "code": "insufficient_scope", "scope": "notes:write"}
        assert answer["WWW-Authenticate"] == (
            f'Bearer realm="api", error="insufficient_scope", error_description="{SENTENCE}", scope="notes:write"'
        )

    def test_nothing_was_sent(self, client: Any, where: str) -> None:
        """DESIGN 2.2: that is another refusal, without a challenge."""
        answer = client.get(f"/{where}/")
        # Where Basic stands first, DRF asks for a password.
        assert answer.status_code == (401 if where == "AfterBasic" else 403)
        assert answer.json()["code"] == "not_authenticated"
        assert "insufficient" not in answer.headers.get("WWW-Authenticate", "")

    def test_nothing_was_sent_where_that_is_a_401(self, client: Any, get: Any, settings: Any, where: str) -> None:
        """DESIGN 2.2: ``ANONYMOUS_STATUS`` is about the anonymous alone."""
        settings.DRF_JWT_KIT = {"ANONYMOUS_STATUS": 401}
        assert client.get(f"/{where}/").status_code == 401
        answer = get(where, "")
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")

    def test_a_bad_token_is_refused_before(self, client: Any, where: str) -> None:
        """DESIGN 2.2: a token that is no good at all is a 401."""
        answer = client.get(f"/{where}/", **bearer("a.b.c"))
        assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")


@pytest.mark.parametrize(
    ("where", "scope", "admin", "status"),
    [
        ("Several", "notes:read notes:write", False, 200),
        ("Several", "notes:write more notes:read", False, 200),
        ("Several", "notes:write", False, 403),
        ("Several", "notes:read", True, 403),
        *((where, "notes:write", False, 200) for where in ("Either", "EitherTheOtherWay", "Nested")),
        *((where, "", True, 200) for where in ("Either", "EitherTheOtherWay", "Nested")),
        *((where, "notes:read", False, 403) for where in ("Either", "EitherTheOtherWay", "Nested")),
        ("Both", "notes:read notes:write", False, 200),
        ("Both", "notes:read", False, 403),
        ("Both", "notes:write", True, 403),
        ("Neither", "notes:read", False, 200),
        ("Neither", "notes:write", False, 403),
        ("Nested", "notes:write notes:none", False, 403),
    ],
)
def test_it_combines(get: Any, user: Any, where: str, scope: str, admin: bool, status: int) -> None:
    """Issue 5.6: DRF's operators, on either side, with classes and with each other."""
    type(user).objects.update(is_staff=admin)
    assert get(where, scope).status_code == status


def test_a_combination_answers_as_drf_does(get: Any) -> None:
    """Of several ways in, DRF does not say which one was missing."""
    answer = get("Either", "")
    assert answer.json() == {"detail": "You do not have permission to perform this action."}
    assert "WWW-Authenticate" not in answer


def test_several_scopes_are_named_together(get: Any) -> None:
    """RFC 6750 3: all that is needed, delimited by a space."""
    answer = get("Several", "notes:write")
    assert answer.json()["scope"] == "notes:read notes:write"
    assert answer["WWW-Authenticate"].endswith('scope="notes:read notes:write"')


@pytest.mark.parametrize("where", ["AfterTheSession", "BeforeTheSession"])
def test_a_user_without_a_token_has_no_scope(user: Any, where: str) -> None:
    """A session cookie says who, not what for; and its user is no anonymous one."""
    browser = Client()
    browser.force_login(user)
    answer = browser.get(f"/{where}/")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize("shape", ["dict", "object", "text"])
def test_what_is_no_token_has_no_scope(client: Any, shape: str) -> None:
    """What another authenticator leaves in ``request.auth`` was not signed, and may mean something else."""
    answer = client.get("/Keyed/", HTTP_X_KEY=shape)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_a_token_without_a_session_has_its_claims(client: Any, user: Any) -> None:
    """``AccessToken.for_user`` of a project's own code."""
    token = AccessToken.for_user(user)
    assert client.get("/Plain/", **bearer(str(token))).status_code == 403
    token["scope"] = "notes:write"
    assert client.get("/Plain/", **bearer(str(token))).status_code == 200


def test_the_challenge_names_the_scheme_and_the_realm(get: Any, client: Any, user: Any, settings: Any) -> None:
    """RFC 6750 3: those of the reader of tokens."""
    assert get("InOtherRealm", "")["WWW-Authenticate"].startswith('Bearer realm="notes", error="insufficient_scope"')
    settings.SIMPLE_JWT = {"AUTH_HEADER_TYPES": ("JWT",)}
    answer = client.get("/Plain/", HTTP_AUTHORIZATION=f"JWT {sessions.start(user).access}")
    assert answer["WWW-Authenticate"].startswith('JWT realm="api", error="insufficient_scope"')


def test_a_refusal_costs_no_query(user: Any, client: Any, django_assert_num_queries: Any) -> None:
    """DESIGN 5: one query for session and user; the claims are at hand."""
    access = str(sessions.start(user).access)
    with django_assert_num_queries(1):
        assert client.get("/Plain/", **bearer(access)).status_code == 403


def drf_only(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer as a project that does not know of the kit's handler."""
    return exception_handler(exc, context)


def test_a_projects_own_handler_has_the_body(get: Any, monkeypatch: Any) -> None:
    """What the permission hands to DRF is the whole body; status and challenge are the kit's handler's."""
    monkeypatch.setattr(APIView, "get_exception_handler", lambda view: drf_only)
    answer = get("Plain", "")
    assert answer.status_code == 403
    assert answer.json() == {"detail": SENTENCE, "code": "insufficient_scope", "scope": "notes:write"}


def test_nothing_of_a_body_breaks_out_of_the_header(get: Any) -> None:
    """THREATS, headers: what a project says itself is quoted as strictly, and names no parameter of its own."""
    answer = get("Hinting", "")
    assert answer.status_code == 403
    assert answer["WWW-Authenticate"] == (
        f'Bearer realm="api", error="insufficient_scope", error_description="{SENTENCE}", scope="aX-Evil: 1"'
    )


@pytest.mark.parametrize("kind", ["words", "list", "none", "deep", "many"])
def test_another_refusal_stays_as_it_is(get: Any, kind: str) -> None:
    """A project's refusals are answered as DRF answers them."""
    answer = get(f"Unlike/{kind}", "")
    assert answer.status_code == 403
    assert "WWW-Authenticate" not in answer
