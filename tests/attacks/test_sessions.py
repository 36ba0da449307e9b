"""THREATS "Sessions": what needs no real concurrency; races are tried in tests/concurrency."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.db import connection, transaction
from django.test import Client, override_settings
from django.urls import path
from django.utils.decorators import method_decorator
from rest_framework.request import Request
from rest_framework.response import Response

from drf_jwt_kit import sessions
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.views import TokenRefreshView
from tests import urls as project
from tests.attacks import forge
from tests.attacks.conftest import Doors, another_user, is_json, signed_in
from tests.conftest import PASSWORD, Tokens, bearer

pytestmark = pytest.mark.django_db

BEYOND_GRACE = timedelta(seconds=31)


def is_dead(doors: Doors, *pairs: Tokens) -> None:
    """Assert that no token of any pair opens a door (law 4)."""
    for token in (token for pair in pairs for token in pair):
        doors.refuse(token)


def refreshed(doors: Doors, refresh: str) -> Tokens:
    """Return the tokens of a refresh that must work."""
    answer = doors.body("refresh", refresh)
    assert answer.status_code == 200, answer.content
    return Tokens(answer.json()["access"], answer.json()["refresh"])


# -- Replay ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_replay_outside_grace_kills_the_successor(clock: Any, doors: Doors, tokens: Tokens) -> None:
    """Law 3: 401 ``reused``; the thief's tokens and the owner's are dead."""
    successor = refreshed(doors, tokens.refresh)
    clock.shift(BEYOND_GRACE)
    answer = doors.body("refresh", tokens.refresh)
    assert (answer.status_code, answer.json()["reason"]) == (401, "reused")
    is_dead(doors, tokens, successor)


@pytest.mark.django_db(transaction=True)
def test_an_ancestor_inside_grace_kills_the_session(doors: Doors, tokens: Tokens) -> None:
    """Law 2: only the immediately preceding token is a retry."""
    child = refreshed(doors, tokens.refresh)
    grandchild = refreshed(doors, child.refresh)
    assert doors.body("refresh", tokens.refresh).json()["reason"] == "reused"
    is_dead(doors, tokens, child, grandchild)


def test_retries_do_not_stretch_the_grace(clock: Any, doors: Doors, tokens: Tokens) -> None:
    """Laws 2 and 3: asking again and again keeps no old token alive."""
    successor = refreshed(doors, tokens.refresh)
    for _attempt in range(3):
        clock.shift(timedelta(seconds=10))
        assert refreshed(doors, tokens.refresh).refresh == successor.refresh
    clock.shift(timedelta(seconds=1))
    assert doors.body("refresh", tokens.refresh).json()["reason"] == "reused"
    is_dead(doors, tokens, successor)


def test_asking_about_a_replayed_token_ends_nothing(clock: Any, doors: Doors, tokens: Tokens) -> None:
    """DESIGN 2.1: verify only tells; a service that is handed an old token signs nobody out."""
    successor = refreshed(doors, tokens.refresh)
    clock.shift(BEYOND_GRACE)
    answer = doors.body("verify", tokens.refresh)
    assert (answer.status_code, answer.json()["reason"]) == (401, "reused")
    doors.admit(*successor)


@pytest.mark.django_db(transaction=True)
@override_settings(DRF_JWT_KIT={"REFRESH_GRACE_PERIOD": timedelta(0)})
def test_without_grace_the_first_retry_is_a_replay(doors: Doors, tokens: Tokens) -> None:
    """Law 3: 0 is strict."""
    successor = refreshed(doors, tokens.refresh)
    assert doors.body("refresh", tokens.refresh).json()["reason"] == "reused"
    is_dead(doors, tokens, successor)


def test_a_replay_in_one_session_leaves_the_others_alone(doors: Doors, sign_in: Any) -> None:
    """Law 3 ends the session, not the user."""
    stolen, phone = sign_in(), sign_in()
    child = refreshed(doors, stolen.refresh)
    refreshed(doors, child.refresh)
    assert doors.body("refresh", stolen.refresh).status_code == 401
    doors.admit(*phone)


# -- Signing out -----------------------------------------------------------------------------------

ENDINGS: dict[str, Callable[[Any, Tokens], Any]] = {
    "revoke refresh": lambda client, tokens: client.post(
        "/api/token/revoke/", {"token": tokens.refresh}, format="json"
    ),
    "revoke access": lambda client, tokens: client.post("/api/token/revoke/", {"token": tokens.access}, format="json"),
    "blacklist": lambda client, tokens: client.post(
        "/api/token/blacklist/", {"refresh": tokens.refresh}, format="json"
    ),
    "everywhere": lambda client, tokens: client.delete("/api/sessions/", **bearer(tokens.access)),
    "this session": lambda client, tokens: client.delete(
        f"/api/sessions/{forge.payload_of(tokens.access)['sid']}/", **bearer(tokens.access)
    ),
}


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
def test_signing_out_ends_every_token_of_the_session(client: Any, doors: Doors, tokens: Tokens, end: Any) -> None:
    """Law 4: logout, then access or refresh: 401, for every generation of the session."""
    successor = refreshed(doors, tokens.refresh)
    assert end(client, successor).status_code in {200, 204}
    is_dead(doors, tokens, successor)


@pytest.mark.parametrize("again", ENDINGS.values(), ids=ENDINGS)
def test_signing_out_twice_breaks_nothing(client: Any, tokens: Tokens, doors: Doors, again: Any) -> None:
    """THREATS: logout twice: RFC 7009 says 200, what needs a good token says 401."""
    assert doors.body("revoke", tokens.refresh).status_code == 200
    answer = again(client, tokens)
    assert answer.status_code == (200 if again in (ENDINGS["revoke refresh"], ENDINGS["revoke access"]) else 401)
    assert is_json(answer)
    is_dead(doors, tokens)


def test_an_expired_token_still_signs_out(clock: Any, doors: Doors, tokens: Tokens) -> None:
    """RFC 7009 2.2: who comes back late with an old access token can still end the session."""
    clock.shift(timedelta(hours=1))
    assert doors.body("revoke", tokens.access).status_code == 200
    assert doors.body("refresh", tokens.refresh).json()["reason"] == "revoked"


def test_an_expired_refresh_token_signs_out_too(clock: Any, doors: Doors, tokens: Tokens) -> None:
    """RFC 7009 2.2: 200; simplejwt's sign-out is a 401 for it. Another device went on with the session meanwhile."""
    clock.shift(timedelta(hours=23))
    successor = refreshed(doors, tokens.refresh)
    clock.shift(timedelta(hours=2))
    assert doors.body("blacklist", tokens.refresh).json()["reason"] == "expired"
    assert doors.body("verify", successor.refresh).status_code == 200
    assert doors.body("revoke", tokens.refresh).status_code == 200
    is_dead(doors, tokens, successor)


