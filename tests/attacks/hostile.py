"""Hostile requests, one after the other: the same seed makes the same ones.

None of them may be let in, and none may change anything. That is so by construction: what is no token is sent anywhere,
and a good one only where, or how, it does not count. :data:`KINDS` says what is made and how much of each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from tests.attacks.forgeries import Forger, Known
from tests.attacks.wire import BODY_DOORS, on_the_wire

OBTAIN = ("obtain", "/api/token/")
POSTED = (OBTAIN, *((door, path) for door, (path, _field) in BODY_DOORS.items()))
LEAVING_NOTHING = ("refresh", "verify", "blacklist")  # `revoke` takes what is expired, early or of an unknown type
PROTECTED = (  # alice's note has her own id
    *(
        ("me", "/api/me/"),
        ("notes", "/api/notes/"),
        ("notes", "/api/notes/{user_id}/"),
        ("notes", "/api/notes/archived/"),
    ),
    *(
        ("notes", "/api/notes/{user_id}/archive/"),
        ("sessions", "/api/sessions/"),
        ("sessions", "/api/sessions/others/"),
    ),
    ("sessions", "/api/sessions/{sid}/"),
)
METHODS = (
    "GET",
    "HEAD",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "QUERY",
    "X",
    "__INIT__",
    "get",
    "\xff",
)

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
MEDIA_TYPES = (
    *(*(JSON,) * 24, f"{JSON}; charset=utf-8", f"{JSON}; charset=utf-16", f"{JSON}; charset=rot13", f"{JSON};"),
    *(FORM, FORM, f"{FORM}; charset=utf-7", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ""),
    *("application/jwt", "application/json+x", "text/json", "*/*", "/", ";", "a" * 5000, f"{JSON}; charset=\xff; x"),
)
LENGTHS = ("", "-1", "x", "3", "1e3", "9" * 20, "\xff")
BEARER = ("Bearer", "Bearer", "bearer", "BEARER")
SCHEMES = (*BEARER, "Basic", "Token", "JWT", "DPoP", "Bearer:", "Bearer=", '"Bearer', "", ",")
GAPS = (" ", " ", " ", "  ", "\t", "", ", ", ",", "\n", "\0", "\x0b", "\xa0", ":", "=")

Request = tuple[str, str, str, Mapping[str, str], bytes]  # door, method, path, environ, body

# What may stand in any request, and must not matter.
NOISE: Mapping[str, Sequence[str]] = {
    "HTTP_ACCEPT": ("*/*", "text/html", "image/png", "application/json; indent=100000000", "x", "a/b;q=x", "\xff"),
    "HTTP_ACCEPT_LANGUAGE": ("de", "xx-" + "y" * 600, "*;q=9", "\xff"),
    "HTTP_USER_AGENT": ("", "\xff\0\x1b[31m", "x" * 60_000),
    "HTTP_COOKIE": ("sessionid=stale; csrftoken=x", "\xff=\xff;;;=", "sessionid=" + "x" * 4096),
    "HTTP_X_FORWARDED_FOR": ("127.0.0.1", "\xff, ' OR 1=1 --, ::1%\0", "," * 500),
    "HTTP_ORIGIN": ("null", "https://evil.example", "\xff"),
    "HTTP_REFERER": ("x", "\xff"),
    "HTTP_CONTENT_ENCODING": ("gzip", "x"),
    "HTTP_X_HTTP_METHOD_OVERRIDE": ("DELETE", "POST"),
    "HTTP_IF_NONE_MATCH": ("*", "x"),
    "HTTP_RANGE": ("bytes=0-1",),
    "QUERY_STRING": ("format=api", "format=%00&x=%ff", "_method=DELETE&indent=9", "a=[;&%&=", "\xff"),
    "REMOTE_ADDR": ("", "fe80::1%" + "x" * 500, "::ffff:10.0.0.1", "1.2.3.4.5", "unix:", "\xff"),
}


class Sent(NamedTuple):
    """One request: the kind of attack, the door it is made at, and what goes over the wire."""

    kind: str
    door: str
    method: str
    path: str
    environ: Mapping[str, str]
    body: bytes


class Attacker(Forger):
    """Make hostile requests."""

    def send(self) -> Sent:
        """Return the next request."""
        kind = self.one(DRAWN)
        door, method, path, environ, body = KINDS[kind][1](self)
        while self.chance(0.1):
            name = self.one((*NOISE,))
            environ = {name: self.one(NOISE[name]) if self.chance(0.7) else self.header(), **environ}
        peer = {"REMOTE_ADDR": ".".join(map(str, self.random.randbytes(4)))}
        return Sent(kind, door, method, path, peer | environ, body)

    def header(self) -> str:
        """Return any text, as long as servers let headers be."""
        return on_the_wire(self.text())[:8000]

    # -- Tokens ----------------------------------------------------------------------------------------

    def with_token(self, token: str, doors: Sequence[str] = (*BODY_DOORS,)) -> Request:
        """Send what is no good token as the token of a request."""
        if self.chance(0.4):
            return self.with_header(f"{self.one(BEARER)} {token}")
        door = self.one(doors)
        path, field = BODY_DOORS[door]
        if door == "revoke" and self.chance(0.3):
            return door, "POST", path, {"CONTENT_TYPE": FORM}, f"{field}={quoted(token)}".encode()
        return door, "POST", path, {"CONTENT_TYPE": JSON}, self.as_json({field: token})

    def with_header(self, authorization: str | None, body: bytes = b"", **environ: str) -> Request:
        """Send a request to an endpoint that needs a token."""
        door, path = self.one(PROTECTED)
        method = self.one(METHODS) if self.chance(0.3) else self.one(("GET", "POST", "DELETE"))
        if authorization is not None:
            environ["HTTP_AUTHORIZATION"] = on_the_wire(authorization)
        return door, method, path.format(**self.known.claims["access"]), environ, body

    def as_json(self, fields: Mapping[str, str]) -> bytes:
        """Return fields as JSON, escaped or in UTF-8."""
        return json.dumps(fields, ensure_ascii=self.chance(0.8)).encode("utf-8", "surrogatepass")

    def odd_authorization(self) -> Request:
        """Send a header that nobody can be read from, with good tokens in it or not."""
        header = f"Bearer {self.good['access']}"
        while self.is_good_header(header):
            tokens = [self.one((self.good_one(), self.base64(), self.text())) for _ in range(1 + self.upto(1))]
            scheme = self.one(SCHEMES) if self.chance(0.8) else self.text(8)
            header = scheme + self.one(GAPS) + self.one(GAPS).join(tokens)
        return self.with_header(header)

    def token_elsewhere(self) -> Request:
        """Send a good token where none counts: query, cookie, other headers, a body."""
        access = self.good["access"]
        environ = self.one(
            (
                {"QUERY_STRING": f"access_token={access}&token={access}&Authorization=Bearer%20{access}"},
                {"HTTP_COOKIE": f"access={access}; access_token={access}; refresh={self.good['refresh']}"},
                {f"HTTP_{self.one(('X_', 'PROXY_', 'X_FORWARDED_'))}AUTHORIZATION": f"Bearer {access}"},
                {"HTTP_SEC_WEBSOCKET_PROTOCOL": f"Bearer, {access}", "HTTP_X_ACCESS_TOKEN": access},
                {"HTTP_REMOTE_USER": "alice", "REMOTE_USER": "alice"},
            )
        )
        media_type, body = self.one(
            ((JSON, f'{{"access_token":"{access}"}}'), (FORM, f"access_token={access}"), ("", ""))
        )
        return self.with_header(None, body.encode(), CONTENT_TYPE=media_type, **environ)

    def wrong_door(self) -> Request:
        """Send a good token of one kind where the other is wanted."""
        without = self.one(("", " without session"))
        if self.chance(0.5):
            return self.with_header(f"Bearer {self.good[f'refresh{without}']}")
        door = self.one(("refresh", "blacklist"))
        path, field = BODY_DOORS[door]
        return door, "POST", path, {"CONTENT_TYPE": JSON}, self.as_json({field: self.good[f"access{without}"]})

    def wrong_method(self) -> Request:
        """Send all that is good to a token endpoint, by another method than ``POST``."""
        door, path = self.one(POSTED)
        refresh, access = self.good["refresh"], self.good["access"]
        fields = {"refresh": refresh, "token": refresh, "username": "alice", "password": self.known.password}
        environ = {"CONTENT_TYPE": JSON, "HTTP_AUTHORIZATION": f"Bearer {access}"}
        return door, self.one(METHODS), path, environ, self.as_json(fields)

    def no_own_session(self) -> Request:
        """Ask, rightly signed in, for a session that is not there or another user's."""
        sid = self.known.other_sid
        spelled = self.one(
            (sid, sid.upper(), sid.replace("-", ""), f"urn:uuid:{sid}", self.text(), f"x{self.base64()}")
        )
        path = f"/api/sessions/{on_the_wire(spelled).replace('/', '') or 'x'}/"
        method = "DELETE" if self.chance(0.7) else self.one(METHODS)
        return "sessions", method, path, {"HTTP_AUTHORIZATION": f"Bearer {self.good['access']}"}, b""

    # -- Bodies ----------------------------------------------------------------------------------------

    def odd_body(self) -> Request:
        """Send any body of any media type, and of any length that it says it has."""
        door, path = self.one(POSTED)
        environ = {"CONTENT_TYPE": self.one(MEDIA_TYPES) if self.chance(0.9) else self.header()}
        if "rot13" in environ["CONTENT_TYPE"]:
            environ["QUERY_STRING"] = ""  # with one, Django's own request fails before any middleware
        if self.chance(0.1):
            environ["CONTENT_LENGTH"] = self.one(LENGTHS)
        return door, "POST", path, environ, self.body()

    def body(self) -> bytes:
        """Return bytes that are JSON, something like it, a form, or neither."""
        kind = self.upto(9)
        if kind == 0:
            return self.octets()
        if kind == 1:
            return "&".join([f"{quoted(self.field())}={quote_from_bytes(self.octets(8))}" for _ in range(4)]).encode()
        if kind == 2:
            return self.broken(json.dumps({self.field(): self.text(), "password": "x"}))
        if kind == 3 and self.chance(0.5):
            deep = self.deep()
            return self.one((deep, f'{{"username":"alice",{self.name()}:{deep}}}')).encode("utf-8", "surrogatepass")
        return (self.value() if kind == 4 else self.object()).encode("utf-8", "surrogatepass")

    def field(self) -> str:
        """Return the name of a field, a known one more often than not."""
        return str(json.loads(self.name()))

    def sign_in(self) -> Request:
        """Sign in with a right name and no right password, or with the right password and nobody's name."""
        right = self.known.password
        near = (f" {right}", f"{right} ", right.upper(), right[:-1], right * 2, f"{right}\0", "", self.text())
        if self.chance(0.8):
            name = self.one(('"alice"', '"mallory"', '"Alice "', '"nobody"', self.string()))
            password = json.dumps(self.one(near)) if self.chance(0.8) else self.value(1)
        else:
            name, password = self.one((self.no_string(), '"alice\\u0000"', '"alice-"', '""')), json.dumps(right)
        body = f'{{"username":{name},"password":{password}}}'.encode("utf-8", "surrogatepass")
        return OBTAIN[0], "POST", OBTAIN[1], {"CONTENT_TYPE": JSON}, body


