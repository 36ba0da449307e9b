"""``auth_time`` and ``RecentlyAuthenticated`` over HTTP: what needs a sign-in that was not long ago."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import include, path
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.permissions import IsAdminUser, IsAuthenticated
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet
from rest_framework_simplejwt.tokens import RefreshToken as TheirRefreshToken

from drf_jwt_kit import sessions
from drf_jwt_kit.authentication import JWTAuthentication
from drf_jwt_kit.permissions import ProtectedByDefaultMixin, RecentlyAuthenticated, public
from drf_jwt_kit.tokens import AccessToken
from drf_jwt_kit.views import SessionListView
from tests.attacks import forge
from tests.conftest import PASSWORD, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

RECENT = RecentlyAuthenticated(max_age=timedelta(minutes=5))
NOON = 1_772_366_400  # when the standing clock stands
SENTENCE = "More recent or stronger authentication is required"
CHALLENGE = (
    f'Bearer realm="api", error="insufficient_user_authentication", error_description="{SENTENCE}", max_age="300"'
)


class Answers(APIView):
    """A view that has something to say."""

    def get(self, request: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("read")


class Plain(Answers):
    """The usual way to write it."""

    permission_classes = [IsAuthenticated, RECENT]


class Mixed(ProtectedByDefaultMixin, Answers):
    """With the mixin."""

    permission_classes = [RECENT]


@public
class PublicMixed(ProtectedByDefaultMixin, Answers):
    """Declared public, which lifts the demand for a user and nothing else."""

    permission_classes = [IsAuthenticated, RECENT]


class AfterTheSession(Plain):
    """An authenticator without a challenge stands first: DRF turns its 401s into 403s."""

    authentication_classes = [SessionAuthentication, JWTAuthentication]


class KitView(SessionListView):
    """One of the kit's own endpoints."""

    permission_classes = (IsAuthenticated, RECENT)


class SetOf(ProtectedByDefaultMixin, ViewSet):
    """A viewset that asks for more in one action."""

    @action(detail=False, permission_classes=[RECENT])
    def emptied(self, request: Any) -> Response:
        """Answer."""
        return Response("emptied")


@api_view(["GET"])
@permission_classes([IsAuthenticated, RECENT])
def function(request: Any) -> Response:
    """Answer."""
    return Response("read")


class InSeconds(Answers):
    """A number instead of a ``timedelta``."""

    permission_classes = [RecentlyAuthenticated(300)]


class Strong(Answers):
    """Any age, but two factors."""

    permission_classes = [RecentlyAuthenticated(amr="otp")]


class Stronger(Answers):
    """Recent, and several methods."""

    permission_classes = [RecentlyAuthenticated(max_age=60, amr=("pwd", "otp"))]


class Either(Answers):
    """Admins, or a recent sign-in."""

    permission_classes = [IsAdminUser | RECENT]


class Stale(Answers):
    """Whoever has not signed in lately."""

    permission_classes = [IsAuthenticated, ~RECENT]


router = SimpleRouter()
router.register("set", SetOf, basename="set")

VIEWS: list[Any] = [Plain, Mixed, PublicMixed, AfterTheSession, KitView, InSeconds, Strong, Stronger, Either, Stale]

urlpatterns = [
    path("api/", include("drf_jwt_kit.urls")),
    *(path(f"{view.__name__}/", view.as_view()) for view in VIEWS),
    path("function/", function),
    *router.urls,
]

PLACES = ["Plain", "Mixed", "PublicMixed", "AfterTheSession", "KitView", "set/emptied", "function", "InSeconds"]


@pytest.fixture
def get(client: Any) -> Any:
    """A function that asks ``where`` with an access token."""

    def get(where: str, access: Any) -> Any:
        return client.get(f"/{where}/", **bearer(str(access)))

    return get


@pytest.mark.parametrize("where", PLACES)
class TestPlaces:
    """Where a permission can stand."""

    def test_a_recent_sign_in_opens_and_refreshing_is_none(
        self, get: Any, post: Any, sign_in: Any, clock: Any, where: str
    ) -> None:
        """Issue 5.6: after five minutes nothing but the password helps, and the new session is the step up."""
        pair = sign_in()
        clock.shift(timedelta(minutes=4))
        pair = post("token/refresh/", refresh=pair.refresh).data
        clock.shift(timedelta(minutes=1))
        assert get(where, pair["access"]).status_code == 200
        clock.shift(timedelta(seconds=1))
        pair = post("token/refresh/", refresh=pair["refresh"]).data
        answer = get(where, pair["access"])
        assert answer.status_code == 401
        assert answer.json() == {
            "detail": SENTENCE,
            "code": "insufficient_user_authentication",
            "max_age": "300",
        }
        assert answer["WWW-Authenticate"] == CHALLENGE
        assert get(where, sign_in().access).status_code == 200

    def test_nothing_was_sent(self, client: Any, settings: Any, where: str) -> None:
        """DESIGN 2.2: that is another refusal, with the status of the settings."""
        answer = client.get(f"/{where}/")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")
        settings.DRF_JWT_KIT = {"ANONYMOUS_STATUS": 401}
        answer = client.get(f"/{where}/")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')


