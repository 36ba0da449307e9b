"""``POST token/``: signing in."""

from __future__ import annotations

import json
from copy import copy
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.contrib.auth import authenticate, get_user_model, user_logged_in, user_login_failed
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from rest_framework.exceptions import APIException
from rest_framework_simplejwt import serializers as simplejwt
from rest_framework_simplejwt.tokens import RefreshToken as SimpleJWTRefreshToken

from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.serializers import TokenObtainPairSerializer
from drf_jwt_kit.signals import session_started
from tests.conftest import PASSWORD, bearer
from tests.test_rotation import just_before

pytestmark = pytest.mark.django_db


class Denies(BaseBackend):
    """A backend that knows nobody."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Know nobody."""


class Forbids(BaseBackend):
    """A backend that ends the search for the user."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Refuse for all backends that follow."""
        raise PermissionDenied


class Breaks(BaseBackend):
    """A backend whose directory is down."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Fail."""
        raise ConnectionError("ldap://directory.internal refused the connection")


class Asks(BaseBackend):
    """A backend that has its own answer for the client."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Answer 418."""
        failure = APIException("I am a teapot", "teapot")
        failure.status_code = 418
        raise failure


class AllowsByPhone(BaseBackend):
    """A backend that finds inactive users as well."""

    def authenticate(self, request: Any, username: str = "", **credentials: Any) -> Any:
        """Return the user of that name, whatever the password."""
        return get_user_model().objects.filter(username=username).first()


def gate_that_deletes(request: Any, user: Any) -> None:
    """Delete the user before the session has a row."""
    get_user_model().objects.filter(pk=user.pk).delete()


def delete_its_user(session: TokenSession, **circumstances: Any) -> None:
    """Delete the user once the session has a row."""
    get_user_model().objects.filter(pk=session.user_id).delete()


def gate_of_the_second_factor(request: Any, user: Any) -> None:
    """Refuse everybody until a code is sent."""
    if "HTTP_X_CODE" not in request.META:
        failure = APIException({"detail": "A code is needed.", "code": "second_factor"})
        failure.status_code = 401
        raise failure


@pytest.fixture
def heard() -> Any:
    """The names of the sign-in signals that were sent, in order, with their arguments."""
    events: list[tuple[str, dict[str, Any]]] = []

    def logged_in(**arguments: Any) -> None:
        events.append(("logged_in", arguments))

    def failed(**arguments: Any) -> None:
        events.append(("failed", arguments))

    user_logged_in.connect(logged_in)
    user_login_failed.connect(failed)
    yield events
    user_logged_in.disconnect(logged_in)
    user_login_failed.disconnect(failed)


def test_the_answer_has_two_tokens_and_their_lifetimes(post: Any, user: Any, clock: Any) -> None:
    """DESIGN 2.1: the lifetimes are seconds, and agree with what the tokens say."""
    answer = post("token/", username="alice", password=PASSWORD)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh", "expires_in", "refresh_expires_in"}
    assert (answer.json()["expires_in"], answer.json()["refresh_expires_in"]) == (300, 86_400)


def test_the_tokens_are_plain_simplejwt_tokens(post: Any, user: Any, settings: Any) -> None:
    """FR-001: ``token_type``, ``user_id`` as a string, ``jti``, ``iat`` and ``exp`` are where they were."""
    answer = post("token/", username="alice", password=PASSWORD)
    for name in ("access", "refresh"):
        payload = jwt.decode(answer.json()[name], settings.SECRET_KEY, algorithms=["HS256"])
        assert (payload["token_type"], payload["user_id"]) == (name, str(user.pk))
        assert {"jti", "iat", "exp", "sid"} <= payload.keys()


def test_signing_in_opens_one_session(post: Any, user: Any) -> None:
    """DESIGN 4: one row for each sign-in."""
    for number in (1, 2):
        assert post("token/", username="alice", password=PASSWORD).status_code == 200
        assert TokenSession.objects.count() == number


@pytest.mark.parametrize(
    ("username", "password"),
    [("alice", "wrong"), ("nobody", PASSWORD), ("alicia", PASSWORD), ("alice", PASSWORD.upper()), ("alice", " " * 8)],
)
def test_wrong_credentials_are_a_401(post: Any, user: Any, username: str, password: str) -> None:
    """US1: simplejwt's code and sentence, with a challenge, and no session."""
    answer = post("token/", username=username, password=password)
    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "No active account found with the given credentials",
        "code": "no_active_account",
    }
    assert answer["WWW-Authenticate"].startswith('Bearer realm="api"')
    assert not TokenSession.objects.exists()


