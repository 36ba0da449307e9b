"""The password hasher that SC-001 holds with."""

from __future__ import annotations

from typing import Any, ClassVar

import argon2
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import MD5PasswordHasher, check_password, identify_hasher, make_password

from drf_jwt_kit.hashers import Argon2idPasswordHasher

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


@pytest.mark.parametrize(("passes", "memory"), [(1, 8), (1, 8 * 1024), (1, 19 * 1024), (2, 12 * 1024), (3, 8 * 1024)])
def test_a_cheaper_hash_costs_as_much_to_get_wrong(monkeypatch: Any, passes: int, memory: int) -> None:
    """THREATS, enumeration: an account from before the cost was raised answers no faster."""
    encoded = hashed_before(passes, memory)
    spent = spending(monkeypatch)
    assert not check_password("wrong", encoded)
    assert sum(spent) == pytest.approx(38 * 1024 - passes * memory, abs=16)


@pytest.mark.parametrize(("passes", "memory"), [(2, 19 * 1024), (4, 19 * 1024), (1, 100 * 1024)])
def test_a_dearer_hash_costs_nothing_more(monkeypatch: Any, passes: int, memory: int) -> None:
    """It has been paid for when it was verified."""
    encoded = hashed_before(passes, memory)
    spent = spending(monkeypatch)
    assert not check_password("wrong", encoded)
    assert spent == []


def test_a_right_password_with_a_cheaper_hash_is_hashed_anew_alone(monkeypatch: Any) -> None:
    """Nothing is made up for where the new hash costs the time."""
    encoded = hashed_before(1, 19 * 1024)
    spent = spending(monkeypatch)
    assert check_password("right", encoded)
    assert spent == []


def hashed_before(passes: int, memory: int) -> str:
    """Return the hash of ``right`` from when the cost was another; memory in KiB."""
    former = Argon2idPasswordHasher()
    former.time_cost, former.memory_cost = passes, memory
    return former.encode("right", "0123456789abcdef")


def spending(monkeypatch: Any) -> list[int]:
    """Return the list of what is hashed from now on by argon2-cffi itself: passes times memory, in KiB."""
    spent, really = [], argon2.PasswordHasher.hash

    def watched(hasher: argon2.PasswordHasher, password: str) -> str:
        spent.append(hasher.time_cost * hasher.memory_cost)
        return really(hasher, password)

    monkeypatch.setattr(argon2.PasswordHasher, "hash", watched)
    return spent


class Counting(MD5PasswordHasher):
    """A hasher that counts what it hashes."""

    algorithm = "counting"
    hashed: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str) -> str:
        """Count, then hash."""
        self.hashed.append(password)
        return f"counting${salt}${super().encode(password, salt)}"

    def decode(self, encoded: str) -> dict[str, Any]:
        """Return what Django needs to compare."""
        _algorithm, salt, _hash = encoded.split("$", 2)
        return {"algorithm": self.algorithm, "salt": salt, "hash": encoded}


ACCOUNTS = {
    "unknown": None,
    "wrong password": "counting",
    "older hasher": "md5",
    "unusable password": "!",
    "no hash at all": "garbage",
}


@pytest.mark.django_db
@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_denial_costs_one_hash_whoever_is_behind_the_name(settings: Any, post: Any, account: str) -> None:
    """THREATS, enumeration: the preferred hasher runs once, and the answer is the same."""
    settings.PASSWORD_HASHERS = [MD5]
    stored = ACCOUNTS[account]
    if stored is not None:
        user = get_user_model().objects.create_user("alice", password="right")
        settings.PASSWORD_HASHERS = [f"{__name__}.Counting", MD5]
        if stored != "md5":
            hashed = make_password("right") if stored == "counting" else stored
            get_user_model().objects.filter(pk=user.pk).update(password=hashed)
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting", MD5]
    Counting.hashed.clear()
    answer = post("token/", username="alice", password="wrong")
    assert (answer.status_code, answer.data["code"]) == (401, "no_active_account")
    assert len(Counting.hashed) == 1


class Plain(ModelBackend):
    """A project's backend with another rule for permissions, say."""


class ByAddress(ModelBackend):
    """A project's backend that looks for e-mail addresses, and hashes for nobody."""

    def authenticate(self, request: Any, username: str | None = None, password: str | None = None, **more: Any) -> Any:
        """Find nobody by a name."""
        return


BACKENDS = [([Plain, ModelBackend], 2), ([ByAddress, ModelBackend], 1), ([ByAddress], 0)]


@pytest.mark.django_db
@pytest.mark.parametrize(("backends", "hashed"), BACKENDS, ids=["two alike", "one by address", "by address alone"])
@pytest.mark.parametrize("stored", [None, "md5"], ids=["unknown", "older hasher"])
def test_a_denial_costs_as_many_as_there_are_backends(
    settings: Any, post: Any, backends: list[type[Any]], hashed: int, stored: str | None
) -> None:
    """THREATS, enumeration: each backend like Django's own hashes once for a name that nobody has."""
    settings.PASSWORD_HASHERS = [MD5]
    if stored is not None:
        get_user_model().objects.create_user("alice", password="right")
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting", MD5]
    settings.AUTHENTICATION_BACKENDS = [f"{backend.__module__}.{backend.__qualname__}" for backend in backends]
    Counting.hashed.clear()
    assert post("token/", username="alice", password="wrong").status_code == 401
    assert len(Counting.hashed) == (hashed if stored is None else max(hashed, 1))
