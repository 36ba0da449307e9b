"""Recipes: what users of simplejwt write, and what becomes of it here."""

from __future__ import annotations

import json
from contextvars import Context
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from django.urls import include, path
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import exception_handler
from rest_framework.viewsets import GenericViewSet
from rest_framework_simplejwt import serializers as simplejwt
from rest_framework_simplejwt import tokens as simplejwt_tokens
from rest_framework_simplejwt.exceptions import TokenError

from drf_jwt_kit import issuance, sessions, views
from drf_jwt_kit.exceptions import exception_handler as kit_handler
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.serializers import TokenObtainPairSerializer
from drf_jwt_kit.tokens import AccessToken
from tests.conftest import PASSWORD, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

NUMBER = 5551234


class Phone:
    """A number, as a package's field has it."""

    def __init__(self, digits: str) -> None:
        """Take it."""
        self.digits = digits

    def __str__(self) -> str:
        return self.digits


class PhoneField(serializers.Field):  # type: ignore[type-arg]
    """A field that makes an object of what was sent."""

    def to_internal_value(self, data: Any) -> Phone:
        """Make it."""
        return Phone(str(data))


class ByNumber(simplejwt.TokenObtainPairSerializer):
    """A sign-in by a number."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Declare it."""
        super().__init__(*args, **kwargs)
        self.fields["username"] = serializers.IntegerField()


class ByPhone(simplejwt.TokenObtainPairSerializer):
    """A sign-in by an object."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Declare it."""
        super().__init__(*args, **kwargs)
        self.fields["username"] = PhoneField()


class ByUser(simplejwt.TokenObtainPairSerializer):
    """A sign-in that looks the user up beforehand."""

    def validate_username(self, value: str) -> Any:
        """Look."""
        return get_user_model().objects.filter(username=value).first()


class ByEmail(simplejwt.TokenObtainPairSerializer):
    """A sign-in by e-mail address, which nobody may have."""

    def validate(self, attrs: Any) -> Any:
        """Look the name up."""
        found = get_user_model().objects.filter(email=attrs["username"]).first()
        return super().validate({**attrs, "username": getattr(found, "username", None)})


class AccessAlone(simplejwt.TokenObtainSerializer):
    """A sign-in for a script, which signs in again."""

    token_class = simplejwt_tokens.AccessToken

    def validate(self, attrs: Any) -> Any:
        """Make the one token."""
        super().validate(attrs)
        return {"access": str(self.get_token(self.user))}


class OfAnInstance(simplejwt.TokenObtainPairSerializer):
    """A serializer whose ``get_token`` reads the request."""

    def get_token(self, user: Any) -> Any:  # type: ignore[override]
        """Add what the request says."""
        token = super().get_token(user)
        token["tenant"] = self.context["request"].headers.get("X-Tenant")
        return token


class ByHand(simplejwt.TokenRefreshSerializer):
    """A refresh that makes the access token by itself."""

    def validate(self, attrs: Any) -> Any:
        """Make it."""
        return {"access": str(self.token_class(attrs["refresh"]).access_token)}


class RotatesItself(simplejwt.TokenRefreshSerializer):
    """A refresh by the kit's Python interface."""

    def validate(self, attrs: Any) -> Any:
        """Rotate."""
        pair = sessions.rotate(attrs["refresh"], self.context.get("request"))
        return {"access": str(pair.access), "refresh": str(pair.refresh)}


class WrapsTheKits(serializers.Serializer):  # type: ignore[type-arg]
    """A sign-in that has the kit's serializer do it."""

    username = serializers.CharField()
    password = serializers.CharField()

    def validate(self, attrs: Any) -> Any:
        """Let it."""
        inner = TokenObtainPairSerializer(data=attrs, context=self.context)
        inner.is_valid(raise_exception=True)
        return inner.validated_data


