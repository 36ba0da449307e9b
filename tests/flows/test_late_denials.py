"""Sign-ins that are denied after the kit has let somebody in: a guess like any other, and no device is left."""

from __future__ import annotations

import json
from contextlib import suppress
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model, user_logged_in, user_login_failed
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.handlers.wsgi import WSGIRequest
from django.db import InterfaceError, InternalError, OperationalError
from django.urls import include, path
from rest_framework import serializers
from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied, Throttled, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt import serializers as simplejwt_serializers

from drf_jwt_kit import rotation, sessions, signals, throttling, views
from drf_jwt_kit.exceptions import SecondFactorRequired, ServiceUnavailable, exception_handler
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.serializers import TokenObtainPairSerializer, pair_as_data, sign_in
from tests.conftest import PASSWORD
from tests.flows.test_other_words import Says200, SaysItWith200

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class DeniesInTheEnd(TokenObtainPairSerializer):
    """A serializer that lets nobody in whom it does not like, as simplejwt's users write it."""

    def validate(self, attrs: Any) -> Any:
        """Make the tokens, then look at the user."""
        super().validate(attrs)
        raise AuthenticationFailed("Not you.", "no_active_account")


class Forbids(views.TokenObtainPairView):
    """A view that says no when everything else is done."""

    def finalize_response(self, *args: Any, **kwargs: Any) -> Any:
        """Say no."""
        super().finalize_response(*args, **kwargs)
        raise DjangoPermissionDenied


urlpatterns = [
    path("forbids/", Forbids.as_view()),
    path("denies/", views.TokenObtainPairView.as_view(serializer_class=DeniesInTheEnd)),
    path("api/", include("drf_jwt_kit.urls")),
]


def test_a_sign_in_that_a_serializer_denies_in_the_end_leaves_no_device(client: Any, user: Any) -> None:
    """2.4: nobody got the tokens, so nobody is signed in."""
    ended: list[str] = []

    def note(*, reason: str, **kwargs: Any) -> None:
        ended.append(reason)

    signals.session_revoked.connect(note)
    answer = client.post("/denies/", {"username": "alice", "password": PASSWORD}, format="json")
    signals.session_revoked.disconnect(note)
    assert (answer.status_code, answer.json()["code"]) == (401, "no_active_account")
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] == ended


def answers_of(rf: Any, view: Any, times: int, password: str = PASSWORD) -> list[Any]:
    """Return how a view answers a password, again and again."""
    body = json.dumps({"username": "alice", "password": password})
    return [view(rf.post("/", body, content_type="application/json")) for _ in range(times)]


def sign_ins(rf: Any, view: Any, times: int, **password: str) -> list[int]:
    """Return the statuses of these answers."""
    return [answer.status_code for answer in answers_of(rf, view, times, **password)]


def _deny(*args: Any, **kwargs: Any) -> Any:
    raise PermissionDenied("Not you.")


def _answer_403(view: Any, *args: Any, **kwargs: Any) -> Any:
    return Response({"detail": "Not you."}, status=403)


