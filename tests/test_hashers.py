"""The password hasher that SC-001 holds with."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import check_password, identify_hasher, make_password

KIT = "drf_jwt_kit.hashers.Argon2idPasswordHasher"
DJANGO = "django.contrib.auth.hashers.Argon2PasswordHasher"
MD5 = "django.contrib.auth.hashers.MD5PasswordHasher"


@pytest.fixture(autouse=True)
def _preferred(settings: Any) -> None:
    """Put it first."""
    settings.PASSWORD_HASHERS = [KIT, MD5]


def test_its_parameters_are_owasps_first_choice() -> None:
    """SC-001: 19 MiB, two passes, one lane."""
    assert make_password("secret").startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_it_knows_its_own_passwords() -> None:
    """Right and wrong."""
    encoded = make_password("secret")
    assert check_password("secret", encoded)
    assert not check_password("Secret", encoded)
    assert not identify_hasher(encoded).must_update(encoded)


@pytest.mark.parametrize("former", [DJANGO, MD5])
def test_a_password_of_another_hasher_is_hashed_anew(settings: Any, former: str) -> None:
    """Whoever installs it later signs nobody out and needs no migration."""
    settings.PASSWORD_HASHERS = [former]
    encoded = make_password("secret")
    settings.PASSWORD_HASHERS = [KIT, MD5]
    again = []
    assert check_password("secret", encoded, setter=again.append)
    assert again == ["secret"]
