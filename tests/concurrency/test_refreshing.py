"""Many callers with one refresh token."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.concurrency

ROUNDS = 100


@pytest.mark.parametrize("parallel", [2, 8])
def test_of_parallel_refreshes_one_rotates_and_all_get_its_successor(arena: Any, parallel: int) -> None:
    """Laws 1 and 2: one rotation, one successor, nobody refused within the grace period."""
    good = {"statuses": [200] * parallel, "reasons": [], "successors": 1, "generations": [1], "after": [200]}
    rounds = arena.run("refreshing", rounds=ROUNDS, parallel=parallel, grace=30)
    assert [found for found in rounds if found != good] == []
    assert len(rounds) == ROUNDS


@pytest.mark.parametrize("parallel", [2, 8])
def test_without_grace_one_of_parallel_refreshes_is_answered_and_the_replay_ends_all(arena: Any, parallel: int) -> None:
    """Laws 1 and 3: one 200; a replay among the others ended the session, so its successor is dead."""
    good = {"statuses": [200] + [401] * (parallel - 1), "successors": 1, "generations": [1], "after": [401]}
    rounds = arena.run("refreshing", rounds=ROUNDS, parallel=parallel, grace=0)
    reasons = [found.pop("reasons") for found in rounds]
    assert [found for found in rounds if found != good] == []
    # Who looks after the session was ended hears that it was.
    assert [found for found in reasons if found not in (["reused"], ["reused", "revoked"])] == []


@pytest.mark.parametrize("parallel", [2, 8])
def test_a_token_of_simplejwt_becomes_one_session_whoever_is_first(arena: Any, parallel: int) -> None:
    """Law 1, section 4: adoption happens once, and every caller gets the one successor."""
    good = {"statuses": [200] * parallel, "reasons": [], "successors": 1, "generations": [1], "after": [200]}
    rounds = arena.run("refreshing", rounds=ROUNDS, parallel=parallel, grace=30, adopt=True)
    assert [found for found in rounds if found != good] == []


def test_a_token_of_simplejwt_is_used_once_without_grace(arena: Any) -> None:
    """Laws 1 and 3: with a grace period of 0 one caller gets the adopted session, and the others end it."""
    good = {"statuses": [200] + [401] * 7, "successors": 1, "generations": [1], "after": [401]}
    rounds = arena.run("refreshing", rounds=ROUNDS, parallel=8, grace=0, adopt=True)
    reasons = [found.pop("reasons") for found in rounds]
    assert [found for found in rounds if found != good] == []
    assert [found for found in reasons if found not in (["reused"], ["reused", "revoked"])] == []