def test_inactive_unusable_and_unknown_accounts_are_alike(post: Any, user: Any, django_user_model: Any) -> None:
    """THREATS, enumeration: status, body and headers tell nothing."""
    django_user_model.objects.create_user("inactive", password=PASSWORD, is_active=False)
    django_user_model.objects.create_user("unusable")
    answers = [post("token/", username=name, password=PASSWORD) for name in ("nobody", "inactive", "unusable")]
    assert {(answer.status_code, answer.content, str(answer.headers)) for answer in answers} == {
        (401, answers[0].content, str(answers[0].headers))
    }


@pytest.mark.parametrize(
    ("stored", "sent", "status"),
    [
        ("  spaces around  ", "  spaces around  ", 200),
        ("  spaces around  ", "spaces around", 401),
        ("spaces around", " spaces around", 401),
        ("\ttab\n", "\ttab\n", 200),
        ("pässwörd🔑", "pässwörd🔑", 200),
        (" ", " ", 200),
    ],
)
def test_a_password_is_taken_exactly_as_sent(
    post: Any, django_user_model: Any, stored: str, sent: str, status: int
) -> None:
    """THREATS, passwords: nothing is trimmed."""
    django_user_model.objects.create_user("bob", password=stored)
    assert post("token/", username="bob", password=sent).status_code == status


@pytest.mark.parametrize("value", [None, True, False, 1, 1.5, [], ["alice"], {}, {"a": 1}, "", "a\0b", "\ud800"])
@pytest.mark.parametrize("field", ["username", "password"])
def test_a_field_that_is_no_text_is_a_400(client: Any, user: Any, field: str, value: Any) -> None:
    """DESIGN 2.1: the answer names the field; numbers are not turned into text."""
    body = json.dumps({"username": "alice", "password": PASSWORD, field: value})
    answer = client.post("/api/token/", body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()) == {field}


@pytest.mark.parametrize("missing", ["username", "password"])
def test_a_missing_field_is_a_400(client: Any, missing: str) -> None:
    """DESIGN 2.1: simplejwt's body stays."""
    body = {"username": "alice", "password": PASSWORD}
    del body[missing]
    answer = client.post("/api/token/", body, format="json")
    assert (answer.status_code, answer.json()) == (400, {missing: ["This field is required."]})


@pytest.mark.parametrize(("field", "length"), [("password", 4097), ("password", 2**20), ("username", 255)])
def test_an_oversized_field_is_a_400(post: Any, user: Any, field: str, length: int) -> None:
    """THREATS, passwords: a huge one is not worth hashing."""
    answer = post("token/", **{"username": "alice", "password": PASSWORD, field: "x" * length})
    assert (answer.status_code, set(answer.json())) == (400, {field})


def test_last_login_and_the_signal(post: Any, user: Any, heard: Any) -> None:
    """Issue 2.3: packages that listen to ``user_logged_in`` work, Django's ``last_login`` among them."""
    post("token/", username="alice", password=PASSWORD)
    [(event, arguments)] = heard
    assert (event, arguments["user"], arguments["sender"]) == ("logged_in", user, type(user))
    assert arguments["request"].META["REMOTE_ADDR"] == "127.0.0.1"
    user.refresh_from_db()
    assert user.last_login is not None


def test_a_failed_sign_in_is_told_without_the_password(post: Any, user: Any, heard: Any) -> None:
    """Issue 2.3 and law 10: ``user_login_failed`` carries the request and no password."""
    post("token/", username="alice", password="wrong-and-secret")
    [(event, arguments)] = heard
    assert (event, arguments["credentials"]["username"]) == ("failed", "alice")
    assert arguments["request"] is not None
    assert "wrong-and-secret" not in str(arguments["credentials"])


