"""Projects that deny in words of their own: a guess is a guess, whatever it is answered with."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.urls import path
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.test import APIClient
from rest_framework_simplejwt import serializers as simplejwt
from rest_framework_simplejwt.exceptions import TokenError

from drf_jwt_kit.exceptions import SecondFactorRequired
from drf_jwt_kit.serializers import TokenObtainPairSerializer, sign_in
from drf_jwt_kit.views import TokenObtainPairView
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "user"), pytest.mark.urls(__name__)]

MODEL = "django.contrib.auth.backends.ModelBackend"


class Unprocessable(drf.APIException):
    """422, as some houses answer whatever is wrong with a body."""

    status_code = 422


class Says200(drf.APIException):
    """What a house says that answers everything with 200."""

    status_code = 200


WORDS: dict[str, drf.APIException] = {
    "200": Says200(),
    "an error of no field": drf.ValidationError("Unable to sign in."),
    "an error of a field": drf.ValidationError({"password": ["Wrong."]}),
    "400": drf.ParseError(),
    "401": drf.AuthenticationFailed(),
    "403": drf.PermissionDenied(),
    "404": drf.NotFound(),
    "422": Unprocessable(),
    "429": drf.Throttled(),
    "500": drf.APIException(),
}
SAID: dict[str, Exception] = {"words": drf.APIException()}

# What is answered with a 4xx although it is no exception of DRF's.
OTHERS: list[tuple[Exception, int]] = [
    (BadRequest("No."), 400),
    (SuspiciousOperation("No."), 400),
    (RequestDataTooBig("No."), 413),
    (PermissionDenied("No."), 403),
    (Http404("No."), 404),
    (TokenError("No."), 401),
]


class RestsOnTheKits(TokenObtainPairSerializer):
    """A subclass of the kit's serializer that rewords its refusal."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Sign in, or refuse as the test says."""
        try:
            return super().validate(attrs)
        except drf.AuthenticationFailed:
            raise SAID["words"] from None


class RestsOnSimpleJWTs(simplejwt.TokenObtainPairSerializer):
    """The same on simplejwt's."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Sign in, or refuse as the test says."""
        try:
            return super().validate(attrs)
        except drf.AuthenticationFailed:
            raise SAID["words"] from None


class RestsOnDjangos(serializers.Serializer[Any]):
    """A serializer that asks Django, and does not say for which request."""

    username = serializers.CharField()
    password = serializers.CharField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Sign in, or refuse as the test says."""
        user = authenticate(**attrs)
        if user is None:
            raise SAID["words"]
        return sign_in(type(self), user, self.context["request"])


class AsksNobody(serializers.Serializer[Any]):
    """A serializer that looks at the password by itself."""

    username = serializers.CharField()
    password = serializers.CharField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Sign in, or refuse as the test says."""
        user = get_user_model().objects.get(username=attrs["username"])
        if not user.check_password(attrs["password"]):
            raise SAID["words"]
        return sign_in(type(self), user, self.context["request"])


class LooksForMore(TokenObtainPairSerializer):
    """A serializer that wants something besides the right password, which is wrong."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Sign in, then refuse as the test says."""
        super().validate(attrs)
        raise SAID["words"]


class TriesTwice(TokenObtainPairSerializer):
    """A serializer that takes the name for an address first."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask Django once more than needed."""
        authenticate(self.context["request"], email=attrs["username"], password=attrs["password"])
        return super().validate(attrs)


class SaysItWith200(TokenObtainPairSerializer):
    """A serializer that never refuses."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Sign in, or say that it did not."""
        try:
            return super().validate(attrs)
        except drf.AuthenticationFailed:
            return {"success": False}


class SignsInAnother(RestsOnDjangos):
    """A serializer that has another user signed in on the way."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Send a sign-in of its own."""
        body = {"username": "bob", "password": "wrong"}
        assert APIClient().post("/plain", body, format="json", REMOTE_ADDR="192.0.2.7").status_code == 401
        return super().validate(attrs)


def asks_for_more(request: Any, user: Any) -> None:
    """Want a second factor."""
    raise SecondFactorRequired


class Answers(BaseBackend):
    """A backend that has its own answer for everybody."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Answer as the test says."""
        raise SAID["words"]


class AsksForMore(ModelBackend):
    """A backend that wants a second factor of whoever has the password."""

    def authenticate(self, request: Any, *args: Any, **credentials: Any) -> None:
        """Ask for it."""
        if super().authenticate(request, *args, **credentials) is not None:
            raise SecondFactorRequired


class Denies(BaseBackend):
    """A backend that knows nobody."""


SERIALIZERS = [RestsOnTheKits, RestsOnSimpleJWTs, RestsOnDjangos]

urlpatterns = [
    *(path(cls.__name__, TokenObtainPairView.as_view(serializer_class=cls)) for cls in SERIALIZERS),
    path("more", TokenObtainPairView.as_view(serializer_class=LooksForMore)),
    path("nobody", TokenObtainPairView.as_view(serializer_class=AsksNobody)),
    path("plain", TokenObtainPairView.as_view()),
    path("twice", TokenObtainPairView.as_view(serializer_class=TriesTwice)),
    path("success", TokenObtainPairView.as_view(serializer_class=SaysItWith200)),
    path("another", TokenObtainPairView.as_view(serializer_class=SignsInAnother)),
]


