"""Many sign-ins of one user, and many threads, at once or one after another."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.concurrency


def test_parallel_sign_ins_leave_no_more_sessions_than_allowed(arena: Any) -> None:
    """``MAX_SESSIONS_PER_USER``: each sign-in is let in, then ends what is beyond the limit.

    Meanwhile there may be more. Once all are answered at most the three allowed are alive, and the newest among them.
    """
    rounds = arena.run("signing_in", rounds=20, parallel=8, most=3)
    assert [found["statuses"] for found in rounds] == [[200] * 8] * 20
    assert [found for found in rounds if not 1 <= found["live"] == found["usable"] <= 3] == []


def test_a_thread_that_ends_leaves_no_connection_in_memory(arena: Any) -> None:
    """Section 5: what makes a request's one query fast is not kept for threads that are gone."""
    before, after = arena.run("passing", threads=20)
    assert after == before