def test_an_old_generation_still_signs_out(clock: Any, doors: Doors, tokens: Tokens) -> None:
    """DESIGN 2.1: any token of the session ends it."""
    successor = refreshed(doors, tokens.refresh)
    clock.shift(BEYOND_GRACE)
    assert doors.body("revoke", tokens.refresh).status_code == 200
    is_dead(doors, successor)


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "x" * 9000, "null", "undefined", "..", "🎫"], ids=forge.label)
def test_garbage_signs_nobody_out(doors: Doors, tokens: Tokens, token: str) -> None:
    """RFC 7009 2.2: an invalid token is no error, and ends nothing."""
    assert doors.body("revoke", token).status_code == 200
    assert doors.body("blacklist", token).status_code == 401
    doors.admit(*tokens)


def test_a_users_token_ends_that_users_session_only(
    client: Any, doors: Doors, tokens: Tokens, django_user_model: Any
) -> None:
    """THREATS: logout with another user's token ends the other's session, whoever's header is beside it."""
    another_user(django_user_model)
    foreign = signed_in(client, "mallory")
    answer = client.post("/api/token/revoke/", {"token": foreign.refresh}, format="json", **bearer(tokens.access))
    assert answer.status_code == 200
    is_dead(doors, foreign)
    doors.admit(*tokens)


