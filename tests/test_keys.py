"""The key ring follows the settings."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings

from drf_jwt_kit import keys

KEY = "k" * 32
OLD = "o" * 32


def test_secret_key_signs_out_of_the_box() -> None:
    """DESIGN 7: HS256 with ``SECRET_KEY``."""
    ring = keys.ring()
    assert (ring.algorithm, ring.signing, ring.fallbacks) == ("HS256", django_settings.SECRET_KEY, ())


@pytest.mark.parametrize(
    ("simple_jwt", "signing", "fallbacks"),
    [
        ({}, KEY, (OLD,)),
        ({"SIGNING_KEY": KEY}, KEY, (OLD,)),
        ({"SIGNING_KEY": "x" * 32}, "x" * 32, ()),
        ({"ALGORITHM": "HS512"}, KEY, (OLD,)),
        ({"ALGORITHM": "RS256", "SIGNING_KEY": "pem"}, "pem", ()),
        ({"ALGORITHM": "RS256", "SIGNING_KEY": KEY}, KEY, ()),
    ],
    ids=str,
)
def test_fallbacks_belong_to_secret_key(
    settings: Any, simple_jwt: dict[str, Any], signing: str, fallbacks: tuple[str, ...]
) -> None:
    """DESIGN 7: a key of its own has no fallbacks, ``SECRET_KEY`` written out has."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS, settings.SIMPLE_JWT = KEY, [OLD], simple_jwt
    ring = keys.ring()
    assert (ring.signing, tuple(ring.fallbacks)) == (signing, fallbacks)


def test_no_key_is_shown(settings: Any) -> None:
    """Law 10: ``repr`` ends up in logs."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = KEY, [OLD]
    assert KEY not in repr(keys.ring())
    assert OLD not in repr(keys.ring())
