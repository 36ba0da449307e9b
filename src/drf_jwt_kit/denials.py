"""Sign-ins that are denied: by a backend, whoever says so and however, or although every backend is content."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, get_backends, get_user_model, user_logged_in, user_login_failed
from django.db import Error
from django.dispatch import Signal, receiver
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables
from rest_framework import status
from rest_framework.exceptions import APIException, Throttled, ValidationError
from rest_framework_simplejwt.exceptions import TokenError

from . import models, rotation, sessions
from .decoys import disguise
from .exceptions import Invalid, SecondFactorRequired, in_drfs_words
from .hashers import is_refused
from .models import TokenSession
from .throttling import Attempt

# What Django tells of a name whose field is called like a secret: api_id, say.
_LEFT_OUT = "*" * 20

# Where a request keeps what comes of it.
_OUTCOME = "_drf_jwt_kit_sign_in_outcome"


class ComesLate(Invalid):
    """A right password, after too many wrong ones for its account."""


class Outcome:
    """What comes of a request to sign in: what it tries, and how that is answered in the end."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.request: Any = None
        self.attempts: list[Attempt] = []
        self.refusal: Exception | None = None
        self.statuses: list[int] = []  # of the answer, and of what a project puts it into

    @staticmethod
    def of(request: Any) -> Outcome | None:
        """Return that of ``request``, ``None`` where nobody waits for it."""
        return getattr(request, _OUTCOME, None)

    @property
    def status(self) -> int:
        """Return the status that tells most; what nobody answers is a 500."""
        return max(self.statuses, default=status.HTTP_500_INTERNAL_SERVER_ERROR)

    def begin_again(self, request: Any) -> None:
        """Decide what was tried before: it is not what is answered."""
        self.request, self.refusal = request, None
        for attempt in self._undecided():
            _conclude(attempt)

    def settle(self) -> None:
        """Decide what was tried last. Where it failed after all, nobody gets the tokens of a session that it began."""
        if self.refusal is not None or self.status >= status.HTTP_400_BAD_REQUEST:
            for attempt in self.attempts:
                _end_all(attempt, self.request)
        for attempt in self._undecided():
            attempt.was_denied = self._is_denial()
            with suppress(APIException):  # it is answered already
                _conclude(attempt)
        self.refusal = None  # its frames have the request

    def _undecided(self) -> list[Attempt]:
        """Return the attempts that may be anything yet."""
        return [attempt for attempt in self.attempts if attempt.is_open]

    def _is_denial(self) -> bool:
        """Return whether a success was denied: as the refusal says, or the answer where that is a project's own."""
        if self.refusal is not None and _speaks(self.refusal):
            return is_guess(self.request, self.refusal, denied=False, declared=tuple)
        if self.status == status.HTTP_429_TOO_MANY_REQUESTS or status.is_server_error(self.status):
            return False
        return self.refusal is not None or status.is_client_error(self.status)


@contextmanager
def until_answered(request: HttpRequest) -> Iterator[Outcome]:
    """Wait for the answer to ``request`` with what cannot be told of an attempt before.

    That is a success, which may be denied yet, and an exception of a project's own.
    """
    outcome, around = Outcome(), Outcome.of(request)
    setattr(request, _OUTCOME, outcome)
    try:
        yield outcome
    except Exception as refusal:
        outcome.refusal = refusal
        outcome.statuses.append(status.HTTP_500_INTERNAL_SERVER_ERROR)
        raise
    finally:
        setattr(request, _OUTCOME, around)
        outcome.settle()


@contextmanager
def counted(request: Any, account: str, declared: Callable[[], Container[str]]) -> Iterator[None]:
    """Count the attempt that is made inside as a failure, unless it succeeds or turns out to be no guess.

    ``declared`` returns the names of the serializer's fields. Where somebody waits :func:`until_answered`, what cannot
    be told yet stays counted.

    Raises what :meth:`.throttling.Attempt.begin` does.
    """
    outcome = Outcome.of(request)
    if outcome is not None:
        outcome.begin_again(request)
    attempt = Attempt.begin(request, account)
    if outcome is not None:
        outcome.attempts.append(attempt)
    with attempt.made_by(request):
        try:
            yield
        except Exception as refusal:
            _end_all(attempt, request)
            attempt.was_denied = is_guess(request, refusal, denied=attempt.was_denied, declared=declared)
            _decide(attempt, outcome, refusal)
            raise
        _decide(attempt, outcome, None)


def _decide(attempt: Attempt, outcome: Outcome | None, refusal: Exception | None) -> None:
    """Let an attempt be what can be told of it, or leave that to the outcome."""
    if outcome is None or attempt.was_denied or (refusal is not None and _speaks(refusal)):
        _conclude(attempt)
    else:
        attempt.is_open, outcome.refusal = True, refusal


def _conclude(attempt: Attempt) -> None:
    """Let an attempt be a failure, of the account that its name finds as well, or none."""
    attempt.is_open = False
    if not attempt.was_denied:
        attempt.withdrawn()
        return
    with suppress(Error):
        means(attempt, models.user_named(attempt.sent))
    attempt.failed()


def _speaks(refusal: Exception) -> bool:
    """Return whether an exception tells by itself what it is answered with."""
    return isinstance(in_drfs_words(refusal), (APIException, TokenError, Error))


