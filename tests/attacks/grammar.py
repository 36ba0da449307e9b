"""What can be written down: text, numbers, JSON and base64, odd more often than not, from a seeded source."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from operator import methodcaller
from random import Random
from typing import TypeVar

from tests.attacks import forge

T = TypeVar("T")

ODD_CHARACTERS = "\0\t\n\r\x1b\x7f\x85\xa0\xad\xff\u0130\u0131\u0661\u200b\u2028\u202e\ufb01\ufeff\uff11\U0001f3ab"
BASE64 = "ABCXYZabcxyz0189-_"
LITERALS = ("null", "true", "false", "[]", "{}", '""', '"0"', '"1"', '"access"', '"refresh"', '"HS256"', '"none"')
NUMBERS = (
    *("0", "-0", "1", "-1", "0.5", "1e0", "1e400", "-1e400", "1e-320", "1.7976931348623157e308"),
    *("2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "253402214401"),
)
NO_JSON = ("NaN", "Infinity", "-Infinity", "nul", "'x'", "01", "+1", "1_0", "0x1", ".5", "1.", '"\\x"', '"\n"', "[1,]")
NAMES = (
    *("exp", "iat", "nbf", "jti", "user_id", "sid", "gen", "token_type", "aud", "iss", "sub", "hash_password"),
    *("username", "password", "refresh", "access", "token", "token_type_hint", "__proto__", "", "x"),
)
CHARSETS: Sequence[Callable[[str], bytes]] = (
    *(methodcaller("encode", name) for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le")),
    methodcaller("encode", "utf-8-sig"),
    lambda text: text.encode("utf-7").replace(b"{", b"+AHs-"),
)


class Grammar:
    """Every rule is a method; each call takes the next numbers of the one source."""

    def __init__(self, random: Random) -> None:
        """Draw from ``random``."""
        self.random = random

    def one(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self.random.random() * len(options))]

    def chance(self, part: float) -> bool:
        """Return true in this part of all calls."""
        return self.random.random() < part

    def upto(self, most: int) -> int:
        """Return a number from 0 to ``most``."""
        return int(self.random.random() * (most + 1))

    # -- Text ------------------------------------------------------------------------------------------

    def character(self) -> str:
        """Return a character of any plane, a surrogate or a control among them."""
        place = self.random.random()
        if place < 0.6:
            return chr(0x20 + self.upto(0x5E))
        if place < 0.8:
            return self.one(ODD_CHARACTERS)
        if place < 0.9:
            return chr(self.upto(0xFF))
        return chr(0xD800 + self.upto(0x7FF)) if place < 0.95 else chr(self.upto(0x10FFFF))

    def text(self, longest: int = 24) -> str:
        """Return a text, seldom a very long one."""
        if self.chance(0.01):
            return self.character() * self.one((255, 256, 4097, 9000, 70_000))
        return "".join([self.character() for _ in range(self.upto(longest))])

    def octets(self, longest: int = 48) -> bytes:
        """Return any bytes."""
        return self.random.randbytes(self.upto(longest))

    def base64(self) -> str:
        """Return what is base64url, or nearly so."""
        letters = BASE64 if self.chance(0.7) else BASE64 + "+/= .,\n"
        return "".join([self.one(letters) for _ in range(self.upto(40))])

    # -- JSON ------------------------------------------------------------------------------------------

    def number(self) -> str:
        """Return a JSON number, up to more digits than Python reads."""
        if self.chance(0.5):
            return self.one(NUMBERS)
        if self.chance(0.05):
            return self.one("19") * self.one((400, 4000, 4301, 5000))
        return str(self.random.getrandbits(self.one((8, 31, 40, 63, 70))) * self.one((1, 1, -1)))

    def string(self) -> str:
        """Return a JSON string, escaped or not."""
        return json.dumps(self.text(), ensure_ascii=self.chance(0.7))

    def name(self) -> str:
        """Return the name of a member, a known one more often than not."""
        return json.dumps(self.one(NAMES)) if self.chance(0.8) else self.string()

    def value(self, depth: int = 3) -> str:
        """Return JSON, with now and then something in it that is none."""
        place = self.random.random() if depth else 0.5
        if place < 0.12:
            return "[" + ",".join([self.value(depth - 1) for _ in range(self.upto(3))]) + "]"
        if place < 0.3:
            return self.object(depth - 1)
        if place < 0.32:
            return self.one(NO_JSON)
        return self.one((self.number, self.string, lambda: self.one(LITERALS)))()

    def object(self, depth: int = 3) -> str:
        """Return an object, some names of which may stand there twice."""
        return "{" + ",".join([f"{self.name()}:{self.value(depth)}" for _ in range(self.upto(4))]) + "}"

    def no_string(self) -> str:
        """Return JSON that is no string."""
        return self.one((self.number, self.object, lambda: f"[{self.value(1)}]", lambda: self.one(LITERALS[:5])))()

    def no_number(self) -> str:
        """Return JSON that is no number."""
        return self.one((self.string, self.object, lambda: f"[{self.value(1)}]", lambda: self.one(LITERALS)))()

    def deep(self) -> str:
        """Return nested JSON: at Python's limits, beyond them, or never closed."""
        depth = self.one((500, 900, 990, 1000, 2000, 3000, 10_000, 50_000))
        start, end = self.one((("[", "]"), ('{"a":', "}")))
        return start * depth + "1" + end * (0 if self.chance(0.3) else depth)

    def broken(self, text: str) -> bytes:
        """Return bytes that a strict reader does not take for the object ``text``, nor for any other."""
        raw = text.encode("utf-8", "surrogatepass")
        at = self.upto(len(raw))
        ways: Sequence[Callable[[], bytes]] = (
            lambda: self.one(CHARSETS)(text),
            lambda: raw[: min(at, len(raw) - 1)],
            lambda: raw + self.one((b"x", b"//", b",", b"\0", b"{}", raw, b"\xff")),
            lambda: self.one((b"[", b'"', b"[[", b"{", b"\xef\xbb\xbf", b"\0", b"x")) + raw,
            lambda: raw[:at] + self.one((b"\0", b"\xff", b"\x1f", b"\xc0\xaf", b"\xed\xa0\x80")) + raw[at:],
            lambda: self.one((b"[", b'{"a":')) * self.upto(1000),
            lambda: b"[" * self.upto(5000),
            lambda: self.one((self.no_object, self.number, self.string))().encode("utf-8", "surrogatepass"),
            lambda: raw[:-1] + b"," + self.doubled(text) + b"}",
        )
        return self.one(ways)()

    def doubled(self, text: str) -> bytes:
        """Return a member that no strict reader takes behind those of the object ``text``."""
        name = json.dumps(self.one([*json.loads(text)]))
        odd = f'"more":{self.one(NO_JSON[:9])}', '"a":1,"\\u0061":1', f'"more":{"1" * 5000}', '"a":"\n"'
        return self.one((f"{name}:1", f"{name}:{self.value(1)}", *odd)).encode("utf-8", "surrogatepass")

    def no_object(self) -> str:
        """Return JSON that is no object."""
        return self.one((lambda: f"[{self.value(1)}]", lambda: self.one(("null", "true", "[]", '""', '"{}"'))))()

    # -- Base64 ----------------------------------------------------------------------------------------

    def segment(self) -> str:
        """Return one segment of something like a token."""
        kind = self.upto(2)
        if kind == 0:
            return self.base64()
        return forge.segment(self.octets() if kind == 1 else self.object(1).encode("utf-8", "surrogatepass"))