@pytest.mark.parametrize(
    ("where", "claims", "status"),
    [
        ("Strong", {"amr": ["otp"], "auth_time": 0}, 200),
        ("Strong", {"amr": ["pwd", "otp", "mfa"]}, 200),
        ("Strong", {"amr": ["pwd"]}, 401),
        ("Strong", {}, 401),
        ("Stronger", {"amr": ["otp", "pwd"]}, 200),
        ("Stronger", {"amr": ["otp"]}, 401),
        ("Stronger", {"amr": ["otp", "pwd"], "auth_time": 0}, 401),
        ("Plain", {"auth_time": None}, 401),
    ],
)
def test_methods_and_age_are_asked_for(get: Any, user: Any, where: str, claims: dict[str, Any], status: int) -> None:
    """RFC 8176: every method that is named, and the age beside it."""
    assert get(where, sessions.start(user, **claims).access).status_code == status


def test_the_refusal_names_the_methods(get: Any, user: Any) -> None:
    """A client learns what to ask its user for, from the body or from the challenge."""
    answer = get("Stronger", sessions.start(user).access)
    assert (answer.json()["max_age"], answer.json()["amr"]) == ("60", ["pwd", "otp"])
    assert answer["WWW-Authenticate"].endswith(', max_age="60", amr="pwd otp"')
    answer = get("Strong", sessions.start(user).access)
    assert "max_age" not in answer.json()
    assert "max_age" not in answer["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("where", "age", "admin", "status"),
    [
        ("Either", 0, False, 200),
        ("Either", 301, True, 200),
        ("Either", 301, False, 403),
        ("Stale", 0, False, 403),
        ("Stale", 301, False, 200),
    ],
)
def test_it_combines(get: Any, user: Any, where: str, age: int, admin: bool, status: int) -> None:
    """Issue 5.6: DRF's operators; a combination that fails is DRF's plain 403."""
    type(user).objects.update(is_staff=admin)
    signed_in_at = int(time.time()) - age
    assert get(where, sessions.start(user, auth_time=signed_in_at).access).status_code == status


@pytest.mark.parametrize("leeway", [10, timedelta(seconds=10)])
def test_clocks_may_differ_by_the_leeway(get: Any, user: Any, clock: Any, settings: Any, leeway: Any) -> None:
    """``SIMPLE_JWT["LEEWAY"]``: a sign-in that is a little too old or a little ahead."""
    now = int(sessions.start(user).access["auth_time"])
    settings.SIMPLE_JWT = {"LEEWAY": leeway}
    ages = {-11: 401, -10: 200, 0: 200, 310: 200, 311: 401}
    assert {age: get("Plain", sessions.start(user, auth_time=now - age).access).status_code for age in ages} == ages


def test_a_user_without_a_token_has_no_time(user: Any) -> None:
    """A session cookie does not tell when its user last typed a password."""
    browser = Client()
    browser.force_login(user)
    answer = browser.get("/AfterTheSession/")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, CHALLENGE)


def test_a_token_without_a_session_has_no_time(get: Any, user: Any) -> None:
    """Nobody signed in for ``AccessToken.for_user``."""
    assert get("Plain", AccessToken.for_user(user)).status_code == 401


# -- auth_time -------------------------------------------------------------------------------------


def times(pair: Any) -> set[Any]:
    """Return what the tokens of an answer say of the sign-in."""
    return {forge.payload_of(pair[kind]).get("auth_time") for kind in ("access", "refresh")}


def test_every_token_of_a_session_says_when_its_user_signed_in(post: Any, user: Any, clock: Any) -> None:
    """OpenID Connect Core 2: in seconds, on both tokens, fixed however often it is refreshed."""
    pair = post("token/", username="alice", password=PASSWORD).data
    for _ in range(3):
        assert times(pair) == {NOON}
        clock.shift(timedelta(minutes=3))
        pair = post("token/refresh/", refresh=pair["refresh"]).data


def test_a_project_may_know_better(user: Any) -> None:
    """Signed in at an identity provider an hour ago, and that is what counts."""
    pair = sessions.start(user, auth_time=1_700_000_000)
    assert sessions.rotate(str(pair.refresh)).access["auth_time"] == 1_700_000_000


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_the_time_has_no_zone(user: Any, settings: Any, clock: Any, zone: str) -> None:
    """``USE_TZ = False``: seconds since the epoch all the same."""
    settings.USE_TZ, settings.TIME_ZONE = False, zone
    pair = sessions.start(user)
    assert pair.access["auth_time"] == pair.access["iat"] == NOON


def test_nobody_knows_when_the_user_of_an_old_token_signed_in(post: Any, get: Any, user: Any) -> None:
    """An adopted session has no ``auth_time``, also where its token brought one, and steps up by signing in."""
    token = TheirRefreshToken.for_user(user)
    token["auth_time"] = token["iat"]
    pair = post("token/refresh/", refresh=str(token)).data
    assert times(pair) == {None}
    assert get("Plain", pair["access"]).status_code == 401
