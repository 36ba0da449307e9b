"""Rules: what each key of ``DRF_JWT_KIT`` may be set to."""

from __future__ import annotations

import pytest

from drf_jwt_kit import rules
from tests.test_conf import CONTRACT


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("ANONYMOUS_STATU", "Did you mean 'ANONYMOUS_STATUS'?"),
        ("CLAIM", "Did you mean 'CLAIMS'?"),
        ("claims", "Did you mean 'CLAIMS'?"),
        ("xyzzy", None),
    ],
)
def test_did_you_mean(name: str, hint: str | None) -> None:
    """DESIGN 2.3: only where something is close."""
    assert rules.did_you_mean(name, CONTRACT) == hint


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("5/5m", (5, 300)),
        ("1/1s", (1, 1)),
        ("100/1h", (100, 3600)),
        ("1/36500d", (1, 3_153_600_000)),
        ("9/2d", (9, 172_800)),
        (None, None),
    ],
)
def test_rates_are_read(text: str | None, rate: tuple[int, int] | None) -> None:
    """DESIGN 2.3: count/period in s, m, h or d; ``None`` turns it off."""
    read = rules.Rate.of(text)
    assert (read and (read.limit, read.period)) == rate