class ByHandSlowly(ByHand):
    """A refresh that makes the access token by itself, while the session goes on elsewhere."""

    def validate(self, attrs: Any) -> Any:
        """Think about it."""
        Context().run(sessions.rotate, self.context["request"].data["newest"])
        return super().validate(attrs)


class Opaque(simplejwt.TokenRefreshSerializer):
    """A refresh that takes something else than a token."""

    def validate(self, attrs: Any) -> Any:
        """Take it."""
        return {"said": attrs["refresh"]}


class Fails(simplejwt.TokenRefreshSerializer):
    """A refresh that refuses in words of its own."""

    def validate(self, attrs: Any) -> Any:
        """Refuse."""
        raise TokenError({"detail": "Ask the office.", "office": 7})


class SecondStep(serializers.Serializer):  # type: ignore[type-arg]
    """The second step of a sign-in, by a short-lived token of the first."""

    temporary = serializers.CharField()

    def validate(self, attrs: Any) -> Any:
        """Read the token."""
        return {"user": AccessToken(attrs["temporary"])["user_id"]}


class SignInSet(views.TokenObtainPairView, GenericViewSet):  # type: ignore[misc,type-arg]
    """The sign-in as a viewset."""


class HasHelpers(simplejwt.TokenObtainPairSerializer):
    """A serializer with helpers of its own."""

    def _name(self, user: Any, greeting: str) -> str:
        """Greet."""
        return f"{greeting} {user}"

    def validate(self, attrs: Any) -> Any:
        """Add a greeting."""
        return {**super().validate(attrs), "said": self._name(self.user, "Hello")}


class HasAnAttempt(views.TokenObtainPairView):
    """A view with a property of its own."""

    @property
    def attempt(self) -> int:
        """Return which one it is."""
        return 1


class ForAnother(simplejwt.TokenObtainPairSerializer):
    """A sign-in that makes tokens of another kind."""

    def validate(self, attrs: Any) -> Any:
        """Make them."""
        data, whose = super().validate(attrs), self.context["request"].data["whose"]
        access = self.get_token(get_user_model().objects.get(username="child")).access_token
        if whose == "nobody":
            access["user_id"] = "pub-1"
        elif whose == "service":
            access = AccessToken()
        return {**data, "access": str(access)}


def many(view: Any, *args: Any, **kwargs: Any) -> Any:
    """Return a serializer of several at once."""
    return views.TokenRefreshView.get_serializer(view, *args, many=True, **kwargs)


def obtain_by(serializer: type[Any]) -> Any:
    """Return the sign-in with a serializer."""
    return views.TokenObtainPairView.as_view(serializer_class=serializer)


def refresh_by(serializer: type[Any]) -> Any:
    """Return the refresh with a serializer."""
    return views.TokenRefreshView.as_view(serializer_class=serializer)


urlpatterns = [
    path("api/", include("drf_jwt_kit.urls")),
    path("number/", obtain_by(ByNumber)),
    path("phone/", obtain_by(ByPhone)),
    path("user/", obtain_by(ByUser)),
    path("email/", obtain_by(ByEmail)),
    path("access/", obtain_by(AccessAlone)),
    path("instance/", obtain_by(OfAnInstance)),
    path("second/", obtain_by(SecondStep)),
    path("by-hand/", refresh_by(ByHand)),
    path("rotates/", refresh_by(RotatesItself)),
    path("by-hand/slowly/", refresh_by(ByHandSlowly)),
    path("many/", type("Many", (views.TokenRefreshView,), {"get_serializer": many}).as_view()),
    path("helpers/", obtain_by(HasHelpers)),
    path("attempt/", HasAnAttempt.as_view()),
    path("parent/", obtain_by(ForAnother)),
    path("opaque/", refresh_by(Opaque)),
    path("fails/", refresh_by(Fails)),
    path("set/", SignInSet.as_view({"post": "post"})),
]


