"""What a token's bytes and claims may look like, before anything acts on them.

Every function here is total: whatever the input, it returns or raises
:class:`~drf_jwt_kit.exceptions.Invalid`.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from typing import Any, Never
from uuid import UUID

from .conf import simple_jwt
from .exceptions import Invalid

SESSION_CLAIM = "sid"
GENERATION_CLAIM = "gen"
AUTHENTICATION_TIME_CLAIM = "auth_time"
METHODS_CLAIM = "amr"
SCOPE_CLAIM = "scope"

# What no setting may give another meaning: RFC 7519 4.1, OpenID Connect Core 2, and the kit's own.
REGISTERED = frozenset({"exp", "iat", "nbf", "aud", "iss", SESSION_CLAIM, GENERATION_CLAIM, AUTHENTICATION_TIME_CLAIM})

MAX_TOKEN_BYTES = 8 * 1024
LATEST_TIME = 253_402_214_400  # 9999-12-31T00:00:00Z: a day that every time zone can write
MAX_GENERATION = 2**31 - 1
MAX_TEXT = 255

# RFC 7515 3.1: three base64url segments without padding. RFC 7515 4.1: what else a header may
# hold; `crit`, `b64`, `zip` and keys that travel with the token are refused by not being here.
_COMPACT_FORM = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_NAMES_OF_KEYS = {"kid", "x5t", "x5t#S256"}
_HEADER_PARAMETERS = {"alg", "typ", *_NAMES_OF_KEYS}
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def compact(token: object) -> bytes:
    """Return ``token`` as bytes if it has the size and the alphabet of a compact JWS."""
    if isinstance(token, str) and len(token) <= MAX_TOKEN_BYTES:
        token = token.encode("utf-8", "replace")
    if not isinstance(token, bytes) or len(token) > MAX_TOKEN_BYTES or not _COMPACT_FORM.fullmatch(token):
        raise Invalid
    return token


def parse(token: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and payload of a compact JWS, both as strict JSON objects (RFC 7515 5.2)."""
    header, payload, _signature = token.split(b".")
    return json_object(header), json_object(payload)


