"""Many sign-ins of one user, and many threads, at once or one after another."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.concurrency


@pytest.mark.parametrize(("parallel", "most"), [(2, 1), (4, 1), (8, 3)])
def test_parallel_sign_ins_leave_as_many_sessions_as_allowed(arena: Any, parallel: int, most: int) -> None:
    """``MAX_SESSIONS_PER_USER``: each sign-in is let in, then ends what is beyond the limit.

    Meanwhile there may be more. Once all are answered the newest are alive, and none has ended another that was newer.
    """
    rounds = arena.run("signing_in", rounds=20, parallel=parallel, most=most)
    assert rounds == [{"statuses": [200] * parallel, "live": most, "usable": most}] * 20


def test_a_thread_that_ends_leaves_no_connection_in_memory(arena: Any) -> None:
    """Section 5: what makes a request's one query fast is not kept for threads that are gone."""
    before, after = arena.run("passing", threads=20)
    assert after == before
