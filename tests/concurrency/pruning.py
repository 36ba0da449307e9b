"""Pruning while the site is in use, as an arena runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from functools import partial
from io import StringIO
from threading import Event
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction

from drf_jwt_kit import credentials, models
from drf_jwt_kit.models import TokenSession
from tests.concurrency.calls import A_MOMENT, Callers, Held, accepted, call, new_user, refresh, signed_in

BATCH = 5000


def pruning(callers: Callers, *, expired: int, live: int) -> dict[str, Any]:
    """Prune among ``expired`` and ``live`` rows while clients refresh, some of them too late."""
    TokenSession.objects.all().delete()
    _fill(expired, -timedelta(days=1))
    _fill(live, timedelta(days=1))
    late, users = _overdue(), [new_user() for _ in range(3)]
    over = Event()
    prune, *used = callers.at_once(
        partial(_prune, over),
        partial(_try_again, late, over),
        *(partial(_go_on, signed_in(user), over) for user in users),
    )
    return {
        **prune,
        "late": used[0],
        "refreshed": used[1:],
        "resurrected": accepted([late]),
        "expired left": TokenSession.objects.prunable(models.now()).count(),
        "live left": TokenSession.objects.live(models.now()).count(),
    }


def pruning_twice(callers: Callers) -> dict[str, Any]:
    """Prune while a transaction holds one of two rows, and after it; return how many are left each time."""
    TokenSession.objects.all().delete()
    _fill(2, -timedelta(days=1))
    held, waited = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            TokenSession.objects.filter(pk=TokenSession.objects.latest("pk").pk).update(user_agent="held")
            held.set()
            waited.wait(A_MOMENT)

    def prune() -> int:
        held.wait(timeout=60)
        call_command("jwt_prune", stdout=StringIO())
        waited.set()
        return TokenSession.objects.count()

    _none, beside = callers.at_once(hold, prune)
    call_command("jwt_prune", stdout=StringIO())
    return {"left": [beside, TokenSession.objects.count()], "vendor": connection.vendor}


def _fill(number: int, remaining: timedelta) -> None:
    """Insert sessions with that much time left."""
    user, now = new_user(), models.now()
    begun = {"user": user, "created_at": now, "rotated_at": now, "credential_hash": credentials.hashes(user)[0]}
    for start in range(0, number, BATCH):
        size = min(BATCH, number - start)
        TokenSession.objects.bulk_create([TokenSession(expires_at=now + remaining, **begun) for _ in range(size)])


def _overdue() -> Held:
    """Return tokens that are still good by themselves, of a session whose time is over."""
    user = new_user()
    held = signed_in(user)
    TokenSession.objects.filter(user=user).update(expires_at=models.now() - timedelta(minutes=5))
    return Held("", held.refresh)


def _prune(over: Event) -> dict[str, Any]:
    """Prune in a child process, then tell the others that it is over."""
    command = [sys.executable, "-m", "tests.concurrency.prune_measured"]
    try:
        answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    finally:
        over.set()
    return answer


def _go_on(held: Held, over: Event) -> dict[int, int]:
    """Refresh and use what comes of it for as long as the pruning takes; return how often with which status."""
    statuses: Counter[int] = Counter()
    while not over.is_set():
        answer = refresh(held.refresh)
        statuses[answer.status] += 1
        if answer.status != 200:
            break
        held = Held(answer.body["access"], answer.body["refresh"])
        statuses[call("GET", "me/", access=held.access).status] += 1
    return statuses


def _try_again(held: Held, over: Event) -> dict[int, int]:
    """Present a refresh token whose session is over, before, while and after it is pruned."""
    statuses: Counter[int] = Counter()
    while not over.is_set():
        statuses[refresh(held.refresh).status] += 1
    return statuses