def _turn_into_403(view: Any, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
    answer = views.TokenObtainPairView.finalize_response(view, request, response, *args, **kwargs)
    answer.status_code = 403 if answer.status_code == 200 else answer.status_code
    return answer


def _after_super(name: str, then: Any) -> type[Any]:
    """Return a view that signs in, and then does something else with the answer."""

    def method(view: Any, *args: Any, **kwargs: Any) -> Any:
        getattr(views.TokenObtainPairView, name)(view, *args, **kwargs)
        return then(view, *args, **kwargs)

    return type("Denies", (views.TokenObtainPairView,), {name: method})


LATE = {
    "answer": _after_super("answer", _deny),
    "post": _after_super("post", _deny),
    "post, by an answer": _after_super("post", _answer_403),
    "finalize_response": type("Denies", (views.TokenObtainPairView,), {"finalize_response": _turn_into_403}),
}


@pytest.mark.parametrize("view", LATE.values(), ids=LATE)
def test_a_denial_after_the_sign_in_counts_and_leaves_no_device(rf: Any, user: Any, view: Any) -> None:
    """THREATS, guesses: a second factor that a view asks for by itself is not to be guessed for ever."""
    assert sign_ins(rf, view.as_view(), 6) == [403] * 5 + [429]
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 5


def test_a_denial_that_django_answers_counts(client: Any, user: Any) -> None:
    """THREATS, guesses: it was raised when DRF was through."""
    body = {"username": "alice", "password": PASSWORD}
    answers = [client.post("/forbids/", body, format="json").status_code for _ in range(6)]
    assert answers == [403] * 6
    assert client.post("/api/token/", body, format="json").status_code == 429
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 5


def _ask(*args: Any, **kwargs: Any) -> Any:
    raise SecondFactorRequired


class TellsNoName(serializers.Serializer):
    """A serializer that signs nobody in."""

    def validate(self, attrs: Any) -> Any:
        """Tell."""
        return {"mfa": "needed"}


class FirstStep(simplejwt_serializers.TokenObtainSerializer):
    """A serializer that tells who that is."""

    def validate(self, attrs: Any) -> Any:
        """Tell."""
        super().validate(attrs)
        return {"user": self.user.pk}


class AsksForMore(TokenObtainPairSerializer):
    """A serializer that asks for a second factor once it knows who that is."""

    def validate(self, attrs: Any) -> Any:
        """Ask."""
        super().validate(attrs)
        raise SecondFactorRequired


def test_the_limit_holds_side_by_side_while_a_view_makes_up_its_mind(rf: Any, user: Any) -> None:
    """THREATS, guesses: a success counts until it is answered as one."""
    checked: list[int] = []

    def check_slowly(view: Any, *args: Any, **kwargs: Any) -> Any:
        checked.append(1)
        post()
        raise PermissionDenied

    def post() -> list[int]:
        return sign_ins(rf, _after_super("post", check_slowly).as_view(), 1)

    assert post() == [403]
    assert len(checked) == 5


class TooSoon(APIException):
    """A project's own 429."""

    status_code = 429


def _raise_429(*args: Any, **kwargs: Any) -> Any:
    raise TooSoon


def _answer_429(*args: Any, **kwargs: Any) -> Any:
    return Response({"detail": "Later."}, status=429)


@pytest.mark.parametrize("then", [_answer_429, _raise_429], ids=["answered", "raised"])
def test_a_429_after_the_sign_in_is_no_guess(rf: Any, user: Any, then: Any) -> None:
    """throttling.md: whoever comes too early has tried nothing."""
    assert sign_ins(rf, _after_super("post", then).as_view(), 7) == [429] * 7
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 7


class WrongCodeError(Exception):
    """A project's own exception."""


def knows_its_own(exc: Exception, context: Any) -> Any:
    """Answer a project's own exception as well."""
    return Response({"code": "wrong"}, 403) if isinstance(exc, WrongCodeError) else exception_handler(exc, context)


def _wrong(*args: Any, **kwargs: Any) -> Any:
    raise WrongCodeError


class SaysWrong(TokenObtainPairSerializer):
    """A serializer that denies by a project's own exception."""

    def validate(self, attrs: Any) -> Any:
        """Deny."""
        super().validate(attrs)
        raise WrongCodeError


OWN = {
    "post": _after_super("post", _wrong),
    "answer": _after_super("answer", _wrong),
    "validate": type("Wrong", (views.TokenObtainPairView,), {"serializer_class": SaysWrong}),
}


@pytest.mark.parametrize("view", OWN.values(), ids=OWN)
def test_a_denial_by_an_exception_of_the_projects_own_counts(rf: Any, user: Any, settings: Any, view: Any) -> None:
    """THREATS, guesses: what it is answered with tells."""
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": f"{__name__}.knows_its_own"}
    assert sign_ins(rf, view.as_view(), 6) == [403] * 5 + [429]
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 5


def answers_200(exc: Exception, context: Any) -> Any:
    """Answer a project's own exception so."""
    return Response({"code": "wrong"}) if isinstance(exc, WrongCodeError) else exception_handler(exc, context)


def _say_200(*args: Any, **kwargs: Any) -> Any:
    raise Says200


class CatchesItself(views.TokenObtainPairView):
    """A view that answers by itself what is wrong."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer."""
        try:
            return super().post(request, *args, **kwargs)
        except (WrongCodeError, PermissionDenied):
            return Response({"code": "wrong"})


class PostsItself(views.TokenObtainPairView):
    """A view with the ``post`` that simplejwt's has."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Sign in."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.validated_data)


def _on(base: type[Any], **methods: Any) -> type[Any]:
    return type("Denies", (base,), methods)


IN_ENVELOPES: dict[str, type[Any]] = {
    "own exception, handler": _after_super("post", _wrong),
    "own exception, handler, in answer": _after_super("answer", _wrong),
    "exception of DRF's": _after_super("post", _say_200),
    "exception of DRF's, caught": _on(CatchesItself, answer=_deny),
}


@pytest.mark.parametrize("view", IN_ENVELOPES.values(), ids=IN_ENVELOPES)
def test_a_denial_that_is_answered_with_200_counts(rf: Any, user: Any, settings: Any, view: Any) -> None:
    """THREATS, guesses: houses that answer everything so are guessed at like any other."""
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": f"{__name__}.answers_200"}
    assert sign_ins(rf, view.as_view(), 6) == [200] * 5 + [429]
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 5


@pytest.mark.parametrize("then", [_deny, _answer_403], ids=["raised", "answered"])
def test_a_denial_after_a_post_of_the_projects_own_counts(rf: Any, user: Any, then: Any) -> None:
    """THREATS, guesses: simplejwt's views do no more than that."""

    def post(view: Any, *args: Any, **kwargs: Any) -> Any:
        PostsItself.post(view, *args, **kwargs)
        return then(view, *args, **kwargs)

    assert sign_ins(rf, _on(PostsItself, post=post).as_view(), 6) == [403] * 5 + [429]
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 5


class WithoutContext(views.TokenObtainPairView):
    """A view whose serializer knows nothing of the request."""

    def get_serializer_context(self) -> dict[str, Any]:
        """Return nothing."""
        return {}


class Decrypts(views.TokenObtainPairView):
    """A view that makes another request of what was sent."""

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Make it."""
        return super().initialize_request(WSGIRequest({**request.environ, "wsgi.input": BytesIO(request.body)}))


@pytest.mark.parametrize("base", [WithoutContext, Decrypts])
def test_a_denial_counts_whatever_becomes_of_the_request(rf: Any, user: Any, base: type[Any]) -> None:
    """THREATS, guesses: it is the view's."""

    def post(view: Any, *args: Any, **kwargs: Any) -> Any:
        base.post(view, *args, **kwargs)
        raise PermissionDenied

    assert sign_ins(rf, _on(base, post=post).as_view(), 6) == [403] * 5 + [429]
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 5


class AnswersAnyway(views.TokenObtainPairView):
    """A view whose answer is the same although something failed behind it."""

    tokens: Any

    def answer(self, serializer: Any) -> Any:
        """Keep it, and fail."""
        self.tokens = super().answer(serializer)
        raise WrongCodeError

    def handle_exception(self, exc: Exception) -> Any:
        """Answer."""
        return Response(self.tokens)


def _answer_anyway(view: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return views.TokenObtainPairView.post(view, *args, **kwargs)
    except WrongCodeError:
        return Response(view.tokens)


def _start(view: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return views.TokenObtainPairView.post(view, *args, **kwargs)
    except WrongCodeError:
        return Response(pair_as_data(sessions.start(get_user_model().objects.get(username="alice"))))


ANYWAY = {
    "handle_exception": AnswersAnyway,
    "post": _on(AnswersAnyway, post=_answer_anyway),
    "sessions.start": _on(AnswersAnyway, post=_start),
}


@pytest.mark.parametrize("view", ANYWAY.values(), ids=ANYWAY)
def test_whoever_is_answered_with_tokens_is_signed_in(rf: Any, user: Any, view: Any) -> None:
    """Drop-in: what a project's code returns is a success if it is answered as one."""
    answers = answers_of(rf, view.as_view(), 7)
    assert [answer.status_code for answer in answers] == [200] * 7
    for answer in answers:
        assert sessions.rotate(answer.data["refresh"]).session.generation == 1


class TrimsAtLast(views.TokenObtainPairView):
    """A view that tries other passwords, once one is denied."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Try."""
        for _ in range(3):
            with suppress(APIException):
                return super().post(request, *args, **kwargs)
            request.data["password"] = request.data["password"][1:]
        return super().post(request, *args, **kwargs)


def test_several_tries_of_a_view_are_one_attempt(rf: Any, user: Any) -> None:
    """throttling.md: as they are where a serializer makes them."""
    assert sign_ins(rf, TrimsAtLast.as_view(), 7, password=f"xyz{PASSWORD}") == [200] * 7
    assert sign_ins(rf, TrimsAtLast.as_view(), 6, password=f"wxyz{PASSWORD}") == [401] * 5 + [429]


def test_a_success_that_asked_nobody_is_one_after_a_denial(rf: Any, user: Any) -> None:
    """throttling.md: one request is one attempt, and what it ends as."""

    def post(view: Any, *args: Any, **kwargs: Any) -> Any:
        with suppress(APIException):
            views.TokenObtainPairView.post(view, *args, **kwargs)
        view.serializer_class = TellsNoName
        return views.TokenObtainPairView.post(view, *args, **kwargs)

    assert sign_ins(rf, _on(views.TokenObtainPairView, post=post).as_view(), 7, password="wrong") == [200] * 7


def test_an_outage_is_no_guess_however_often_it_is_tried(rf: Any, user: Any) -> None:
    """2.3: the database's error tells of no denial."""
    assert sign_ins(rf, _on(TriesAgainInPost, answer=_lose).as_view(), 7) == [503] * 7


def _lose(*args: Any, **kwargs: Any) -> Any:
    raise OperationalError("server closed the connection unexpectedly")


def test_a_denial_counts_where_what_comes_after_it_is_an_outage(rf: Any, user: Any, settings: Any) -> None:
    """THREATS, guesses: the first try has told."""

    def post(view: Any, *args: Any, **kwargs: Any) -> Any:
        with suppress(APIException):
            views.TokenObtainPairView.post(view, *args, **kwargs)
        settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Down"]
        return views.TokenObtainPairView.post(view, *args, **kwargs)

    before = settings.AUTHENTICATION_BACKENDS
    for expected in [503] * 5 + [429]:
        settings.AUTHENTICATION_BACKENDS = before
        assert sign_ins(rf, _on(views.TokenObtainPairView, post=post).as_view(), 1, password="wrong") == [expected]


class Down(ModelBackend):
    """A backend whose server is down."""

    def authenticate(self, *args: Any, **credentials: Any) -> Any:
        """Fail."""
        raise ConnectionError


def _return_403(view: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return views.TokenObtainPairView.post(view, request, *args, **kwargs)
    except (SecondFactorRequired, ServiceUnavailable, ValidationError):
        return Response({"code": "not yet"}, 403)


def _fail(view: Any, *args: Any, **kwargs: Any) -> Any:
    raise ServiceUnavailable


NO_GUESSES = {
    "a second factor is asked for": ({"serializer_class": AsksForMore}, PASSWORD),
    "an outage": ({"answer": _fail}, PASSWORD),
    "not well-formed": ({}, ""),
}


@pytest.mark.parametrize(("methods", "password"), NO_GUESSES.values(), ids=NO_GUESSES)
def test_what_is_no_guess_is_none_in_other_words(rf: Any, user: Any, methods: Any, password: str) -> None:
    """throttling.md: whatever a project answers it with."""
    view = _on(views.TokenObtainPairView, post=_return_403, **methods).as_view()
    assert sign_ins(rf, view, 7, password=password) == [403] * 7
    assert not TokenSession.objects.filter(revoked_at=None).exists()


class Aborted(BaseException):
    """What a server raises to be rid of a request."""


def test_a_guess_counts_where_the_server_gives_the_request_up(rf: Any, user: Any) -> None:
    """THREATS, guesses: the password was looked at."""

    def abort(**kwargs: Any) -> None:
        raise Aborted

    user_login_failed.connect(abort)
    try:
        for _ in range(5):
            with pytest.raises(Aborted):
                sign_ins(rf, views.TokenObtainPairView.as_view(), 1, password="wrong")
    finally:
        user_login_failed.disconnect(abort)
    assert sign_ins(rf, views.TokenObtainPairView.as_view(), 1) == [429]


def test_a_guess_counts_where_a_try_after_it_is_not_well_formed(rf: Any, user: Any) -> None:
    """THREATS, guesses: one that a serializer has answered with 200 as well."""

    def post(view: Any, request: Any) -> Any:
        views.TokenObtainPairView.post(view, request)
        request.data["password"] = ""
        return views.TokenObtainPairView.post(view, request)

    view = _on(views.TokenObtainPairView, serializer_class=SaysItWith200, post=post)
    assert sign_ins(rf, view.as_view(), 6, password="wrong") == [400] * 5 + [429]


def test_a_serializer_that_a_view_makes_by_hand_is_settled_as_well(rf: Any, user: Any) -> None:
    """throttling.md: where it gets the request."""

    def post(view: Any, request: Any) -> Any:
        serializer = TokenObtainPairSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        raise PermissionDenied

    assert sign_ins(rf, _on(views.TokenObtainPairView, post=post).as_view(), 6) == [403] * 5 + [429]
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 5


def _raise_in_sql(*args: Any, **kwargs: Any) -> Any:
    raise InternalError("wrong code")


def _catch(view: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return views.TokenObtainPairView.post(view, *args, **kwargs)
    except InternalError:
        return Response({"code": "wrong"}, 401)


def _reword(view: Any, exc: Exception) -> Any:
    wrong = AuthenticationFailed() if isinstance(exc, InternalError) else exc
    return views.TokenObtainPairView.handle_exception(view, wrong)


def _answer_401(view: Any, exc: Exception) -> Any:
    if isinstance(exc, InternalError):
        return Response({"code": "wrong"}, 401, headers={})
    return views.TokenObtainPairView.handle_exception(view, exc)


@pytest.mark.parametrize(
    "methods",
    [{"post": _catch}, {"handle_exception": _reword}, {"handle_exception": _answer_401}],
    ids=["caught", "in other words", "answered"],
)
@pytest.mark.parametrize("where", ["answer", "validate"])
def test_a_denial_by_an_error_of_the_database_counts(rf: Any, user: Any, methods: dict[str, Any], where: str) -> None:
    """THREATS, guesses: a procedure of the database's own may look at a code."""
    if where == "answer":
        methods = {**methods, "answer": _raise_in_sql}
    else:
        methods = {**methods, "serializer_class": type("Procedure", (TellsNoName,), {"validate": _raise_in_sql})}
    assert sign_ins(rf, _on(views.TokenObtainPairView, **methods).as_view(), 6) == [401] * 5 + [429]


def _by_hand(request: Any) -> Any:
    """Return what the view's ``post`` answers, called by a project's own code."""
    view = views.TokenObtainPairView()
    view.setup(request)
    view.request, view.format_kwarg = view.initialize_request(request), None
    return view.post(view.request)


class DispatchesAsDRF(views.TokenObtainPairView):
    """A view with the ``dispatch`` that DRF's views have."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Do without the kit's."""
        return APIView.dispatch(self, request, *args, **kwargs)


@pytest.mark.parametrize("view", [_by_hand, DispatchesAsDRF.as_view()], ids=["post by itself", "another dispatch"])
def test_a_sign_in_past_the_kits_dispatch_is_a_success_at_once(rf: Any, user: Any, view: Any) -> None:
    """Drop-in: nobody is there to decide later."""
    assert sign_ins(rf, view, 7) == [200] * 7


def test_a_denial_past_the_kits_dispatch_counts_at_once(rf: Any, user: Any) -> None:
    """THREATS, guesses: nor is anybody there to forget it."""
    assert sign_ins(rf, DispatchesAsDRF.as_view(), 6, password="wrong") == [401] * 5 + [429]


class LooksForAnother(TokenObtainPairSerializer):
    """A serializer that looks whether the password should be changed."""

    def validate(self, attrs: Any) -> Any:
        """Try another one."""
        return {**super().validate(attrs), "is_default": authenticate(username="alice", password="default") is not None}


def test_a_success_keeps_its_session_whatever_is_tried_after_it(rf: Any, user: Any) -> None:
    """2.4: whoever is answered with tokens is signed in; what nobody was found by counts."""
    answers = answers_of(rf, _on(views.TokenObtainPairView, serializer_class=LooksForAnother).as_view(), 6)
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    for answer in answers[:5]:
        assert sessions.rotate(answer.data["refresh"]).session.generation == 1


class TriesAgain(views.TokenObtainPairView):
    """A view that tries once more."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Try."""
        answer = super().dispatch(request, *args, **kwargs)
        return super().dispatch(request, *args, **kwargs) if answer.status_code == 503 else answer


class TriesAgainInPost(views.TokenObtainPairView):
    """A view that answers the first exception by itself."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Try."""
        try:
            return super().post(request, *args, **kwargs)
        except (OperationalError, WrongCodeError) as error:
            self.handle_exception(error)
            return super().post(request, *args, **kwargs)


def every_other(call: Any, error: Exception) -> Any:
    """Return what raises, then does as ``call`` does, and so on."""
    calls = count()

    def called(*args: Any, **kwargs: Any) -> Any:
        if next(calls) % 2 == 0:
            raise error
        return call(*args, **kwargs)

    return called


def sign_in_alice(view: Any, request: Any) -> Response:
    """Return an answer with tokens, as a view's own code makes it."""
    return Response(sign_in(view.get_serializer_class(), get_user_model().objects.get(username="alice"), request))


class FallsBack(views.TokenObtainPairView):
    """A view that begins the session by itself where the kit could not."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Try."""
        try:
            return super().post(request, *args, **kwargs)
        except (OperationalError, InternalError, WrongCodeError):
            return sign_in_alice(self, request)


@pytest.mark.parametrize("view", [TriesAgain, TriesAgainInPost, FallsBack])
def test_a_success_at_the_second_try_is_one(rf: Any, user: Any, view: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """2.4: nothing of the first one is left."""
    monkeypatch.setattr(sessions, "begin", every_other(sessions.begin, OperationalError("lock timeout")))
    assert sign_ins(rf, view.as_view(), 7) == [200] * 7
    assert [row.revoke_reason for row in TokenSession.objects.all()] == [""] * 7


@pytest.mark.parametrize("error", [OperationalError("lock timeout"), WrongCodeError()], ids=repr)
def test_what_was_tried_before_leaves_no_device(
    rf: Any, user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """2.4: nobody got its tokens."""
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": f"{__name__}.knows_its_own"}
    monkeypatch.setattr(views.TokenObtainPairView, "answer", every_other(views.TokenObtainPairView.answer, error))
    assert sign_ins(rf, TriesAgainInPost.as_view(), 7) == [200] * 7
    assert [row.revoke_reason for row in TokenSession.objects.order_by("pk")] == ["denied", ""] * 7


@pytest.mark.parametrize("fails", [_raise_in_sql, _wrong], ids=["the database's error", "the project's own"])
def test_whoever_is_signed_in_at_last_has_not_guessed(rf: Any, user: Any, fails: Any) -> None:
    """throttling.md: an attempt is taken back when it succeeds, however."""
    assert sign_ins(rf, _on(FallsBack, answer=fails).as_view(), 7) == [200] * 7


class AsksAgain(TriesAgainInPost):
    """A view that does something else at the second try."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Tell the serializer which one it is."""
        self.answer = every_other(self.then, WrongCodeError())  # type: ignore[method-assign]
        return super().post(request, *args, **kwargs)

    def then(self, serializer: Any) -> Any:
        """Do it."""
        raise self.error


AGAIN = {401: SecondFactorRequired(), 503: ServiceUnavailable(), 500: ZeroDivisionError()}


@pytest.mark.parametrize(("status", "error"), AGAIN.items())
def test_what_may_have_been_a_denial_counts_where_no_success_follows(
    rf: Any, user: Any, settings: Any, status: int, error: Exception
) -> None:
    """THREATS, guesses: a code that was wrong, and is asked for once more."""
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": f"{__name__}.answers_everything"}
    answers = answers_of(rf, _on(AsksAgain, error=error).as_view(), 6)
    assert [answer.status_code for answer in answers] == [status] * 5 + [429]
    assert "Retry-After" in answers[5].headers


def answers_everything(exc: Exception, context: Any) -> Any:
    """Answer what nobody knows as well."""
    return exception_handler(exc, context) or Response({"code": "error"}, 500)


class PostsTwice(views.TokenObtainPairView):
    """A view that signs in twice for one answer."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Do it."""
        super().post(request, *args, **kwargs)
        return super().post(request, *args, **kwargs)


def test_all_sign_ins_of_a_view_are_what_it_answers(rf: Any, user: Any) -> None:
    """2.4: none stays a failure, and none of one that was denied stays alive."""
    assert sign_ins(rf, PostsTwice.as_view(), 6) == [200] * 6
    denies = type("Denies", (PostsTwice,), {"finalize_response": _turn_into_403})
    assert sign_ins(rf, denies.as_view(), 1) == [403]
    assert [row.revoke_reason for row in TokenSession.objects.order_by("pk")] == [""] * 12 + ["denied"] * 2


class PostsThrice(PostsTwice):
    """A view whose first try fails, and the others do not."""

    tries = 0

    def answer(self, serializer: Any) -> Any:
        """Fail once."""
        self.tries += 1
        if self.tries == 1:
            raise WrongCodeError
        return super().answer(serializer)

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Try once more than others."""
        with suppress(WrongCodeError):
            views.TokenObtainPairView.post(self, request, *args, **kwargs)
        return super().post(request, *args, **kwargs)


def test_only_the_tries_that_failed_leave_no_device(rf: Any, user: Any) -> None:
    """2.4: a project may have a use for the others."""
    assert sign_ins(rf, PostsThrice.as_view(), 1) == [200]
    assert [row.revoke_reason for row in TokenSession.objects.order_by("pk")] == ["denied", "", ""]


class SignsInTwice(TokenObtainPairSerializer):
    """A serializer that asks for the tokens twice, and then denies."""

    def validate(self, attrs: Any) -> Any:
        """Deny."""
        super().validate(attrs)
        super().validate(attrs)
        raise PermissionDenied


@pytest.mark.parametrize("in_a_view", [True, False])
def test_all_sessions_of_a_sign_in_that_was_denied_end(rf: Any, user: Any, in_a_view: bool) -> None:
    """2.4: nobody got the tokens of any."""
    if in_a_view:
        assert sign_ins(rf, views.TokenObtainPairView.as_view(serializer_class=SignsInTwice), 1) == [403]
    else:
        with pytest.raises(PermissionDenied):
            SignsInTwice(data={"username": "alice", "password": PASSWORD}).is_valid()
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 2


def test_a_denial_that_nobody_can_count_any_more_is_answered(
    rf: Any, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2.2: the cache fails when it is answered already, and the account was not looked at before."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionError

    def deny(view: Any, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(throttling.cache, "add", fail)
        raise PermissionDenied

    view = type("Denies", (_after_super("post", deny),), {"serializer_class": TellsNoName})
    assert sign_ins(rf, view.as_view(), 1) == [403]


def in_an_envelope(exc: Exception, context: Any) -> Any:
    """Answer everything with 200."""
    answer = exception_handler(exc, context)
    if answer is not None:
        answer.status_code = 200
    return answer


def test_a_handler_may_answer_a_denial_with_any_status(client: Any, rf: Any, user: Any, settings: Any) -> None:
    """THREATS, guesses: it counts, and leaves no device, all the same."""
    settings.REST_FRAMEWORK = {"EXCEPTION_HANDLER": f"{__name__}.in_an_envelope"}
    answers = answers_of(rf, LATE["post"].as_view(), 6)
    assert [answer.data["code"] for answer in answers] == ["permission_denied"] * 5 + ["throttled"]
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 5


def test_a_denial_counts_where_no_session_began(rf: Any, user: Any) -> None:
    """THREATS, guesses: a first step that signs nobody in yet."""
    view = type("Denies", (LATE["post"],), {"serializer_class": FirstStep})
    assert sign_ins(rf, view.as_view(), 6) == [403] * 5 + [429]


ASKING = {
    "post": _after_super("post", _ask),
    "validate": type("Asks", (views.TokenObtainPairView,), {"serializer_class": AsksForMore}),
}


@pytest.mark.parametrize("view", ASKING.values(), ids=ASKING)
def test_a_second_factor_that_is_asked_for_after_the_sign_in_is_no_guess(rf: Any, user: Any, view: Any) -> None:
    """throttling.md: none was tried."""
    answers = answers_of(rf, view.as_view(), 7)
    assert [answer.data["code"] for answer in answers] == ["second_factor_required"] * 7
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 7


@pytest.mark.parametrize("error", [PermissionDenied, Throttled, ZeroDivisionError])
def test_a_receiver_that_denies_a_sign_in_leaves_no_device(client: Any, user: Any, error: type[Exception]) -> None:
    """2.4: Django's signal may be where a project says no; nobody got the tokens."""

    def deny(**kwargs: Any) -> None:
        raise error

    user_logged_in.connect(deny)
    try:
        for _ in range(6):
            answer = client.post("/api/token/", {"username": "alice", "password": PASSWORD}, format="json")
    finally:
        user_logged_in.disconnect(deny)
    ended = [row.revoke_reason for row in TokenSession.objects.all()]
    assert (answer.status_code, set(ended)) == (500 if error is ZeroDivisionError else 429, {"denied"})
    assert len(ended) == (5 if error is PermissionDenied else 6)


def test_a_view_that_fails_after_the_sign_in_leaves_no_device(rf: Any, user: Any) -> None:
    """2.4: that is a 500, and no guess."""

    def fail(view: Any, *args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError

    view = _after_super("post", fail)
    for _ in range(6):
        with pytest.raises(ZeroDivisionError):
            sign_ins(rf, view.as_view(), 1)
    assert [row.revoke_reason for row in TokenSession.objects.all()] == ["denied"] * 6


def test_a_denial_after_the_sign_in_is_answered_where_it_cannot_be_counted(
    rf: Any, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2.2: it was answered before the cache failed."""

    def deny(view: Any, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(throttling.cache, "set", fail)
        raise PermissionDenied

    def fail(*args: Any) -> Any:
        raise ConnectionError

    assert sign_ins(rf, _after_super("post", deny).as_view(), 1) == [403]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_denial_in_the_end_is_told_as_such_where_nothing_can_be_ended(
    client: Any, user: Any, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """What the project said counts, not that the database was lost after it."""

    def lost(*args: Any) -> None:
        raise error("server closed the connection unexpectedly")

    monkeypatch.setattr(rotation, "revoke", lost)
    answer = client.post("/denies/", {"username": "alice", "password": PASSWORD}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (401, "no_active_account")
