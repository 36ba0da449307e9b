"""Middleware: Django's own is found, and what rests on it."""

from __future__ import annotations

from typing import Any

import pytest
from django.middleware.locale import LocaleMiddleware

from drf_jwt_kit import middleware


class OwnLocaleMiddleware(LocaleMiddleware):
    """A project's own."""


DJANGOS, OWN = "django.middleware.locale.LocaleMiddleware", f"{__name__}.OwnLocaleMiddleware"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (DJANGOS, True),
        (OWN, True),
        ("django.middleware.common.CommonMiddleware", False),
        ("tests.test_round_trip.teapot_middleware", False),
        ("no.such.middleware", False),
        ("half_written.middleware", False),
    ],
)
def test_it_is_known_by_what_it_rests_on(
    settings: Any, tmp_path: Any, monkeypatch: Any, path: str, *, expected: bool
) -> None:
    """A function rests on nothing, nor does what cannot be imported, whatever it raises."""
    (tmp_path / "half_written.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", path]
    assert middleware.is_used(LocaleMiddleware) is expected
