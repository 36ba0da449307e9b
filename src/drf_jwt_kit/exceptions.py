"""What the kit refuses, and how a refusal is answered over HTTP.

Domain code raises a :class:`Refused`. Views and authenticators turn it into an answer in one
place, :func:`unauthorized`.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions as drf
from rest_framework import status
from rest_framework_simplejwt import exceptions as simplejwt

from .challenges import challenge, demand, plain
from .conf import kit

if TYPE_CHECKING:
    from rest_framework.response import Response


logger = logging.getLogger("drf_jwt_kit")

# Modules: DRF's and simplejwt's, the kit's serializers, and `sensitive_variables` itself.
_HOLD_WHAT_WAS_POSTED = ("rest_framework", "drf_jwt_kit.serializers", "django.views.decorators.debug")


class Refused(simplejwt.TokenError):
    """A token that is not accepted.

    ``reason`` is the contract's word for why, ``code`` the one that an authenticator answers
    with, ``sentence`` says it to a person. The token itself is never part of it.
    """

    code = "token_not_valid"
    reason = "invalid"
    sentence: str | Promise = _("Token is invalid")

    def __init__(self, sentence: str | Promise | None = None) -> None:
        """Take another sentence than the class's own where one says more."""
        super().__init__(sentence or self.sentence)


class Invalid(Refused):
    """Malformed, badly signed, or with claims that nobody may make."""


class Expired(Refused, simplejwt.ExpiredTokenError):
    """Past its ``exp``, or past the absolute end of its session."""

    reason = "expired"
    sentence = _("Token is expired")


class WrongType(Refused):
    """An access token where a refresh token belongs, or the reverse."""

    reason = "wrong_type"
    sentence = _("Token has wrong type")


class Revoked(Refused):
    """Its session was ended, or is not known (any more)."""

    reason = "revoked"
    sentence = _("Token has been revoked")


class Reused(Refused):
    """A refresh token that was rotated already: RFC 9700 4.14.2."""

    reason = "reused"
    sentence = _("Refresh token has already been used")


class UserInactive(Refused):
    """The user may not sign in now."""

    code = reason = "user_inactive"
    sentence = _("User is inactive")


class UserNotFound(Refused):
    """There is no such user (any more)."""

    code = reason = "user_not_found"
    sentence = _("User not found")


class PasswordChanged(Refused):
    """The user's credentials changed after the session began."""

    code = reason = "password_changed"
    sentence = _("The user's password has been changed.")