def in_full(exc: Exception, context: Any) -> Response | None:
    """Answer with all that an exception has to tell, as a project's handler may."""
    answer = kit_handler(exc, context) or exception_handler(exc, context)
    if answer is not None:
        answer.data = {"codes": exc.get_codes(), "full": exc.get_full_details()}  # type: ignore[attr-defined]
    return answer


def throttled(client: Any) -> Any:
    """Guess until that is too much."""
    for _ in range(7):
        answer = client.post("/api/token/", {"username": "alice", "password": "wrong"}, format="json")
    return answer


REFUSALS = {
    "a wrong password": (lambda client: client.post("/api/token/", {"username": "alice", "password": "x"}), 401),
    "a broken body": (lambda client: client.generic("POST", "/api/token/", "{", content_type="application/json"), 400),
    "a missing field": (lambda client: client.post("/api/token/", {}), 400),
    "a method": (lambda client: client.get("/api/token/"), 405),
    "a type": (lambda client: client.post("/api/token/", "x", content_type="text/plain"), 415),
    "guesses": (throttled, 429),
    "a bad token": (lambda client: client.post("/api/token/refresh/", {"refresh": "x"}), 401),
    "nothing": (lambda client: client.get("/api/sessions/"), 403),
    "a bad header": (lambda client: client.get("/api/sessions/", headers={"authorization": "Bearer x"}), 401),
}


@pytest.mark.parametrize(("ask", "status"), REFUSALS.values(), ids=REFUSALS)
def test_a_handler_may_ask_a_refusal_for_all_its_codes(client: Any, user: Any, ask: Any, status: int) -> None:
    """DRF's exceptions tell them; packages that make one shape of all errors ask."""
    client.default_format = "json"
    with override_settings(REST_FRAMEWORK={"EXCEPTION_HANDLER": f"{__name__}.in_full"}):
        answer = ask(client)
    assert (answer.status_code, set(answer.json())) == (status, {"codes", "full"})


@pytest.mark.parametrize(
    ("where", "name"), [("number", NUMBER), ("phone", str(NUMBER)), ("phone", NUMBER)], ids=["number", "text", "phone"]
)
def test_a_name_may_be_no_text(client: Any, where: str, name: Any) -> None:
    """Drop-in: a field makes of it what it likes; guesses count all the same."""
    get_user_model().objects.create_user(str(NUMBER), password=PASSWORD)
    assert client.post(f"/{where}/", {"username": name, "password": PASSWORD}, format="json").status_code == 200
    statuses = [client.post(f"/{where}/", {"username": name, "password": "x"}, format="json") for _ in range(6)]
    assert [answer.status_code for answer in statuses] == [401] * 5 + [429]


@pytest.mark.parametrize("where", ["user", "email"])
def test_a_name_may_be_looked_up_beforehand(client: Any, user: Any, where: str) -> None:
    """Drop-in: and one that nobody has is answered as one that somebody has."""
    get_user_model().objects.update(email="alice")
    bodies = [{"username": name, "password": "x"} for name in ("alice", "nobody")]
    known, unknown = (client.post(f"/{where}/", body, format="json") for body in bodies)
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json()) == (401, known.json())
    assert client.post(f"/{where}/", {"username": "alice", "password": PASSWORD}, format="json").status_code == 200


def test_a_name_that_is_looked_up_in_vain_is_nobodys(client: Any) -> None:
    """THREATS, guesses: nor that of a user who is called as Python calls nothing."""
    get_user_model().objects.create_user("None", password=PASSWORD)
    for number in range(6):
        body = {"username": f"nobody{number}", "password": "x"}
        assert client.post("/email/", body, format="json").status_code == 401
    assert client.post("/api/token/", {"username": "None", "password": PASSWORD}, format="json").status_code == 200


def test_an_access_token_alone_is_answered_as_it_is(client: Any, user: Any) -> None:
    """2.4: as simplejwt does; it belongs to no session."""
    answer = client.post("/access/", {"username": "alice", "password": PASSWORD}, format="json").json()
    assert set(answer) == {"access"}
    assert not TokenSession.objects.exists()


