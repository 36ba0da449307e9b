"""Tokens that no client should hold, made by hand: with our own key, another one or none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.conf import settings

HEADER = {"alg": "HS256", "typ": "JWT"}
ABSENT = "absent"  # instead of the JSON text of a claim: the claim is not there


def segment(raw: bytes) -> str:
    """Return one segment of a compact JWS."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def opened(text: str) -> bytes:
    """Return the bytes of one segment."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def payload_of(token: str) -> dict[str, Any]:
    """Return what a token says, unverified."""
    payload: dict[str, Any] = json.loads(opened(token.split(".")[1]))
    return payload


def as_bytes(part: Mapping[str, Any] | bytes) -> bytes:
    """Return a header or payload as JSON; bytes are taken as they are."""
    return part if isinstance(part, bytes) else json.dumps(part).encode()


def sealed(first: str, second: str, key: str | bytes | None = None, digest: str = "sha256") -> str:
    """Return two finished segments with their HMAC, by our own key unless another is given."""
    secret = settings.SECRET_KEY if key is None else key
    secret = secret.encode() if isinstance(secret, str) else secret
    signature = hmac.new(secret, f"{first}.{second}".encode(), getattr(hashlib, digest)).digest()
    return f"{first}.{second}.{segment(signature)}"


def token(
    payload: Mapping[str, Any] | bytes,
    header: Mapping[str, Any] | bytes = HEADER,
    key: str | bytes | None = None,
    digest: str = "sha256",
) -> str:
    """Return a token with any header, any payload and a right signature."""
    return sealed(segment(as_bytes(header)), segment(as_bytes(payload)), key, digest)


def with_claim(payload: Mapping[str, Any], name: str, text: str) -> bytes:
    """Return ``payload`` as JSON with the JSON text ``text`` for the claim ``name``."""
    others = {key: value for key, value in payload.items() if key != name}
    if text == ABSENT:
        return as_bytes(others)
    members = [f"{json.dumps(key)}:{json.dumps(value)}" for key, value in others.items()]
    return ("{" + ",".join([*members, f"{json.dumps(name)}:{text}"]) + "}").encode("utf-8", "surrogatepass")


def without_session(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of a token that simplejwt alone would have made."""
    return {name: value for name, value in payload.items() if name not in {"sid", "gen"}} | {"jti": uuid4().hex}


def label(value: Any) -> str:
    """Return a short name for a vector in a test's id, with its length where it is cut."""
    text = ascii(value)
    return text if len(text) <= 40 else f"{text[:32]} of {len(text)}"
