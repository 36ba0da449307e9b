"""What the kit refuses, and how a refusal is answered over HTTP.

Domain code raises a :class:`Refused`. Views and authenticators turn it into an answer in one
place, :func:`unauthorized`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import connections
from django.http import Http404, UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions as drf
from rest_framework import status
from rest_framework_simplejwt import exceptions as simplejwt

from .challenges import challenge, demand, plain
from .conf import kit
from .reports import let_be_reported

if TYPE_CHECKING:
    from rest_framework.response import Response


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


class BodyTooLarge(drf.APIException):
    """413: more than ``DATA_UPLOAD_MAX_MEMORY_SIZE``."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "Request body is too large."
    default_code = "request_too_large"


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
    token class may raise simplejwt's bare ``TokenError``: its sentence is kept, or what it has instead of one.
    """
    told: Any = refused.args[0] if refused.args else Invalid.sentence
    own = told if isinstance(told, dict) else {"detail": told}
    sentence = own.get("detail", Invalid.sentence)
    reason = getattr(refused, "reason", "expired" if isinstance(refused, simplejwt.ExpiredTokenError) else "invalid")
    body = {"detail": sentence, "code": "token_not_valid", "reason": reason, **own, **(detail or {})}
    return InvalidToken(body, challenge=challenge(scheme, realm, sentence))


def in_drfs_words(exc: Exception) -> Exception:
    """Return what DRF would raise where ``exc`` is one of Django's exceptions that mean a 4xx, else ``exc`` itself."""
    if isinstance(exc, RequestDataTooBig):
        return BodyTooLarge()
    if isinstance(exc, (BadRequest, SuspiciousOperation, UnreadablePostError)):
        return drf.ParseError()
    if isinstance(exc, (PermissionDenied, Http404)):  # as DRF's handler has it
        answer = drf.NotFound if isinstance(exc, Http404) else drf.PermissionDenied
        return answer(*exc.args)
    return exc


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
        code = getattr(exc.detail, "code", exc.default_code)
        exc.detail = {"detail": exc.detail, "code": drf.ErrorDetail(code, code)}
    return exc


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer as DRF does, with ``code`` where no credentials were sent and a challenge where some were not enough.

    The kit puts it beneath the project's ``REST_FRAMEWORK["EXCEPTION_HANDLER"]``; a project with a
    handler of its own calls this one where it calls DRF's.
    """
    from rest_framework import views  # freezes DRF's defaults: never before the app is made

    request = context.get("request")
    if isinstance(exc, drf.NotAuthenticated):
        with_code(exc)
        _ask_for_a_token(exc, request)
    elif isinstance(exc, drf.AuthenticationFailed):
        _stay_unauthorized(exc, request)
    elif isinstance(exc, drf.PermissionDenied):
        demand(exc, request)
    response = views.exception_handler(exc, context)
    if request is not None and response is not None and status.is_server_error(response.status_code):
        let_be_reported(request)
    return response


def _ask_for_a_token(exc: drf.APIException, request: Any) -> None:
    """Answer 401 with a challenge where ``ANONYMOUS_STATUS`` wants one (RFC 6750 3).

    DRF asks the first authenticator only, which may have none.
    """
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