def test_claims_that_need_an_instance_are_refused_in_words(user: Any) -> None:
    """Law 11: a refresh, which asks for them again, has none."""
    client = APIClient(raise_request_exception=True)
    with pytest.raises(ImproperlyConfigured, match="classmethod"):
        client.post("/instance/", {"username": "alice", "password": PASSWORD}, format="json")
    with pytest.raises(ImproperlyConfigured, match="classmethod"):
        issuance.source_of(OfAnInstance)
    assert not TokenSession.objects.exists()


def test_a_used_token_is_refused_by_a_serializer_that_does_not_rotate(client: Any, tokens: Any, settings: Any) -> None:
    """Law 3: as simplejwt's token class looks into the blacklist. It is a replay here, too."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    answer = client.post("/by-hand/", {"refresh": tokens.refresh}, format="json")
    assert client.get("/api/sessions/", **bearer(answer.json()["access"])).status_code == 200
    assert client.post("/api/token/refresh/", {"refresh": tokens.refresh}, format="json").status_code == 200
    answer = client.post("/by-hand/", {"refresh": tokens.refresh}, format="json")
    assert (answer.status_code, answer.json()["reason"]) == (401, "reused")
    assert TokenSession.objects.get().revoke_reason == "reused"


def test_a_serializer_may_rotate_by_the_python_interface(client: Any, tokens: Any, settings: Any) -> None:
    """Law 3: that was the first use of the token, and not a second one."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    answer = client.post("/rotates/", {"refresh": tokens.refresh}, format="json")
    assert client.post("/rotates/", {"refresh": answer.json()["refresh"]}, format="json").status_code == 200
    answer = client.post("/rotates/", {"refresh": tokens.refresh}, format="json")
    assert (answer.status_code, answer.json()["reason"]) == (401, "reused")


@pytest.mark.parametrize("rotations", [1, 3])
def test_a_replay_is_one_although_the_session_goes_on_meanwhile(
    client: Any, tokens: Any, settings: Any, rotations: int
) -> None:
    """Law 3: an ancestor ends the session, whoever else refreshes at the moment."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    newest = tokens.refresh
    for _ in range(rotations):
        newest = str(sessions.rotate(newest).refresh)
    answer = client.post("/by-hand/slowly/", {"refresh": tokens.refresh, "newest": newest}, format="json")
    assert (answer.status_code, answer.json()["reason"]) == (401, "reused")
    assert TokenSession.objects.get().revoke_reason == "reused"


def test_what_another_rotates_for_a_request_excuses_no_replay(rf: Any, user: Any, settings: Any) -> None:
    """Law 3: a middleware may refresh the cookie of whoever sends somebody else's used token."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    used, own = (str(sessions.start(user).refresh) for _ in range(2))
    sessions.rotate(used)
    request = rf.post("/", json.dumps({"refresh": used}), content_type="application/json")
    sessions.rotate(own, request)
    assert refresh_by(ByHand)(request).data["reason"] == "reused"


def test_the_kits_serializer_within_another_begins_one_session(rf: Any, user: Any) -> None:
    """2.4: its tokens are the session's."""
    request = rf.post("/", json.dumps({"username": "alice", "password": PASSWORD}), content_type="application/json")
    answer = obtain_by(WrapsTheKits)(request)
    assert sessions.rotate(answer.data["refresh"]).session == TokenSession.objects.get()


def test_several_refreshes_at_once_are_several(client: Any, sign_in: Any) -> None:
    """Drop-in: DRF's serializers take a list."""
    answer = client.post("/many/", [{"refresh": sign_in().refresh} for _ in range(2)], format="json")
    assert (answer.status_code, [set(pair) >= {"access", "refresh"} for pair in answer.json()]) == (200, [True, True])


@pytest.mark.parametrize("where", ["helpers", "attempt"])
def test_a_projects_own_names_are_in_nobodys_way(client: Any, user: Any, where: str) -> None:
    """Drop-in: simplejwt uses none of them."""
    assert client.post(f"/{where}/", {"username": "alice", "password": PASSWORD}, format="json").status_code == 200


