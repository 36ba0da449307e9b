"""``jwt_prune`` on a site in use."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from drf_jwt_kit import models, sessions
from drf_jwt_kit.models import TokenSession

MEBIBYTE = 1024  # in KiB


@pytest.mark.concurrency
@pytest.mark.parametrize(
    ("expired", "live"),
    [(20_000, 20_000), pytest.param(200_000, 200_000, marks=pytest.mark.soak)],
)
def test_pruning_disturbs_no_refresh_and_loses_no_live_session(arena: Any, expired: int, live: int) -> None:
    """Law 6: bounded memory, no refresh fails, no live row is lost, nothing expired comes back."""
    found = arena.run("pruning", expired=expired, live=live)
    assert found["said"] == f"{expired + 1} expired sessions were deleted."
    assert (found["expired left"], found["live left"]) == (0, live + 3)
    assert [set(statuses) for statuses in [found["late"], *found["refreshed"]]] == [{"401"}, *[{"200"}] * 3]
    assert found["resurrected"] == []
    assert found["grown"] <= 20 * MEBIBYTE


@pytest.mark.concurrency
def test_what_a_transaction_holds_is_pruned_later(arena: Any) -> None:
    """Law 6: PostgreSQL waits for no row; the others do, in the order in which everybody does."""
    found = arena.run("pruning_twice")
    assert found["left"] == [int(found["vendor"] == "postgresql"), 0]


def test_a_session_within_the_leeway_is_not_pruned(user: Any, settings: Any) -> None:
    """Law 6: with ``LEEWAY`` a refresh token outlives its row's end, so the row outlives it too."""
    settings.SIMPLE_JWT = {"LEEWAY": 60}
    pair = sessions.start(user)
    TokenSession.objects.update(expires_at=models.now() - timedelta(seconds=30))
    call_command("jwt_prune")
    assert sessions.rotate(str(pair.refresh)).session.generation == 1
