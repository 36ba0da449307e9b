"""The token backend: which signatures count, and until when."""

from __future__ import annotations

import hmac
import json
import socket
import struct
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.core.exceptions import ImproperlyConfigured

from drf_jwt_kit import backends, claims
from drf_jwt_kit.exceptions import Expired, Invalid
from drf_jwt_kit.tokens import AccessToken
from tests.conftest import bearer

KEY = "k" * 32
OLD = "o" * 32
OLDER = "p" * 32


def pem(key: Any) -> str:
    """Return a private key as PEM."""
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def public_pem(key: Any) -> str:
    """Return its public key as PEM."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)


@pytest.fixture
def rotated(settings: Any) -> None:
    """A project that changed its ``SECRET_KEY`` twice."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = KEY, [OLD, OLDER]


def signed(key: Any = KEY, algorithm: str = "HS256", headers: Any = None, **more: Any) -> str:
    """Return a token with sound claims, whoever signed it."""
    payload = {"exp": 4_000_000_000, "jti": "x", "token_type": "access", "user_id": "1", **more}
    return jwt.encode(payload, key, algorithm=algorithm, headers=headers)


def forged(algorithm: str, secret: str) -> str:
    """Return a token whose header names any algorithm, signed with HMAC-SHA-256, which PyJWT would not do."""
    header = jwt.utils.base64url_encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    signing_input = header + b"." + signed().split(".")[1].encode()
    signature = hmac.digest(secret.encode(), signing_input, "sha256")
    return (signing_input + b"." + jwt.utils.base64url_encode(signature)).decode()


@pytest.mark.usefixtures("rotated")
class TestFallbacks:
    """``SECRET_KEY_FALLBACKS``."""

    @pytest.mark.parametrize("key", [KEY, OLD, OLDER])
    def test_each_key_verifies(self, key: str) -> None:
        """DESIGN 7: the first signs, all verify."""
        assert backends.current().decode(signed(key))["user_id"] == "1"

    @pytest.mark.parametrize("key", [KEY, OLD, OLDER])
    def test_an_expired_token_is_expired_under_each_key(self, key: str) -> None:
        """SC-003: the reason is clear, whichever key signed."""
        with pytest.raises(Expired):
            backends.current().decode(signed(key, exp=1))

    def test_a_stranger_is_invalid(self) -> None:
        """And not expired, although it says so: nobody we know signed it."""
        for exp in (1, 4_000_000_000):
            with pytest.raises(Invalid):
                backends.current().decode(signed("x" * 32, exp=exp))

    def test_the_first_key_signs(self) -> None:
        """Whoever reads it needs no other."""
        assert jwt.decode(str(AccessToken()), KEY, algorithms=["HS256"])

    def test_a_retired_key_is_refused_at_once(self, settings: Any) -> None:
        """THREATS, sessions: also for a token that was accepted a moment ago."""
        token = signed(OLD)
        backends.current().decode(token)
        settings.SECRET_KEY_FALLBACKS = [OLDER]
        with pytest.raises(Invalid):
            backends.current().decode(token)


NO_KEYS = {
    "empty": {"SECRET_KEY_FALLBACKS": [""]},
    "empty bytes": {"SECRET_KEY_FALLBACKS": [b""]},
    "among others": {"SECRET_KEY_FALLBACKS": [OLD, "", OLDER]},
    "a public key for HMAC": {"SECRET_KEY_FALLBACKS": [public_pem(RSA)]},
    "an empty signing key": {"SIMPLE_JWT": {"SIGNING_KEY": ""}},
    "no verifying key": {"SIMPLE_JWT": {"ALGORITHM": "RS256", "SIGNING_KEY": pem(RSA)}},
    "a broken verifying key": {
        "SIMPLE_JWT": {"ALGORITHM": "RS256", "SIGNING_KEY": pem(RSA), "VERIFYING_KEY": "broken"}
    },
}


@pytest.mark.django_db
@pytest.mark.parametrize("ring", NO_KEYS)
def test_a_key_that_is_none_verifies_nothing(settings: Any, client: Any, caplog: Any, ring: str) -> None:
    """2.2 and law 10: no 500 for whoever sends a token; what is wrong with the key is logged, without either."""
    settings.SECRET_KEY = KEY
    for name, value in NO_KEYS[ring].items():
        setattr(settings, name, value)
    token = signed(pem(OTHER_RSA), "RS256") if "verifying" in ring else signed("x" * 40)
    answers = [
        client.get("/api/me/", **bearer(token)),
        client.post("/api/token/verify/", {"token": token}, format="json"),
    ]
    assert [(answer.status_code, answer.data["reason"]) for answer in answers] == [(401, "invalid")] * 2
    records = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert records
    assert all(record.startswith("A key can verify no token: ") and token not in record for record in records)


