"""THREATS "Signature and format", where a private key signs: its public half, and other people's keys, sign nothing."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import logging
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest

from drf_jwt_kit import sessions
from tests.attacks import forge
from tests.attacks.test_signature_and_format import KIDS
from tests.attacks.test_words import Reporter
from tests.conftest import PASSWORD, Tokens

pytest.importorskip("cryptography")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

pytestmark = pytest.mark.django_db

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

MADE: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "PS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}
KEYS = {algorithm: make() for algorithm, make in MADE.items()}
FORGERS = {algorithm: make() for algorithm, make in MADE.items()}


def pem(key: Any) -> str:
    """Return a private key as PEM."""
    layout, secret = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(key.private_bytes(serialization.Encoding.PEM, layout, secret).decode())


def public(key: Any, encoding: str = "PEM", layout: str = "SubjectPublicKeyInfo") -> bytes:
    """Return the public half of a key."""
    named = getattr(serialization.Encoding, encoding), getattr(serialization.PublicFormat, layout)
    return bytes(key.public_key().public_bytes(*named))


FAMILIES: dict[Any, Any] = {
    rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
    ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
    ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
}


def jwk(key: Any) -> dict[str, str]:
    """Return the public half as a JWK."""
    (kind,) = (algorithm for family, algorithm in FAMILIES.items() if isinstance(key, family))
    members: dict[str, str] = json.loads(kind.to_jwk(key.public_key()))
    return members


def bare(key: Any) -> bytes:
    """Return the public half in the writing that its family has beside the common one: PKCS1, a point, 32 bytes."""
    if isinstance(key, rsa.RSAPrivateKey):
        return public(key, "PEM", "PKCS1")
    is_point = isinstance(key, ec.EllipticCurvePrivateKey)
    return public(key, "X962", "UncompressedPoint") if is_point else public(key, "Raw", "Raw")


def in_order(key: Any) -> bytes:
    """Return the JWK as RFC 7638 has it hashed."""
    needed = {name: value for name, value in jwk(key).items() if name in {"crv", "e", "kty", "n", "x", "y"}}
    return json.dumps(needed, separators=(",", ":"), sort_keys=True).encode()


def number(key: Any) -> str:
    """Return the member of the JWK that is the key itself."""
    return jwk(key).get("n") or jwk(key)["x"]


def configure(settings: Any, algorithm: str) -> None:
    """Let the project sign with a private key."""
    key = KEYS[algorithm]
    names = {"ALGORITHM": algorithm, "SIGNING_KEY": pem(key), "VERIFYING_KEY": public(key).decode()}
    settings.SIMPLE_JWT = names


@pytest.fixture(params=MADE)
def algorithm(request: Any, settings: Any) -> str:
    """The project signs with a private key; the attacker knows the public one."""
    configure(settings, request.param)
    return str(request.param)


# The public key, in each writing that might be taken for an HMAC secret.
PUBLIC_SECRETS: dict[str, Callable[[Any], bytes | None]] = {
    "PEM": public,
    "PEM without the last line": lambda key: public(key).rstrip(b"\n"),
    "PEM with one more line": lambda key: public(key) + b"\n",
    "PEM in one line": lambda key: public(key).replace(b"\n", b""),
    "PEM in one line with spaces": lambda key: public(key).replace(b"\n", b" "),
    "PEM with CRLF": lambda key: public(key).replace(b"\n", b"\r\n"),
    "PEM with escaped lines": lambda key: public(key).replace(b"\n", b"\\n"),
    "PEM with BOM": lambda key: b"\xef\xbb\xbf" + public(key),
    "body of the PEM": lambda key: b"\n".join(public(key).splitlines()[1:-1]),
    "body of the PEM in one line": lambda key: b"".join(public(key).splitlines()[1:-1]),
    "DER": lambda key: public(key, "DER"),
    "PKCS1, point or bytes": bare,
    "OpenSSH": lambda key: public(key, "OpenSSH", "OpenSSH"),
    "JWK": lambda key: json.dumps(jwk(key)).encode(),
    "JWK compact": in_order,
    "JWK thumbprint": lambda key: hashlib.sha256(in_order(key)).digest(),
    "JWK thumbprint in base64url": lambda key: forge.segment(hashlib.sha256(in_order(key)).digest()).encode(),
    "member of the JWK": lambda key: number(key).encode(),
    "member of the JWK decoded": lambda key: forge.opened(number(key)),
    "JWKS": lambda key: json.dumps({"keys": [jwk(key)]}).encode(),
    "empty": lambda key: b"",
    "SECRET_KEY": lambda key: None,
}
HMACS = [("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")]


@pytest.mark.parametrize("secret", PUBLIC_SECRETS.values(), ids=PUBLIC_SECRETS)
def test_a_public_key_is_no_secret(algorithm: str, refuse_each: Any, secret: Any) -> None:
    """THREATS: RS/ES/Ed key as HMAC secret in every writing; and ``SECRET_KEY``, which signs no more here."""
    key = secret(KEYS[algorithm])
    for name, digest in (*HMACS, (algorithm, "sha256")):
        header = {"alg": name, "typ": "JWT"}
        refuse_each(lambda payload, header=header, digest=digest: forge.token(payload, header, key, digest))


@pytest.mark.parametrize("other", MADE)
def test_a_foreign_key_signs_nothing(algorithm: str, refuse_each: Any, other: str) -> None:
    """THREATS: a key of another owner or family, alone, and with itself in ``jwk`` or ``x5c``."""
    forger = FORGERS[other]
    certificate = base64.b64encode(public(forger, "DER")).decode()
    for more in ({}, {"jwk": jwk(forger)}, {"x5c": [certificate]}, {"kid": "1", "jwk": jwk(forger)}):
        refuse_each(lambda payload, more=more: jwt.encode(payload, pem(forger), other, headers=more))


def test_an_unsigned_token_is_refused(algorithm: str, refuse_each: Any) -> None:
    """THREATS: none, with nothing and with something behind the dot, and our own ``alg`` over nothing."""
    refuse_each(lambda payload: jwt.encode(payload, None, "none"))
    refuse_each(lambda payload: jwt.encode(payload, None, "none") + "AAAA")
    refuse_each(lambda payload: forge.token(payload, {"alg": algorithm}).rpartition(".")[0] + ".")
    refuse_each(lambda payload: forge.token(payload, {"alg": algorithm}).rpartition(".")[0] + ".AAAA")


SIBLINGS = [("RS256", "RS512"), ("RS256", "PS256"), ("PS256", "RS256"), ("PS256", "PS384")]


@pytest.mark.parametrize(("family", "sibling"), SIBLINGS)
def test_one_key_has_one_algorithm(settings: Any, request: Any, family: str, sibling: str) -> None:
    """THREATS: our own key under its other algorithm (RFC 8725 3.1)."""
    configure(settings, family)
    refuse_each = request.getfixturevalue("refuse_each")
    refuse_each(lambda payload: jwt.encode(payload, pem(KEYS[family]), sibling))


# -- ECDSA -----------------------------------------------------------------------------------------

PSYCHIC = {
    "zeros": bytes(64),
    "zeros in DER": bytes.fromhex("3006020100020100"),
    "ones": (1).to_bytes(32) * 2,
    "order": P256_ORDER.to_bytes(32) * 2,
    "zero and order": bytes(32) + P256_ORDER.to_bytes(32),
    "beyond the order": b"\xff" * 64,
    "long": b"\xff" * 96,
    "short": b"\x01" * 63,
    "one byte": b"\x01",
}


@pytest.mark.parametrize("raw", PSYCHIC.values(), ids=PSYCHIC)
def test_the_psychic_signature_is_refused(settings: Any, request: Any, raw: bytes) -> None:
    """CVE-2022-21449: an ECDSA signature of zeros, and its relatives."""
    configure(settings, "ES256")
    refuse_each = request.getfixturevalue("refuse_each")
    refuse_each(lambda payload: forge.token(payload, {"alg": "ES256"}).rpartition(".")[0] + f".{forge.segment(raw)}")


def ecdsa_twin(token: str) -> str:
    """Return the other signature that verifies."""
    signed, _dot, signature = token.rpartition(".")
    raw = forge.opened(signature)
    twin = f"{signed}.{forge.segment(raw[:32] + (P256_ORDER - int.from_bytes(raw[32:])).to_bytes(32))}"
    assert twin != token
    assert jwt.decode(twin, public(KEYS["ES256"]), ["ES256"], options={"verify_exp": False, "verify_iat": False})
    return twin


@pytest.fixture
def elliptic_tokens(settings: Any, request: Any) -> Tokens:
    """The tokens of a sign-in to a project that signs with ES256."""
    configure(settings, "ES256")
    tokens: Tokens = request.getfixturevalue("tokens")
    return tokens


@pytest.mark.parametrize("door", ["revoke", "blacklist"])
def test_an_ecdsa_twin_dies_with_its_session(doors: Any, elliptic_tokens: Tokens, door: str) -> None:
    """THREATS: (r, n - s) signs as well as (r, s); it has the same ``jti`` and the same end."""
    twins = [ecdsa_twin(token) for token in elliptic_tokens]
    assert doors.header("/api/me/", twins[0]).status_code == 200
    assert doors.body(door, elliptic_tokens.refresh).status_code == 200
    for token in (*elliptic_tokens, *twins):
        doors.refuse(token)


def test_an_ecdsa_twin_ends_the_session_of_its_original(doors: Any, elliptic_tokens: Tokens) -> None:
    """THREATS: what is revoked is the session, whichever signature names it."""
    assert doors.body("revoke", ecdsa_twin(elliptic_tokens.refresh)).status_code == 200
    for token in (*elliptic_tokens, *map(ecdsa_twin, elliptic_tokens)):
        doors.refuse(token)


def test_an_ecdsa_twin_is_no_second_use(doors: Any, elliptic_tokens: Tokens) -> None:
    """Law 1: the same generation under another signature gets the same successor."""
    answers = [doors.body("refresh", text) for text in (elliptic_tokens.refresh, ecdsa_twin(elliptic_tokens.refresh))]
    assert [answer.status_code for answer in answers] == [200, 200]
    first, second = (forge.payload_of(answer.json()["refresh"]) for answer in answers)
    assert (first["jti"], first["gen"]) == (second["jti"], second["gen"])


# -- A set of keys behind a URL --------------------------------------------------------------------


@pytest.fixture
def published(settings: Any) -> Iterator[list[str]]:
    """A project that verifies by a set of keys elsewhere; the paths that it asked for."""
    asked: list[str] = []
    keys = json.dumps({"keys": [{**jwk(KEYS["RS256"]), "kid": "one", "use": "sig"}]}).encode()

    class Publishes(BaseHTTPRequestHandler):
        """A server with one set of keys."""

        def do_GET(self) -> None:
            """Answer with it."""
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(keys)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Publishes) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/jwks.json"
        settings.SIMPLE_JWT = {"ALGORITHM": "RS256", "SIGNING_KEY": pem(KEYS["RS256"]), "JWK_URL": url}
        yield asked
        server.shutdown()
        thread.join()


def issued(user: Any, kind: str, kid: Any, owners: dict[str, Any] = KEYS) -> str:
    """Return what the issuer would sign, under any ``kid``."""
    now = int(time.time())
    payload = {"user_id": str(user.pk), "exp": now + 300, "iat": now, "jti": "x", "token_type": kind}
    parts = [forge.segment(forge.as_bytes(part)) for part in ({"alg": "RS256", "kid": kid}, payload)]
    sign = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).sign
    return ".".join([*parts, forge.segment(sign(".".join(parts).encode(), owners["RS256"]))])


@pytest.mark.parametrize("kid", [*KIDS, "one ", "One", "one\0", ["one"]], ids=forge.label)
def test_a_key_id_that_is_not_published_is_refused(doors: Any, user: Any, published: list[str], kid: Any) -> None:
    """THREATS: ``kid`` of every kind, and unknown, with a valid signature (k); nothing is fetched but the one set."""
    for kind in ("access", "refresh"):
        doors.refuse(issued(user, kind, kid))
    assert doors.header("/api/me/", issued(user, "access", "one")).status_code == 200
    assert set(published) == {"/jwks.json"}


def test_a_known_key_id_does_not_vouch_for_another_key(doors: Any, user: Any, published: list[str]) -> None:
    """THREATS: the ``kid`` of a published key over the signature of another."""
    for kind in ("access", "refresh"):
        doors.refuse(issued(user, kind, "one", FORGERS))


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("path", ["token/", "token/refresh/"])
def test_the_report_of_a_claim_that_cannot_be_written_holds_no_private_key(
    client: Any, user: Any, settings: Any, algorithm: str, *, path: str, debug: bool
) -> None:
    """Law 10: neither the mail, nor its frames' variables, nor the page of ``DEBUG``."""
    body = {"username": "alice", "password": PASSWORD, "refresh": str(sessions.start(user).refresh)}
    settings.DEBUG, settings.DRF_JWT_KIT = debug, {"CLAIMS": "tests.attacks.test_words.dated_claims"}
    reporter, logger = Reporter(), logging.getLogger("django.request")
    logger.addHandler(reporter)
    answer = client.post(f"/api/{path}", body, format="json")
    logger.removeHandler(reporter)
    told = "".join([*reporter.reports, html.unescape(answer.content.decode())])
    assert "not JSON serializable" in told
    assert not [line for line in pem(KEYS[algorithm]).splitlines() if line in told and "PRIVATE" not in line]
    assert "PrivateKey object" not in told
