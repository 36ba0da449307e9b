"""The races that an arena can run: each returns what became of its rounds, as JSON, for a test to judge."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from io import StringIO
from random import Random
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.core.management import call_command
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import override_settings
from rest_framework_simplejwt.tokens import RefreshToken as SimpleJWTRefreshToken

from drf_jwt_kit import credentials, models, rotation, sessions
from drf_jwt_kit.models import TokenSession
from tests.concurrency.calls import (
    A_MOMENT,
    PASSWORD,
    Answer,
    Callers,
    Held,
    accepted,
    call,
    held_after,
    new_user,
    refresh,
    signed_in,
)


def newcomer(callers: Callers) -> str:
    """Return the name of a new user who may sign in."""
    name: str = new_user(make_password(PASSWORD)).username
    return name


def generations(callers: Callers, *, username: str) -> list[int]:
    """Return the generation that each of a user's sessions has come to."""
    return list(TokenSession.objects.filter(user__username=username).values_list("generation", flat=True))


def simplejwt_token(user: Any) -> str:
    """Return a refresh token as plain simplejwt signs it."""
    return str(SimpleJWTRefreshToken.for_user(user))


def kit(**values: Any) -> Any:
    """Return a context in which ``values`` are over the arena's ``DRF_JWT_KIT``."""
    return override_settings(DRF_JWT_KIT={**settings.DRF_JWT_KIT, **values})


def refreshing(callers: Callers, *, rounds: int, parallel: int, grace: int, adopt: bool = False) -> list[Any]:
    """Let ``parallel`` callers present the same refresh token, in each round another one."""
    with kit(REFRESH_GRACE_PERIOD=timedelta(seconds=grace)):
        return [_refresh_round(callers, parallel, adopt=adopt) for _ in range(rounds)]


def _refresh_round(callers: Callers, parallel: int, *, adopt: bool) -> dict[str, Any]:
    """Return what one round left behind."""
    user = new_user()
    token = simplejwt_token(user) if adopt else signed_in(user).refresh
    answers: list[Answer] = callers.at_once(*[partial(refresh, token)] * parallel)
    successors = {held.refresh for held in held_after(answers)}
    return {
        "statuses": sorted(answer.status for answer in answers),
        "reasons": sorted({answer.body["reason"] for answer in answers if answer.status == 401}),
        "successors": len(successors),
        "generations": list(TokenSession.objects.filter(user=user).values_list("generation", flat=True)),
        "after": [refresh(successor).status for successor in successors],
    }


def passing(callers: Callers, *, threads: int) -> list[int]:
    """Let threads come, make one authenticated request and go; return how many connections there were and are."""
    access, counts = signed_in(new_user()).access, [_connections()]

    def visit() -> None:
        call("GET", "me/", access=access)
        connections.close_all()

    for _ in range(threads):
        visitor = Thread(target=visit)
        visitor.start()
        visitor.join()
    return [*counts, _connections()]


def _connections() -> int:
    """Return how many of Django's database connections are in memory, open or not."""
    gc.collect()
    return sum(isinstance(thing, BaseDatabaseWrapper) for thing in gc.get_objects())


# -- What ends a session, raced by refreshing it ---------------------------------------------------


def _sign_out(user: Any, held: Held) -> None:
    assert call("POST", "token/revoke/", {"token": held.refresh}).status == 200


def _sign_out_everywhere(user: Any, held: Held) -> None:
    assert call("DELETE", "sessions/", access=held.access).status == 204


def _save_password(user: Any, held: Held) -> None:
    user.set_password("another password")
    user.save()


def _update_password(user: Any, held: Held) -> None:
    get_user_model().objects.filter(pk=user.pk).update(password=make_password("another password"))


def _save_inactive(user: Any, held: Held) -> None:
    user.is_active = False
    user.save()


def _update_inactive(user: Any, held: Held) -> None:
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)


def _delete(user: Any, held: Held) -> None:
    user.delete()