@pytest.mark.usefixtures("rotated")
def test_a_key_that_is_none_hides_no_other(settings: Any) -> None:
    """DESIGN 7: all others verify."""
    settings.SECRET_KEY_FALLBACKS = ["", OLD]
    for key in (KEY, OLD):
        assert backends.current().decode(signed(key))["user_id"] == "1"


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "RS256", "none", "hs256", "", "HS256 "])
def test_another_algorithm_is_invalid(settings: Any, algorithm: str) -> None:
    """THREATS, signature: only the one that is configured."""
    settings.SECRET_KEY = KEY
    assert backends.current().decode(forged("HS256", KEY))["jti"] == "x"
    with pytest.raises(Invalid):
        backends.current().decode(forged(algorithm, KEY))


@pytest.mark.parametrize("any_age", [False, True])
def test_only_what_is_to_be_revoked_may_be_old(settings: Any, any_age: bool) -> None:
    """RFC 7009: an expired token still names its session."""
    settings.SECRET_KEY = KEY
    token, backend = signed(exp=1), backends.current(any_age=any_age)
    if any_age:
        assert backend.decode(token)["exp"] == 1
    else:
        with pytest.raises(Expired):
            backend.decode(token)


def test_a_token_is_not_verified_without_need(settings: Any) -> None:
    """As in simplejwt, ``verify=False`` looks at the form alone."""
    settings.SECRET_KEY = KEY
    assert backends.current().decode(signed("x" * 32), verify=False)["user_id"] == "1"
    with pytest.raises(Invalid):
        backends.current().decode("garbage", verify=False)


@pytest.mark.parametrize(
    "added",
    [
        pytest.param({"large": "x" * 8192}, id="long"),
        pytest.param({"score": float("nan")}, id="NaN"),
        pytest.param({"scores": [{"deep": float("-inf")}]}, id="infinite"),
        pytest.param({"aud": "shop"}, id="aud without AUDIENCE"),
        pytest.param({"nbf": "2026-01-01"}, id="nbf that is no time"),
        pytest.param({"jti": ""}, id="no jti"),
    ],
)
def test_what_would_be_refused_is_not_signed(settings: Any, added: dict[str, Any]) -> None:
    """A sign-in whose tokens nobody accepts fails where it can be found, and not at every later request."""
    settings.SECRET_KEY = KEY
    token = AccessToken()
    assert AccessToken(str(token))["jti"] == token["jti"]
    token.payload |= added
    with pytest.raises(ImproperlyConfigured, match="more than 8192 bytes"):
        str(token)


def test_what_was_decoded_once_can_be_changed_without_harm(settings: Any) -> None:
    """DESIGN 5: a remembered token holds its claims; nobody's changes reach the next request."""
    settings.SECRET_KEY = KEY
    token = signed(roles=["member"])
    backends.current().decode(token)["roles"].append("admin")
    assert backends.current().decode(token)["roles"] == ["member"]


@pytest.mark.parametrize("depth", [10, 500, 900, 950, 980, 1100, 2500])
def test_a_deep_claim_is_read_or_refused(settings: Any, depth: int) -> None:
    """THREATS, format (k): nothing else is raised, however deep."""
    settings.SECRET_KEY = KEY
    payload = b'{"exp": 4000000000, "jti": "x", "token_type": "access", "a": %b1%b}' % (b"[" * depth, b"]" * depth)
    token = jwt.api_jws.encode(payload, KEY, algorithm="HS256")
    try:
        assert backends.current().decode(token)["jti"] == "x"
    except Invalid:
        return


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", RSA),
        ("PS256", RSA),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    ],
)
class TestKeyPairs:
    """Keys of two halves, by simplejwt's own settings."""

    @pytest.fixture(autouse=True)
    def _configured(self, settings: Any, algorithm: str, key: Any) -> None:
        """Name both halves."""
        settings.SIMPLE_JWT = {"ALGORITHM": algorithm, "SIGNING_KEY": pem(key), "VERIFYING_KEY": public_pem(key)}

    def test_what_one_half_signs_the_other_verifies(self, algorithm: str, key: Any) -> None:
        """FR-001: ``SIGNING_KEY`` and ``VERIFYING_KEY`` keep their meaning."""
        assert AccessToken(str(AccessToken()))["token_type"] == "access"

    def test_the_public_half_is_no_hmac_secret(self, algorithm: str, key: Any) -> None:
        """THREATS, signature: the classic confusion."""
        for named in ("HS256", algorithm):
            with pytest.raises(Invalid):
                backends.current().decode(forged(named, public_pem(key)))


