"""THREATS "Signature and format": only the exact bytes that our key signed are a token."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import product
from typing import Any

import pytest

from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.tokens import AccessToken
from tests.attacks import forge
from tests.attacks.conftest import BODY_DOORS, Make
from tests.attacks.work import steps
from tests.conftest import Tokens

pytestmark = pytest.mark.django_db

ALL_KINDS = ("access", "refresh", "access without session", "refresh without session")


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_the_forge_makes_good_tokens(doors: Any, kinds: Any, kind: str) -> None:
    """What the attacks change is what gets them refused: unchanged, each kind is accepted."""
    token = forge.token(kinds[kind])
    if kind.startswith("access"):
        assert doors.header("/api/me/", token).status_code == 200
    else:
        assert doors.body("refresh", token).status_code == 200


# -- The header ------------------------------------------------------------------------------------

NONE = sorted({"".join(letters) for letters in product(*zip("none", "NONE", strict=True))})  # every spelling
ALGORITHMS: list[Any] = [
    *(*NONE, " none", "none ", "none\0", "\u0000none", "n\u043ene", "\uff4eone", "none\n", "none,HS256", "", "null"),
    *("hs256", "Hs256", "hS256", "HS256 ", " HS256", "HS-256", "HS256\0", "HS256\n", "\uff28S256", "HS256,none"),
    *(
        "SHA256",
        "HS384",
        "HS512",
        "HS1",
        "HS2560",
        "HS25",
        "HMAC",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    ),
    *("RS256", "RS384", "RS512", "PS256", "ES256", "ES256K", "ES512", "EdDSA", "Ed25519", "dir", "A128KW"),
    *(None, True, False, 0, 256, 1.5, 2**70, float("nan")),
    *([], ["HS256"], ["none", "HS256"], {}, {"HS256": 1}, {"alg": "HS256"}),
]


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=forge.label)
def test_another_algorithm_is_refused(refuse_each: Any, algorithm: Any) -> None:
    """THREATS: ``alg`` in every spelling and JSON type, with the signature that our key makes."""
    refuse_each(lambda payload: forge.token(payload, {**forge.HEADER, "alg": algorithm}))


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", None], ids=forge.label)
@pytest.mark.parametrize("signature", ["", "e30", "AA", "A", "_", "-"])
def test_a_token_without_a_signature_is_refused(refuse_each: Any, algorithm: Any, signature: str) -> None:
    """THREATS: unsecured tokens, with nothing or a word where the signature was."""
    header = {**forge.HEADER, "alg": algorithm}
    refuse_each(lambda payload: forge.token(payload, header).rpartition(".")[0] + f".{signature}")


@pytest.mark.parametrize(("digest", "algorithm"), [("sha384", "HS384"), ("sha512", "HS512")])
def test_another_hash_with_our_key_is_refused(refuse_each: Any, digest: str, algorithm: str) -> None:
    """THREATS: one algorithm a key, though the signature is right."""
    refuse_each(lambda payload: forge.token(payload, {**forge.HEADER, "alg": algorithm}, digest=digest))
    refuse_each(lambda payload: forge.token(payload, digest=digest))


@pytest.mark.parametrize("key", ["", "\0", "secret", "SECRET_KEY", "null", "None", "x" * 64], ids=forge.label)
def test_another_key_is_refused(refuse_each: Any, key: str) -> None:
    """THREATS: guessed and empty keys."""
    refuse_each(lambda payload: forge.token(payload, key=key))


HEADERS: dict[str, dict[str, Any]] = {
    "no alg": {"typ": "JWT"},
    "crit": {**forge.HEADER, "crit": ["exp"]},
    "crit unknown": {**forge.HEADER, "crit": ["unknown"], "unknown": True},
    "crit empty": {**forge.HEADER, "crit": []},
    "crit null": {**forge.HEADER, "crit": None},
    "crit text": {**forge.HEADER, "crit": "exp"},
    "crit number": {**forge.HEADER, "crit": 1},
    "crit object": {**forge.HEADER, "crit": {"b64": True}},
    "crit twice": {**forge.HEADER, "crit": ["exp", "exp"]},
    "crit of a registered name": {**forge.HEADER, "crit": ["alg"]},
    "crit of numbers": {**forge.HEADER, "crit": [1, None]},
    "crit of nothing": {**forge.HEADER, "crit": [""]},
    "crit true": {**forge.HEADER, "crit": True},
    "crit false": {**forge.HEADER, "crit": False},
    "crit b64": {**forge.HEADER, "crit": ["b64"], "b64": True},
    "b64 false": {**forge.HEADER, "b64": False},
    "b64 true": {**forge.HEADER, "b64": True},
    "b64 text": {**forge.HEADER, "b64": "false"},
    "b64 null": {**forge.HEADER, "b64": None},
    "zip": {**forge.HEADER, "zip": "DEF"},
    "zip null": {**forge.HEADER, "zip": None},
    "zip gzip": {**forge.HEADER, "zip": "GZIP"},
    "enc": {**forge.HEADER, "enc": "A256GCM"},
    "cty": {**forge.HEADER, "cty": "JWT"},
    "jwk": {**forge.HEADER, "jwk": {"kty": "oct", "k": "AAAA"}},
    "jku": {**forge.HEADER, "jku": "http://127.0.0.1:9/jwks.json"},
    "x5u": {**forge.HEADER, "x5u": "http://127.0.0.1:9/cert.pem"},
    "x5c": {**forge.HEADER, "x5c": ["MIIB"]},
    "url": {**forge.HEADER, "url": "http://127.0.0.1:9/"},
    "keys of another case": {"ALG": "HS256", "Typ": "JWT"},
    "alg in two cases": {**forge.HEADER, "ALG": "none"},
    "empty name": {**forge.HEADER, "": "JWT"},
    "a claim": {**forge.HEADER, "exp": 9_999_999_999},
    "prototype": {**forge.HEADER, "__proto__": {"alg": "none"}},
    "epk": {**forge.HEADER, "epk": {"kty": "OKP"}},
    "ppt": {**forge.HEADER, "ppt": "shaken"},
    "nonce": {**forge.HEADER, "nonce": "x"},
    "typ of an access token": {"alg": "HS256", "typ": "access"},
    "typ id_token": {"alg": "HS256", "typ": "id_token"},
    "typ application": {"alg": "HS256", "typ": "application/at+jwt"},
    "typ secevent": {"alg": "HS256", "typ": "secevent+jwt"},
    "typ entity": {"alg": "HS256", "typ": "entity-statement+jwt"},
    "typ JWE": {"alg": "HS256", "typ": "JWE"},
    "typ NUL": {"alg": "HS256", "typ": "JWT\0"},
    "typ true": {"alg": "HS256", "typ": True},
    "typ object": {"alg": "HS256", "typ": {"JWT": 1}},
    "typ full-width": {"alg": "HS256", "typ": "\uff2aWT"},
    "typ of a refresh token": {"alg": "HS256", "typ": "refresh"},
    "typ at+jwt": {"alg": "HS256", "typ": "at+jwt"},
    "typ logout": {"alg": "HS256", "typ": "logout+jwt"},
    "typ dpop": {"alg": "HS256", "typ": "dpop+jwt"},
    "typ JWS": {"alg": "HS256", "typ": "JOSE+JSON"},
    "typ null": {"alg": "HS256", "typ": None},
    "typ number": {"alg": "HS256", "typ": 1},
    "typ list": {"alg": "HS256", "typ": ["JWT"]},
    "typ empty": {"alg": "HS256", "typ": ""},
    "typ padded": {"alg": "HS256", "typ": " JWT"},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_that_asks_for_more_is_refused(refuse_each: Any, header: dict[str, Any]) -> None:
    """THREATS: ``crit``, ``b64``, ``zip``, keys that travel with the token, other types (k)."""
    refuse_each(lambda payload: forge.token(payload, header))


KIDS: list[Any] = [
    *("", "1", "default", "unknown", "../../../../dev/null", "/dev/null", "..\\..\\nul", "C:\\nul", "|id", "$(id)"),
    *("' OR 1=1 --", "1' UNION SELECT 'x", "http://127.0.0.1:9/key", "file:///etc/hostname", "ldap://127.0.0.1:9"),
    *("🔑", "\0", "a\0b", "\ud800", "\r\nX: y", "{{7*7}}", "${jndi:ldap://x}", "%00", "x" * 3000, "x" * 100_000),
    *(None, True, 0, -1, 2**70, 1.5, [], ["1"], {}, {"$ne": 1}),
]


@pytest.mark.parametrize("kid", KIDS, ids=lambda kid: f"{ascii(kid)[:30]} {len(str(kid))}")
def test_a_key_id_is_refused(refuse_each: Any, kid: Any) -> None:
    """THREATS: ``kid`` of every kind, unknown, with a valid signature (k)."""
    refuse_each(lambda payload: forge.token(payload, {**forge.HEADER, "kid": kid}))


class Trap(BaseHTTPRequestHandler):
    """A server of keys that notes who asks."""

    visits: list[str] = []

    def do_GET(self) -> None:
        """Answer with the forger's key."""
        self.visits.append(self.path)
        body = json.dumps({"keys": [{"kty": "oct", "kid": "1", "k": "AAAA"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def trap() -> Iterator[tuple[str, list[str]]]:
    """The address of a trap that runs, and its visitors."""
    server = HTTPServer(("127.0.0.1", 0), Trap)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    Trap.visits.clear()
    yield f"http://127.0.0.1:{server.server_port}/keys", Trap.visits
    server.shutdown()
    thread.join()
    server.server_close()


EMBEDDED = {"kty": "oct", "k": "AAAA"}  # the key of the forger, as the trap publishes it
LINKS = ["jku", "x5u", "jwk", "x5c", "kid", "iss", "url", "jwks_uri"]


@pytest.mark.parametrize(
    ("parameter", "key"),
    [*product(LINKS, [b"\0\0\0", None]), ("x5t", b"\0\0\0"), ("x5t#S256", b"\0\0\0")],
    ids=lambda value: value if isinstance(value, str) else {None: "our key"}.get(value, "the forger's"),
)
def test_nothing_is_fetched_for_a_token(refuse_each: Any, trap: Any, parameter: str, key: Any) -> None:
    """THREATS: ``jwk``, ``jku``, ``x5u``, ``x5c`` and their like: refused, no outbound fetch, whoever signed."""
    url, visits = trap
    value: Any = {"jwk": EMBEDDED, "x5c": [url]}.get(parameter, url)
    refuse_each(lambda payload: forge.token({**payload, "iss": url}, {**forge.HEADER, parameter: value}, key))
    assert visits == []


# -- The form --------------------------------------------------------------------------------------


def sealed_with(more: str, payload: dict[str, Any], part: int) -> str:
    """Return a token with ``more`` at the end of one segment, signed with it."""
    segments = [forge.segment(forge.as_bytes(forge.HEADER)), forge.segment(forge.as_bytes(payload))]
    segments[part] += more
    return forge.sealed(*segments)


def standard_base64(payload: dict[str, Any]) -> str:
    """Return a token in the alphabet of MIME, which has a plus and a slash in it for sure."""
    raw = forge.as_bytes({**payload, "more": "?>?>?>\u00ff~~~"}) + b" " * 2
    texts = [base64.b64encode(part).decode().rstrip("=") for part in (forge.as_bytes(forge.HEADER), raw)]
    assert {"+", "/"} & set(texts[1])
    return forge.sealed(*texts)


def in_hexadecimal(token: str) -> str:
    """Return a token with its right signature in another writing."""
    signed, _dot, signature = token.rpartition(".")
    return f"{signed}.{forge.opened(signature).hex()}"


def upper_signature(token: str) -> str:
    """Return a token with the letters of its signature in capitals."""
    signed, _dot, signature = token.rpartition(".")
    return f"{signed}.{signature.upper()}"


FORMS: dict[str, Make] = {
    "nothing": lambda payload: "",
    "one segment": lambda payload: forge.token(payload).split(".")[1],
    "two segments": lambda payload: forge.token(payload).rpartition(".")[0],
    "four segments": lambda payload: forge.token(payload) + ".AAAA",
    "five segments": lambda payload: forge.token(payload) + ".AAAA.AAAA",
    "dots": lambda payload: "..",
    "many dots": lambda payload: "." * 8000,
    "two million dots": lambda payload: "." * 2_000_000,
    "leading dot": lambda payload: "." + forge.token(payload),
    "trailing dot": lambda payload: forge.token(payload) + ".",
    "no header": lambda payload: "." + forge.token(payload).partition(".")[2],
    "no payload": lambda payload: "{0}..{2}".format(*forge.token(payload).split(".")),
    "no signature": lambda payload: forge.token(payload).rpartition(".")[0] + ".",
    "double quotes": lambda payload: f'"{forge.token(payload)}"',
    "single quotes": lambda payload: f"'{forge.token(payload)}'",
    "brackets": lambda payload: f"<{forge.token(payload)}>",
    "python bytes": lambda payload: f"b'{forge.token(payload)}'",
    "another scheme": lambda payload: "JWT " + forge.token(payload),
    "twice": lambda payload: forge.token(payload) + "," + forge.token(payload),
    "inner space": lambda payload: forge.token(payload).replace(".", ". ", 1),
    "inner tab": lambda payload: forge.token(payload).replace(".", "\t.", 1),
    "inner line": lambda payload: forge.token(payload).replace(".", ".\n", 1),
    "leading line": lambda payload: "\n" + forge.token(payload),
    "trailing line": lambda payload: forge.token(payload) + "\n",
    "trailing CR LF": lambda payload: forge.token(payload) + "\r\n",
    "trailing form feed": lambda payload: forge.token(payload) + "\x0c",
    "trailing NUL": lambda payload: forge.token(payload) + "\0",
    "non-breaking space": lambda payload: forge.token(payload) + "\u00a0",
    "BOM": lambda payload: "\ufeff" + forge.token(payload),
    "full-width dots": lambda payload: forge.token(payload).replace(".", "\uff0e"),
    "full-width letter": lambda payload: "\uff45" + forge.token(payload)[1:],
    "exclamations": lambda payload: forge.token(payload) + "!!!!",
    "percent": lambda payload: forge.token(payload).replace(".", "%2e"),
    "padded signature": lambda payload: forge.token(payload) + "=",
    "padded twice": lambda payload: forge.token(payload) + "==",
    "padded header": lambda payload: sealed_with("=", payload, 0),
    "padded payload": lambda payload: sealed_with("=", payload, 1),
    "padded payload to the full": lambda payload: sealed_with("===", payload, 1),
    "padded header to the full": lambda payload: sealed_with("====", payload, 0),
    "padding inside": lambda payload: forge.token(payload).replace(".", "=.", 2),
    "padding alone": lambda payload: forge.token(payload).rpartition(".")[0] + ".=",
    "plus in the payload": lambda payload: sealed_with("+", payload, 1),
    "slash in the payload": lambda payload: sealed_with("/", payload, 1),
    "plus in the header": lambda payload: sealed_with("++++", payload, 0),
    "line in the payload": lambda payload: sealed_with("\n", payload, 1),
    "exclamations in the payload": lambda payload: sealed_with("!!!!", payload, 1),
    "impossible length": lambda payload: sealed_with("A", {**payload, "n": "xx"}, 1),
    "standard base64": standard_base64,
    "plus in the signature": lambda payload: forge.token(payload)[:-1] + "+",
    "slash in the signature": lambda payload: forge.token(payload)[:-1] + "/",
    "signature in hexadecimal": lambda payload: in_hexadecimal(forge.token(payload)),
    "signature in upper case": lambda payload: upper_signature(forge.token(payload)),
    "too big": lambda payload: forge.token({**payload, "more": "x" * 8192}),
    "1.3 MB": lambda payload: forge.token({**payload, "more": "x" * 1_000_000}),
    "big header": lambda payload: forge.token(payload, {**forge.HEADER, "x5t": "x" * 8192}),
    "big signature": lambda payload: forge.token(payload) + "A" * 8192,
    "signature cut": lambda payload: forge.token(payload)[:-4],
    "signature longer": lambda payload: forge.token(payload) + "AAAA",
    "signature of another": lambda payload: forge.token(payload).rpartition(".")[0] + forge.token({})[-44:],
    "JSON serialisation": lambda payload: json.dumps(
        dict(zip(("protected", "payload", "signature"), forge.token(payload).split("."), strict=True))
    ),
    "general JSON serialisation": lambda payload: json.dumps({"payload": "e30", "signatures": [{"signature": "e30"}]}),
    "segments in a list": lambda payload: json.dumps(forge.token(payload).split(".")),
    "PASETO": lambda payload: "v4.local." + forge.token(payload).split(".")[1],
    "JWE": lambda payload: ".".join([forge.segment(b'{"alg":"dir","enc":"A128GCM"}'), "", "AA", "AA", "AA"]),
    "a text": lambda payload: "undefined",
    "an emoji": lambda payload: "🎫.🎫.🎫",
    "a path": lambda payload: "../../../etc/passwd",
    "surrogate": lambda payload: "\ud800" + forge.token(payload),
}


WIDTHLESS = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u034f\u2028\u0085\u001f\u00a0\u3000"


@pytest.mark.parametrize("character", WIDTHLESS, ids=ascii)
def test_what_cannot_be_seen_is_refused(refuse_each: Any, character: str) -> None:
    """THREATS: inner white space and zero-width characters, in front, between, inside and behind."""
    refuse_each(lambda payload: character + forge.token(payload))
    refuse_each(lambda payload: forge.token(payload).replace(".", f".{character}", 1))
    refuse_each(lambda payload: forge.token(payload)[:40] + character + forge.token(payload)[40:])
    refuse_each(lambda payload: forge.token(payload) + character)


@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
def test_what_is_not_exactly_a_compact_jws_is_refused(refuse_each: Any, make: Make) -> None:
    """THREATS: segments, padding, alphabets, white space, size; signed rightly where that can be (k)."""
    refuse_each(make)


BIG: dict[str, Make] = {
    "1.3 MB, rightly signed": lambda payload: forge.token({**payload, "more": "x" * 1_000_000}),
    "1.3 MB of signature": lambda payload: forge.token(payload) + "A" * 1_300_000,
    "2 MB of dots": lambda payload: "." * 2_000_000,
    "2 MB of letters": lambda payload: "A" * 2_000_000,
}


@pytest.mark.parametrize("door", ["header", *BODY_DOORS])
@pytest.mark.parametrize("make", BIG.values(), ids=BIG)
def test_a_token_is_too_big_at_a_glance(doors: Any, kinds: Any, make: Make, door: str) -> None:
    """THREATS: 1.3 MB and 2 MB under 20 ms: nothing goes through a token that no cap lets through."""
    token = make(kinds["access"])

    def knock() -> None:
        answer = doors.header("/api/me/", token) if door == "header" else doors.body(door, token)
        assert answer.status_code == (200 if door == "revoke" else 401)

    assert steps(knock) < 10_000


@pytest.mark.parametrize("space", [" ", "\t", "  "], ids=forge.label)
def test_white_space_around_a_token_is_not_a_token(doors: Any, tokens: Tokens, space: str) -> None:
    """THREATS: a body's token is taken as it was sent; around a header's, HTTP allows white space."""
    for token in tokens:
        doors.refuse_in_body(space + token)
        doors.refuse_in_body(token + space)
    assert doors.header("/api/me/", space + tokens.access + space).status_code == 200
    doors.admit(*tokens)


def nested(depth: int, opening: str, inside: str, closing: str) -> str:
    """Return JSON nested ``depth`` deep."""
    return opening * depth + inside + closing * depth


def deep(payload: dict[str, Any], depth: int, part: str, opening: str = "[", closing: str = "]") -> str:
    """Return a token with something deep in its header or payload."""
    text = nested(depth, opening, "" if opening == "[" else "null", closing)
    if part == "header":
        return forge.token(payload, forge.with_claim(forge.HEADER, "x5t", text))
    return forge.token(forge.with_claim(payload, "more", text))


JSONS: dict[str, Make] = {
    "payload in UTF-7": lambda payload: forge.token(json.dumps(payload).encode("utf-7").replace(b"{", b"+AHs-")),
    "payload in Latin-1": lambda payload: forge.token(
        json.dumps({**payload, "name": "é"}, ensure_ascii=False).encode("iso-8859-1")
    ),
    "surrogates in UTF-8": lambda payload: forge.token(forge.with_claim(payload, "more", '"\ud800"')),
    "overlong UTF-8": lambda payload: forge.token(forge.as_bytes(payload)[:-1] + b',"more":"\xc0\xaf"}'),
    "another user first": lambda payload: forge.token(b'{"user_id":"2",' + forge.as_bytes(payload)[1:]),
    "another type first": lambda payload: forge.token(b'{"token_type":"refresh",' + forge.as_bytes(payload)[1:]),
    "a later end behind": lambda payload: forge.token(forge.as_bytes(payload)[:-1] + b',"exp":9999999999}'),
    "key twice that nobody reads": lambda payload: forge.token(forge.as_bytes(payload)[:-1] + b',"x":1,"x":1}'),
    "escaped key twice": lambda payload: forge.token(
        forge.as_bytes(payload)[:-1] + b',"\\u0065xp":' + str(payload["exp"]).encode() + b"}"
    ),
    "nested key twice": lambda payload: forge.token(forge.as_bytes(payload)[:-1] + b',"more":{"a":1,"a":1}}'),
    "alg twice": lambda payload: forge.token(payload, b'{"alg":"HS256","alg":"HS256","typ":"JWT"}'),
    "typ twice": lambda payload: forge.token(payload, b'{"alg":"HS256","typ":"JWT","typ":"JWT"}'),
    "escaped alg twice": lambda payload: forge.token(payload, b'{"alg":"HS256","\\u0061lg":"none"}'),
    "alg none, then HS256": lambda payload: forge.token(payload, b'{"alg":"none","alg":"HS256"}'),
    "NaN": lambda payload: forge.token(forge.with_claim(payload, "more", "NaN")),
    "Infinity": lambda payload: forge.token(forge.with_claim(payload, "more", "-Infinity")),
    "trailing comma": lambda payload: forge.token(forge.as_bytes(payload)[:-1] + b",}"),
    "comment": lambda payload: forge.token(forge.as_bytes(payload) + b"//"),
    "single quotes": lambda payload: forge.token(str(payload).encode()),
    "control character": lambda payload: forge.token(forge.as_bytes(payload)[:-1] + b',"a":"\n"}'),
    "two objects": lambda payload: forge.token(forge.as_bytes(payload) * 2),
    "NUL behind": lambda payload: forge.token(forge.as_bytes(payload) + b"\0"),
    "payload list": lambda payload: forge.token(forge.as_bytes([payload])),  # type: ignore[arg-type]
    "payload pairs": lambda payload: forge.token(json.dumps(list(payload.items())).encode()),
    "payload text": lambda payload: forge.token(json.dumps(json.dumps(payload)).encode()),
    "payload null": lambda payload: forge.token(b"null"),
    "payload number": lambda payload: forge.token(b"1"),
    "payload true": lambda payload: forge.token(b"true"),
    "payload NaN": lambda payload: forge.token(b"NaN"),
    "payload empty object": lambda payload: forge.token(b"{}"),
    "payload one byte": lambda payload: forge.token(b"\xff"),
    "header list": lambda payload: forge.token(payload, b'["HS256"]'),
    "header text": lambda payload: forge.token(payload, b'"HS256"'),
    "header null": lambda payload: forge.token(payload, b"null"),
    "header empty": lambda payload: forge.token(payload, b"{}"),
    "header bytes": lambda payload: forge.token(payload, b"\xff\xfe\x00"),
    "digits": lambda payload: forge.token(forge.with_claim(payload, "more", "1" * 5000)),
    "digits in the header": lambda payload: forge.token(payload, forge.with_claim(forge.HEADER, "x5t", "1" * 5000)),
    "100 000 deep": lambda payload: deep(payload, 100_000, "payload"),
    "100 000 deep header": lambda payload: deep(payload, 100_000, "header"),
    "half open": lambda payload: forge.token(b"[" * 6000),
    "half open objects": lambda payload: forge.token(b'{"a":' * 1200),
}


def twice(payload: dict[str, Any], name: str) -> bytes:
    """Return the payload with one claim standing there twice, with the same value."""
    return forge.as_bytes(payload)[:-1] + f",{json.dumps(name)}:{json.dumps(payload[name])}}}".encode()


ENCODINGS = [f"utf-{width}{order}" for width in (16, 32) for order in ("", "-le", "-be")] + ["utf-8-sig", "cp037"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_another_encoding_is_refused(refuse_each: Any, encoding: str) -> None:
    """THREATS: header or payload in UTF-16, UTF-32, with BOM, and in EBCDIC: all rightly signed (k)."""
    refuse_each(lambda payload: forge.token(payload, json.dumps(forge.HEADER).encode(encoding)), ALL_KINDS)
    refuse_each(lambda payload: forge.token(json.dumps(payload).encode(encoding)), ALL_KINDS)
    refuse_each(
        lambda payload: forge.token(json.dumps(payload).encode(encoding), json.dumps(forge.HEADER).encode(encoding))
    )


@pytest.mark.parametrize("name", ["exp", "iat", "jti", "user_id", "token_type", "sid", "gen"])
def test_a_claim_that_stands_twice_is_refused(refuse_each: Any, kinds: Any, name: str) -> None:
    """THREATS: duplicate keys, even of the same value (k)."""
    holders = tuple(kind for kind in ALL_KINDS if name in kinds[kind])
    assert holders
    refuse_each(lambda payload: forge.token(twice(payload, name)), holders)


@pytest.mark.parametrize("make", JSONS.values(), ids=JSONS)
def test_what_is_not_one_strict_json_object_is_refused(refuse_each: Any, make: Make) -> None:
    """THREATS: encodings, BOM, keys that stand twice, depth, digits: all rightly signed (k)."""
    refuse_each(make, ALL_KINDS)


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"":', "}")], ids=["arrays", "objects"])
@pytest.mark.parametrize("part", ["header", "payload"])
def test_no_depth_of_nesting_breaks_a_door(doors: Any, kinds: Any, part: str, brackets: tuple[str, str]) -> None:
    """THREATS: the depths around Python's limit, which two parsers reach at different places."""
    for depth in [*range(700, 1000, 2), 1100, 1500, 2000, 2900]:
        token = deep(kinds["access"], depth, part, *brackets)
        assert doors.header("/api/me/", token).status_code in {200, 401}, depth
        assert doors.body("verify", token).status_code in {200, 401}, depth
        assert doors.body("refresh", token).status_code == 401, depth
        assert doors.body("revoke", token.rpartition(".")[0] + ".AAAA").status_code == 200, depth


def test_every_single_byte_counts(client: Any, tokens: Tokens) -> None:
    """THREATS: a changed character is a refused token; the last one's idle bits are the only exception."""
    for position, character in enumerate(tokens.access[:-1]):
        changed = tokens.access[:position] + ("A" if character != "A" else "B") + tokens.access[position + 1 :]
        answer = client.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {changed}")
        assert answer.status_code == 401, position


def twins(token: str) -> list[str]:
    """Return the other spellings of a token: bits at its end that base64 does not use."""
    signature = forge.opened(token.rpartition(".")[2])
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = (token[:-1] + character for character in alphabet)
    return [text for text in spellings if forge.opened(text.rpartition(".")[2]) == signature and text != token]


def test_another_spelling_of_a_token_dies_with_it(doors: Any, post: Any, tokens: Tokens) -> None:
    """THREATS: a twin survives deny-lists of raw tokens, not the end of its session (law 4)."""
    assert twins(tokens.access)
    for access in twins(tokens.access):
        doors.header("/api/me/", access)
    assert post("token/revoke/", token=tokens.refresh).status_code == 200
    for text in (*twins(tokens.access), *twins(tokens.refresh)):
        doors.refuse(text)


def test_another_spelling_of_a_refresh_token_is_no_second_use(post: Any, tokens: Tokens) -> None:
    """Law 1: whatever the spelling, it is the same generation."""
    answers = [post("token/refresh/", refresh=text) for text in (tokens.refresh, *twins(tokens.refresh))]
    successors = {answer.json()["refresh"] for answer in answers if answer.status_code == 200}
    assert len(successors) == 1


# -- Every endpoint with a header ------------------------------------------------------------------

FORGERIES: dict[str, Make] = {
    "another key": lambda payload: forge.token(payload, key="another key, as long as it has to be"),
    "none": lambda payload: forge.token(payload, {"alg": "none"}),
    "unsigned": lambda payload: forge.token(payload, {"alg": "none"}).rpartition(".")[0] + ".",
    "another hash": lambda payload: forge.token(payload, {"alg": "HS512"}, digest="sha512"),
    "key id": lambda payload: forge.token(payload, {**forge.HEADER, "kid": "1"}),
    "padded": lambda payload: forge.token(payload) + "=",
    "too big": lambda payload: forge.token({**payload, "more": "x" * 8192}),
    "expired": lambda payload: forge.token({**payload, "exp": 1}),
    "endless": lambda payload: forge.token(forge.with_claim(payload, "exp", forge.ABSENT)),
    "nobody's": lambda payload: forge.token({**payload, "user_id": "0"}),
    "of no session": lambda payload: forge.token({**payload, "sid": "01960000-0000-7000-8000-000000000000"}),
    "of a refresh token": lambda payload: forge.token({**payload, "token_type": "refresh"}),
}
REQUESTS = [
    *(("GET", path) for path in ("me/", "notes/", "sessions/")),
    *(("HEAD", "sessions/"), ("POST", "notes/"), ("DELETE", "notes/1/")),
    *(("DELETE", path) for path in ("sessions/", "sessions/others/", "sessions/{sid}/")),
]


@pytest.mark.parametrize(("method", "path"), REQUESTS)
@pytest.mark.parametrize("make", FORGERIES.values(), ids=FORGERIES)
def test_no_endpoint_opens_for_a_forgery(
    doors: Any, tokens: Tokens, kinds: Any, make: Make, method: str, path: str
) -> None:
    """THREATS: the project's views and the kit's, to read and to write: 401, and nothing happened."""
    where, sent = f"/api/{path.format(sid=kinds['access']['sid'])}", f"Bearer {make(kinds['access'])}"
    answer = doors.client.generic(method, where, b'{"text": "x"}', "application/json", HTTP_AUTHORIZATION=sent)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith('Bearer realm="api", error="invalid_token"')
    doors.admit(*tokens)


# -- Known tokens ----------------------------------------------------------------------------------

PUBLISHED = {
    "RFC 7515 A.1": (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    ),
    "RFC 7515 A.5": (
        "eyJhbGciOiJub25lIn0"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    ),
    "RFC 7797 4.2": (
        "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"
    ),
}


@pytest.mark.parametrize("token", PUBLISHED.values(), ids=PUBLISHED)
def test_published_tokens_are_refused(doors: Any, tokens: Tokens, token: str) -> None:
    """The examples of the RFCs are nobody's tokens here."""
    doors.refuse(token)


def test_nothing_was_written_by_forgeries(doors: Any, tokens: Tokens, kinds: Any) -> None:
    """A token that another key signed leaves no row behind, whatever it says."""
    before = list(TokenSession.objects.values())
    for payload in kinds.values():
        doors.refuse(forge.token(payload, key="another key, as long as it has to be"))
    assert list(TokenSession.objects.values()) == before


def test_what_code_does_to_claims_does_not_stay(kinds: Any) -> None:
    """Law 7: the claims of a token that was seen before are remembered; a view that changes them changes its own."""
    token = forge.token({**kinds["access"], "roles": ["reader"], "more": {"a": {}}})
    first = AccessToken(token)
    first["roles"].append("admin")
    first["more"]["a"]["b"] = 1
    first["staff"] = True
    assert AccessToken(token).payload == {**kinds["access"], "roles": ["reader"], "more": {"a": {}}}
