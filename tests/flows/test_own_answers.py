"""Issue 5.6: a project's ``validate`` makes tokens itself, and answers them in a shape of its own: the gate stands."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth import authenticate
from django.core import signing
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response
from rest_framework_simplejwt import serializers as theirs
from rest_framework_simplejwt import tokens as their_tokens

from drf_jwt_kit import claims, sessions
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.serializers import TokenObtainPairSerializer
from drf_jwt_kit.views import TokenObtainPairView
from tests.attacks import forge
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("user")]

# Each makes an answer of a refresh token.
SHAPES: dict[str, Callable[[Any], Any]] = {
    "below a key": lambda token: {"tokens": {"refresh": str(token), "access": str(token.access_token)}},
    "a list": lambda token: {"tokens": [str(token)]},
    "a tuple in a list": lambda token: {"data": [("tokens", {"more": str(token.access_token)})]},
    "nothing but a list": lambda token: [str(token), str(token.access_token)],
    "a set": lambda token: {"tokens": {str(token)}},
    "values": lambda token: {"tokens": {"one": str(token)}.values()},
    "bytes": lambda token: {"token": str(token).encode()},
    "a key": lambda token: {str(token): 1},
    "camels": lambda token: {"refreshToken": str(token), "accessToken": str(token.access_token)},
    "a header": lambda token: {"Authorization": f"Bearer {token.access_token}"},
    "a name before it": lambda token: {"token": f"key_{token.access_token}"},
    "an address": lambda token: {"next": f"https://app.example.org/#refresh={token}"},
    "an address in an address": lambda token: {"next": quote(f"https://example.org/?access={token}", safe="")},
    "an access token": lambda token: {"access": str(token.access_token)},
    "one beside a session's": lambda token: {"token": str(token), "echo": held_by_another(token)},
    "a sliding token": lambda token: {"token": str(their_tokens.SlidingToken.for_user(user_of(token)))},
}


def user_of(token: Any) -> Any:
    """Return the user of a token."""
    return TokenSession._meta.get_field("user").related_model.objects.get(pk=token["user_id"])


def held_by_another(token: Any) -> str:
    """Return a good token of a session: whoever has one may send it along."""
    return str(sessions.start(user_of(token)).access)


def alone(answers: Callable[[Any], Any]) -> Any:
    """Return a ``validate`` that never calls ``super()``."""

    def validate(self: Any, attrs: Any) -> Any:
        user = authenticate(self.context["request"], username=attrs["username"], password=attrs["password"])
        if user is None:
            raise AuthenticationFailed("Wrong.", "no_active_account")
        return answers(self.get_token(user))

    return validate


def after_super(answers: Callable[[Any], Any]) -> Any:
    """Return a ``validate`` that calls ``super()``, and makes its own tokens all the same."""

    def validate(self: Any, attrs: Any) -> Any:
        TokenObtainPairSerializer.validate(self, attrs)
        return answers(self.get_token(self.user))

    return validate


class OnTheKits(TokenObtainPairSerializer):
    """On the kit's serializer."""


class OnTheirs(theirs.TokenObtainPairSerializer):
    """On simplejwt's."""


class OnTheirBase(theirs.TokenObtainSerializer):
    """On what simplejwt's rests on."""

    token_class = their_tokens.RefreshToken


class OnNobodys(serializers.Serializer[Any]):
    """On nothing of simplejwt's or the kit's."""

    username = serializers.CharField()
    password = serializers.CharField()

    @classmethod
    def get_token(cls, user: Any) -> Any:
        """Make one as simplejwt's documentation does by hand."""
        return their_tokens.RefreshToken.for_user(user)


BASES: list[Any] = [OnTheKits, OnTheirs, OnTheirBase, OnNobodys]


def signing_in(base: Any, validate: Any) -> Any:
    """Return a view whose serializer is ``base`` with that ``validate``."""
    return TokenObtainPairView.as_view(serializer_class=type("Own", (base,), {"validate": validate}))


def asks(request: Any, user: Any) -> dict[str, Any]:
    """Let in nobody without the code."""
    if request.data.get("otp") != "123456":
        raise AuthenticationFailed("Wrong code.", "second_factor_invalid")
    return {"amr": ["otp"]}


@pytest.fixture(autouse=True)
def _gate(settings: Any) -> None:
    """The gate is up, and an authenticator takes sliding tokens, too."""
    settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.asks"}
    named = ["rest_framework_simplejwt.tokens.AccessToken", "rest_framework_simplejwt.tokens.SlidingToken"]
    settings.SIMPLE_JWT = {"AUTH_TOKEN_CLASSES": named}


