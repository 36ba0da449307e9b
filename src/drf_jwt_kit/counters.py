"""Counters of failures, in windows of fixed length, in Django's default cache."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from django.core.cache import InvalidCacheBackendError, cache
from django.core.cache.backends.base import BaseCache

from .rules import Rate

# Seconds that a count outlives its window by: an attempt in it may be slow to be counted. A key that expires while it
# is counted up would stay in Redis for good.
_LATE = 60


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which failures are counted together: the cache key of their count, and the seconds that are left."""

    key: str
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Counter:
    """Failures of one account, one address or both, against a rate.

    A window begins with the first attempt that is counted in it, so nothing that belongs together falls into
    two. When it began is kept under ``name``, which counters that are to begin together share; ``kind`` tells
    their counts apart.
    """

    name: str
    rate: Rate | None
    kind: str = ""

    def window(self, now: float) -> Window:
        """Return the window of ``now``, in seconds since the epoch, and begin it where there is none."""
        if self.rate is None:
            return Window("", 0)
        began = _tally(self.name, int(now), 0, self.rate.period)
        if abs(now - began) >= self.rate.period:  # the cache is late to let it go, or a clock was set back
            began = int(now)
            cache.set(self.name, began, self.rate.period)
        return Window(f"{self.name}:{self.kind}{began}", self.rate.period - max(now - began, 0))

    def count(self, window: Window) -> int:
        """Count one more failure and return how many there are in ``window``."""
        if self.rate is None:
            return 0
        return _tally(window.key, 0, 1, self.rate.period + _LATE)

    def take_back(self, window: Window) -> None:
        """Count one failure less: it was none."""
        if self.rate is not None:
            with suppress(ValueError):  # the window is over, or was evicted
                cache.decr(window.key)
                _keep(window.key, self.rate.period + _LATE)

    def exceeded_by(self, failures: int) -> bool:
        """Return whether ``failures`` are more than the rate allows."""
        return self.rate is not None and failures > self.rate.limit

    def is_full(self, window: Window) -> bool:
        """Return whether there is no room for one more failure in ``window``."""
        return self.rate is not None and cache.get(window.key, 0) >= self.rate.limit


def _tally(key: str, first: int, more: int, seconds: int, *, tries: int = 2) -> int:
    """Return a number of the cache after adding ``more`` to it. It is never read: a replica may be late."""
    cache.add(key, first, timeout=seconds)
    try:
        number: int = cache.incr(key, more)
    except ValueError:  # it expired between the two; or the cache keeps nothing
        if tries == 1:
            raise
        return _tally(key, first, more, seconds, tries=tries - 1)
    _keep(key, seconds)
    if type(number) is not int:  # Memcached's clients say `False` of a server that is down
        raise InvalidCacheBackendError(f"The cache counted to {number!r}.")
    return number


def _keep(key: str, seconds: int) -> None:
    """Keep a number that long in caches that count by setting anew, and then for as long as anything else."""
    if getattr(cache.incr, "__func__", None) is BaseCache.incr:
        cache.touch(key, seconds)