def json_object(segment: bytes) -> dict[str, Any]:
    """Return the JSON object in a segment: UTF-8 without BOM, no key twice, no NaN (RFC 8259)."""
    try:
        text = base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4)).decode("utf-8")
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Invalid from None
    if not isinstance(value, dict):
        raise Invalid
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a dict; a key that stands twice means two things (RFC 8725 2.8)."""
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Invalid
    return values


def _refuse(constant: str) -> Never:
    """Refuse ``NaN`` and the infinities, which are not JSON."""
    raise Invalid


def check_header(header: Mapping[str, Any], *, kid_allowed: bool) -> None:
    """Refuse a header that asks for more than an algorithm and, for JWKs, a key id (RFC 8725 3)."""
    if not header.keys() <= _HEADER_PARAMETERS or not isinstance(header.get("alg"), str):
        raise Invalid
    if not isinstance(header.get("typ", "JWT"), str) or header.get("typ", "JWT").upper() != "JWT":
        raise Invalid
    if "kid" in header and not kid_allowed:
        raise Invalid
    for name in _NAMES_OF_KEYS & header.keys():
        text(header, name)


def check(payload: Mapping[str, Any], *, aud_allowed: bool = False) -> None:
    """Refuse registered claims of a wrong type or out of range (RFC 7519 4.1), and an ``aud`` that nobody asked for."""
    names = simple_jwt()
    _check_times(payload)
    if (not aud_allowed and "aud" in payload) or not isinstance(payload.get("sub", ""), str):
        raise Invalid
    if names.JTI_CLAIM is not None:
        text(payload, names.JTI_CLAIM)
    if names.TOKEN_TYPE_CLAIM is not None:
        text(payload, names.TOKEN_TYPE_CLAIM)
    _check_session(payload)


def _check_times(payload: Mapping[str, Any]) -> None:
    """Refuse times that are not seconds since the epoch, or beyond the year 9999."""
    for name in ("exp", "iat", "nbf"):
        value: Any = payload.get(name)
        if (name in payload or name == "exp") and not _is_time(value):
            raise Invalid


def _is_time(value: Any) -> bool:
    """Return whether ``value`` is a NumericDate that a calendar can write (RFC 7519 2)."""
    return type(value) in (int, float) and 0 <= value <= LATEST_TIME


def _check_session(payload: Mapping[str, Any]) -> None:
    """Refuse a ``sid`` that is not a canonical UUID and a ``gen`` that is not a count."""
    if SESSION_CLAIM in payload:
        session_id(payload)
    if GENERATION_CLAIM in payload:
        value = payload[GENERATION_CLAIM]
        if type(value) is not int or not 0 <= value <= MAX_GENERATION:
            raise Invalid


def text(payload: Mapping[str, Any], name: str) -> str:
    """Return the claim ``name``: 1 to 255 characters, none of them a control or a surrogate."""
    return _as_text(payload.get(name))


def _as_text(value: Any) -> str:
    """Return ``value`` if it is such a text."""
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEXT or _UNPRINTABLE.search(value):
        raise Invalid
    return value


def session_id(payload: Mapping[str, Any]) -> UUID:
    """Return ``sid`` as a UUID; only its canonical spelling counts (RFC 9562 4)."""
    value = text(payload, SESSION_CLAIM)
    try:
        sid = UUID(value)
    except ValueError:
        raise Invalid from None
    if str(sid) != value:
        raise Invalid
    return sid


def session_of(auth: Any) -> UUID | None:
    """Return the id of the session of what a request came with, ``None`` where that is no token of a session."""
    payload = getattr(auth, "payload", None) or {}
    try:
        return session_id(payload) if SESSION_CLAIM in payload else None
    except Invalid:  # another issuer may have a claim of that name
        return None


def user_id(payload: Mapping[str, Any]) -> str:
    """Return the user's id as text.

    simplejwt writes it as a string since 5.5 and wrote integers as they were before.
    """
    name = simple_jwt().USER_ID_CLAIM
    value = payload.get(name)
    if type(value) is int and abs(value) < 2**63:
        return str(value)
    return text(payload, name)


def name_of(user: Any) -> str:
    """Return the id by which tokens name ``user``; raise where none can: it is null, empty or no text."""
    value = getattr(user, simple_jwt().USER_ID_FIELD)
    return _as_text(None if value is None else str(value))


def scopes(payload: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes that a token grants: one string, delimited by spaces (RFC 8693 4.2)."""
    value = payload.get(SCOPE_CLAIM)
    return frozenset(value.split(" ")) if isinstance(value, str) else frozenset()


def methods(payload: Mapping[str, Any]) -> frozenset[str]:
    """Return how the user signed in: an array of strings (RFC 8176 1)."""
    value: Any = payload.get(METHODS_CLAIM)
    sound = isinstance(value, list) and all(isinstance(method, str) for method in value)
    return frozenset(value) if sound else frozenset()


def seconds_since_sign_in(payload: Mapping[str, Any], now: float) -> float:
    """Return how long ago the user signed in, endless where ``auth_time`` is no time (OpenID Connect Core 2)."""
    signed_in_at: Any = payload.get(AUTHENTICATION_TIME_CLAIM)
    return now - float(signed_in_at) if _is_time(signed_in_at) else math.inf


def reserved() -> frozenset[str]:
    """Return the names that only the kit writes; no project's claim may take them."""
    names = simple_jwt()
    own = {"jti", names.JTI_CLAIM, names.TOKEN_TYPE_CLAIM, names.USER_ID_CLAIM, names.REVOKE_TOKEN_CLAIM}
    return REGISTERED - {AUTHENTICATION_TIME_CLAIM} | own