def quoted(text: str) -> str:
    """Return a text as forms and URLs have it."""
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"))


def _token(make: Callable[[Attacker], str], doors: Sequence[str] = (*BODY_DOORS,)) -> Callable[[Attacker], Request]:
    """Return the maker of a request that sends a forgery."""
    return lambda attacker: attacker.with_token(make(attacker), doors)


# Kind of attack: its share of all requests, and what makes one.
KINDS: Mapping[str, tuple[int, Callable[[Attacker], Request]]] = {
    "no token": (6, _token(Attacker.text_token)),
    "changed token": (16, _token(Attacker.changed_token)),
    "another key": (10, _token(Attacker.foreign_token)),
    "our key, odd claim": (16, _token(Attacker.odd_claim_token)),
    "our key, half a session": (2, _token(Attacker.unpaired_token)),
    "our key, another's session": (2, _token(Attacker.other_users_token)),
    "our key, odd header": (6, _token(Attacker.odd_header_token)),
    "our key, no strict JSON": (8, _token(Attacker.odd_json_token)),
    "our key, too large": (1, _token(Attacker.large_token)),
    "our key, untimely": (4, _token(Attacker.untimely_token, LEAVING_NOTHING)),
    "our key, unknown type": (2, _token(Attacker.untyped_token, LEAVING_NOTHING)),
    "odd Authorization": (7, Attacker.odd_authorization),
    "token elsewhere": (2, Attacker.token_elsewhere),
    "wrong door": (1, Attacker.wrong_door),
    "wrong method": (2, Attacker.wrong_method),
    "no own session": (2, Attacker.no_own_session),
    "odd body": (10, Attacker.odd_body),
    "wrong credentials": (3, Attacker.sign_in),
}
DRAWN = [kind for kind, (share, _make) in KINDS.items() for _ in range(share)]


def requests(seed: str, known: Known, count: int) -> Iterator[Sent]:
    """Yield ``count`` hostile requests; the same ones for the same arguments."""
    attacker = Attacker(Random(seed), known)
    return islice(iter(attacker.send, None), count)
