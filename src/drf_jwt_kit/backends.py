"""simplejwt's token backend, on the key ring and behind the kit's checks of form."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from http.client import HTTPException
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from jwt import InvalidKeyError, PyJWKSetError
from rest_framework_simplejwt.backends import TokenBackend as SimpleJWTTokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken

from . import claims, keys
from .conf import simple_jwt
from .exceptions import Expired, Invalid
from .reports import without_secrets

logger = logging.getLogger("drf_jwt_kit")

_REMEMBERED = 4096  # tokens; each was signed by us, so nobody else can fill this

# What comes of asking a JWKS URL at which there is something else, or nothing to the end.
_NO_KEYS = (PyJWKSetError, ValueError, RecursionError, NotImplementedError, HTTPException, OSError)

# An `exp` this long ago still counts as "signed by us", when a token is only to be revoked.
_ANY_AGE = timedelta(days=365 * 100)


class TokenBackend(SimpleJWTTokenBackend):
    """Decode in the order of cost: size and alphabet, strict JSON, signature, claims."""

    def __init__(self, *args: Any, fallbacks: tuple[SimpleJWTTokenBackend, ...] = (), **kwargs: Any) -> None:
        """Take simplejwt's arguments, and backends whose keys still verify."""
        super().__init__(*args, **kwargs)
        self.fallbacks = fallbacks
        # The keys behind a JWKS URL may be retired without our noticing: nothing is remembered there.
        self._verified = lru_cache(maxsize=0 if self.jwks_client else _REMEMBERED)(self._verify)

    def encode(self, payload: dict[str, Any]) -> str:
        """Return the signed token.

        Raises :exc:`~django.core.exceptions.ImproperlyConfigured` for one that :meth:`decode` would refuse in any
        case, so that a sign-in fails where the claims are made, and not wherever its tokens are sent.
        """
        try:
            token = super().encode(payload)
        except Exception as error:
            without_secrets(error)  # PyJWT's frames have the key, and it may be a project's own view that asks
            raise
        if not _is_sound(token, aud_allowed=self.audience is not None):
            del token  # error reports show what a frame holds
            raise ImproperlyConfigured(
                f"A token would be refused wherever it is sent: it has more than {claims.MAX_TOKEN_BYTES} bytes, or "
                "a claim that is no JSON, such as NaN, or that RFC 7519 4.1 gives another meaning, such as 'aud' where "
                "SIMPLE_JWT has no AUDIENCE, or a 'sub' that is no string."
            )
        return token

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """Return the payload of a token that one of our keys signed and whose time had come.

        A token that was seen to be good is remembered with its claims, which stay as they are;
        whether it has expired meanwhile is asked each time. Without ``verify`` only the form is
        checked, as simplejwt does.

        Raises :class:`~drf_jwt_kit.exceptions.Expired` or
        :class:`~drf_jwt_kit.exceptions.Invalid`.
        """
        token = claims.compact(token)
        if not verify:
            return claims.parse(token)[1]
        payload: dict[str, Any] = json.loads(self._verified(token))
        _ensure_not_over(payload, self)
        return payload

    def _verify(self, token: bytes) -> str:
        """Return the payload, as JSON, with every check made."""
        header, payload = claims.parse(token)
        claims.check_header(header, kid_allowed=self.jwks_client is not None)
        claims.check(payload, aud_allowed=self.audience is not None)
        self._check_signature(token)
        return json.dumps(payload)

    def _check_signature(self, token: bytes) -> None:
        """Let simplejwt and PyJWT verify, with the signing key first."""
        ring = (super().decode, *(backend.decode for backend in self.fallbacks))
        if not any(_verifies(decode, token) for decode in ring):
            raise Invalid


def _is_sound(token: str, *, aud_allowed: bool) -> bool:
    """Return whether a token has the form of one that may be accepted somewhere."""
    try:
        claims.check(claims.parse(claims.compact(token))[1], aud_allowed=aud_allowed)
    except Invalid:
        return False
    return True


def _verifies(decode: Callable[[Any], object], token: bytes) -> bool:
    """Return whether ``decode`` accepts ``token``; its expiry is the same under every key.

    A key that is none, which the checks E007 and E012 tell of, verifies nothing, nor does a JWKS URL without any.
    """
    try:
        decode(token)
    except TokenBackendExpiredToken:
        raise Expired from None
    except TokenBackendError:
        return False
    except (InvalidKeyError, *_NO_KEYS) as error:
        logger.error("A key can verify no token: %s", error)  # noqa: TRY400 - a traceback holds the token
        return False
    return True


def decode(backend: SimpleJWTTokenBackend, token: Any, *, verify: bool) -> dict[str, Any]:
    """Return the payload as ``backend`` has it, whose claims are checked where it is a project's own.

    The form of a token and its audience are such a backend's own business.

    Raises what :meth:`TokenBackend.decode` does.
    """
    try:
        payload: dict[str, Any] = backend.decode(token, verify=verify)
    except TokenBackendExpiredToken:
        raise Expired from None
    except TokenBackendError:
        raise Invalid from None
    if verify and not isinstance(backend, TokenBackend):
        claims.check(payload, aud_allowed=True)
        _ensure_not_over(payload, backend)
    return payload


def _ensure_not_over(payload: dict[str, Any], backend: SimpleJWTTokenBackend) -> None:
    """Raise :class:`~drf_jwt_kit.exceptions.Expired` for a token that was good until now."""
    if payload["exp"] <= time.time() - backend.get_leeway().total_seconds():
        raise Expired


@lru_cache(maxsize=2)
def current(*, any_age: bool = False) -> TokenBackend:
    """Return the backend for the settings as they are now.

    With ``any_age`` an expired token is accepted too: what is only good for being revoked.
    """
    names, ring = simple_jwt(), keys.ring()
    leeway = _ANY_AGE if any_age else names.LEEWAY
    rest = (names.VERIFYING_KEY, names.AUDIENCE, names.ISSUER, names.JWK_URL, leeway, names.JSON_ENCODER)
    fallbacks = tuple(SimpleJWTTokenBackend(ring.algorithm, key, *rest) for key in ring.fallbacks)
    return TokenBackend(ring.algorithm, ring.signing, *rest, fallbacks=fallbacks)


@receiver(setting_changed)
def forget(*, setting: str, **kwargs: Any) -> None:
    """Build the backend anew after a change of the settings it was built from."""
    if setting in {"SIMPLE_JWT", "SECRET_KEY", "SECRET_KEY_FALLBACKS"}:
        current.cache_clear()