@pytest.fixture
def post(rf: Any) -> Any:
    """A function that signs alice in at a view and returns its answer."""

    def post(view: Any, **body: str) -> Any:
        body = {"username": "alice", "password": PASSWORD, **body}
        return view(rf.post("/", json.dumps(body), "application/json")).render()

    return post


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("base", BASES)
def test_nothing_is_issued_that_the_gate_was_not_asked_about(post: Any, base: Any, shape: str) -> None:
    """Nobody can tell whose such an answer is, so nobody gets it; and the project hears why."""
    with pytest.raises(ImproperlyConfigured, match="asks was not asked about: call super"):
        post(signing_in(base, alone(SHAPES[shape])))


def test_whomever_tokens_are_meant_for(post: Any, settings: Any) -> None:
    """``AUDIENCE`` puts an ``aud`` on each."""
    settings.SIMPLE_JWT = {"AUDIENCE": "https://api.example.org"}
    with pytest.raises(ImproperlyConfigured, match="asks was not asked about: call super"):
        post(signing_in(OnTheKits, alone(SHAPES["an access token"])))


@pytest.mark.parametrize("shape", SHAPES)
def test_whoever_calls_super_may_answer_as_he_likes(post: Any, shape: str) -> None:
    """The gate was asked there."""
    view = signing_in(OnTheKits, after_super(SHAPES[shape]))
    assert post(view).data["code"] == "second_factor_invalid"
    assert post(view, otp="123456").status_code == 200


@pytest.mark.parametrize("base", BASES)
def test_the_common_shape_is_asked_about(post: Any, base: Any) -> None:
    """DESIGN 4: the kit's view opens the session for it."""
    view = signing_in(base, alone(lambda token: {"refresh": str(token), "access": str(token.access_token)}))
    assert post(view).data["code"] == "second_factor_invalid"
    assert TokenSession.objects.count() == 0
    assert forge.payload_of(post(view, otp="123456").data["access"])["amr"] == ["otp"]


def tokens_of(request: Any) -> dict[str, str]:
    """Make tokens for whoever's password was sent, in a project's own way."""
    token = their_tokens.RefreshToken.for_user(authenticate(request, username="alice", password=PASSWORD))
    return {"refreshToken": str(token), "accessToken": str(token.access_token)}


class SaysWho(OnNobodys):
    """The usual serializer of a sign-in form: it validates, and makes no tokens."""


class InTheAnswer(TokenObtainPairView):
    """A view that makes them in ``answer``."""

    serializer_class = SaysWho

    def answer(self, serializer: Any) -> Any:
        """Make them."""
        return tokens_of(self.request._request)


class BesideTheAnswer(TokenObtainPairView):
    """A view that adds them to the answer."""

    serializer_class = SaysWho

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Add them."""
        response = super().post(request, *args, **kwargs)
        response.data |= tokens_of(request._request)
        return response


class WithoutSuper(TokenObtainPairView):
    """A view with a ``post`` of its own, and an answer that is none of DRF's."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer them."""
        return JsonResponse(tokens_of(request._request))


class InACookie(TokenObtainPairView):
    """A view that answers them in a cookie."""

    serializer_class = SaysWho

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Set it."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code == 200:
            response.set_cookie("access", tokens_of(request._request)["accessToken"])
        return response


class InTwoCookies(TokenObtainPairView):
    """A view that keeps the signature from scripts, and gives them what is signed."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Set both."""
        response = Response()
        signed, _, signature = tokens_of(request._request)["accessToken"].rpartition(".")
        response.set_cookie("signed", signed)
        response.set_cookie("signature", signature, httponly=True)
        return response


class BeforeMuch(TokenObtainPairView):
    """A view whose answer goes on in the same letters where the token ends, for longer than any token is."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer it."""
        return HttpResponse(tokens_of(request._request)["accessToken"] + "_" * 9000)


class InAHeader(TokenObtainPairView):
    """A view that answers them in a header."""

    serializer_class = SaysWho

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Set it."""
        return Response(headers={"Authorization": f"Bearer {tokens_of(request._request)['accessToken']}"})


class Redirects(TokenObtainPairView):
    """A view that sends the browser on, with the token in the address."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Redirect."""
        return HttpResponseRedirect(f"https://app.example.org/#{tokens_of(request._request)['accessToken']}")


VIEWS = [InTheAnswer, BesideTheAnswer, WithoutSuper, InACookie, InTwoCookies, BeforeMuch, InAHeader, Redirects]


def rendered(response: Any) -> Any:
    """Return a response as Django sends it."""
    return response.render() if hasattr(response, "render") else response


@pytest.mark.parametrize("view", VIEWS)
def test_nor_by_the_view(rf: Any, view: Any) -> None:
    """Wherever in the view they are made."""
    body = json.dumps({"username": "alice", "password": PASSWORD})
    with pytest.raises(ImproperlyConfigured, match="asks was not asked about: call super"):
        rendered(view.as_view()(rf.post("/", body, "application/json")))


class AsBytes(BaseRenderer):
    """A renderer for what is no text."""

    media_type = "image/png"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        """Return it as it is."""
        return data


class AnswersAPicture(TokenObtainPairView):
    """A first step that answers what no other renderer can write."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer it."""
        request.accepted_renderer, request.accepted_media_type = AsBytes(), "image/png"
        return Response(b"\x89PNG\xff")


