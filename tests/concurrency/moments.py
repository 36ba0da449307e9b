"""Races whose moment is known: one is held up in its transaction right where another has to be let by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from threading import Event
from typing import Any

from django.contrib.admin import site
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.contrib.auth.models import Group
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import OperationalError, transaction
from django.test import RequestFactory, override_settings

from drf_jwt_kit import receivers, rotation, sessions
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.signals import session_revoked
from tests.concurrency.calls import (
    A_MOMENT,
    PASSWORD,
    Answer,
    Callers,
    Held,
    call,
    held_after,
    new_user,
    refresh,
    signed_in,
)
from tests.concurrency.races import HASHERS, OPEN_ENDINGS, kit, simplejwt_token


@contextmanager
def _first_through(module: Any, name: str, then: Callable[[], None]) -> Iterator[None]:
    """Let who is first through a function of the kit's do ``then`` before going on."""
    real, been = getattr(module, name), Event()

    def watched(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        if not been.is_set():
            been.set()
            then()
        return result

    setattr(module, name, watched)
    try:
        yield
    finally:
        setattr(module, name, real)


def _beside(callers: Callers, module: Any, name: str, job: Callable[[], Any], other: Callable[[], Any]) -> Any:
    """Do ``job`` in a transaction, and ``other`` once that is through a function; return what came of the other."""
    opened, through = Event(), Event()

    def hold() -> None:
        opened.set()
        through.wait(A_MOMENT)

    def first() -> None:
        with _first_through(module, name, hold), transaction.atomic():
            job()

    def second() -> Any:
        opened.wait(timeout=60)
        try:
            return other()
        finally:
            through.set()

    return callers.at_once(first, second)[1]


def _user(encoded: str) -> Any:
    """Return a new user as the database has it."""
    return get_user_model().objects.get(pk=new_user(encoded).pk)


def _adopt_and_sign_out(token: str, held: Held) -> list[int]:
    """Return the statuses of refreshing with a token from before, and of signing out everywhere."""
    return [refresh(token).status, call("DELETE", "sessions/", access=held.access).status]


def adopted_meanwhile(callers: Callers, *, how: str) -> list[int]:
    """End all of a user's sessions, while one is adopted, which sorts before them, and all are ended again."""
    user = _user(make_password(PASSWORD))
    held = signed_in(user)
    other = partial(_adopt_and_sign_out, simplejwt_token(user), held)
    statuses: list[int] = _beside(callers, rotation, "revoke_all", partial(OPEN_ENDINGS[how], user, held), other)
    return statuses


def adopted_while_rehashing(callers: Callers) -> list[int]:
    """Hash a password anew, while a session is adopted and all are ended."""
    with override_settings(PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in HASHERS]):
        user = _user(PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1))
        other = partial(_adopt_and_sign_out, simplejwt_token(user), signed_in(user))
        job = partial(user.check_password, PASSWORD)
        statuses: list[int] = _beside(callers, receivers, "_prepare_rehash", job, other)
        return statuses


def adopted_and_kept(callers: Callers) -> list[int]:
    """Hash a password anew, while a session is adopted; return the statuses of that and of going on with it."""
    with override_settings(PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}" for name in HASHERS]):
        user = _user(PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1))
        sessions.start(user)
        job, other = partial(user.check_password, PASSWORD), partial(refresh, simplejwt_token(user))
        adopted: Answer = _beside(callers, receivers, "_prepare_rehash", job, other)
        return [adopted.status, *(refresh(held.refresh).status for held in held_after([adopted]))]


def surplus(callers: Callers) -> int:
    """Begin one session too many in a transaction, while all are ended; the limit is new, and one was adopted."""
    user = _user(make_password(PASSWORD))
    held = signed_in(user)
    assert refresh(simplejwt_token(user)).status == 200
    with kit(MAX_SESSIONS_PER_USER=1):
        other = partial(call, "DELETE", "sessions/", access=held.access)
        return int(_beside(callers, rotation, "revoke", partial(sessions.start, user), other).status)


def ending_in_the_admin(callers: Callers) -> int:
    """End two sessions of a user's by the admin's action, while all are ended."""
    user = _user(make_password(PASSWORD))
    held = [signed_in(user) for _ in range(2)]
    request = RequestFactory().post("/")
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    admin: Any = site.get_model_admin(TokenSession)
    job = partial(admin.revoke_sessions, request, admin.get_queryset(request).filter(user=user))
    other = partial(call, "DELETE", "sessions/", access=held[0].access)
    return int(_beside(callers, rotation, "revoke", job, other).status)


def deadlocked_receiver(callers: Callers) -> bool:
    """End a session in a transaction, whose receiver meets a deadlock; return whether that is told, or else is true."""
    user, (first, second) = _user(make_password(PASSWORD)), (new_user(), new_user())
    held, mine, theirs = signed_in(user), Event(), Event()
    told: list[Exception] = []

    def rename(user: Any) -> None:
        get_user_model().objects.filter(pk=user.pk).update(last_name="Jones")

    def receive(**arguments: Any) -> None:
        rename(second)

    def sign_out() -> None:
        try:
            with transaction.atomic():
                rename(first)
                mine.set()
                theirs.wait(A_MOMENT)
                sessions.revoke_all(user)
        except OperationalError as error:
            told.append(error)

    def write_more() -> None:
        mine.wait(timeout=60)
        with suppress(OperationalError), transaction.atomic():
            Group.objects.bulk_create(Group(name=f"{user.pk}, {number}") for number in range(100))
            rename(second)
            theirs.set()
            rename(first)

    session_revoked.connect(receive)
    callers.at_once(sign_out, write_more)
    session_revoked.disconnect(receive)
    return bool(told) != (refresh(held.refresh).status == 401)


def activating(callers: Callers, *, how: str) -> str:
    """Activate a user in a transaction, beside one that holds the user and then ends everything; say what stops it."""
    user, bystander, opened = _user(make_password(PASSWORD)), new_user(), Event()
    held = signed_in(user)
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)

    def end() -> None:
        with transaction.atomic():
            get_user_model().objects.filter(pk=user.pk).update(last_name="Jones")
            opened.set()
            Event().wait(A_MOMENT)
            OPEN_ENDINGS[how](user, held)

    def activate() -> None:
        opened.wait(timeout=60)
        with transaction.atomic():
            # SQLite lets nobody write beside another who has only read yet.
            get_user_model().objects.filter(pk=bystander.pk).update(last_name="Smith")
            activated = get_user_model().objects.get(pk=user.pk)
            activated.is_active = True
            activated.save()

    return callers.stopped(end, activate)