CUT_OFF = b'{"keys": [' + b" " * 65_536  # after which the server resets the connection


RSA_JWK = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key()))


@pytest.fixture
def jwks(settings: Any) -> Iterator[list[Any]]:
    """The keys that a server publishes, and a project that verifies by them."""
    published = [{**RSA_JWK, "kid": "one", "use": "sig"}]

    class Publishes(BaseHTTPRequestHandler):
        """Answer with the keys."""

        def do_GET(self) -> None:
            """Answer."""
            self.send_response(200)
            self.end_headers()
            instead = next((one for one in published if isinstance(one, bytes)), None)
            self.wfile.write(json.dumps({"keys": published}).encode() if instead is None else instead)
            if instead == CUT_OFF:
                self.wfile.flush()
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Publishes) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/jwks.json"
        settings.SIMPLE_JWT = {"ALGORITHM": "RS256", "SIGNING_KEY": pem(RSA), "JWK_URL": url}
        yield published
        server.shutdown()
        thread.join()


def test_a_jwks_url_gives_the_key(jwks: Any) -> None:
    """FR-001: ``JWK_URL`` keeps its meaning, and there a ``kid`` is no fault."""
    token = signed(pem(RSA), "RS256", headers={"kid": "one"})
    assert backends.current().decode(token)["user_id"] == "1"


@pytest.mark.parametrize(
    ("key", "headers"),
    [(OTHER_RSA, {"kid": "one"}), (RSA, {"kid": "two"}), (OTHER_RSA, {"kid": "../one"}), (RSA, None)],
)
def test_a_key_that_is_not_published_is_invalid(jwks: Any, key: Any, headers: Any) -> None:
    """THREATS, format: an unknown ``kid``, or a known one over another key."""
    with pytest.raises(Invalid):
        backends.current().decode(signed(pem(key), "RS256", headers=headers))


def test_a_key_that_is_withdrawn_is_refused(jwks: Any) -> None:
    """Nothing is remembered of keys that somebody else keeps."""
    token = signed(pem(RSA), "RS256", headers={"kid": "one"})
    backends.current().decode(token)
    jwks[0]["kid"] = "two"
    backends.current().jwks_client.fetch_data()  # as PyJWT does every five minutes
    with pytest.raises(Invalid):
        backends.current().decode(token)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"keys": 5}',
        b'{"keys": []}',
        b'{"keys": [5]}',
        b'{"keys": [{}]}',
        pytest.param(CUT_OFF, id="cut off"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"1" * 6_000, id="a long number"),
        pytest.param(json.dumps({"keys": [{**RSA_JWK, "kid": "one", "alg": "none"}]}).encode(), id="alg none"),
    ],
    ids=repr,
)
def test_what_is_no_set_of_keys_verifies_nothing(jwks: Any, caplog: Any, answer: bytes) -> None:
    """2.2: a page for maintenance in its place was a 500, with the token in its report."""
    jwks[:] = [answer]
    token = signed(pem(RSA), "RS256", headers={"kid": "one"})
    with pytest.raises(Invalid):
        backends.current().decode(token)
    assert token not in caplog.text


def test_a_change_of_other_settings_keeps_the_backend(settings: Any) -> None:
    """It is built once, not for each request."""
    before = backends.current()
    settings.PAGE_SIZE = 3
    assert backends.current() is before
    settings.SECRET_KEY = KEY
    assert backends.current() is not before


@pytest.mark.parametrize("subject", [5, None, True, ["x"], {}], ids=repr)
def test_a_subject_that_is_no_text_is_not_signed(subject: Any) -> None:
    """RFC 7519 4.1.2: PyJWT would refuse the token wherever it is sent."""
    with pytest.raises(ImproperlyConfigured):
        backends.current().encode({"exp": claims.LATEST_TIME, "jti": "x", "token_type": "access", "sub": subject})