class _Unauthorized:
    """An answer that stays a 401 with its own challenge.

    DRF overwrites both attributes with what the view's *first* authenticator says, and makes it a
    403 where that one has no challenge. A refused token is a 401 wherever the authenticator stands.
    """

    def __init__(self, *args: Any, challenge: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._challenge = challenge

    @property
    def status_code(self) -> int:
        """Return 401."""
        return status.HTTP_401_UNAUTHORIZED

    @status_code.setter
    def status_code(self, value: int) -> None:
        """Ignore DRF's 403."""

    @property
    def auth_header(self) -> str:
        """Return the challenge for ``WWW-Authenticate``."""
        return self._challenge

    @auth_header.setter
    def auth_header(self, value: str) -> None:
        """Ignore another authenticator's challenge."""


class InvalidToken(_Unauthorized, simplejwt.InvalidToken):  # type: ignore[misc]
    """401 for a token that was sent and refused."""


class AuthenticationFailed(_Unauthorized, simplejwt.AuthenticationFailed):  # type: ignore[misc]
    """401 for an ``Authorization`` header that makes no sense."""


class SecondFactorRequired(drf.APIException):
    """401: the password was right, and the sign-in goes on with a second factor.

    For a ``SIGN_IN_GATE`` to raise where none was sent. It is no guess, so it does not count as a
    failed sign-in; a wrong factor does, and is an :exc:`~rest_framework.exceptions.AuthenticationFailed`.
    ``more`` goes into the body: strings, and lists of them (``methods=["otp"]``).
    """

    status_code = status.HTTP_401_UNAUTHORIZED
    default_detail = _("A second factor is required")
    default_code = "second_factor_required"

    def __init__(self, detail: str | Promise | None = None, code: str | None = None, **more: Any) -> None:
        """Take DRF's arguments, and what a client needs to know of the factors."""
        code = code or self.default_code
        body: Any = {"detail": detail or self.default_detail, "code": code, **more}
        super().__init__(body, code)


class GateRefused(drf.APIException):
    """400: what a ``SIGN_IN_GATE`` had against the body, told from the errors of a serializer's own fields."""

    status_code = status.HTTP_400_BAD_REQUEST


class ServiceUnavailable(drf.APIException):
    """503: what the answer depends on is down. Nothing is let through meanwhile (law 8)."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = _("Service is temporarily unavailable, try again later.")
    default_code = "service_unavailable"
    wait = 5  # seconds, DRF's name for Retry-After

    def __init__(self) -> None:
        """Say so, with the code in the body."""
        super().__init__({"detail": self.default_detail, "code": self.default_code})


def unauthorized(
    refused: simplejwt.TokenError, *, scheme: str, realm: str, detail: dict[str, Any] | None = None
) -> InvalidToken:
    """Return the 401 for a refused token.

    ``detail`` overrides parts of the body (``detail``, ``code``, ``messages``). A project's own
    token class may raise simplejwt's bare ``TokenError``: its sentence is kept.
    """
    sentence = refused.args[0] if refused.args else Invalid.sentence
    reason = getattr(refused, "reason", "expired" if isinstance(refused, simplejwt.ExpiredTokenError) else "invalid")
    body = {"detail": sentence, "code": "token_not_valid", "reason": reason, **(detail or {})}
    return InvalidToken(body, challenge=challenge(scheme, realm, sentence))


def log_failure(sentence: str, error: BaseException, *, in_words: bool = True) -> None:
    """Log what failed with its traceback as text.

    Handlers that report frames with their variables (Django's mails to the admins, error trackers)
    get none: in the frames between a request and its failure are passwords and tokens (law 10).
    An error that may repeat what it was given, in whatever encoding, is not told ``in_words``: its class
    and its place are.
    """
    text = "".join(traceback.format_exception(error) if in_words else _without_words(error))
    logger.error("%s\n%s", sentence, text)


def _without_words(error: BaseException | None) -> Iterator[str]:
    """Yield the tracebacks of the errors before an error, and its own, each with its class alone."""
    if error is not None:
        yield from _without_words(error.__cause__ or error.__context__)
        yield from traceback.format_tb(error.__traceback__)
        yield f"{type(error).__module__}.{type(error).__qualname__}\n"


def without_posted_data(error: BaseException) -> BaseException:
    """Return ``error`` without the frames whose variables hold what was posted (law 10).

    ``sensitive_variables`` hides them from Django's reports alone, and not where ``DEBUG`` is on.
    """
    kept: TracebackType | None = None
    for frame, lineno in reversed(list(traceback.walk_tb(error.__traceback__))):
        if not frame.f_globals.get("__name__", "").startswith(_HOLD_WHAT_WAS_POSTED):
            kept = TracebackType(kept, frame, frame.f_lasti, lineno)
    for chained in (error.__cause__, error.__context__):
        if chained is not None:
            without_posted_data(chained)
    return error.with_traceback(kept)


@contextmanager
def nothing_rolled_back() -> Iterator[None]:
    """Save a surrounding transaction from DRF, which condemns it when it answers an exception."""
    sound = [connection for connection in connections.all(initialized_only=True) if not connection.needs_rollback]
    yield
    for connection in sound:
        if connection.in_atomic_block:
            connection.set_rollback(False)


def with_code(exc: drf.APIException) -> drf.APIException:
    """Return ``exc`` with its stable code in the body, beside the sentence."""
    if isinstance(exc.detail, str):
        exc.detail = {"detail": exc.detail, "code": exc.get_codes()}  # type: ignore[dict-item]
    return exc


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer as DRF does, with ``code`` where no credentials were sent and a challenge where some were not enough.

    The kit puts it beneath the project's ``REST_FRAMEWORK["EXCEPTION_HANDLER"]``; a project with a
    handler of its own calls this one where it calls DRF's.
    """
    from rest_framework import views  # freezes DRF's defaults: never before the app is made

    if isinstance(exc, drf.NotAuthenticated):
        with_code(exc)
        _ask_for_a_token(exc, context)
    elif isinstance(exc, drf.AuthenticationFailed):
        _stay_unauthorized(exc, context.get("request"))
    elif isinstance(exc, drf.PermissionDenied):
        demand(exc, context.get("request"))
    return views.exception_handler(exc, context)


def _ask_for_a_token(exc: drf.APIException, context: dict[str, Any]) -> None:
    """Answer 401 with a challenge where ``ANONYMOUS_STATUS`` wants one (RFC 6750 3).

    DRF asks the first authenticator only, which may have none.
    """
    request: Any = context.get("request")
    if kit().ANONYMOUS_STATUS != status.HTTP_401_UNAUTHORIZED or request is None:
        return
    challenges = (known.authenticate_header(request) for known in getattr(request, "authenticators", None) or ())
    if header := next(filter(None, challenges), None):
        exc.status_code = status.HTTP_401_UNAUTHORIZED
        exc.auth_header = header  # type: ignore[attr-defined]


def _stay_unauthorized(exc: drf.AuthenticationFailed, request: Any) -> None:
    """Keep a refusal a 401 where tokens are asked for: a view's own, of what was sent in a body, say.

    DRF asks the first authenticator only, and makes it a 403 where that one has no challenge.
    """
    lowered = exc.status_code == status.HTTP_403_FORBIDDEN and type(exc).status_code == status.HTTP_401_UNAUTHORIZED
    if lowered and (header := plain(request)):
        exc.status_code = status.HTTP_401_UNAUTHORIZED
        exc.auth_header = header  # type: ignore[attr-defined]
