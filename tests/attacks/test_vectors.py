"""The signatures that the RFCs publish: with their key configured, the kit agrees with every bit of them.

``vectors.json`` has a vector a line: where it stands, its algorithm, its key (public, but for HMAC) and the JWS.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import jwt
import pytest
from rest_framework_simplejwt.exceptions import TokenBackendError

from drf_jwt_kit import backends
from drf_jwt_kit.backends import TokenBackend
from drf_jwt_kit.exceptions import Expired, Invalid
from tests.attacks import forge


class Vector(NamedTuple):
    """One published signature."""

    source: str
    alg: str
    jwk: dict[str, str]
    jws: str

    @property
    def key(self) -> Any:
        """Return the key as PyJWT takes it."""
        return jwt.PyJWK(self.jwk, self.alg).key

    @property
    def claims(self) -> dict[str, Any] | None:
        """Return the claims set, ``None`` where the payload is none."""
        try:
            return forge.payload_of(self.jws)
        except ValueError:
            return None


VECTORS = [Vector(**line) for line in json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))]
JWTS = [vector for vector in VECTORS if vector.claims is not None]
UNSECURED = "eyJhbGciOiJub25lIn0." + JWTS[0].jws.split(".")[1] + "."  # RFC 7515 A.5

# What one key could be used for. A curve has one algorithm: PyJWT does not take its key for another.
ALGORITHMS = {
    "oct": ("HS256", "HS384", "HS512"),
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
}


def named(vector: Vector) -> str:
    """Return the name of a vector for a test's id."""
    return f"{vector.source} {vector.alg}"


@pytest.fixture
def configured(settings: Any, clock: Any) -> Any:
    """A function that configures a vector's key, and returns the backend; it is the day before they expire."""
    clock.move_to(datetime(2011, 3, 21, tzinfo=UTC))

    def configured(vector: Vector, alg: str | None = None) -> TokenBackend:
        of_form = {"TOKEN_TYPE_CLAIM": None, "JTI_CLAIM": None}
        settings.SIMPLE_JWT = of_form | {
            "ALGORITHM": alg or vector.alg,
            "SIGNING_KEY": vector.key,
            "VERIFYING_KEY": vector.key,
        }
        return backends.current()

    return configured


def refusal(backend: TokenBackend, jws: str) -> str | None:
    """Return why the backend's step from signature to claims, simplejwt's, refuses; ``None`` where it does not.

    PyJWT looks at the payload once the signature is known to be good, and says so.
    """
    try:
        super(TokenBackend, backend).decode(jws.encode())
    except TokenBackendError as refused:
        return f"{type(refused.__cause__).__name__}: {refused.__cause__}"
    return None


def is_of_the_payload(refused: str | None) -> bool:
    """Return whether the signature was good and the payload is no claims set."""
    return refused is not None and refused.startswith("DecodeError: Invalid payload string")


def one_bit_changes(jws: str, part: int) -> Iterator[str]:
    """Yield the JWS with each bit of one segment's bytes flipped."""
    segments = jws.split(".")
    raw = forge.opened(segments[part])
    for place in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[place // 8] ^= 1 << place % 8
        yield ".".join([*segments[:part], forge.segment(bytes(flipped)), *segments[part + 1 :]])


@pytest.mark.parametrize("vector", JWTS, ids=named)
def test_a_published_token_verifies(configured: Any, clock: Any, vector: Vector) -> None:
    """RFC 7515 A: the claims come out as the RFC has them, until they expire."""
    assert configured(vector).decode(vector.jws) == vector.claims
    clock.move_to(datetime(2011, 3, 22, 18, 43, tzinfo=UTC))
    with pytest.raises(Expired):
        configured(vector).decode(vector.jws)


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector not in JWTS], ids=named)
def test_a_published_signature_verifies(configured: Any, vector: Vector) -> None:
    """RFC 7515 A.4, RFC 7520 4: the signature is good; that the payload is no claims set is why it is refused."""
    backend = configured(vector)
    assert is_of_the_payload(refusal(backend, vector.jws))
    with pytest.raises(Invalid):
        backend.decode(vector.jws)


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "payload", "signature"])
@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_every_bit_counts(configured: Any, vector: Vector, part: int) -> None:
    """RFC 7515 5.2: each bit of what is signed, and of the signature, changes the verdict about the signature."""
    backend = configured(vector)
    for changed in one_bit_changes(vector.jws, part):
        with pytest.raises(Invalid):
            backend.decode(changed)
        refused = refusal(backend, changed)
        assert refused is not None, changed
        assert not is_of_the_payload(refused), (changed, refused)
        if part > 0:
            assert refused.startswith("InvalidSignatureError"), (changed, refused)


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector.jwk["kty"] in ALGORITHMS], ids=named)
def test_one_algorithm_a_key(configured: Any, vector: Vector) -> None:
    """RFC 8725 3.1: the same key under another algorithm verifies nothing."""
    for alg in ALGORITHMS[vector.jwk["kty"]]:
        if alg != vector.alg:
            backend = configured(vector, alg)
            assert str(refusal(backend, vector.jws)).startswith("InvalidAlgorithmError"), alg
            with pytest.raises(Invalid):
                backend.decode(vector.jws)


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_another_key_verifies_nothing(configured: Any, vector: Vector) -> None:
    """RFC 8725 3.1: no vector verifies under the configuration of another one."""
    for other in VECTORS:
        if (other.jwk, other.alg) != (vector.jwk, vector.alg):
            refused = refusal(configured(other), vector.jws)
            assert refused is not None
            assert not is_of_the_payload(refused), (other.source, refused)


@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_the_unsecured_example_is_refused(configured: Any, vector: Vector) -> None:
    """RFC 7515 A.5: no signature is no token, whatever is configured, and with a good one's signature too."""
    backend = configured(vector)
    for jws in (UNSECURED, UNSECURED + vector.jws.rpartition(".")[2]):
        assert str(refusal(backend, jws)).startswith("InvalidAlgorithmError")
        with pytest.raises(Invalid):
            backend.decode(jws)


def test_the_vectors_are_the_published_ones() -> None:
    """Issue 4: RFC 7515 appendix A and RFC 7520 section 4, each signature once."""
    assert [vector.source for vector in VECTORS] == [
        *("RFC 7515 A.1", "RFC 7515 A.2", "RFC 7515 A.3", "RFC 7515 A.4"),
        *("RFC 7520 4.1", "RFC 7520 4.2", "RFC 7520 4.3", "RFC 7520 4.4"),
    ]
    assert len({vector.jws for vector in VECTORS}) == len(VECTORS)