ENDINGS: dict[str, Callable[[Any, Held], None]] = {
    "signed out": _sign_out,
    "signed out everywhere": _sign_out_everywhere,
    "password saved": _save_password,
    "password updated": _update_password,
    "deactivation saved": _save_inactive,
    "deactivation updated": _update_inactive,
    "deleted": _delete,
}


def ending(callers: Callers, *, rounds: int, how: str, adopt: bool = False, seed: int = 0) -> list[Any]:
    """Let two callers refresh while a third ends the session; look what is accepted afterwards."""
    random = Random(seed)
    return [_ending_round(callers, ENDINGS[how], random, adopt=adopt) for _ in range(rounds)]


def _ending_round(callers: Callers, end: Callable[[Any, Held], None], random: Random, *, adopt: bool) -> dict[str, Any]:
    """Return what one round left to hold, and what of it is accepted, then and after re-activation."""
    user = get_user_model().objects.get(pk=new_user(make_password(PASSWORD)).pk)
    held = signed_in(user)
    contested = Held("", simplejwt_token(user)) if adopt else held
    delay = random.randrange(4)

    def end_after_a_while() -> None:
        for _ in range(delay):
            call("GET", "status/")
        end(user, Held(held.access, contested.refresh))

    present = partial(refresh, contested.refresh)
    answers: list[Answer] = callers.at_once(present, present, end_after_a_while)[:2]
    holding = [contested, *held_after(answers)]
    left = accepted(holding)
    get_user_model().objects.filter(pk=user.pk).update(is_active=True)
    return {"statuses": sorted(answer.status for answer in answers), "accepted": left + accepted(holding)}


# -- A transaction that is open while something else is done ------------------------------------------


def _sign_in(user: Any, token: str) -> list[Held]:
    return held_after([call("POST", "token/", {"username": user.username, "password": PASSWORD})])


def _adopt(user: Any, token: str) -> list[Held]:
    return held_after([refresh(token)])


def _start(user: Any, token: str) -> list[Held]:
    return [signed_in(user)]


def _rotate(user: Any, token: str) -> list[Held]:
    pair = sessions.rotate(token)
    return [Held(str(pair.access), str(pair.refresh))]


def _end_all(user: Any, held: Held) -> None:
    sessions.revoke_all(user)


def _save_inactive_for_a_while(user: Any, held: Held) -> None:
    for user.is_active in (False, True):
        user.save()


BEGINNINGS: dict[str, Callable[[Any, str], list[Held]]] = {
    "signing in": _sign_in,
    "adopting": _adopt,
    "starting": _start,
    "rotating": _rotate,
}
OPEN_ENDINGS = {**ENDINGS, "ended by the project": _end_all, "deactivated for a while": _save_inactive_for_a_while}


def overlapping(callers: Callers, *, begin: str, end: str, open_first: bool) -> dict[str, Any]:
    """Let one of two begin and stay in its transaction until the other is through, or waits for it.

    Return how many tokens were handed out, and what is accepted of them once the user is active again: nobody has
    presented one before.
    """
    user = get_user_model().objects.get(pk=new_user(make_password(PASSWORD)).pk)
    token = simplejwt_token(user)
    beginning: Callable[[], Any] = partial(BEGINNINGS[begin], user, token)
    ending: Callable[[], Any] = partial(OPEN_ENDINGS[end], get_user_model().objects.get(pk=user.pk), Held("", token))
    opened, through = Event(), Event()

    def first(job: Callable[[], Any]) -> Any:
        with transaction.atomic():
            result = job()
            opened.set()
            through.wait(A_MOMENT)
        return result

    def second(job: Callable[[], Any]) -> Any:
        opened.wait(timeout=60)
        try:
            return job()
        finally:
            through.set()

    order = (second, first) if open_first else (first, second)
    held, _none = callers.at_once(partial(order[0], beginning), partial(order[1], ending))
    get_user_model().objects.filter(pk=user.pk).update(is_active=True)
    return {"handed out": len(held), "accepted": accepted(held)}