@pytest.fixture(params=WORDS.values(), ids=WORDS)
def words(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> drf.APIException:
    """What a project says to a wrong password."""
    monkeypatch.setitem(SAID, "words", request.param)
    return request.param  # type: ignore[no-any-return]


def answers(client: Any, url: str, times: int, password: str = "wrong") -> list[int]:
    """Return the statuses of so many sign-ins of alice's."""
    body = {"username": "alice", "password": password}
    return [client.post(f"/{url}", body, format="json").status_code for _ in range(times)]


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_a_denial_counts_whatever_it_is_answered_with(client: Any, serializer: Any, words: drf.APIException) -> None:
    """THREATS: five guesses, not as many as one likes; the right password waits as well."""
    assert answers(client, serializer.__name__, 5) == [words.status_code] * 5
    assert answers(client, serializer.__name__, 2, PASSWORD) == [429, 429]


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_what_was_not_asked_of_a_backend_is_no_guess(client: Any, serializer: Any, words: drf.APIException) -> None:
    """2.3: an error of a field is there before anybody is asked."""
    assert answers(client, serializer.__name__, 9, "") == [400] * 9
    assert answers(client, serializer.__name__, 1, PASSWORD) == [200]


@pytest.mark.parametrize(
    "error", ["Wrong.", ["Wrong."], {"detail": "Wrong."}, {"error": ["Wrong."], "username": ["Or this."]}], ids=repr
)
def test_an_error_of_what_is_no_field_is_a_denial(client: Any, monkeypatch: pytest.MonkeyPatch, error: Any) -> None:
    """2.3: where no backend was asked the answer tells, whatever its keys are called."""
    monkeypatch.setitem(SAID, "words", drf.ValidationError(error))
    assert answers(client, "nobody", 7) == [400] * 5 + [429] * 2


@pytest.mark.parametrize(("url", "password"), [("nobody", "wrong"), ("more", PASSWORD)])
@pytest.mark.parametrize(("error", "status"), OTHERS, ids=repr)
def test_whatever_is_answered_with_a_4xx_is_a_denial(
    client: Any, monkeypatch: pytest.MonkeyPatch, *, url: str, password: str, error: Exception, status: int
) -> None:
    """2.3: Django's own exceptions and simplejwt's as well, where no backend was asked and where one was content."""
    monkeypatch.setitem(SAID, "words", error)
    assert answers(client, url, 6, password) == [status] * 5 + [429]


@pytest.mark.parametrize("error", [{"password": ["Too short."]}, {"password": ["No."], "username": ["No."]}], ids=repr)
def test_an_error_of_fields_alone_is_none(client: Any, monkeypatch: pytest.MonkeyPatch, error: Any) -> None:
    """2.3: it says how something was written."""
    monkeypatch.setitem(SAID, "words", drf.ValidationError(error))
    assert answers(client, "nobody", 7) == [400] * 7
    assert client.post("/nobody", [1], format="json").status_code == 400
    assert answers(client, "nobody", 1, PASSWORD) == [200]


def test_a_password_that_was_right_at_last_is_no_guess(client: Any, settings: Any) -> None:
    """2.3: asked for a second factor, nobody uses up their attempts."""
    settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.asks_for_more"}
    assert answers(client, "twice", 9, PASSWORD) == [401] * 9
    settings.DRF_JWT_KIT = {}
    assert answers(client, "twice", 6) == [401] * 5 + [429]


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_a_denial_that_asks_for_a_second_factor_counts(
    client: Any, monkeypatch: pytest.MonkeyPatch, serializer: Any
) -> None:
    """THREATS: whoever is asked for one by a wrong password has guessed."""
    monkeypatch.setitem(SAID, "words", SecondFactorRequired())
    assert answers(client, serializer.__name__, 6) == [401] * 5 + [429]


@pytest.mark.parametrize("backends", [["AsksForMore"], ["Denies", "AsksForMore"]], ids=repr)
def test_a_backend_that_asks_for_a_second_factor_denies_nobody(client: Any, settings: Any, backends: list[str]) -> None:
    """2.3: the password was right; a wrong one counts."""
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{name}" for name in backends]
    for url in ("plain", "RestsOnDjangos"):
        assert answers(client, url, 9, PASSWORD) == [401] * 9
    assert answers(client, "plain", 6) == [401] * 5 + [429]


def test_a_denial_that_is_answered_with_200_counts(client: Any) -> None:
    """THREATS: five guesses; and a success is one, whatever was denied on the way."""
    assert answers(client, "twice", 9, PASSWORD) == [200] * 9
    assert answers(client, "success", 9, PASSWORD) == [200] * 9
    assert answers(client, "success", 6) == [200] * 5 + [429]


def test_a_sign_in_on_the_way_is_another_attempt(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """THREATS: whatever happens meanwhile, each attempt is counted for itself."""
    monkeypatch.setitem(SAID, "words", WORDS["an error of a field"])
    assert answers(client, "another", 3) == [400] * 3
    assert answers(client, "plain", 3) == [401] * 2 + [429]


def test_a_guess_counts_where_another_backend_answers(client: Any, settings: Any, words: drf.APIException) -> None:
    """THREATS: Django's backend has said no before: 503, or the other one's own words, five times."""
    settings.AUTHENTICATION_BACKENDS = [MODEL, f"{__name__}.Answers"]
    expected = 503 if words.status_code >= 500 else words.status_code
    assert answers(client, "plain", 5) == [expected] * 5
    assert answers(client, "plain", 2, PASSWORD) == [429, 429]


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_backend_that_is_down_is_a_503_in_whatever_words(
    client: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """THREATS and law 8: JSON with ``Retry-After``; alone it has denied nobody, so nobody's attempts are used up."""
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Answers"]
    down = type("Down", (drf.APIException,), {"status_code": status, "default_detail": "ldap.internal"})()
    monkeypatch.setitem(SAID, "words", down)
    for _ in range(9):
        answer = client.post("/plain", {"username": "alice", "password": PASSWORD}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
        assert int(answer["Retry-After"]) > 0
    settings.AUTHENTICATION_BACKENDS = [MODEL]
    assert answers(client, "plain", 1, PASSWORD) == [200]