class Streams(TokenObtainPairView):
    """A first step whose answer is streamed."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Stream it."""
        return StreamingHttpResponse([b"{}"])


class Once(TokenObtainPairView):
    """A first step whose answer can be read but once."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer it."""
        return Response({"methods": (method for method in ["otp", "sms"])})


class Refuses(TokenObtainPairView):
    """A view that says what it did not like."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Refuse it."""
        return Response({"state": [f"{request.data['state']} is not a valid choice."]}, status=400)


def test_a_refusal_may_say_what_was_sent(rf: Any, user: Any) -> None:
    """DESIGN 2.2: nothing that a client sends gives a 500, nor does a token that it has."""
    body = json.dumps({"state": str(their_tokens.AccessToken.for_user(user))})
    assert rendered(Refuses.as_view()(rf.post("/", body, "application/json"))).status_code == 400


class Echoes(TokenObtainPairView):
    """A first step that gives back what the client keeps for the second."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer it."""
        return Response({"state": request.data["state"]})


@pytest.mark.parametrize("state", [("ey" * 150 + ".") * 30, "x." + "ey" * 4500, ("ey" * 12 + ".") * 300])
def test_each_part_of_an_answer_is_read_but_once(rf: Any, monkeypatch: Any, state: str) -> None:
    """DESIGN 2.2: what a client sends to be given back costs as much as it is long, and not its square."""
    read: list[int] = []
    json_object = claims.json_object
    monkeypatch.setattr(claims, "json_object", lambda part: (read.append(len(part)), json_object(part))[1])
    answer = rendered(Echoes.as_view()(rf.post("/", json.dumps({"state": state}), "application/json")))
    assert answer.status_code == 200
    assert 0 < sum(read) <= len(answer.content)


class AsksByItself(TokenObtainPairView):
    """A view that lets the kit's serializer sign in, without DRF's request, and adds a token of its own."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Sign in."""
        request._request.data = request.data
        serializer = TokenObtainPairSerializer(data=request.data, context={"request": request._request})
        serializer.is_valid(raise_exception=True)
        return Response(tokens_of(request._request))


STEPS: list[Any] = [
    (AnswersAPicture, b"\x89PNG\xff"),
    (Streams, b"{}"),
    (Once, b'{"methods":["otp","sms"]}'),
    (AsksByItself, None),
]


@pytest.mark.parametrize(("view", "content"), STEPS)
def test_the_rest_is_sent_as_it_is(rf: Any, view: Any, content: bytes | None) -> None:
    """Whatever it is, and whatever writes it; so is what the gate was asked about, whoever asked."""
    body = json.dumps({"username": "alice", "password": PASSWORD, "otp": "123456"})
    request = rf.post("/", body, "application/json")
    answer = rendered(view.as_view()(request))
    assert (answer.status_code, content in (None, answer.getvalue())) == (200, True)


class EmailToken(their_tokens.Token):
    """A project's own kind, which signs nobody in."""

    token_type = "email"
    lifetime = timedelta(days=1)


def begun(token: Any) -> Any:
    """Begin a session, as ``sessions.start`` does without a gate."""
    pair = sessions.start(user_of(token), amr=["own"])
    return {"tokens": {"access": str(pair.access), "refresh": str(pair.refresh)}}


def part(claims: dict[str, Any]) -> str:
    """Return a part of a token with these claims."""
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


NO_SIGN_INS: dict[str, Callable[[Any], Any]] = {
    "no token": lambda token: {"detail": "A code was sent.", "eyes": "ey.are.open", "count": 1},
    "a kind of its own": lambda token: {"token": str(EmailToken.for_user(user_of(token)))},
    "another's": lambda token: {"id_token": forge.token({"iss": "https://id.example.org", "sub": "1"}, key="x" * 40)},
    "nothing that is one": lambda token: {"token": "eyJhbGciOiJub25lIn0.eyJ9.e30"},
    "a state that Django signed": lambda token: {"state": signing.dumps(token.payload)},
    "what never ends": lambda token: {"state": "x." + part({"token_type": "access", "jti": "a", "user_id": 1})},
    "claims alone": lambda token: {"sent": str(token).split(".")[1]},
    "a session of the project's": begun,
}


@pytest.mark.parametrize("answer", NO_SIGN_INS)
def test_what_signs_nobody_in_is_answered(post: Any, answer: str) -> None:
    """A first step without tokens, say. Sessions that the project begins itself need no gate (claims.md)."""
    assert post(signing_in(OnTheKits, alone(NO_SIGN_INS[answer]))).status_code == 200


def test_without_a_gate_all_shapes_are_answered(post: Any, settings: Any) -> None:
    """The drop-in."""
    settings.DRF_JWT_KIT = {}
    for answers in SHAPES.values():
        assert post(signing_in(OnTheirs, alone(answers))).status_code == 200