def _renew_hash(user: Any, held: Held) -> None:
    rotation.carry_over(user, credentials.hashes(user), "x" * credentials.MAX_HASH)


def _prune(user: Any, held: Held) -> None:
    call_command("jwt_prune", stdout=StringIO())


ALL_AT_ONCE = {**OPEN_ENDINGS, "password hashed anew": _renew_hash, "pruned": _prune}


HASHERS = ["MD5PasswordHasher", "PBKDF2PasswordHasher"]


def in_order(callers: Callers, *, how: str) -> str:
    """Change all of a user's sessions beside a transaction that changes one after the other; return what stops it."""
    user = get_user_model().objects.get(pk=new_user(make_password(PASSWORD)).pk)
    pairs = [sessions.start(user) for _ in range(2)]
    older, newer = (pair.session for pair in pairs)
    for session in (newer, older):  # PostgreSQL stores a row anew, and so the older one behind the newer
        TokenSession.objects.filter(pk=session.pk).update(expires_at=models.now() - timedelta(days=1))
    opened, through = Event(), Event()

    def one_by_one() -> None:
        with transaction.atomic():
            sessions.revoke(older)
            opened.set()
            through.wait(A_MOMENT)
            sessions.revoke(newer)

    def all_at_once() -> None:
        opened.wait(timeout=60)
        try:
            ALL_AT_ONCE[how](user, Held(str(pairs[1].access), str(pairs[1].refresh)))
        finally:
            through.set()

    return callers.stopped(one_by_one, all_at_once)


def first_end(callers: Callers, *, how: str) -> str:
    """End what a user without sessions may have, beside a transaction that holds the user and does it too."""
    user = get_user_model().objects.get(pk=new_user(make_password(PASSWORD)).pk)
    opened = Event()

    def holding() -> None:
        with transaction.atomic():
            user.save(update_fields=["last_name"])
            get_user_model().objects.select_for_update().get(pk=user.pk)
            opened.set()
            Event().wait(A_MOMENT)
            ALL_AT_ONCE[how](user, Held("", ""))

    def alone() -> None:
        opened.wait(timeout=60)
        ALL_AT_ONCE[how](get_user_model().objects.get(pk=user.pk), Held("", ""))

    return callers.stopped(holding, alone)


def rehashing_beside_a_beginning(callers: Callers, *, begin: str) -> list[str]:
    """Hash a password anew while a session begins in a transaction; return which uses of its tokens are let in."""
    with override_settings(PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in HASHERS]):
        encoded = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)
        user = get_user_model().objects.get(pk=new_user(encoded).pk)
        token, opened, through = simplejwt_token(user), Event(), Event()

        def begins() -> list[Held]:
            with transaction.atomic():
                held = BEGINNINGS[begin](user, token)
                opened.set()
                through.wait(A_MOMENT)
            return held

        def sign_in() -> None:
            opened.wait(timeout=60)
            get_user_model().objects.get(pk=user.pk).check_password(PASSWORD)
            through.set()

        held, _none = callers.at_once(begins, sign_in)
        return accepted(held)


def rehashing_in_a_transaction(callers: Callers) -> str:
    """Hash a password anew in a transaction, beside one that deactivates the user; return what stops them."""
    with override_settings(PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in HASHERS]):
        user = get_user_model().objects.get(
            pk=new_user(PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)).pk
        )
        sessions.start(user)
        bystander, opened = new_user(), Event()

        def deactivate() -> None:
            with transaction.atomic():
                get_user_model().objects.filter(pk=user.pk).update(last_name="Jones")
                opened.set()
                Event().wait(A_MOMENT)
                _save_inactive(user, Held("", ""))

        def sign_in() -> None:
            opened.wait(timeout=60)
            with transaction.atomic():
                # SQLite lets nobody write beside another who has only read yet.
                get_user_model().objects.filter(pk=bystander.pk).update(last_name="Smith")
                get_user_model().objects.get(pk=user.pk).check_password(PASSWORD)

        return callers.stopped(deactivate, sign_in)


