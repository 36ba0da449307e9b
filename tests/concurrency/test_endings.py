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


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("signing in", "deactivation saved"),
        ("signing in", "password saved"),
        ("adopting", "deactivation saved"),
        ("adopting", "password saved"),
        ("adopting", "ended by the project"),
    ],
)
def test_nothing_lives_that_began_while_the_end_was_not_committed(arena: Any, begin: str, end: str) -> None:
    """Law 9, under ``ATOMIC_REQUESTS``: what ends a user's sessions ends what could not see it yet."""
    assert arena.run("overlapping", begin=begin, end=end, open_first=True)["accepted"] == []


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("starting", "deactivation saved"),
        ("starting", "deactivated for a while"),
        ("starting", "password saved"),
        ("rotating", "deactivation saved"),
        ("rotating", "deactivated for a while"),
        ("rotating", "password saved"),
        ("rotating", "ended by the project"),
    ],
)
def test_nothing_lives_that_was_committed_after_the_end(arena: Any, begin: str, end: str) -> None:
    """Law 9: a session that a project begins in its transaction ends with those that were seen."""
    assert arena.run("overlapping", begin=begin, end=end, open_first=False) == {"handed out": 1, "accepted": []}


@pytest.mark.parametrize(
    "how", ["ended by the project", "deactivation saved", "password saved", "password hashed anew", "pruned"]
)
def test_all_sessions_are_changed_in_the_order_of_their_ids(arena: Any, how: str) -> None:
    """So nobody else who keeps to it meets a deadlock, wherever the database has put the rows."""
    assert arena.run("in_order", how=how) == ""


@pytest.mark.parametrize("how", ["ended by the project", "password hashed anew"])
def test_the_first_end_of_a_user_without_sessions_meets_no_deadlock(arena: Any, how: str) -> None:
    """The row that bars tokens, or ties two hashes, refers to the user, whom somebody holds who writes one too."""
    assert arena.run("first_end", how=how) == ""


@pytest.mark.parametrize("begin", ["starting", "rotating"])
def test_a_rehash_beside_a_session_that_begins_signs_it_out_of_nothing(arena: Any, begin: str) -> None:
    """Law 9: it could not be told of the new hash before it was committed."""
    assert sorted(set(arena.run("rehashing_beside_a_beginning", begin=begin))) == ["access", "refresh", "verify"]


def test_a_rehash_in_a_transaction_meets_no_deadlock(arena: Any) -> None:
    """Law 9: as whoever ends a user's sessions, it holds the user before them."""
    assert arena.run("rehashing_in_a_transaction") == ""


@pytest.mark.parametrize("devices", [0, 1, 20])
def test_a_sign_in_that_waits_for_a_deactivation_meets_no_deadlock(arena: Any, devices: int) -> None:
    """Law 9: it is refused, or was through before; MariaDB lets its row wait for the user's, once it is there."""
    assert arena.run("waiting_sign_in", devices=devices) in {200, 401}


def test_hashing_a_password_anew_signs_no_other_device_out(arena: Any) -> None:
    """Law 9: devices that refresh while their user signs in elsewhere, with a better hasher, stay signed in."""
    rounds = arena.run("rehashing", rounds=ROUNDS)
    assert [found for found in rounds if found != [200] * 6] == []


@pytest.mark.parametrize(("parallel", "rounds"), [(2, 50), (4, 50), (6, 50), (20, 4)])
def test_sign_ins_that_hash_a_password_anew_at_once_are_all_let_in(arena: Any, parallel: int, rounds: int) -> None:
    """Law 9: each of them, what they go on with, who was signed in before, and the tokens that simplejwt signed."""
    found = arena.run("rehashing_at_once", rounds=rounds, parallel=parallel)
    assert [answers for answers in found if set(answers) != {200} or len(answers) != 2 * parallel + 6] == []


@pytest.mark.parametrize("how", ["ended by the project", "deactivation saved"])
def test_what_is_adopted_while_all_are_ended_meets_no_deadlock(arena: Any, how: str) -> None:
    """Its id is lower than those that the transaction holds, and whoever comes next takes it before them."""
    assert max(arena.run("adopted_meanwhile", how=how)) < 500


def test_what_is_adopted_while_a_password_is_hashed_anew_meets_no_deadlock(arena: Any) -> None:
    """The same, where a transaction ties sessions to the new hash before and after it is written."""
    assert max(arena.run("adopted_while_rehashing")) < 500


def test_what_is_adopted_while_a_password_is_hashed_anew_goes_on(arena: Any) -> None:
    """Law 9: it is tied to the new hash once that is committed."""
    assert arena.run("adopted_and_kept") == [200, 200]


@pytest.mark.parametrize("how", ["ended by the project", "deactivation saved"])
def test_an_activation_takes_the_user_before_the_sessions(arena: Any, how: str) -> None:
    """Law 9: what a deactivation left, it ends first; so it holds the user before."""
    assert arena.run("activating", how=how) == ""


def test_surplus_sessions_end_in_the_order_of_their_ids(arena: Any) -> None:
    """An adopted one is younger than its id, and may go after others."""
    assert arena.run("surplus") == 204


def test_the_admins_action_ends_sessions_in_the_order_of_their_ids(arena: Any) -> None:
    """It is a transaction under ``ATOMIC_REQUESTS``, and shows the newest first."""
    assert arena.run("ending_in_the_admin") == 204


def test_an_end_that_a_receivers_deadlock_takes_back_is_told(arena: Any) -> None:
    """Law 4: MariaDB gives up the whole transaction then; whoever signed out must not believe it."""
    assert arena.run("deadlocked_receiver")
