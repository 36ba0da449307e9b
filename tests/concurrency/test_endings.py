"""Refreshing against everything that ends a session."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.concurrency

ROUNDS = 100

ENDINGS = [
    "signed out",
    "signed out everywhere",
    "password saved",
    "password updated",
    "deactivation saved",
    "deactivation updated",
    "deleted",
]


def bad(rounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rounds in which something is still accepted, or something else than yes or no was answered."""
    assert len(rounds) == ROUNDS
    return [found for found in rounds if found["accepted"] or not set(found["statuses"]) <= {200, 401}]


@pytest.mark.parametrize("how", ENDINGS)
def test_nothing_lives_after_a_refresh_raced_the_end_of_its_session(arena: Any, how: str) -> None:
    """Laws 4 and 9: no token that anybody holds is accepted, nor revived when the user is active again."""
    assert bad(arena.run("ending", rounds=ROUNDS, how=how)) == []


@pytest.mark.parametrize("how", ["signed out", "signed out everywhere"])
def test_nothing_lives_after_an_adoption_raced_the_end_of_its_session(arena: Any, how: str) -> None:
    """Laws 4 and 9: a token of simplejwt's that is adopted while it is revoked ends with its session."""
    assert bad(arena.run("ending", rounds=ROUNDS, how=how, adopt=True)) == []


def test_hashing_a_password_anew_signs_no_other_device_out(arena: Any) -> None:
    """Law 9: devices that refresh while their user signs in elsewhere, with a better hasher, stay signed in."""
    rounds = arena.run("rehashing", rounds=ROUNDS)
    assert [found for found in rounds if found != [200] * 6] == []
