"""simplejwt's tokens, reading their settings when they are made and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID, uuid5

from rest_framework_simplejwt import settings as simplejwt_settings
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.utils import aware_utcnow, datetime_to_epoch, get_md5_hash_password

from . import backends, claims
from .conf import ACCESS_TOKEN, REFRESH_TOKEN, named_class, onto_kit, simple_jwt
from .exceptions import Invalid, WrongType
from .reports import without_secrets

if TYPE_CHECKING:
    from .models import TokenSession


# Where simplejwt's tokens have their type although TOKEN_TYPE_CLAIM is None. JSON has a word for that, too, which
# is their id where JTI_CLAIM is None as well.
_UNNAMED_TYPE = ("null", str(simplejwt_settings.DEFAULTS["TOKEN_TYPE_CLAIM"]))

# What `uuid5(...).hex` looks like (RFC 9562 5.5); simplejwt's ids are version 4.
_DERIVED_ID = re.compile("[0-9a-f]{12}5[0-9a-f]{3}[89ab][0-9a-f]{15}")


class _Lifetime:
    """A token's ``lifetime``: the setting as it is now, on the class and on its instances."""

    def __init__(self, setting: str) -> None:
        self.setting = setting

    def __get__(self, token: object, owner: type[object]) -> timedelta:
        lifetime: timedelta = getattr(simple_jwt(), self.setting)
        return lifetime


class Token(simplejwt.Token):
    """What the kit's tokens share.

    ``session`` is the :class:`~drf_jwt_kit.models.TokenSession` that the token belongs to, once
    that was looked up.
    """

    session: TokenSession | None = None

    def __init__(self, token: Any = None, verify: bool = True) -> None:
        """Decode ``token``, or begin a new one.

        Raises a :class:`~drf_jwt_kit.exceptions.Refused`.
        """
        self.token = token
        self.current_time = aware_utcnow()
        if token is not None:
            try:
                self.payload = backends.decode(self.get_token_backend(), token, verify=verify)
                if verify:
                    self.verify()
            except Exception as error:
                del token  # whoever catches it may log it
                without_secrets(error)
                raise
        else:
            self.payload = {simple_jwt().TOKEN_TYPE_CLAIM: self.token_type}
            self.set_exp()
            self.set_iat()
            self.set_jti()

    @property
    def token_backend(self) -> backends.TokenBackend:
        """Return the class's own backend, or that for the settings as they are now."""
        return self._token_backend or backends.current()  # type: ignore[return-value]

    def get_token_backend(self) -> backends.TokenBackend:
        """Return the backend; override it to sign or verify with another one."""
        return self.token_backend

    def verify(self) -> None:
        """Check what the signature does not say. Override it to check claims of your own."""
        if type(self).check_exp is not simplejwt.Token.check_exp:  # what simplejwt's says, the backend has
            self.check_exp()
        if simple_jwt().TOKEN_TYPE_CLAIM is not None or self.kind is not None:
            self.verify_token_type()

    def verify_token_type(self) -> None:
        """Refuse another kind of token."""
        if self.kind != self.token_type:
            raise WrongType

    @property
    def kind(self) -> Any:
        """Return the token's type, as far as it says."""
        return _said_kind(self.payload)

    def set_jti(self) -> None:
        """Give the token a new id (RFC 7519 4.1.7)."""
        super().set_jti()
        self.payload[simple_jwt().JTI_CLAIM] = self.payload.pop(simplejwt.api_settings.JTI_CLAIM)

    @classmethod
    def for_user(cls, user: Any) -> Self:
        """Return a token for ``user`` that belongs to no session.

        :func:`drf_jwt_kit.sessions.start` makes tokens that can be revoked. A refresh token made
        here becomes a session when it is first used.

        Raises :class:`~drf_jwt_kit.exceptions.Invalid` for a user whom no token can name.
        """
        token, settings = cls(), simple_jwt()
        token[settings.USER_ID_CLAIM] = claims.name_of(user)
        if settings.CHECK_REVOKE_TOKEN:
            token[settings.REVOKE_TOKEN_CLAIM] = get_md5_hash_password(user.password)
        return token

    @property
    def seconds_left(self) -> int:
        """Return how long the token was still valid when it was made or decoded; negative after its end."""
        left: int = self.payload["exp"] - datetime_to_epoch(self.current_time)
        return left

    @property
    def sid(self) -> UUID | None:
        """Return the id of the token's session, ``None`` where it belongs to none."""
        return claims.session_id(self.payload) if claims.SESSION_CLAIM in self.payload else None


class AccessToken(Token, simplejwt.AccessToken):
    """A short-lived token for requests, with ``sid`` where it belongs to a session."""

    lifetime = _Lifetime("ACCESS_TOKEN_LIFETIME")

    def verify(self) -> None:
        """Check that it is no refresh token, also where ``TOKEN_TYPE_CLAIM`` is off."""
        super().verify()
        if claims.GENERATION_CLAIM in self.payload:
            raise WrongType

    def end_by(self, moment: datetime | None) -> None:
        """Let the token expire at ``moment`` if it would outlive it (law 11)."""
        if moment is not None:
            self.payload["exp"] = min(self.payload["exp"], int(moment.timestamp()))