def test_a_session_of_another_user_is_as_unknown_as_none(
    client: Any, doors: Doors, tokens: Tokens, django_user_model: Any
) -> None:
    """THREATS: 404 without a difference in body or headers, and the session lives."""
    another_user(django_user_model)
    foreign = signed_in(client, "mallory")
    theirs = client.delete(f"/api/sessions/{forge.payload_of(foreign.access)['sid']}/", **bearer(tokens.access))
    nobodys = client.delete(f"/api/sessions/{uuid4()}/", **bearer(tokens.access))
    assert (theirs.status_code, theirs.content, theirs.headers) == (404, nobodys.content, nobodys.headers)
    listed = client.get("/api/sessions/", **bearer(tokens.access)).json()
    assert [entry["id"] for entry in listed] == [forge.payload_of(tokens.access)["sid"]]
    assert client.delete("/api/sessions/others/", **bearer(tokens.access)).status_code == 204
    assert client.delete("/api/sessions/", **bearer(tokens.access)).status_code == 204
    doors.admit(*foreign)


def test_no_more_is_done_for_a_strangers_session_than_for_none(
    client: Any, tokens: Tokens, django_user_model: Any, django_assert_num_queries: Any
) -> None:
    """THREATS: no timing difference to an unknown id: the same statements, but for the id."""
    another_user(django_user_model)
    theirs = forge.payload_of(signed_in(client, "mallory").access)["sid"]
    asked = []
    for sid in (theirs, str(uuid4())):
        with django_assert_num_queries(2) as captured:
            assert client.delete(f"/api/sessions/{sid}/", **bearer(tokens.access)).status_code == 404
        asked.append([query["sql"].replace("-", "").replace(sid.replace("-", ""), "") for query in captured])
    assert asked[0] == asked[1]


# -- The user's state ------------------------------------------------------------------------------


def _set_password(user: Any) -> None:
    user.set_password("another password")
    user.save()


def _set_only_password(user: Any) -> None:
    user.set_password("another password")
    user.save(update_fields=["password"])


def _set_hash(user: Any) -> None:
    user.password = make_password("another password")
    user.save(update_fields=["password"])


def _update_password(user: Any) -> None:
    type(user).objects.filter(pk=user.pk).update(password=make_password("another password"))


def _same_password_again(user: Any) -> None:
    user.set_password(PASSWORD)
    user.save()


def _unusable_password(user: Any) -> None:
    user.set_unusable_password()
    user.save()


def _deactivate(user: Any) -> None:
    user.is_active = False
    user.save()


def _update_inactive(user: Any) -> None:
    type(user).objects.filter(pk=user.pk).update(is_active=False)


def _delete(user: Any) -> None:
    user.delete()


def _delete_by_queryset(user: Any) -> None:
    type(user).objects.filter(pk=user.pk).delete()


def _in_the_admin(user: Any) -> None:
    browser = Client()
    browser.force_login(another_user(type(user), "root", is_staff=True, is_superuser=True))
    passwords = {"password1": "another password", "password2": "another password", "usable_password": "true"}
    assert browser.post(f"/admin/auth/user/{user.pk}/password/", passwords).status_code == 302


def _deactivate_in_the_admin(user: Any) -> None:
    browser = Client()
    browser.force_login(another_user(type(user), "root", is_staff=True, is_superuser=True))
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    assert browser.post(f"/admin/auth/user/{user.pk}/change/", {"username": "alice", **joined}).status_code == 302


