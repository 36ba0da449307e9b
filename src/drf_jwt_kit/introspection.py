"""Whether a token would be accepted right now."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.views.decorators.debug import sensitive_variables
from rest_framework_simplejwt.exceptions import TokenError

from . import adoption, claims, ending, issuance, models, rotation, sessions
from .conf import ACCESS_TOKEN, kit, onto_kit, simple_jwt
from .exceptions import Invalid, UserInactive, WrongType
from .tokens import Token, UntypedToken, refresh_class


def user_of(token: Token) -> Any:
    """Return the user that an access token speaks for, and note its session on the token.

    One query. Raises a :class:`~drf_jwt_kit.exceptions.Refused`.
    """
    if claims.SESSION_CLAIM not in token.payload:
        return _user_without_session(token)
    token.session = sessions.find(token)
    return token.session.user


def ensure_sessionless(token: Token) -> None:
    """Refuse a token of a session, and any other where the project accepts none without."""
    if claims.SESSION_CLAIM in token.payload or not kit().ACCEPT_SESSIONLESS_ACCESS:
        raise Invalid


def _user_without_session(token: Token) -> Any:
    """Return the user of an access token that was made outside of any session."""
    ensure_sessionless(token)
    user = models.user_with_id(claims.user_id(token.payload))
    if simple_jwt().CHECK_USER_IS_ACTIVE and not user.is_active:
        ending.end_all_of_inactive(user)
        raise UserInactive
    adoption.ensure_same_password(token, user)
    return user


class NoneFitsError(Exception):
    """None of ``AUTH_TOKEN_CLASSES`` reads a token; ``refusals`` has each of them, and why."""

    def __init__(self, refusals: list[tuple[Any, TokenError]]) -> None:
        """Take at least one."""
        super().__init__()
        self.refusals = refusals

    @property
    def most_telling(self) -> TokenError:
        """Return the refusal of the first type that the token could have been."""
        refusals = [refused for _token_class, refused in self.refusals]
        fitting = (refused for refused in refusals if getattr(refused, "reason", None) != WrongType.reason)
        return next(fitting, refusals[0])


@sensitive_variables()
def access_token(raw: Any) -> Token:
    """Return the access token in ``raw``, valid by itself, of the first of ``AUTH_TOKEN_CLASSES`` that reads it.

    Raises :class:`NoneFitsError`.
    """
    refusals = []
    for named in simple_jwt().AUTH_TOKEN_CLASSES:
        token_class = onto_kit(named, ACCESS_TOKEN)
        try:
            if not issubclass(token_class, Token):
                _check_form(token_class, raw)
            return token_class(raw)  # type: ignore[no-any-return]
        except TokenError as refused:
            refusals.append((token_class, refused))
    raise NoneFitsError(refusals)


@sensitive_variables()
def read(raw: str, as_any: type[UntypedToken] = UntypedToken) -> Token:
    """Return a token that we signed, of any kind, or that a class of the project's verifies with a key of its own.

    Raises a :class:`~rest_framework_simplejwt.exceptions.TokenError` or :class:`NoneFitsError`.
    """
    for token_class in (as_any, refresh_class()):
        with suppress(TokenError):
            return token_class(raw)
    return access_token(raw)


def _check_form(token_class: Any, raw: Any) -> None:
    """Check what a token class that does not rest on the kit's would take unchecked."""
    _header, payload = claims.parse(claims.compact(raw))
    claims.check(payload, aud_allowed=simple_jwt().AUDIENCE is not None)
    if payload.get(simple_jwt().TOKEN_TYPE_CLAIM) != token_class.token_type:
        raise WrongType


@sensitive_variables()
def ensure_acceptable(raw: str) -> None:
    """Raise why a token of either kind would not be accepted right now.

    Nothing is changed, but that sessions of a user who turns out to be inactive end (law 9).
    """
    if UntypedToken(raw, verify=False).kind == refresh_class().token_type:  # whose own backend may verify it
        refresh = refresh_class()(raw)
        session = sessions.find(refresh)
        rotation.confirm(session, refresh.generation)
        issuance.ensure_source(session)
        return
    try:
        access = access_token(raw)
    except NoneFitsError as refused:
        raise refused.most_telling from None
    user_of(access)
