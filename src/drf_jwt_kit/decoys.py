"""Decoys: another secret of the same shape in the place of one that is not to be tried."""

from __future__ import annotations

import math
import re
import secrets
import string
import sys
from typing import Any

from rest_framework import serializers
from rest_framework.fields import Field

# What is written in a way that tells it is no secret: changed, it would be no such thing any more.
_ARE_NO_SECRET = (
    *(serializers.BooleanField, serializers.ChoiceField, serializers.RelatedField, serializers.ManyRelatedField),
    *(serializers.DateField, serializers.DateTimeField, serializers.TimeField, serializers.DurationField),
    *(serializers.EmailField, serializers.IPAddressField, serializers.URLField),
)

# As a UUID is written, too.
_HEXADECIMAL = f"{string.hexdigits}-"


def may_be_secret(field: Field[Any, Any, Any, Any] | None) -> bool:
    """Return whether what a serializer reads by ``field`` may prove who somebody is; what it does not declare may."""
    return not isinstance(field, _ARE_NO_SECRET)


def disguise(data: dict[str, Any], fields: list[str]) -> None:
    """Put other secrets in the place of those in ``fields``, as deep as they are."""
    tables = _tables()
    places: list[tuple[Any, Any]] = [(data, field) for field in fields]
    while places:
        holder, place = places.pop()
        value = holder[place]
        if type(value) is str:
            holder[place] = _another_text(value, *tables)
        elif type(value) is int:
            holder[place] = _another_number(value)
        elif type(value) is float and math.isfinite(value):
            holder[place] = _another_fraction(value)
        elif isinstance(value, (dict, list)):
            places += [(value, inner) for inner in (value if isinstance(value, dict) else range(len(value)))]


def _another_text(secret: str, *tables: dict[int, int]) -> str:
    """Return another text of the same shape: digits for digits, letters for letters, or else signs for signs.

    What is empty, blank or unprintable is no secret, and stays as it is.
    """
    hexadecimal, alphanumeric, signs = tables
    changed = secret.translate(alphanumeric if secret.strip(_HEXADECIMAL) else hexadecimal)
    if changed == secret:
        changed = secret.translate(signs)
    is_foreign = changed == secret and secret.isprintable() and not secret.isspace()
    return "x" * len(secret) if is_foreign else changed


def _another_number(secret: int) -> int:
    """Return another number of as many digits: some serializers take numbers for texts."""
    least: int = 10 ** (len(str(abs(secret))) - 1)
    return least + (abs(secret) - least + 1 + secrets.randbelow(9 * least - 1)) % (9 * least)


def _another_fraction(secret: float) -> float:
    """Return another number with as many digits before its point and the same behind it."""
    whole, *rest = re.split(r"(?=[.e])", repr(secret), maxsplit=1)
    return min(float("".join([str(_another_number(int(whole))), *rest])), sys.float_info.max)


def _tables() -> list[dict[int, int]]:
    """Return tables that have another character for each that is hexadecimal, a letter or a digit, or a sign."""
    upper, lower, digits = string.ascii_uppercase, string.ascii_lowercase, _turned(string.digits)
    return [digits | _turned(upper[:6], lower[:6]), digits | _turned(upper, lower), _turned(string.punctuation)]


def _turned(*kinds: str) -> dict[int, int]:
    """Return a table in which each of ``kinds`` is turned by some characters, but not by none."""
    table: dict[int, int] = {}
    for kind in kinds:
        turn = 1 + secrets.randbelow(len(kind) - 1)
        table |= str.maketrans(kind, kind[turn:] + kind[:turn])
    return table