def _check_pairing(payload: dict[str, Any]) -> None:
    """Refuse a refresh token that has one of ``sid`` and ``gen`` without the other.

    One without both was signed by simplejwt, whose ids are random: an id that follows from a session
    was on a token of the kit's.
    """
    has_session = claims.SESSION_CLAIM in payload
    if has_session != (claims.GENERATION_CLAIM in payload):
        raise Invalid
    if not has_session and _DERIVED_ID.fullmatch(str(payload.get(simple_jwt().JTI_CLAIM))):
        raise Invalid


class RefreshToken(Token, simplejwt.RefreshToken):
    """A token that is exchanged for a new pair, once: ``sid`` and ``gen`` say which one it is."""

    lifetime = _Lifetime("REFRESH_TOKEN_LIFETIME")
    access_token_class = AccessToken

    def verify(self) -> None:
        """Check that the token names a session wholly or not at all, and is a refresh token if it names none."""
        check_blacklist = getattr(simplejwt.RefreshToken, "check_blacklist", None)  # there if its app is installed
        if check_blacklist is not None and type(self).check_blacklist is not check_blacklist:
            self.check_blacklist()  # what simplejwt's says, the session has
        super().verify()
        _check_pairing(self.payload)
        if self.sid is None and self.kind != self.token_type:
            raise WrongType

    @property
    def generation(self) -> int:
        """Return how many rotations came before; a token without a session is the first."""
        generation: int = self.payload.get(claims.GENERATION_CLAIM, 0)
        return generation

    @property
    def validity(self) -> timedelta:
        """Return how long the token lasts from ``iat`` to ``exp``."""
        return timedelta(seconds=self.payload["exp"] - self.payload["iat"])

    def belong_to(self, sid: UUID, generation: int) -> None:
        """Make this a refresh token of one generation of one session."""
        self.payload[claims.SESSION_CLAIM] = str(sid)
        self.payload[claims.GENERATION_CLAIM] = generation
        self.payload[simple_jwt().JTI_CLAIM] = uuid5(sid, str(generation)).hex

    def stamp(self, sid: UUID, generation: int, issued_at: datetime, expires_at: datetime) -> None:
        """Make this *the* refresh token of one generation of one session.

        ``jti``, ``iat`` and ``exp`` follow from the arguments alone, so the same arguments make
        the same token again and nothing of it needs to be stored (laws 2 and 5).
        """
        self.belong_to(sid, generation)
        self.payload["iat"] = int(issued_at.timestamp())
        self.payload["exp"] = int(expires_at.timestamp())

    @property
    def access_token(self) -> AccessToken:
        """Return a new access token with this token's claims, except ``no_copy_claims``."""
        access: AccessToken = onto_kit(self.access_token_class, ACCESS_TOKEN)()
        access.current_time = self.current_time
        access.set_exp()
        access.set_iat()
        renamed = (simple_jwt().TOKEN_TYPE_CLAIM, simple_jwt().JTI_CLAIM)
        kept_back = {*self.no_copy_claims, claims.GENERATION_CLAIM, *_UNNAMED_TYPE, *renamed}
        access.payload.update({name: value for name, value in self.payload.items() if name not in kept_back})
        return access


def refresh_class() -> type[RefreshToken]:
    """Return the class by which the project refreshes: its serializer's ``token_class``, resting on the kit's."""
    token_class = getattr(named_class("TOKEN_REFRESH_SERIALIZER"), "token_class", RefreshToken)
    return onto_kit(token_class, REFRESH_TOKEN)  # type: ignore[no-any-return]


def kind_of(payload: Mapping[str, Any]) -> Any:
    """Return the type of a token with these claims; where they say none, what it is good for."""
    said = _said_kind(payload)
    if said is None:
        return (RefreshToken if claims.GENERATION_CLAIM in payload else AccessToken).token_type
    return said


def _said_kind(payload: Mapping[str, Any]) -> Any:
    """Return the type that the claims say."""
    name = simple_jwt().TOKEN_TYPE_CLAIM
    if name is not None:
        return payload.get(name)
    known = _UNNAMED_TYPE if simple_jwt().JTI_CLAIM is not None else _UNNAMED_TYPE[1:]
    return next((payload[unnamed] for unnamed in known if payload.get(unnamed)), None)


class UntypedToken(Token, simplejwt.UntypedToken):
    """A token of any kind, for endpoints that are told nothing of it."""

    lifetime = timedelta(0)

    def verify_token_type(self) -> None:
        """Accept every kind."""

    @property
    def kind(self) -> Any:
        """Return the token's type; where it says none, what it is good for."""
        return kind_of(self.payload)


class RevocableToken(UntypedToken):
    """A token that we signed, however old: good enough to end its session with (RFC 7009 2)."""

    def verify(self) -> None:
        """Check a refresh token as strictly as where it is refreshed."""
        super().verify()
        if self.kind == refresh_class().token_type:
            _check_pairing(self.payload)

    def get_token_backend(self) -> backends.TokenBackend:
        """Return a backend that does not look at ``exp``."""
        return backends.current(any_age=True)