def waiting_sign_in(callers: Callers, *, devices: int) -> int:
    """Sign in beside a transaction that has changed the user and then deactivates it; return the status."""
    user = get_user_model().objects.get(pk=new_user(make_password(PASSWORD)).pk)
    for _ in range(devices):
        sessions.start(user)
    opened = Event()

    def deactivate() -> None:
        with transaction.atomic():
            user.save(update_fields=["last_name"])
            opened.set()
            Event().wait(A_MOMENT)
            _save_inactive(user, Held("", ""))

    def sign_in() -> int:
        opened.wait(timeout=60)
        return call("POST", "token/", {"username": user.username, "password": PASSWORD}).status

    _none, status = callers.at_once(deactivate, sign_in)
    return int(status)


# -- Signing in ------------------------------------------------------------------------------------


def rehashing(callers: Callers, *, rounds: int) -> list[Any]:
    """Let one device sign in, which hashes the password anew, while two others refresh."""
    hashers = [f"django.contrib.auth.hashers.{name}PasswordHasher" for name in ("MD5", "PBKDF2")]
    with override_settings(PASSWORD_HASHERS=hashers):
        return [_rehash_round(callers) for _ in range(rounds)]


def _rehash_round(callers: Callers) -> list[int]:
    """Return the statuses of a sign-in and two refreshes, then those of going on with their tokens."""
    user = new_user(PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1))
    credentials = {"username": user.username, "password": PASSWORD}
    answers: list[Answer] = callers.at_once(
        partial(call, "POST", "token/", credentials), *(partial(refresh, signed_in(user).refresh) for _ in range(2))
    )
    return [answer.status for answer in [*answers, *(refresh(held.refresh) for held in held_after(answers))]]


def rehashing_at_once(callers: Callers, *, rounds: int, parallel: int) -> list[Any]:
    """Let one user sign in ``parallel`` times at once, each of which would hash the password anew."""
    hashers = [f"django.contrib.auth.hashers.{name}PasswordHasher" for name in ("MD5", "PBKDF2")]
    with override_settings(PASSWORD_HASHERS=hashers):
        return [_rehash_at_once_round(callers, parallel) for _ in range(rounds)]


def _rehash_at_once_round(callers: Callers, parallel: int) -> list[int]:
    """Return the statuses of the sign-ins, of going on with their tokens, and of a refresh with simplejwt's."""
    user = new_user(PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1))
    legacy, before = [simplejwt_token(user) for _ in range(3)], signed_in(user).refresh
    credentials = {"username": user.username, "password": PASSWORD}
    sign_ins = [partial(call, "POST", "token/", credentials)] * parallel
    answers: list[Answer] = callers.at_once(*sign_ins, *(partial(refresh, token) for token in legacy[1:]))
    gone_on = [refresh(held.refresh) for held in held_after(answers)]
    return [answer.status for answer in (*answers, *gone_on, refresh(legacy[0]), refresh(before))]


def signing_in(callers: Callers, *, rounds: int, parallel: int, most: int) -> list[Any]:
    """Let one user sign in ``parallel`` times at once with ``MAX_SESSIONS_PER_USER`` at ``most``."""
    with kit(MAX_SESSIONS_PER_USER=most):
        return [_sign_in_round(callers, parallel) for _ in range(rounds)]


def _sign_in_round(callers: Callers, parallel: int) -> dict[str, Any]:
    """Return how the sign-ins were answered, and how many of their sessions are alive afterwards."""
    user = new_user(make_password(PASSWORD))
    credentials = {"username": user.username, "password": PASSWORD}
    answers: list[Answer] = callers.at_once(*[partial(call, "POST", "token/", credentials)] * parallel)
    used = [call("GET", "me/", access=held.access).status for held in held_after(answers)]
    return {
        "statuses": sorted(answer.status for answer in answers),
        "live": TokenSession.objects.live(models.now()).filter(user=user).count(),
        "usable": used.count(200),
    }
