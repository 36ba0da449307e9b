"""Tokens that must never be accepted, each for one reason, from a seeded source.

A forgery breaks the one rule that its method names. Everything else about it, the key that signed it too, may be right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from tests.attacks import forge
from tests.attacks.forge import ABSENT
from tests.attacks.grammar import NO_JSON, Grammar

LATEST_TIME = 253_402_214_400  # 9999-12-31
ALGORITHMS = ("none", "None", "NONE", "", "hs256", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", "HS256 ")
TYPES = ("JOSE", "at+jwt", "JWT ", "application/jwt", "", "refresh", "J\u200bWT")
PARAMETERS = ("crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "cty", "enc", "kid", "alg ", "exp", "Typ")
ALLOWED = {"alg", "typ", "x5t", "x5t#S256"}
UNPRINTABLE = ("\0", "\x01", "\n", "\x1b", "\x1f", "\x7f", "\ud800", "\udfff")
AROUND = (('"', '"'), ("", "="), ("\ufeff", ""), ("", "\0"), ("Bearer ", ""), (".", ""), ("", "!!!!"), ("", "\u200b"))
DOTS = ("=.", "==.", " .", ".\n", "..", ".\u200b", "\u3002", "%2E", "\uff0e", ".")

SESSION_KINDS = ("access", "refresh")
ALL_KINDS = (*SESSION_KINDS, "access without session", "refresh without session")

# How a user's id might be read from what does not spell it (as JSON).
USER_IDS = (
    *("{id}.0", "{id}e0", "[{id}]", '{{"id":{id}}}', '" {id}"', '"{id} "', '"{id}\\n"', '"+{id}"', '"-{id}"'),
    *('"0{id}"', '"{id}.0"', '"{id}e0"', '"0x{id}"', '"{id}_0"', '"{id},{id}"', '"{id} OR 1=1"', '"{id}\\u0000"'),
    *('"{id}\\u200b"', '"{arabic}"', '"{wide}"', '"None"', '"True"', '""', '"0"'),
    *("null", "true", "false", "0", "[]", "{{}}", ABSENT),
)
SESSION_IDS = (
    *('"{upper}"', '"{hex}"', '"{{{sid}}}"', '"urn:uuid:{sid}"', '" {sid}"', '"{sid} "', '"{sid}\\n"', '["{sid}"]'),
    *('"{sid}\\u0000"', '"-{hex}"', '"{sid}\' OR 1=1"', "{number}", '"{number}"', "null", "{{}}", '""', "true"),
)
COUNTS = (
    *("-1", "0.0", "0.5", "1e0", "-0.0", "1e400", "2147483648", "9223372036854775808"),
    *("NaN", '"0"', "true", "false"),
)

_GOOD_HEADER = re.compile(r"[ \t]*bearer[ \t]+([^ \t]+)[ \t]*", re.IGNORECASE | re.ASCII)
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True)
class Known:
    """What the attacker is given: the key, the claims of good tokens of all kinds, and who else there is."""

    key: str
    password: str
    now: int
    claims: Mapping[str, Mapping[str, Any]]
    other_user_id: int
    other_sid: str

    def good(self, kind: str) -> str:
        """Return the good token of a kind."""
        return forge.token(self.claims[kind], key=self.key)


class Forger(Grammar):
    """Make tokens that are none."""

    def __init__(self, random: Random, known: Known) -> None:
        """Draw from ``random``, and use what is ``known``."""
        super().__init__(random)
        self.known = known
        self.good = {kind: known.good(kind) for kind in ALL_KINDS}
        self.signatures = dict(token.rsplit(".", 1) for token in self.good.values())

    def good_one(self) -> str:
        """Return a good token of any kind."""
        return self.good[self.one(ALL_KINDS)]

    def is_good(self, token: str) -> bool:
        """Return whether this is a good token, in any spelling that base64 has for its idle bits."""
        signed, _dot, signature = token.strip(" \t").rpartition(".")
        if signed not in self.signatures or not _SIGNATURE.fullmatch(signature):
            return False
        return forge.opened(signature) == forge.opened(self.signatures[signed])

    def is_good_header(self, header: str) -> bool:
        """Return whether an ``Authorization`` header holds a good token as it should (RFC 6750 2.1)."""
        found = _GOOD_HEADER.fullmatch(header)
        return found is not None and self.is_good(found[1])

    # -- Not signed by us ------------------------------------------------------------------------------

    def text_token(self) -> str:
        """Return what may look like a token."""
        if self.chance(0.2):
            return self.text()
        return ".".join([self.segment() for _ in range(3 if self.chance(0.7) else self.upto(5))])

    def changed_token(self) -> str:
        """Return a good token changed in one to three places."""
        changed = good = self.good_one()
        while self.is_good(changed):
            changed = good
            for _ in range(1 + self.upto(2)):
                changed = self.one((self.flip, self.splice, self.swap, self.cut, self.respell))(changed)
        return changed

    def flip(self, token: str) -> str:
        """Flip one bit."""
        at = self.upto(max(0, len(token) - 1))
        flipped = [chr(ord(letter) ^ (1 << self.upto(6))) for letter in token[at : at + 1]]
        return token[:at] + "".join(flipped) + token[at + 1 :]

    def splice(self, token: str) -> str:
        """Exchange, put in or take out some characters."""
        at, put = self.upto(len(token)), self.one((self.character, self.base64, str))()
        return token[:at] + put + token[at + self.upto(3) :]

    def swap(self, token: str) -> str:
        """Put a segment of another good token into the place of one, or exchange two."""
        parts = token.split(".")
        parts[self.upto(len(parts) - 1)] = self.one(self.good_one().split("."))
        return ".".join(parts if self.chance(0.8) else parts[::-1])

    def cut(self, token: str) -> str:
        """Take only a part, or go on with another good token."""
        at = self.upto(len(token))
        return self.one((token[:at], token[at:], token[:at] + self.good_one()[at:]))

    def respell(self, token: str) -> str:
        """Write it otherwise: padding, the other alphabet, white space, no width, quotes, cases."""
        before, after = self.one(AROUND) if self.chance(0.5) else ("", "")
        token = before + token.replace(".", self.one(DOTS), self.one((1, -1))) + after
        return self.one((str, str, str, str.swapcase, str.upper, _plain_base64, _full_width))(token)

    def foreign_token(self) -> str:
        """Return any header and any claims, signed by another key, or by ours with another digest."""
        key, claims = self.known.key, self.claims(ALL_KINDS)
        payload = forge.with_claim(claims, json.loads(self.name()), self.value(2)) if self.chance(0.5) else claims
        header = self.odd_header() if self.chance(0.4) else forge.HEADER
        if self.chance(0.2):
            return forge.token(payload, header, key, self.one(("sha1", "sha384", "sha512", "md5")))
        near = (f"{key}\n", key[1:], key[:-1], key.upper(), key[::-1], key * 2, "", forge.segment(key.encode()))
        return forge.token(payload, header, self.one(near) if self.chance(0.6) else self.octets())

    # -- Signed by us: THREATS (k) ---------------------------------------------------------------------

    def claims(self, kinds: Sequence[str]) -> Mapping[str, Any]:
        """Return the claims of a good token."""
        return self.known.claims[self.one(kinds)]

    def own_token(self, payload: Mapping[str, Any] | bytes, header: Mapping[str, Any] | bytes = forge.HEADER) -> str:
        """Return a token with our own signature."""
        return forge.token(payload, header, self.known.key)

    def odd_claim_token(self) -> str:
        """Return a token of ours, one claim of which has a value that no token may have."""
        name = self.one((*CLAIMS,))
        return self.own_token(forge.with_claim(self.claims(ALL_KINDS), name, CLAIMS[name](self)))

    def odd_time(self) -> str:
        """Return what is no time that a calendar can write."""
        before, after = f"-{1 + self.upto(2**40)}", str(LATEST_TIME + 1 + self.upto(2**70))
        beyond = (before, after, "-1e-9", "1e20", "1e400", "9" * 5000, *NO_JSON)
        return self.no_number() if self.chance(0.5) else self.one(beyond)

    def odd_expiry(self) -> str:
        """Return what is no time, or nothing."""
        return ABSENT if self.chance(0.05) else self.odd_time()

    def odd_text(self) -> str:
        """Return what is no text of 1 to 255 printable characters."""
        unprintable = json.dumps(self.base64() + self.one(UNPRINTABLE) + self.base64())
        return self.one((unprintable, self.no_string(), json.dumps("x" * (256 + self.upto(2000))), '""', ABSENT))

    def odd_user_id(self) -> str:
        """Return the id of nobody, or what does not spell one."""
        digits = str(self.known.claims["access"]["user_id"])
        if self.chance(0.6):
            arabic, wide = ("".join([chr(zero + int(digit)) for digit in digits]) for zero in (0x660, 0xFF10))
            return self.one(USER_IDS).format(id=digits, arabic=arabic, wide=wide)
        nobody = self.one((10**6, 2**31, 2**63)) + self.random.getrandbits(self.one((8, 60, 200)))
        return self.one((f"{nobody}", f'"{nobody}"', f"-{nobody}", f'"-{nobody}"', json.dumps(f"x{self.base64()}")))

    def odd_session_id(self) -> str:
        """Return another user's session, one that never was, or what does not spell one."""
        sid = str(self.known.claims["access"]["sid"])
        if self.chance(0.5):
            form = self.one(SESSION_IDS)
            return form.format(sid=sid, upper=sid.upper(), hex=sid.replace("-", ""), number=UUID(sid).int)
        never = UUID(int=self.random.getrandbits(128))
        return self.one((f'"{self.known.other_sid}"', f'"{never}"', json.dumps(f"x{self.base64()}"), self.no_string()))

    def odd_count(self) -> str:
        """Return what is no whole number from 0 to 2**31 - 1."""
        return self.one(COUNTS) if self.chance(0.5) else self.no_number()

    def unpaired_token(self) -> str:
        """Return a refresh token of ours that names its session by half, or hides that it has one."""
        refresh, without = self.known.claims["refresh"], self.known.claims["refresh without session"]
        gone = self.one((("sid",), ("gen",), ("sid", "gen")))
        stripped = {name: value for name, value in refresh.items() if name not in gone}
        half = ({**without, "gen": self.upto(9)}, {**without, "sid": refresh["sid"]})
        return self.own_token(self.one((stripped, *half)))

    def other_users_token(self) -> str:
        """Return a token of ours that names one user and another one's session."""
        claims, other = self.claims(SESSION_KINDS), self.known.other_user_id
        return self.own_token({**claims, "user_id": self.one((other, str(other)))})

    def odd_header_token(self) -> str:
        """Return a token of ours whose header asks for what no token may ask for."""
        return self.own_token(self.claims(ALL_KINDS), self.odd_header())

    def odd_header(self) -> bytes:
        """Return a header with another algorithm or type, or with a parameter that is not known."""
        place = self.upto(3)
        if place == 0:
            name, value = "alg", self.one((json.dumps(self.one(ALGORITHMS)), self.no_string(), ABSENT))
        elif place == 1:
            name, value = "typ", self.one((json.dumps(self.one(TYPES)), self.no_string()))
        else:
            name, value = self.text() if self.chance(0.3) else self.one(PARAMETERS), self.value(2)
            name = "crit" if name in ALLOWED else name
        return forge.with_claim(forge.HEADER, name, value)

    def odd_json_token(self) -> str:
        """Return a token of ours whose header or payload is not one strict JSON object."""
        parts = [json.dumps(forge.HEADER), json.dumps(self.claims(ALL_KINDS))]
        at = self.upto(1)
        raw = [self.broken(text) if at == place else text.encode() for place, text in enumerate(parts)]
        return self.own_token(raw[1], raw[0])

    def large_token(self) -> str:
        """Return a token of ours of more than 8 KiB."""
        more = {"more": "x" * (6200 + self.upto(self.one((100, 60_000))))}
        return self.own_token({**self.claims(ALL_KINDS), **more})

    def untimely_token(self) -> str:
        """Return a token of ours that has expired or whose time has not come.

        Revoking takes it all the same (RFC 7009 2): it is nothing to send there.
        """
        before, after = self.upto(self.known.now), self.known.now + 1 + self.upto(10 ** (1 + self.upto(9)))
        odd = self.one(({"exp": before}, {"iat": after}, {"nbf": after}, {"iat": after, "nbf": after}))
        return self.own_token({**self.claims(ALL_KINDS), **odd})

    def untyped_token(self) -> str:
        """Return a token of ours of a type that no endpoint but revoke takes."""
        kind = self.one(("sliding", "ACCESS", "access ", " refresh", "\u0430ccess", f"x{self.base64()}"))
        return self.own_token({**self.claims(ALL_KINDS), "token_type": kind})


def _plain_base64(token: str) -> str:
    """Return a token in base64's other alphabet (RFC 4648 4)."""
    return token.translate({ord("-"): "+", ord("_"): "/"})


def _full_width(token: str) -> str:
    """Return a token in characters that normalise to its own."""
    return "".join([chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in token])


CLAIMS: Mapping[str, Callable[[Forger], str]] = {
    "exp": Forger.odd_expiry,
    "iat": Forger.odd_time,
    "nbf": Forger.odd_time,
    "jti": Forger.odd_text,
    "token_type": Forger.odd_text,
    "user_id": Forger.odd_user_id,
    "sid": Forger.odd_session_id,
    "gen": Forger.odd_count,
    "aud": Forger.value,
}