def _end_all(attempt: Attempt, request: Any) -> None:
    """End the sessions that an attempt began."""
    for session in attempt.sessions:
        end(session, request)


def end(session: TokenSession, request: Any) -> None:
    """End a session that nobody gets the tokens of."""
    with suppress(Error):
        sessions.revoke(session, rotation.DENIED, request)


def means(attempt: Attempt, named: Any) -> None:
    """Count an attempt on the account of the user whom its name finds, if it finds one."""
    attempt.means(attempt.sent if named is None else str(named.get_username()))


@receiver([user_login_failed, user_logged_in])
def note_what_django_found(*, signal: Signal, request: Any = None, **kwargs: Any) -> None:
    """Note whether the password that was last tried was denied, in whatever words a project tells of it, and whose."""
    if attempt := Attempt.of(request):
        attempt.was_denied = signal is user_login_failed
        tried = kwargs.get("credentials", {}).get(get_user_model().USERNAME_FIELD)
        if isinstance(tried, str) and tried != _LEFT_OUT:
            attempt.read_as(tried)


def note_failure(request: Any, error: Exception) -> None:
    """Note that a backend failed or answered by itself, where that is a denial or one came before it.

    One that asks for a second factor has found the password right.
    """
    attempt, asks = Attempt.of(request), isinstance(error, SecondFactorRequired)
    if attempt is not None and not asks and (len(settings.AUTHENTICATION_BACKENDS) > 1 or is_answer(error)):
        attempt.was_denied = True


def is_answer(error: Exception) -> bool:
    """Return whether a backend raised what it wants the client to be told."""
    return isinstance(error, APIException) and not status.is_server_error(error.status_code)


def is_guess(request: Any, refusal: Exception, *, denied: bool | None, declared: Callable[[], Container[str]]) -> bool:
    """Return whether a sign-in was refused for what was tried, not for how it was written.

    What Django ``denied`` is a guess, whatever it is answered with, and so is any refusal after a success but a 5xx,
    unless it asks for a second factor: none was tried. Where Django was not asked (``None``) the refusal has to tell:
    DRF's own token view, and projects that took after it, say 400 to a wrong password, an error of none of the
    ``declared`` fields.
    """
    if denied or isinstance(refusal, (SecondFactorRequired, Throttled)):
        return bool(denied)
    if isinstance(refusal, ValidationError) and denied is None:
        fields = declared()
        of_no_field = isinstance(refusal.detail, list) or any(name not in fields for name in refusal.detail)
        return isinstance(_body(request), dict) and of_no_field
    return isinstance(refusal, TokenError) or is_answer(in_drfs_words(refusal)) or _tells_of_denial(refusal)


def _body(request: Any) -> Any:
    """Return what was sent, as far as ``request`` tells; where a serializer came to be asked, it was an object."""
    return getattr(request, "data", {})


def _tells_of_denial(error: BaseException | None) -> bool:
    """Return whether an error, or what led to it, is that of a receiver whom Django told of a denial."""
    if error is None:
        return False
    modules = [frame.f_globals.get("__name__") for frame, _line in traceback.walk_tb(error.__traceback__)]
    told = (authenticate.__module__, Signal.__module__)
    return told in pairwise(modules) or _tells_of_denial(error.__cause__)


def comes_unseen(request: Any) -> bool:
    """Return whether an attempt is too many for the account that its name finds.

    Its password must not be tried: were the right one hashed anew, the next answers would tell.
    """
    attempt = Attempt.of(request)
    if attempt is None or not attempt.may_be_too_many or (named := models.user_named(attempt.sent)) is None:
        return False
    means(attempt, named)
    attempt.is_unseen = attempt.is_too_many
    return attempt.is_unseen


def read_name(request: Any, credentials: dict[str, str], name: str) -> None:
    """Count an attempt on the name that is tried in the end, and change its password if it comes unseen."""
    attempt = Attempt.of(request)
    if attempt is None:
        return
    attempt.read_as(name)
    if not attempt.is_unseen and comes_unseen(request):
        disguise(credentials, ["password"])


def ensure_in_time(request: Any, user: Any) -> None:
    """Note that the password was right; raise :class:`ComesLate` where there were too many failures of its account.

    That is whichever spelling of the name found it. An address that a backend knows a user by is no spelling.
    """
    attempt, account = Attempt.of(request), str(user.get_username())
    if attempt is None:
        return
    attempt.means(account if attempt.names(account) or models.user_named(attempt.sent) == user else attempt.sent)
    if attempt.is_too_many:
        raise ComesLate
    attempt.was_denied = False


@sensitive_variables()
def is_about_credentials(error: Exception, name: str, password: str) -> bool:
    """Return whether a backend stumbled over a name that nobody can have, or a password, and not over anything else."""
    if isinstance(error, models.STUMBLES) and not models.can_be_user_name(name):
        return True
    return isinstance(error, ValueError) and is_refused(password)


def is_about_settings() -> bool:
    """Return whether the backends cannot even be made: what is said of that has nothing of a request's."""
    try:
        get_backends()
    except Exception:  # noqa: BLE001 - a project's classes raise what they like
        return True
    return False
