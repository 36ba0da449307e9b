"""Sign-ins that are denied: by a backend, whoever says so and however, or although every backend is content."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model, user_logged_in, user_login_failed
from django.db import Error
from django.dispatch import Signal, receiver
from rest_framework import status
from rest_framework.exceptions import APIException

from . import models, refusals, rotation, sessions
from .decoys import disguise
from .exceptions import Invalid, SecondFactorRequired
from .models import TokenSession
from .throttling import Attempt

# What Django tells of a name whose field is called like a secret: api_id, say.
_LEFT_OUT = "*" * 20


class ComesLate(Invalid):
    """A right password, after too many wrong ones for its account."""


class Outcome:
    """What comes of a request to sign in: whom it tries to be, and how that is answered in the end."""

    def __init__(self) -> None:
        """Begin with nothing, as what nobody answers ends."""
        self.attempts: dict[str, Attempt] = {}  # by the account as it was sent
        self.request: Any = None
        self.refusal: Exception | None = None
        self.status: int = status.HTTP_500_INTERNAL_SERVER_ERROR

    def begin(self, request: Any, account: str) -> Attempt:
        """Begin the attempt on an account, or try once more: that is the same attempt.

        Raises what :meth:`.throttling.Attempt.begin` does.
        """
        self.request, self.refusal = request, None
        attempt = self.attempts.get(account)
        if attempt is None:
            attempt = self.attempts[account] = Attempt.begin(request, account)
            return attempt
        attempt.is_doubtful |= attempt.is_guess or refusals.may_deny(attempt.refusal)
        if attempt.refusal is not None:  # nobody got what it began
            _end_all(attempt, request)
        attempt.is_guess, attempt.was_denied, attempt.refusal = True, None, None
        return attempt

    def settle(self) -> None:
        """Decide what the attempts were. Where one failed after all, nobody gets the tokens of its sessions."""
        is_refusal = self.refusal is not None or self.status >= status.HTTP_400_BAD_REQUEST
        for attempt in self.attempts.values():
            if is_refusal and (attempt.is_doubtful or self._denies(attempt)):
                attempt.is_guess = True
            if is_refusal or (attempt.is_guess and attempt.refusal is not None):
                _end_all(attempt, self.request)
            attempt.refusal = None  # its frames have the attempt
            with suppress(APIException):  # it is answered already
                _conclude(attempt)
        self.refusal = None  # its frames have the view

    def _denies(self, attempt: Attempt) -> bool:
        """Return whether a refusal denies: as the kit's exception says, or a later one, or the answer."""
        if attempt.refusal is not None and refusals.speaks(attempt.refusal):
            return attempt.is_guess
        if self.refusal is not None and refusals.speaks(self.refusal):
            return refusals.is_guess(self.request, self.refusal, denied=False, declared=tuple)
        if self.status == status.HTTP_429_TOO_MANY_REQUESTS or status.is_server_error(self.status):
            return False
        return status.is_client_error(self.status) or refusals.may_deny(self.refusal)


@contextmanager
def until_answered(outcome: Outcome) -> Iterator[None]:
    """Settle what is tried inside once it is answered: only then can be told whether a success was denied."""
    try:
        yield
    except Exception as refusal:
        outcome.refusal = refusal
        raise
    finally:
        outcome.settle()


@contextmanager
def counted(
    request: Any, account: str, declared: Callable[[], Container[str]], outcome: Outcome | None
) -> Iterator[None]:
    """Count the attempt that is made inside as a failure, unless it succeeds or turns out to be no guess.

    ``declared`` returns the names of the serializer's fields. Where there is an ``outcome``, that decides.

    Raises what :meth:`.throttling.Attempt.begin` does.
    """
    attempt = outcome.begin(request, account) if outcome else Attempt.begin(request, account)
    with attempt.made_by(request):
        try:
            yield
        except Exception as refusal:
            attempt.is_guess = refusals.is_guess(request, refusal, denied=attempt.was_denied, declared=declared)
            if outcome is not None:
                attempt.refusal = refusal
            else:
                _conclude(attempt)
            raise
        attempt.is_guess = bool(attempt.was_denied)
        if outcome is None:
            _conclude(attempt)


def _conclude(attempt: Attempt) -> None:
    """Let an attempt be a failure, of the account that its name finds as well, or none."""
    if not attempt.is_guess:
        attempt.withdrawn()
        return
    with suppress(Error):
        means(attempt, models.user_named(attempt.sent))
    attempt.failed()


def _end_all(attempt: Attempt, request: Any) -> None:
    """End the sessions that an attempt began."""
    while attempt.sessions:
        end(attempt.sessions.pop(), request)


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
    if attempt is not None and not asks and (len(settings.AUTHENTICATION_BACKENDS) > 1 or refusals.is_answer(error)):
        attempt.was_denied = True


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
