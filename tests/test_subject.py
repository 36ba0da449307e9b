"""The user who is made up for a round trip."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models.signals import post_save, pre_save

from drf_jwt_kit import subject

pytestmark = pytest.mark.django_db


def test_the_user_may_sign_in() -> None:
    """With the hash that was given, a name that nobody has, and no rights."""
    made = subject.save("a hash")
    stored = get_user_model().objects.get()
    assert (made.pk, made.password, made.is_active) == (stored.pk, "a hash", True)
    assert (stored.is_staff, stored.is_superuser, stored.email) == (False, False, "")
    assert stored.username.endswith("-jwt-doctor")


def test_two_have_different_names() -> None:
    """Even side by side."""
    assert len({subject.save("a hash").username for _ in range(2)}) == 2


def test_nobody_is_told() -> None:
    """A project's receivers write to new users."""
    told: list[Any] = []
    for signal in (pre_save, post_save):
        signal.connect(lambda **kwargs: told.append(kwargs), weak=False, dispatch_uid="test")
    subject.save("a hash")
    for signal in (pre_save, post_save):
        assert signal.disconnect(dispatch_uid="test")
    assert told == []