LOCKS: dict[Callable[[Any], None], str] = {
    _set_password: "password_changed",
    _set_only_password: "password_changed",
    _set_hash: "password_changed",
    _update_password: "password_changed",
    _same_password_again: "password_changed",
    _in_the_admin: "password_changed",
    _unusable_password: "password_changed",
    _deactivate: "user_inactive",
    _update_inactive: "user_inactive",
    _deactivate_in_the_admin: "user_inactive",
    _delete: "user_not_found",
    _delete_by_queryset: "user_not_found",
}


@pytest.mark.parametrize(("lock", "reason"), LOCKS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_what_locks_a_user_out_ends_all_sessions(
    client: Any, doors: Doors, sign_in: Any, user: Any, lock: Callable[[Any], None], reason: str
) -> None:
    """Law 9: at the next request, at every door, for every session, and told why."""
    pairs = [sign_in(), sign_in()]
    pairs.append(refreshed(doors, pairs[0].refresh))
    lock(type(user).objects.get(pk=user.pk))
    answers = [client.get(path, **bearer(pair.access)) for pair in pairs for path in ("/api/me/", "/api/sessions/")]
    answers += [client.delete(f"/api/sessions/{path}", **bearer(pairs[1].access)) for path in ("", "others/")]
    answers += [doors.body(door, pair.refresh) for pair in pairs for door in ("refresh", "verify", "blacklist")]
    answers += [doors.body("verify", pair.access) for pair in pairs]
    assert [(answer.status_code, answer.json()["reason"]) for answer in answers] == [(401, reason)] * len(answers)
    again = client.post("/api/token/", {"username": "alice", "password": PASSWORD}, format="json")
    assert again.status_code == (200 if lock is _same_password_again else 401)
    assert {doors.body("revoke", token).status_code for pair in pairs for token in pair} == {200}


@pytest.mark.parametrize("lock", [_deactivate, _deactivate_in_the_admin])
def test_a_saved_deactivation_needs_no_request_to_be_final(doors: Doors, sign_in: Any, user: Any, lock: Any) -> None:
    """Law 9: active again before anybody asked: the sessions are dead all the same."""
    pair = sign_in()
    lock(type(user).objects.get(pk=user.pk))
    _reactivate(user)
    is_dead(doors, pair)


@pytest.mark.parametrize("lock", [_deactivate, _update_inactive])
def test_reactivation_revives_no_session(doors: Doors, sign_in: Any, user: Any, lock: Callable[[Any], None]) -> None:
    """Law 9: a session that was refused once stays dead, also where no signal told of the end."""
    pair = sign_in()
    lock(type(user).objects.get(pk=user.pk))
    assert doors.header("/api/me/", pair.access).json()["code"] == "user_inactive"
    _reactivate(user)
    is_dead(doors, pair)


@pytest.mark.parametrize("door", ["verify", "blacklist", "refresh"])
def test_any_door_notices_an_inactive_user(doors: Doors, sign_in: Any, user: Any, door: str) -> None:
    """Law 9: whichever door is tried first while the user is inactive."""
    pair = sign_in()
    _update_inactive(user)
    assert doors.body(door, pair.refresh).status_code == 401
    _reactivate(user)
    is_dead(doors, pair)


def _reactivate(user: Any) -> None:
    """Let the user in again, past all signals."""
    type(user).objects.filter(pk=user.pk).update(is_active=True)


def test_a_deleted_users_id_is_nobodys(doors: Doors, tokens: Tokens, user: Any, django_user_model: Any) -> None:
    """Law 9: a new user who is given the old one's id inherits no session."""
    pk = user.pk
    user.delete()
    another_user(django_user_model, id=pk)
    for token in tokens:
        assert doors.header("/api/me/", token).status_code == 401
        for door in ("refresh", "verify", "blacklist"):
            assert doors.body(door, token).status_code == 401


class QuickHasher(PBKDF2PasswordHasher):
    """Another hasher than the tests' usual one, and as quick."""

    iterations = 1


OTHERS = [
    "tests.attacks.test_sessions.QuickHasher",
    "django.contrib.auth.hashers.MD5PasswordHasher",
]


def test_a_rehash_at_sign_in_signs_nobody_out(
    client: Any, doors: Doors, tokens: Tokens, settings: Any, user: Any
) -> None:
    """Law 9: Django hashes the same password anew when the hasher changes; other devices stay."""
    settings.PASSWORD_HASHERS = OTHERS
    fresh = signed_in(client, "alice")
    user.refresh_from_db()
    assert user.password.startswith("pbkdf2_sha256$1$")
    doors.admit(*tokens)
    doors.admit(*fresh)


def test_a_sign_in_that_fails_rehashes_nothing(client: Any, doors: Doors, tokens: Tokens, settings: Any) -> None:
    """Law 9: a stranger's wrong password has no effect on anyone's session."""
    settings.PASSWORD_HASHERS = OTHERS
    answer = client.post("/api/token/", {"username": "alice", "password": "wrong"}, format="json")
    assert answer.status_code == 401
    doors.admit(*tokens)


# -- Ends and claims -------------------------------------------------------------------------------


@override_settings(DRF_JWT_KIT={"SESSION_LIFETIME": timedelta(days=3)})
def test_rotation_does_not_outlive_the_session(clock: Any, doors: Doors, sign_in: Any) -> None:
    """Law 11: however diligently it is refreshed, the end stands."""
    pair = sign_in()
    start = forge.payload_of(pair.access)["iat"]
    for _half_day in range(5):
        clock.shift(timedelta(hours=12))
        pair = refreshed(doors, pair.refresh)
    clock.shift(timedelta(hours=11, minutes=59))
    pair = refreshed(doors, pair.refresh)
    for token in pair:
        assert forge.payload_of(token)["exp"] <= start + 3 * 86_400
    clock.shift(timedelta(minutes=1))
    is_dead(doors, pair)


def role(user: Any, session: Any) -> dict[str, Any]:
    """Return claims that follow the user's state."""
    return {"staff": user.is_staff}


@override_settings(DRF_JWT_KIT={"CLAIMS": "tests.attacks.test_sessions.role"})
def test_a_role_that_was_taken_is_gone_after_the_next_refresh(doors: Doors, user: Any, sign_in: Any) -> None:
    """Law 11: claims are computed afresh at every refresh."""
    type(user).objects.filter(pk=user.pk).update(is_staff=True)
    pair = sign_in()
    assert forge.payload_of(pair.access)["staff"] is True
    type(user).objects.filter(pk=user.pk).update(is_staff=False)
    for token in refreshed(doors, pair.refresh):
        assert forge.payload_of(token)["staff"] is False


# -- Transactions, keys, services ------------------------------------------------------------------


@pytest.fixture
def _atomic_requests() -> Any:
    """Wrap every request in a transaction, as many projects do."""
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_atomic_requests")
def test_a_replays_end_survives_atomic_requests(clock: Any, doors: Doors, tokens: Tokens) -> None:
    """Law 4: DRF rolls back when an exception is raised; the revocation stays."""
    successor = refreshed(doors, tokens.refresh)
    clock.shift(BEYOND_GRACE)
    assert doors.body("refresh", tokens.refresh).status_code == 401
    is_dead(doors, tokens, successor)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_atomic_requests")
def test_an_inactive_users_end_survives_atomic_requests(doors: Doors, sign_in: Any, user: Any) -> None:
    """Laws 4 and 9: noticed in a request that is refused and rolled back."""
    pair = sign_in()
    _update_inactive(user)
    assert doors.header("/api/me/", pair.access).status_code == 401
    _reactivate(user)
    is_dead(doors, pair)


class CarefulRefreshView(TokenRefreshView):
    """A project's view that does its work in a transaction."""

    @method_decorator(transaction.atomic)
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refresh."""
        return super().post(request, *args, **kwargs)


urlpatterns = [path("api/token/refresh/", CarefulRefreshView.as_view()), *project.urlpatterns]


@pytest.mark.django_db(transaction=True)
@override_settings(ROOT_URLCONF=__name__)
def test_a_replays_end_survives_a_transaction_of_the_view(clock: Any, doors: Doors, tokens: Tokens) -> None:
    """Law 4: the refusal rolls back the ``atomic()`` that it leaves; the session stays ended."""
    successor = refreshed(doors, tokens.refresh)
    clock.shift(BEYOND_GRACE)
    assert doors.body("refresh", tokens.refresh).json()["reason"] == "reused"
    is_dead(doors, tokens, successor)


@pytest.mark.django_db(transaction=True)
@override_settings(ROOT_URLCONF=__name__)
def test_an_inactive_users_end_survives_a_transaction_of_the_view(doors: Doors, sign_in: Any, user: Any) -> None:
    """Laws 4 and 9: the same for a user who is found inactive."""
    pair = sign_in()
    _update_inactive(user)
    assert doors.body("refresh", pair.refresh).json()["reason"] == "user_inactive"
    _reactivate(user)
    is_dead(doors, pair)


@pytest.mark.django_db(transaction=True)
def test_a_callers_own_revocation_follows_the_callers_transaction(doors: Doors, tokens: Tokens) -> None:
    """THREATS: inside ``atomic()`` the caller decides: what is rolled back never was, what commits lasts."""
    with transaction.atomic():
        sessions.revoke(TokenSession.objects.get())
        transaction.set_rollback(True)
    doors.header("/api/me/", "a request in between revives nothing and ends nothing")
    successor = doors.admit(*tokens)
    with transaction.atomic():
        sessions.revoke(TokenSession.objects.get())
    is_dead(doors, tokens, successor)


def test_a_retired_key_is_retired_at_once(settings: Any, doors: Doors, tokens: Tokens) -> None:
    """THREATS: two signing keys; accepted until retired, then 401, though its tokens were seen before."""
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new key, which is as long as the old one was", [old]
    assert doors.header("/api/me/", tokens.access).status_code == 200
    assert doors.body("verify", tokens.refresh).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    is_dead(doors, tokens)


def test_a_session_moves_to_the_new_key_by_refreshing(settings: Any, doors: Doors, tokens: Tokens) -> None:
    """THREATS: two signing keys; what was signed meanwhile outlives the old one, what it had signed does not."""
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new key, which is as long as the old one was", [old]
    successor = doors.admit(*tokens)
    settings.SECRET_KEY_FALLBACKS = []
    is_dead(doors, tokens)
    doors.admit(*successor)
    assert doors.header("/api/me/", forge.token(forge.payload_of(successor.access), key=old)).status_code == 401


@pytest.mark.parametrize("door", ["obtain", "refresh", "verify", "revoke", "blacklist", "me", "sessions"])
def test_a_broken_database_is_a_503(client: Any, doors: Doors, tokens: Tokens, break_database: Any, door: str) -> None:
    """Law 8: never a 200, never a 500 page; a table that is gone stands for a database that is down."""
    break_database()
    if door in {"me", "sessions"}:
        answer = doors.header(f"/api/{door}/", tokens.access)
    elif door == "obtain":
        answer = client.post("/api/token/", {"username": "alice", "password": PASSWORD}, format="json")
    else:
        answer = doors.body(door, tokens.refresh)
    assert answer.status_code == 503, answer.content
    assert is_json(answer)
    assert int(answer["Retry-After"]) > 0
    assert answer.json()["code"] == "service_unavailable"


def test_forged_successors_need_the_key(doors: Doors, tokens: Tokens) -> None:
    """Law 5: who reads the database knows id, generation and times of the successor, and still cannot sign it."""
    session = TokenSession.objects.get()
    known = {**forge.payload_of(tokens.refresh), "gen": session.generation}
    for key in (str(session.pk), session.credential_hash, session.user.password, ""):
        doors.refuse(forge.token(known, key=key))
    doors.admit(*tokens)
