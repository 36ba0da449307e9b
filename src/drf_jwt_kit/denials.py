"""Sign-ins that are denied: by a backend, whoever says so and however, or although every backend is content."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model, user_logged_in, user_login_failed
from django.db import Error
from django.dispatch import Signal, receiver
from django.http import HttpRequest
from rest_framework import status
from rest_framework.exceptions import APIException

from . import models, refusals, rotation, sessions
from .decoys import disguise
from .exceptions import Invalid, SecondFactorRequired
from .models import TokenSession
from .signals import announced, session_started
from .throttling import Attempt

# What Django tells of a name whose field is called like a secret: api_id, say.
_LEFT_OUT = "*" * 20

# Where a request keeps what comes of it.
_OUTCOME = "_drf_jwt_kit_sign_in_outcome"


class ComesLate(Invalid):
    """A right password, after too many wrong ones for its account."""


class Outcome:
    """What comes of a request to sign in: what it tries, and how that is answered in the end."""

    def __init__(self, request: Any) -> None:
        """Begin with nothing."""
        self.request = request
        self._begun = _Begun(request)
        self.undecided: dict[str, Attempt] = {}  # by the account as it was sent
        self.refusal: Exception | None = None  # that is answered
        self.statuses: list[int] = []  # of the answer, and of what a project puts it into

    @staticmethod
    def of(request: Any) -> Outcome | None:
        """Return that of ``request``, ``None`` where nobody waits for it."""
        return getattr(request, _OUTCOME, None)

    @property
    def status(self) -> int:
        """Return the status that tells most; what nobody answers is a 500."""
        return max(self.statuses, default=status.HTTP_500_INTERNAL_SERVER_ERROR)

    @property
    def is_refusal(self) -> bool:
        """Return whether nobody is told of a success."""
        return self.refusal is not None or self.status >= status.HTTP_400_BAD_REQUEST

    def resumed(self, request: Any, account: str) -> Attempt | None:
        """Return the attempt that is made once more, if it was made before and is not decided yet."""
        self.request, self.refusal = request, None
        attempt = self.undecided.pop(account, None)
        if attempt is not None:
            attempt.is_doubtful = attempt.is_doubtful or refusals.may_deny(attempt.refusal)
            attempt.was_denied = attempt.refusal = None
        return attempt

    def settle(self) -> None:
        """Decide what was tried. Where it failed after all, nobody gets the tokens of a session that it began."""
        if self.is_refusal:
            self._begun.end(self.request)
        for attempt in self.undecided.values():
            attempt.was_denied = self._denies(attempt)
            with suppress(APIException):  # it is answered already
                _conclude(attempt)
        self.refusal = None  # its frames have the request

    def _denies(self, attempt: Attempt) -> bool:
        """Return whether an attempt was denied: as a refusal says, or the answer where that is a project's own."""
        refusal = self.refusal or attempt.refusal
        if not self.is_refusal and (refusal is None or self._begun.sessions):
            return False
        if refusal is not None and refusals.speaks(refusal):
            denied = refusals.is_guess(self.request, refusal, denied=False, declared=tuple)
        elif self.status == status.HTTP_429_TOO_MANY_REQUESTS or status.is_server_error(self.status):
            denied = False
        else:
            denied = status.is_client_error(self.status) or refusals.may_deny(refusal)
        return denied or attempt.is_doubtful


@contextmanager
def until_answered(request: HttpRequest) -> Iterator[Outcome]:
    """Wait for the answer to ``request`` with what cannot be told of an attempt before.

    That is a success, which may be denied yet, and whatever is no denial for sure.
    """
    outcome, around = Outcome(request), Outcome.of(request)
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

    ``declared`` returns the names of the serializer's fields. Where somebody waits :func:`until_answered`, what was
    not denied stays counted until then, and is the same attempt when it is made once more.

    Raises what :meth:`.throttling.Attempt.begin` does.
    """
    outcome = Outcome.of(request)
    resumed = outcome.resumed(request, account) if outcome is not None else None
    attempt, begun = resumed or Attempt.begin(request, account), _Begun(request)
    with attempt.made_by(request):
        try:
            yield
        except Exception as refusal:
            begun.end(request)
            attempt.was_denied = refusals.is_guess(request, refusal, denied=attempt.was_denied, declared=declared)
            _decide(attempt, outcome, account, refusal)
            raise
        _decide(attempt, outcome, account)


def _decide(attempt: Attempt, outcome: Outcome | None, account: str, refusal: Exception | None = None) -> None:
    """Let an attempt be what it is, or leave it to the outcome."""
    speaks = refusal is not None and refusals.speaks(refusal)
    if outcome is None or attempt.was_denied or speaks:
        attempt.was_denied = attempt.was_denied or (speaks and attempt.is_doubtful)
        _conclude(attempt)
    else:
        attempt.refusal = refusal
        outcome.undecided[account] = attempt


def _conclude(attempt: Attempt) -> None:
    """Let an attempt be a failure, of the account that its name finds as well, or none."""
    attempt.refusal = None  # its frames have the attempt
    if not attempt.was_denied:
        attempt.withdrawn()
        return
    with suppress(Error):
        means(attempt, models.user_named(attempt.sent))
    attempt.failed()


class _Begun:
    """The sessions that begin for a request from now on."""

    def __init__(self, request: Any) -> None:
        self._request, self._before = request, len(announced(session_started, request))

    @property
    def sessions(self) -> list[TokenSession]:
        """Return those that are alive."""
        begun = announced(session_started, self._request)[self._before :]
        return [session for session in begun if session.revoked_at is None]

    def end(self, request: Any) -> None:
        """End them: nobody gets their tokens."""
        for session in self.sessions:
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
