"""Failed sign-ins, counted before a password is hashed.

An attempt is counted as a failure when it begins and taken back when it succeeds, so attempts that
run side by side cannot all slip under the limit. One that is refused is taken back as well: it undoes
its own count, which was beyond the limit, and so frees no place below it. The cache's keys say nothing of the account.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any, Self

from asgiref.local import Local
from django.core.cache import cache
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import APIException, Throttled

from . import clients
from .conf import kit
from .counters import Counter, Window
from .exceptions import ServiceUnavailable
from .reports import log_failure, may_quote_a_setting
from .rules import Rate
from .spellings import fold, in_log

security = logging.getLogger("drf_jwt_kit.security")

LONGEST_DELAY = 300  # seconds

# Where a request keeps its attempt, and where it is kept for what knows no request.
_ATTEMPT = "_drf_jwt_kit_sign_in_attempt"
_under_way = Local()

_OFF = Counter("", None)


class Attempt:
    """One attempt to sign in."""

    def __init__(self, account: str, address: str, kind: str = "") -> None:
        """Take the account as it was typed, or as something else tells it, and the address as :func:`network` does.

        Where a project signs in without a user name, only the address is counted.
        """
        settings, who = kit(), fold(account)
        pair = settings.LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS if who else None
        everywhere = settings.LOGIN_FAILURES_PER_ACCOUNT if who else None
        self.sent, self.who, self.address = account, who, address
        self.pair = Counter(_name("pair", who, address), Rate.of(pair), kind)
        self.place = Counter(_name("address", address), Rate.of(settings.LOGIN_FAILURES_PER_ADDRESS))
        self.account = Counter(_name("account", who), Rate.of(everywhere), kind)
        self.last_failure, self.lately = _name(f"{kind}last", who, address), _name("lately", address)
        self.windows: dict[Counter, Window] = {}
        self.counted: dict[Counter, int] = {}
        self.meant: Attempt | None = None
        self.is_too_many = self.is_unseen = False
        self.was_denied: bool | None = None  # as long as nobody was asked
        self.is_guess = True  # as long as nobody has told
        self.refusal: Exception | None = None  # of the last try, as long as that is not answered
        self.is_doubtful = False  # whether a try before may have been a denial
        self.sessions: list[Any] = []  # that it began
        self.now = time.time()

    @classmethod
    def begin(cls, request: Any, account: str) -> Self:
        """Count an attempt from the address of ``request``.

        Raises 429 where there were too many, with the seconds to wait, and 503 where the cache
        cannot tell (unless ``THROTTLE_FAILS_OPEN``).
        """
        address = clients.address(request)
        attempt = cls(account, network(address))
        if wait := attempt._counted():
            told = {"event": "sign_in_throttled", "address": address}
            security.warning("sign_in_throttled username=%r address=%s", in_log(account), address, extra=told)
            raise Throttled(wait=wait)
        return attempt

    @staticmethod
    def of(request: Any = None) -> Attempt | None:
        """Return the attempt that ``request`` makes, or the one under way; ``None`` where nobody counts."""
        return getattr(request, _ATTEMPT, None) or getattr(_under_way, "attempt", None)

    @contextmanager
    def made_by(self, request: Any) -> Iterator[None]:
        """Let this be the attempt of ``request``, in its own context and wherever the request is taken."""
        request, around = getattr(request, "_request", request), Attempt.of()
        _under_way.attempt = self
        setattr(request, _ATTEMPT, self)
        try:
            yield
        finally:
            _under_way.attempt = around
            setattr(request, _ATTEMPT, None)

    def read_as(self, account: str) -> None:
        """Take the account as it is read in the end: a field trims it, a project may do more."""
        if account != self.sent:
            self.sent, self.who = account, fold(account)
            if self.meant is not None:
                self.meant.withdrawn()
            self.meant, self.is_too_many = None, False

    def names(self, account: str) -> bool:
        """Return whether the name that was sent is counted as ``account`` is."""
        return fold(account) == self.who

    @property
    def may_be_too_many(self) -> bool:
        """Return whether its address has failed lately, or fails side by side: often enough for some account."""
        if self.pair.rate is None and self.account.rate is None:
            return False
        if self.pair.rate is not None and self.counted.get(self.place, 0) > self.pair.rate.limit:
            return True
        known = None
        with cache_errors_logged(fatal=not kit().THROTTLE_FAILS_OPEN):
            known = cache.get(self.lately)
        return known is not None

    def means(self, account: str) -> None:
        """Count the attempt on the account that its name turned out to mean; ``is_too_many`` tells if it may not.

        Databases take more spellings for one name than :func:`fold`, each in its own way: what a collation
        ignores, or zeros before a number. These counters are apart from those of names, and never answered
        with 429: an account that somebody has must not be told from one that nobody has.
        """
        if self.meant is None:
            self.meant = Attempt(account, self.address, "meant:")
            self.meant.place = _OFF  # it is counted there already
            self.meant.now = self.now
            self.is_too_many = self.meant._counted() > 0

    def _counted(self) -> float:
        """Count the attempt; return how long to wait before it may be made. It is not counted then."""
        wait = 0.0
        with cache_errors_logged(fatal=not kit().THROTTLE_FAILS_OPEN):
            wait = self._wait()
        if wait:
            self.withdrawn()
        return wait

    def _wait(self) -> float:
        """Count the attempt; return how long to wait before it may be made, 0 for not at all.

        Where one limit holds it back, the others are asked how long they would.
        """
        limits = (self.pair, self.place)
        held_by = next(filter(self._is_beyond, limits), None)
        if held_by is None:
            return self._delay() if self._is_beyond(self.account) else 0
        full = [limit for limit in limits if limit is held_by or limit.is_full(self._window(limit))]
        delay = self._delay() if self.account.is_full(self._window(self.account)) else 0
        return max(delay, *(self._window(limit).seconds_left for limit in full))

    def _window(self, counter: Counter) -> Window:
        """Return the window that the attempt falls into."""
        if counter not in self.windows:
            self.windows[counter] = counter.window(self.now)
        return self.windows[counter]

    def _is_beyond(self, counter: Counter) -> bool:
        """Count the attempt; return whether it is one too many."""
        self.counted[counter] = counter.count(self._window(counter))
        return counter.exceeded_by(self.counted[counter])

    def _delay(self) -> float:
        """Return how long this address waits, when the account is under attack from many.

        The first attempt from an address never waits, so the owner gets in. Each failure from the
        same address doubles its delay, which ends with the window of the account at the latest.
        """
        failures, last = cache.get(self.last_failure, (0, 0.0))
        left: float = last + min(2 ** min(failures, 9), LONGEST_DELAY) - self.now if failures else 0
        return min(max(0, left), self._window(self.account).seconds_left)

    def failed(self) -> None:
        """Keep the failure, and when it was."""
        if self.meant is not None and not self.is_too_many:
            self.meant.failed()
        if self.pair.rate is None and self.account.rate is None:
            return
        remembered = LONGEST_DELAY * 2
        with cache_errors_logged(fatal=False):
            cache.set(self.lately, True, timeout=max(remembered, self.pair.rate.period if self.pair.rate else 0))
            failures, _last = cache.get(self.last_failure, (0, 0.0))
            cache.set(self.last_failure, (failures + 1, self.now), timeout=remembered)

    def withdrawn(self) -> None:
        """Take the failure back: it succeeded, or no password was tried.

        Delays stay: whoever succeeds may have another account that counts as this one.
        """
        if self.meant is not None:
            self.meant.withdrawn()
        with cache_errors_logged(fatal=False):
            while self.counted:
                counter, _failures = self.counted.popitem()
                counter.take_back(self._window(counter))


@contextmanager
def cache_errors_logged(*, fatal: bool) -> Iterator[None]:
    """Log whatever the cache raises; each backend has its own errors.

    A ``fatal`` one is answered with 503, so that nobody gets in uncounted (law 8).
    """
    try:
        yield
    except APIException:
        raise
    except Exception as error:
        sentence = "The default cache failed, or does not count; sign-ins cannot be throttled."
        log_failure(sentence, error, in_words=not may_quote_a_setting(error))
        if fatal:
            raise ServiceUnavailable from error


def _name(kind: str, *parts: str) -> str:
    """Return a cache key that tells nothing: accounts are personal data, and may not be guessed at there either."""
    return f"drf_jwt_kit:{kind}:{salted_hmac(kind, repr(parts), algorithm='sha256').hexdigest()}"


def network(address: str | None) -> str:
    """Return what one client can choose its address from: an IPv6 client has a /64 (RFC 6177)."""
    if address is not None and ":" in address:
        return str(ip_network((address, 64), strict=False))
    return address or ""
