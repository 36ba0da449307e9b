"""What surrounds the process: the cache, the database's clock, and the proxies in front."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connections

from . import models
from .conf import kit, leeway
from .deploy_checks import UNCOUNTED, counts_nothing
from .findings import Finding, Status, described, milliseconds
from .reports import may_quote_a_setting

_THREADS, _COUNTS = 8, 50

# Seconds since the epoch, by the server's clock now, whatever the time zone and the transaction.
_NOW = {
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "SELECT EXTRACT(EPOCH FROM clock_timestamp())",
    "mysql": "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1000000",
}
_NOTICEABLE = 2  # seconds


def cache_counts() -> Iterator[Finding]:
    """See whether the default cache is there, and whether it counts when many count at once."""
    if counts_nothing():
        found = "No cache is needed: all LOGIN_FAILURES_... are None, and failed sign-ins are not counted."
        yield Finding(Status.NOTE, found)
        return
    key, begun = f"drf_jwt_kit:doctor:{secrets.token_hex(8)}", perf_counter()
    try:
        kept = _keeps(key)
        seconds = perf_counter() - begun
        counted = _counted(key) if kept else 0
    except Exception as error:  # noqa: BLE001 - each backend has its own errors
        why = type(error).__name__ if may_quote_a_setting(error) else described(error)
        found = f"The default cache does not answer ({why}): failed sign-ins cannot be counted."
        remedy = "Start it, or mend CACHES. Until then sign-in answers 503, unless THROTTLE_FAILS_OPEN is True."
        yield Finding(Status.ERROR, found, remedy)
        return
    yield judged_cache(type(caches["default"]), kept=kept, seconds=seconds, counted=counted)


def _keeps(key: str) -> bool:
    """Write, read and delete."""
    cache = caches["default"]
    cache.set(key, "kept", timeout=60)
    kept: bool = cache.get(key) == "kept"
    cache.delete(key)
    return kept


def _counted(key: str) -> int:
    """Return what threads that count side by side have counted together."""
    cache = caches["default"]
    cache.set(key, 0, timeout=60)
    with ThreadPoolExecutor(_THREADS) as threads:
        for done in [threads.submit(_count, key) for _ in range(_THREADS)]:
            done.result()
    counted = cache.get(key)
    cache.delete(key)
    return int(counted)


def _count(key: str) -> None:
    """Count, on this thread's own connection."""
    try:
        for _ in range(_COUNTS):
            caches["default"].incr(key)
    finally:
        connections.close_all()


def judged_cache(backend: type[Any], *, kept: bool, seconds: float, counted: int) -> Finding:
    """Say what the cache is good for."""
    wanted, name, remedy = _THREADS * _COUNTS, backend.__name__, "Use Redis or Valkey."
    if not kept:
        return Finding(Status.ERROR, f"{name} keeps nothing: {UNCOUNTED}.", remedy)
    found = f"{name} wrote, read and deleted in {milliseconds(seconds)}; {_THREADS} threads counted to {counted}"
    if counted != wanted:
        return Finding(Status.WARNING, f"{found} instead of {wanted}: failed sign-ins are counted as fewer.", remedy)
    if issubclass(backend, LocMemCache):
        found = f"{found}, in this process: each other one counts for itself."
        return Finding(Status.NOTE, found, f"{remedy} With one process it will do.")
    return Finding(Status.OK, f"{found}, none was lost.")


def clock() -> Iterator[Finding]:
    """Compare the process's clock with the database's."""
    connection = connections[models.writing_database()]
    if connection.vendor not in _NOW:
        yield Finding(Status.NOTE, f"How to ask {connection.vendor} for the time is not known.")
        return
    with connection.cursor() as cursor:
        before = time.time()
        cursor.execute(_NOW[connection.vendor])
        told = float(cursor.fetchone()[0])
        yield judged_clock(told - (before + time.time()) / 2)


def judged_clock(skew: float) -> Finding:
    """Say whether the two clocks tell the same time; ``skew`` is in seconds."""
    allowed = leeway().total_seconds()
    found = f"The database's clock is {abs(skew):.2f} s {'ahead' if skew > 0 else 'behind'}; LEEWAY is {allowed:g} s."
    if abs(skew) > max(_NOTICEABLE, allowed):
        remedy = "One of the two is wrong: let NTP set both, and the clocks of all other servers."
        return Finding(Status.WARNING, found, remedy)
    return Finding(Status.OK, f"{found} The clocks of other servers cannot be seen from here.")


def proxies() -> Iterator[Finding]:
    """Say whose address a sign-in is counted by."""
    trusted = kit().TRUSTED_PROXIES
    if trusted:
        found = (
            f"TRUSTED_PROXIES is {trusted}: a client's address is number {trusted} from the right in X-Forwarded-For."
        )
        remedy = "If fewer proxies append to it, clients can choose their address."
    else:
        found = "TRUSTED_PROXIES is 0: a client's address is that of whoever opens the connection."
        remedy = "Behind a proxy, all users share one address and one limit: set how many proxies there are."
    yield Finding(Status.NOTE, found, remedy)