@pytest.mark.parametrize(
    ("backend", "status", "code"),
    [
        (Denies, 401, "no_active_account"),
        (Forbids, 401, "no_active_account"),
        (Breaks, 503, "service_unavailable"),
        (Asks, 418, "teapot"),
    ],
)
def test_only_the_backends_decide(post: Any, user: Any, settings: Any, backend: Any, status: int, code: str) -> None:
    """THREATS, passwords: a backend that denies, forbids or fails lets nobody in, and nothing falls back."""
    settings.AUTHENTICATION_BACKENDS = [
        f"{backend.__module__}.{backend.__qualname__}",
        *([] if backend is Denies else ["django.contrib.auth.backends.ModelBackend"]),
    ]
    answer = post("token/", username="alice", password=PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not TokenSession.objects.exists()
    assert answer["Cache-Control"] == "no-store"


def test_a_second_backend_is_asked_after_one_that_denies(post: Any, user: Any, settings: Any) -> None:
    """The order of ``AUTHENTICATION_BACKENDS`` is Django's business."""
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Denies", "django.contrib.auth.backends.ModelBackend"]
    assert post("token/", username="alice", password=PASSWORD).status_code == 200


def test_a_backend_that_finds_inactive_users_does_not_let_them_in(
    post: Any, user: Any, settings: Any, heard: Any
) -> None:
    """Law 9, with ``USER_AUTHENTICATION_RULE`` as simplejwt's users know it; the failure is told."""
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.AllowsByPhone"]
    user.is_active = False
    user.save()
    answer = post("token/", username="alice", password="any")
    assert (answer.status_code, answer.json()["code"]) == (401, "no_active_account")
    assert "logged_in" not in [event for event, _ in heard]


def test_the_gate_comes_before_the_session(client: Any, user: Any, settings: Any, heard: Any) -> None:
    """``SIGN_IN_GATE`` may demand more before a token exists."""
    settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.gate_of_the_second_factor"}
    body = {"username": "alice", "password": PASSWORD}
    answer = client.post("/api/token/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (401, "second_factor")
    assert not TokenSession.objects.exists()
    assert heard == []
    assert client.post("/api/token/", body, format="json", HTTP_X_CODE="1").status_code == 200


def test_the_gate_is_not_reached_with_a_wrong_password(post: Any, user: Any, settings: Any) -> None:
    """Whoever has no password learns nothing of the second factor."""
    settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.gate_of_the_second_factor"}
    assert post("token/", username="alice", password="wrong").json()["code"] == "no_active_account"


@pytest.mark.parametrize("header", ["Bearer garbage", "Bearer", "Basic !!!", "nonsense", "Bearer a b c"])
def test_a_bad_authorization_header_does_not_matter(client: Any, user: Any, header: str) -> None:
    """THREATS, headers: what is stale in a client must not keep it from signing in."""
    body = {"username": "alice", "password": PASSWORD}
    assert client.post("/api/token/", body, format="json", HTTP_AUTHORIZATION=header).status_code == 200


def test_the_access_token_opens_a_protected_endpoint(client: Any, tokens: Any) -> None:
    """US3: what signing in gave is good for data."""
    assert client.get("/api/me/", **bearer(tokens.access)).json()["username"] == "alice"


def test_a_user_that_signs_in_again_keeps_the_first_session(client: Any, sign_in: Any, clock: Any) -> None:
    """Two devices are two sessions."""
    first = sign_in()
    clock.shift(timedelta(seconds=1))
    second = sign_in()
    assert {client.get("/api/me/", **bearer(pair.access)).status_code for pair in (first, second)} == {200}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before the session", "after the session"])
def test_a_user_who_is_deleted_meanwhile_is_unknown(
    client: Any, user: Any, settings: Any, caplog: Any, moment: str
) -> None:
    """2.2: gone between the right password and the answer: no active account, and no outage of the database."""
    if moment == "before the session":
        settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.gate_that_deletes"}
    else:
        session_started.connect(delete_its_user)
    try:
        answer = client.post("/api/token/", {"username": "alice", "password": PASSWORD}, format="json")
    finally:
        session_started.disconnect(delete_its_user)
    assert (answer.status_code, answer.json()["code"]) == (401, "no_active_account")
    assert not TokenSession.objects.exists()
    assert "sign_in_failed username='alice' address=127.0.0.1" in caplog.messages
    assert "The database failed" not in caplog.text


class KnowsThemFromBefore(BaseBackend):
    """A backend that has users as they were: from a cache, or from a replica that lags."""

    known: Any = None

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        """Return the user as it was."""
        return copy(self.known)


class MadeElsewhere(simplejwt.TokenObtainPairSerializer):
    """A project's serializer whose ``validate`` makes the tokens itself."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return tokens of simplejwt's."""
        user = authenticate(**attrs)
        refresh = SimpleJWTRefreshToken.for_user(user)
        return {"refresh": str(refresh), "access": str(refresh.access_token)}


@pytest.fixture
def stale(user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that changes alice, or deletes her, without the backend's hearing of it."""

    def stale(serializer: type[Any], change: dict[str, Any] | None) -> None:
        monkeypatch.setattr(KnowsThemFromBefore, "known", get_user_model().objects.get())
        settings.AUTHENTICATION_BACKENDS = [f"{__name__}.KnowsThemFromBefore"]
        settings.SIMPLE_JWT = {"TOKEN_OBTAIN_SERIALIZER": f"{serializer.__module__}.{serializer.__name__}"}
        stored = get_user_model().objects.filter(pk=user.pk)
        stored.delete() if change is None else stored.update(**change)

    return stale


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("serializer", "change"),
    [
        (TokenObtainPairSerializer, {"is_active": False}),
        (TokenObtainPairSerializer, {"password": "another"}),
        (TokenObtainPairSerializer, None),
        (MadeElsewhere, {"is_active": False}),
        (MadeElsewhere, None),
    ],
)
def test_what_a_backend_has_not_heard_of_is_no_active_account(
    post: Any, stale: Any, heard: Any, caplog: Any, serializer: Any, change: dict[str, Any] | None
) -> None:
    """2.2: signing in failed, whatever was wrong: nobody learns that the password was right once."""
    stale(serializer, change)
    answer = post("token/", username="alice", password=PASSWORD)
    assert (answer.status_code, answer.json()) == (
        401,
        {"detail": "No active account found with the given credentials", "code": "no_active_account"},
    )
    if serializer is TokenObtainPairSerializer:
        assert [event for event, _arguments in heard] == ["failed"]
        assert "sign_in_failed username='alice' address=127.0.0.1" in caplog.messages


def gate_that_fails(request: Any, user: Any) -> None:
    """Fail as a database does."""
    raise IntegrityError("a row of the project's own")


def test_a_write_that_fails_for_another_reason_is_an_outage(client: Any, user: Any, settings: Any) -> None:
    """Law 8: a user who is still there is not told to be unknown."""
    settings.DRF_JWT_KIT = {"SIGN_IN_GATE": f"{__name__}.gate_that_fails"}
    answer = client.post("/api/token/", {"username": "alice", "password": PASSWORD}, format="json")
    assert answer.status_code == 503


def _deactivate(user: Any) -> None:
    """Deactivate as an administrator does."""
    stored = get_user_model().objects.get(pk=user.pk)
    stored.is_active = False
    stored.save()


def _change_password(user: Any) -> None:
    """Set another password as a reset does."""
    stored = get_user_model().objects.get(pk=user.pk)
    stored.set_password("another horse 42")
    stored.save()


@pytest.mark.parametrize("change", [_deactivate, _change_password])
def test_a_user_who_changes_during_the_sign_in_is_refused(user: Any, post: Any, change: Any) -> None:
    """Law 9: the row came too late to be ended with the others, so it ends itself, for good."""
    with just_before(("INSERT", lambda: change(user))):
        answer = post("token/", username="alice", password=PASSWORD)
    assert (answer.status_code, answer.data["code"]) == (401, "no_active_account")
    assert not TokenSession.objects.filter(user=user, revoked_at=None).exists()


def test_a_rehash_during_the_sign_in_refuses_nobody(user: Any, post: Any) -> None:
    """Law 9: the password that was sent is right for the hash that came meanwhile as well."""
    anew = get_user_model().objects.filter(pk=user.pk)
    with just_before(("INSERT", lambda: anew.update(password=make_password(PASSWORD)))):
        answer = post("token/", username="alice", password=PASSWORD)
    assert answer.status_code == 200
    assert post("token/refresh/", refresh=answer.data["refresh"]).status_code == 200
    assert TokenSession.objects.filter(user=user, revoked_at=None).count() == 1


def test_a_password_that_never_rests_refuses_in_the_end(user: Any, post: Any) -> None:
    """A sign-in tries again, but not forever; 2.1 has one code for whatever was wrong."""
    anew = get_user_model().objects.filter(pk=user.pk)
    moves = [("INSERT", lambda: anew.update(password=make_password(PASSWORD)))] * 3
    with just_before(*moves):
        answer = post("token/", username="alice", password=PASSWORD)
    assert (answer.status_code, answer.data["code"]) == (401, "no_active_account")
    assert not TokenSession.objects.filter(user=user, revoked_at=None).exists()


def test_a_user_whom_no_token_can_name_is_unknown(post: Any, user: Any, settings: Any) -> None:
    """2.2: no 500, and no tokens that are dead from the start."""
    settings.SIMPLE_JWT = {"USER_ID_FIELD": "first_name"}
    answer = post("token/", username="alice", password=PASSWORD)
    assert (answer.status_code, answer.data["code"]) == (401, "no_active_account")
