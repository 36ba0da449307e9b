"""What reads bytes before any signature is known to be good, and what each of it may raise.

:func:`target` is what a fuzzer drives: it raises where a reader does what it may not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any, NamedTuple

from django.core.exceptions import SuspiciousOperation
from rest_framework.exceptions import APIException

from drf_jwt_kit import backends, claims, clients, throttling
from drf_jwt_kit.authentication import JWTAuthentication
from drf_jwt_kit.exceptions import AuthenticationFailed, Invalid, Refused
from drf_jwt_kit.parsers import StrictFormParser, StrictJSONParser
from tests.attacks import forge
from tests.attacks.forge import ABSENT

CLAIMS = {
    "token_type": "refresh",
    "exp": 253_402_214_400,
    "iat": 1_772_366_400,
    "jti": "5ca1ab1e000040008000000000000001",
    "user_id": "1001",
    "sid": "0195a1b2-c3d4-7ef0-8abc-0123456789ab",
    "gen": 0,
}

PARAMETERS = ("alg", "typ", "kid", "x5t", "crit")
ODD = ("null", "true", "-1", "1e400", "NaN", '""', '"\\u0000"', "[]", "{}", ABSENT)


def text(data: bytes) -> str:
    """Return any text, lone surrogates in it too, as JSON may hold."""
    return data.decode("utf-8", "surrogatepass")


def read_token(data: bytes) -> None:
    """Read a token without its signature."""
    header, payload = claims.parse(claims.compact(data))
    claims.check_header(header, kid_allowed=True)
    claims.check(payload)
    assert isinstance(header["alg"], str)


def read_text_token(data: bytes) -> None:
    """Read a token that came as text."""
    assert claims.compact(text(data)) == data


def verify_token(data: bytes) -> None:
    """Verify a token; what comes out was signed by our key."""
    backends.current().decode(data)
    signed, _dot, signature = data.decode().rpartition(".")
    assert forge.opened(forge.sealed(*signed.split(".")).rpartition(".")[2]) == forge.opened(signature)


def verify_payload(data: bytes) -> None:
    """Verify a token of ours with any payload."""
    accepted(backends.current().decode(forge.token(data)))


def verify_claim(data: bytes) -> None:
    """Verify a token of ours with any JSON for one of its claims."""
    name = [*CLAIMS][data[0] % len(CLAIMS)] if data else "exp"
    token = forge.with_claim(CLAIMS, name, data[1:].decode("utf-8", "replace"))
    accepted(backends.current().decode(forge.token(token)))


def verify_header(data: bytes) -> None:
    """Verify a token of ours with any header."""
    accepted(backends.current().decode(forge.token(CLAIMS, data)))


def verify_parameter(data: bytes) -> None:
    """Verify a token of ours with any JSON for one parameter of its header."""
    name = PARAMETERS[data[0] % len(PARAMETERS)] if data else "alg"
    header = forge.with_claim(forge.HEADER, name, data[1:].decode("utf-8", "replace"))
    accepted(backends.current().decode(forge.token(CLAIMS, header)))


def accepted(payload: dict[str, Any]) -> None:
    """Assert that accepted claims are what all code behind relies on."""
    assert type(payload["exp"]) in (int, float)
    assert 1 <= len(payload["jti"]) <= 255
    assert payload["token_type"]
    if "sid" in payload:
        assert str(claims.session_id(payload)) == payload["sid"]


def parse_json(data: bytes) -> None:
    """Parse a body that says it is JSON; its first line is the media type."""
    media_type, _line, body = data.partition(b"\n")
    StrictJSONParser().parse(BytesIO(body), f"application/json{media_type.decode('iso-8859-1')}")


def parse_form(data: bytes) -> None:
    """Parse a body that says it is a form; its first line is the media type."""
    media_type, _line, body = data.partition(b"\n")
    form = StrictFormParser().parse(
        BytesIO(body), f"application/x-www-form-urlencoded{media_type.decode('iso-8859-1')}"
    )
    assert all(isinstance(text, str) for values in form.lists() for text in (values[0], *values[1]))


def read_header(data: bytes) -> None:
    """Read an ``Authorization`` header."""
    raw = JWTAuthentication().get_raw_token(data)
    assert raw is None or raw in data


def read_address(data: bytes) -> None:
    """Read a client's address, with and without a proxy's header."""
    peer, _line, forwarded = data.decode("iso-8859-1").partition("\n")
    address = clients.address(SimpleNamespace(META={"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}))
    assert address is None or str(ip_address(address)) == address
    throttling.network(address)


def read_user_agent(data: bytes) -> None:
    """Read what a browser calls itself."""
    assert clients.user_agent(SimpleNamespace(META={"HTTP_USER_AGENT": data.decode("iso-8859-1")})).isprintable()


def fold_name(data: bytes) -> None:
    """Fold a user name for the counters; only no name is folded to none."""
    name = text(data)
    assert bool(throttling.fold(name)) == bool(name)
    assert throttling.Attempt(name, "127.0.0.1").account.name.isascii()


class Reader(NamedTuple):
    """A reader, and what it may raise."""

    read: Callable[[bytes], None]
    raises: tuple[type[Exception], ...]


READERS = (
    Reader(read_token, (Invalid,)),
    Reader(read_text_token, (Invalid, UnicodeDecodeError)),
    Reader(verify_token, (Refused,)),
    Reader(verify_payload, (Refused,)),
    Reader(verify_claim, (Refused,)),
    Reader(verify_header, (Refused,)),
    Reader(verify_parameter, (Refused,)),
    Reader(parse_json, (APIException,)),
    Reader(parse_form, (APIException, SuspiciousOperation)),
    Reader(read_header, (AuthenticationFailed,)),
    Reader(read_address, ()),
    Reader(read_user_agent, ()),
    Reader(fold_name, (UnicodeDecodeError,)),
)


def seeds() -> list[tuple[Callable[[bytes], None], bytes]]:
    """Return readers with what they accept, or refuse for one reason."""
    odd = [text.encode() for text in ODD]
    return [
        (read_token, b"eyJhbGciOiJIUzI1NiJ9.e30.AAAA"),
        (read_text_token, b"eyJhbGciOiJIUzI1NiJ9.e30.AAAA"),
        (verify_token, forge.token(CLAIMS).encode()),
        (verify_payload, forge.as_bytes(CLAIMS)),
        (verify_payload, forge.as_bytes({**CLAIMS, "aud": ["a", None, 1.5e9, True, {"b": "\u00e9"}]})),
        (verify_payload, b'{"exp":9,"exp":9}'),
        *((verify_claim, bytes([place]) + forge.as_bytes(value)) for place, value in enumerate(CLAIMS.values())),
        *((verify_claim, bytes([place]) + text) for place in range(len(CLAIMS)) for text in odd),
        (verify_header, forge.as_bytes(forge.HEADER)),
        (verify_header, b'{"alg":"HS256","kid":"a","crit":["b64"],"b64":false,"x5t":"AA","jwk":{}}'),
        (verify_parameter, b'\0"HS256"'),
        *((verify_parameter, bytes([place]) + text) for place in range(len(PARAMETERS)) for text in odd),
        (parse_json, b'; charset=utf-8\n{"username":"alice","password":"x"}'),
        (parse_json, b'; charset="utf-16"; a*=utf-8\'\'%e9\n[NaN,-1.5e9,"\\ud800"]'),
        (parse_form, b"; charset=utf-8\ntoken=a.b.c&token_type_hint=%e9+%00&x"),
        (read_header, b"Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA"),
        (read_address, b"::ffff:127.0.0.1\n10.0.0.1, fe80::1%eth0"),
        (read_user_agent, b"Mozilla/5.0 (X11; Linux)\x1b[31m"),
        (fold_name, "\uff21lice\u0301 \xdf \u0661 \xbd \xe6".encode()),
    ]


def corpus() -> list[bytes]:
    """Return what a fuzzer begins with."""
    places = {reader.read: place for place, reader in enumerate(READERS)}
    return [bytes([places[read]]) + data for read, data in seeds()]


def target(data: bytes) -> None:
    """Hand all but the first byte to the reader that the first one names; raise what that may not raise."""
    if data:
        reader = READERS[data[0] % len(READERS)]
        with suppress(*reader.raises):
            reader.read(data[1:])