@pytest.mark.parametrize("whose", ["child", "nobody", "service"])
def test_other_tokens_than_those_of_the_session_are_not_answered(client: Any, user: Any, whose: str) -> None:
    """Law 4: whomever a project made them for, it is alice who has signed in."""
    get_user_model().objects.create_user("child")
    for _ in range(6):
        answer = client.post("/parent/", {"username": "alice", "password": PASSWORD, "whose": whose}, format="json")
        assert answer.status_code == 200
    assert client.get("/api/sessions/", **bearer(answer.json()["access"])).status_code == 200
    assert AccessToken(answer.json()["access"])["user_id"] == str(user.pk)


class PostsByHand(views.TokenRefreshView):
    """A refresh with a ``post`` of its own."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Do what the kit's does."""
        serializer = self.get_serializer(data=self.posted(request))
        serializer.is_valid(raise_exception=True)
        return Response(self.answer(serializer))


def post_alone(request: Any, serializer: type[Any]) -> Any:
    """Return what the kit's ``post`` answers, called by a project's own code."""
    view = views.TokenRefreshView(serializer_class=serializer)
    view.setup(request)
    view.request, view.format_kwarg = view.initialize_request(request), None
    return view.post(view.request)


def own_post(request: Any, serializer: type[Any]) -> Any:
    """Return what a ``post`` of the project's own answers."""
    return PostsByHand.as_view(serializer_class=serializer)(request)


@pytest.mark.parametrize(
    ("refresh", "serializer"), [(post_alone, ByHand), (own_post, ByHand), (own_post, RotatesItself)]
)
def test_a_refresh_may_have_a_post_of_its_own(
    rf: Any, tokens: Any, settings: Any, refresh: Any, serializer: type[Any]
) -> None:
    """docs/api.md: the views are there to be subclassed, and a rotation is the first use of the token (law 3)."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    request = rf.post("/", json.dumps({"refresh": tokens.refresh}), content_type="application/json")
    assert "access" in refresh(request, serializer).data


def test_a_token_from_before_is_not_adopted_by_looking_at_it(client: Any, user: Any) -> None:
    """Law 3: it is the first use that makes it a session."""
    raw = str(simplejwt_tokens.RefreshToken.for_user(user))
    assert client.post("/by-hand/", {"refresh": raw}, format="json").status_code == 200
    assert not TokenSession.objects.exists()


def test_a_serializer_may_take_something_else_than_a_token(client: Any) -> None:
    """Drop-in: what that means is its own to say."""
    assert client.post("/opaque/", {"refresh": "a word"}, format="json").json() == {"said": "a word"}


def test_a_refusal_may_have_a_body_of_its_own(client: Any) -> None:
    """Drop-in: simplejwt's ``InvalidToken`` takes one."""
    answer = client.post("/fails/", {"refresh": "x"}, format="json")
    body = {"detail": "Ask the office.", "office": "7", "code": "token_not_valid", "reason": "invalid"}
    assert (answer.status_code, answer.json()) == (401, body)


def test_a_token_of_a_first_step_is_refused_as_a_token(client: Any, user: Any, clock: Any) -> None:
    """Drop-in: it is no account that cannot be found."""
    token = AccessToken.for_user(user)
    assert client.post("/second/", {"temporary": str(token)}, format="json").json() == {"user": str(user.pk)}
    clock.shift(timedelta(minutes=6))
    answer = client.post("/second/", {"temporary": str(token)}, format="json")
    assert (answer.status_code, answer.json()["reason"]) == (401, "expired")


def test_the_sign_in_may_be_a_viewset(client: Any, user: Any) -> None:
    """Drop-in: with the view's own handler as its action."""
    assert client.post("/set/", {"username": "alice", "password": PASSWORD}, format="json").status_code == 200
