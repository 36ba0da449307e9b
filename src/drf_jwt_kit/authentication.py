"""Authenticators: from a request's credentials to its user."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.db import Error
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from rest_framework import exceptions as drf
from rest_framework.request import Request
from rest_framework_simplejwt import authentication as simplejwt
from rest_framework_simplejwt import tokens as simplejwt_tokens
from rest_framework_simplejwt.exceptions import TokenError

from . import claims, introspection, models
from .challenges import challenge
from .conf import kit, schemes, simple_jwt
from .exceptions import (
    AuthenticationFailed,
    Expired,
    InvalidToken,
    Refused,
    ServiceUnavailable,
    UserInactive,
    UserNotFound,
    unauthorized,
    with_code,
)
from .reports import log_database_failure, without_secrets
from .tokens import Token

# RFC 9110 11.4: a scheme, then its credentials after spaces.
_CREDENTIALS = re.compile(rb"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(.*)", re.DOTALL)
_TOKEN = re.compile(rb"[ \t]+([^ \t]+)[ \t]*")


class JWTAuthentication(simplejwt.JWTAuthentication):
    """Authenticate by ``Authorization: Bearer <access token>``, strictly.

    One query brings session and user together, so a session that was ended is refused at once.
    Every override point of simplejwt's class is kept: ``get_header``, ``get_raw_token``,
    ``get_validated_token``, ``get_user``, ``www_authenticate_realm``.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the user and the access token, or ``None`` where no token was sent.

        Raises 401 for one that is refused, and 503 where the database cannot tell (law 8).
        """
        with self._answered():
            found = super().authenticate(request)
            if found is not None:
                _ensure_session(found[1])
            return found

    def authenticate_header(self, request: Request) -> str | None:  # type: ignore[override]
        """Return the challenge for a request that sent nothing; ``None`` makes it a 403.

        A refused token brings its own. For another scheme that was sent and refused, the
        authenticator that knows it speaks.
        """
        if kit().ANONYMOUS_STATUS == 401:
            return f'{schemes()[0]} realm="{self.www_authenticate_realm}"'
        if self.get_header(request) is None:
            return None
        others = (other for other in getattr(request, "authenticators", ()) if not isinstance(other, JWTAuthentication))
        return next(filter(None, (other.authenticate_header(request) for other in others)), None)

    def get_header(self, request: Request) -> bytes | None:  # type: ignore[override]
        """Return the header that may hold a token."""
        header = request.META.get(simple_jwt().AUTH_HEADER_NAME)
        return header.encode("iso-8859-1", "replace") if isinstance(header, str) else header

    def get_raw_token(self, header: bytes) -> bytes | None:
        """Return the token in ``header``, ``None`` where it speaks another scheme.

        Schemes have no case (RFC 9110 11.1). A header that no scheme can be read from, or ours with
        anything but one token behind it, is refused.
        """
        match = _CREDENTIALS.fullmatch(header)
        if match is None:
            if not header.strip():
                return None
            raise self._bad_header(_("Authorization header is malformed"))
        scheme, credentials = match.groups()
        if scheme.lower() not in {name.lower().encode() for name in schemes()}:
            return None
        token = _TOKEN.fullmatch(credentials)
        if token is None:
            raise self._bad_header(_("Authorization header must contain two space-delimited values"))
        return token[1]

    @sensitive_variables()
    def get_validated_token(self, raw_token: bytes) -> Token:
        """Return the access token, valid by itself: its session is looked at by ``get_user``."""
        try:
            return introspection.access_token(raw_token)
        except introspection.NoneFitsError as refused:
            raise self._none_fits(refused) from None

    def get_user(self, validated_token: Token) -> Any:  # type: ignore[override]
        """Return the user of a valid access token whose session is alive.

        Override it to bring more than the user's row; ``validated_token.session`` is the session
        once this method has returned. One that does not call this costs another query, for the session.
        Users of another model, whom ``user_model`` names, have no sessions.
        """
        with self._answered():
            if issubclass(self.user_model, get_user_model()):
                return _seen_as(self.user_model, introspection.user_of(validated_token))
            introspection.ensure_sessionless(validated_token)
            return super().get_user(validated_token)

    @contextmanager
    def _answered(self) -> Iterator[None]:
        """Answer what is refused or fails inside, wherever an override calls it from; no report shows the token."""
        try:
            yield
        except Exception as error:
            without_secrets(error)
            if isinstance(error, Refused):
                raise self._refusal(error, {"code": error.code}) from None
            if isinstance(error, drf.AuthenticationFailed):
                raise self._challenged(error) from error.__cause__
            if isinstance(error, Error):
                log_database_failure(error)
                raise ServiceUnavailable from error
            raise

    def _none_fits(self, refused: introspection.NoneFitsError) -> InvalidToken:
        """Return the refusal of a token that is of no accepted type."""
        detail: dict[str, Any] = {"messages": [_message(*refusal) for refusal in refused.refusals]}
        if getattr(refused.most_telling, "reason", None) != Expired.reason:
            detail["detail"] = _("Given token not valid for any token type")
        return self._refusal(refused.most_telling, detail)

    def _refusal(self, refused: TokenError, detail: dict[str, Any]) -> InvalidToken:
        """Return the 401 for a refused token."""
        return unauthorized(refused, scheme=schemes()[0], realm=self.www_authenticate_realm, detail=detail)

    def _challenged(self, refusal: drf.AuthenticationFailed) -> drf.AuthenticationFailed:
        """Return a refusal with a challenge: its own, or what its sentence makes."""
        if isinstance(refusal, (AuthenticationFailed, InvalidToken)):
            return refusal
        with_code(refusal)
        body: Any = refusal.detail
        sentence = str(body.get("detail", refusal.default_detail) if isinstance(body, dict) else refusal.default_detail)
        answer = AuthenticationFailed(challenge=challenge(schemes()[0], self.www_authenticate_realm, sentence))
        answer.detail = body
        return answer

    def _bad_header(self, sentence: str | Promise) -> AuthenticationFailed:
        """Return the 401 for a header that names our scheme and no token."""
        return AuthenticationFailed(
            sentence,
            code="bad_authorization_header",
            challenge=challenge(schemes()[0], self.www_authenticate_realm, sentence),
        )


def _seen_as(user_model: type[Any], user: Any) -> Any:
    """Return ``user`` as a proxy, or a child, of the user model has it; there nobody may be found, or active."""
    if isinstance(user, user_model):
        return user
    found = user_model.objects.using(models.writing_database()).filter(pk=user.pk).first()
    if found is None:
        raise UserNotFound
    if simple_jwt().CHECK_USER_IS_ACTIVE and not found.is_active:
        raise UserInactive
    return found


def _ensure_session(token: Any) -> None:
    """Refuse a token whose session an overridden ``get_user`` has not looked at, if it has ended (law 4)."""
    if not isinstance(token, simplejwt_tokens.Token) or getattr(token, "session", None) is not None:
        return
    if claims.SESSION_CLAIM in token.payload:
        introspection.user_of(cast("Token", token))
    else:
        introspection.ensure_sessionless(cast("Token", token))


def _message(token_class: type[Token], refused: TokenError) -> dict[str, Any]:
    """Return simplejwt's line on why a token is not of one type."""
    return {"token_class": token_class.__name__, "token_type": token_class.token_type, "message": refused.args[0]}
