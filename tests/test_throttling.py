"""``drf_jwt_kit.throttling``: attempts, one spelling for an account, one network for a client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache
from django.test import RequestFactory
from rest_framework.exceptions import Throttled

from drf_jwt_kit.counters import Counter
from drf_jwt_kit.exceptions import ServiceUnavailable
from drf_jwt_kit.throttling import Attempt, network

pytestmark = pytest.mark.usefixtures("clock")

OFF = {
    "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": None,
    "LOGIN_FAILURES_PER_ADDRESS": None,
    "LOGIN_FAILURES_PER_ACCOUNT": None,
}


def begin(account: str = "alice", address: str = "192.0.2.1") -> Attempt:
    """Begin an attempt from ``address``."""
    return Attempt.begin(RequestFactory().post("/", REMOTE_ADDR=address), account)


def wait(account: str = "alice", address: str = "192.0.2.1") -> int:
    """Return how long an attempt that is throttled has to wait."""
    with pytest.raises(Throttled) as caught:
        begin(account, address)
    assert caught.value.wait is not None
    return int(caught.value.wait)


@pytest.mark.usefixtures("counting")
@pytest.mark.parametrize(
    "limits",
    [
        {"LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "2/10s", "LOGIN_FAILURES_PER_ADDRESS": "3/50s"},
        {"LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "2/50s", "LOGIN_FAILURES_PER_ADDRESS": "3/10s"},
        {"LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "2/10s", "LOGIN_FAILURES_PER_ADDRESS": "2/50s"},
        {"LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "3/20s", "LOGIN_FAILURES_PER_ACCOUNT": "1/1h"},
        {"LOGIN_FAILURES_PER_ADDRESS": "3/20s", "LOGIN_FAILURES_PER_ACCOUNT": "1/1h"},
        {"LOGIN_FAILURES_PER_ADDRESS": "5/1h", "LOGIN_FAILURES_PER_ACCOUNT": "1/20s"},
    ],
    ids=str,
)
@pytest.mark.parametrize("seconds_between", [0, 0.3, 1, 2.5, 4, 7])  # so that windows begin at other times
def test_whoever_waits_as_long_as_is_said_is_let_in(
    settings: Any, clock: Any, limits: dict[str, str], seconds_between: float
) -> None:
    """2.2: also where several limits hold at once: ``Retry-After`` is the longest of them."""
    settings.DRF_JWT_KIT = {**OFF, **limits}
    refused = 0
    for _ in range(12):
        try:
            begin().failed()
        except Throttled as throttled:
            refused += 1
            clock.shift(timedelta(seconds=float(str(throttled.wait))))
            begin().failed()
        clock.shift(timedelta(seconds=seconds_between))
    assert refused


def test_a_refusal_stands_where_others_are_taken_back_meanwhile(settings: Any, monkeypatch: Any) -> None:
    """2.2: the attempts beside it succeed between its count and the look at how long it has to wait."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ADDRESS": "2/1m"}
    beside, look = [begin(), begin()], Counter.is_full

    def look_later(*args: Any) -> Any:
        while beside:
            beside.pop().withdrawn()
        return look(*args)

    monkeypatch.setattr(Counter, "is_full", look_later)
    assert 0 < wait() <= 60


@pytest.mark.usefixtures("counting")
def test_a_delay_that_is_not_due_yet_is_not_told(settings: Any) -> None:
    """2.2: failures that do not reach a limit let nobody wait for it, however far its window goes."""
    limits = {"LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "8/10s", "LOGIN_FAILURES_PER_ACCOUNT": "50/1h"}
    settings.DRF_JWT_KIT = {**OFF, **limits}
    for _ in range(8):
        begin().failed()
    assert 0 < wait() <= 10


@pytest.mark.usefixtures("counting")
@pytest.mark.parametrize("moment", range(0, 300, 37))
def test_a_window_begins_with_its_first_failure(clock: Any, moment: int) -> None:
    """THREATS: at no moment of the day twice as many guesses in a row, and 2.2: nobody waits longer than a period."""
    clock.shift(timedelta(seconds=moment))
    for _ in range(5):
        begin().failed()
        clock.shift(timedelta(seconds=59))
    assert wait() == 5
    clock.shift(timedelta(seconds=5))
    for _ in range(5):
        begin().failed()
    assert wait() == 300


def test_an_account_and_its_name_are_free_again_at_once(settings: Any, clock: Any) -> None:
    """2.2: whoever waited as long as ``Retry-After`` said is not denied for what the account was found to have."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "5/5m"}

    def is_too_many() -> bool:
        attempt = begin()
        if attempt.may_be_too_many:
            attempt.means("alice")
        attempt.failed()
        return attempt.is_too_many

    for _ in range(5):
        assert not is_too_many()
        clock.shift(timedelta(seconds=50))
    clock.shift(timedelta(seconds=wait()))
    assert [is_too_many() for _ in range(5)] == [False] * 5
    wait()


class Lagging(LocMemCache):
    """A cache that is read from replicas which know of nothing yet."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """Find nothing."""
        return default


class Expiring(LocMemCache):
    """A cache whose keys expire just when they are counted up, once each."""

    def incr(self, key: Any, delta: int = 1, version: Any = None) -> int:
        """Let the key go first, unless it did."""
        if super().add(f"{key}:expired", True):
            self.delete(key)
        return super().incr(key, delta, version)


def test_a_window_that_ends_while_it_is_looked_at_is_no_outage(settings: Any) -> None:
    """2.2: the attempt falls into the next one."""
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.Expiring"}}
    for _ in range(5):
        begin().failed()
    assert wait() == 300


def test_counting_does_not_rely_on_replicas(settings: Any, clock: Any) -> None:
    """THREATS: Django's Redis cache reads from replicas where there are some."""
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.Lagging"}}
    for _ in range(5):
        begin().failed()
        clock.shift(timedelta(seconds=59))
    assert wait() == 5


@pytest.mark.usefixtures("counting")
def test_attempts_side_by_side_cannot_all_slip_under_the_limit() -> None:
    """THREATS: an attempt counts when it begins; 48 threads at once make five."""

    def begins(_: int) -> bool:
        try:
            begin()
        except Throttled:
            return False
        return True

    with ThreadPoolExecutor(48) as threads:
        assert sum(threads.map(begins, range(48))) == 5


@pytest.mark.usefixtures("counting")
def test_what_is_refused_and_taken_back_frees_no_slot() -> None:
    """THREATS: each refused attempt undoes its own count alone; 480 attempts in 48 threads make five."""

    def begins(_: int) -> int:
        try:
            begin()
        except Throttled:
            return 0
        return 1

    with ThreadPoolExecutor(48) as threads:
        assert sum(threads.map(begins, range(480))) == 5


@pytest.mark.usefixtures("counting")
def test_only_what_was_tried_counts(settings: Any) -> None:
    """2.3: a refused attempt leaves no trace: once one of the two was none, there is room for one again."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "2/365d"}
    attempts = [begin(), begin()]
    for _ in range(5):
        wait()
    attempts[0].withdrawn()
    begin()
    wait()


@pytest.mark.usefixtures("counting")
def test_what_one_limit_refuses_does_not_count_against_another(settings: Any) -> None:
    """2.3: an address without failures left does not use up what the account has from there."""
    settings.DRF_JWT_KIT = {
        "LOGIN_FAILURES_PER_ADDRESS": "1/365d",
        "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "2/365d",
        "LOGIN_FAILURES_PER_ACCOUNT": "2/365d",
    }
    spent = begin("bob")
    for _ in range(5):
        wait()
    spent.withdrawn()
    begin().withdrawn()
    settings.DRF_JWT_KIT = {**settings.DRF_JWT_KIT, "LOGIN_FAILURES_PER_ADDRESS": None}
    begin()
    begin()
    wait()


@pytest.mark.usefixtures("counting")
def test_impatience_does_not_turn_a_delay_into_a_lock(settings: Any, clock: Any) -> None:
    """2.3: never a lock: what is refused while it waits counts nowhere."""
    settings.DRF_JWT_KIT = {
        "LOGIN_FAILURES_PER_ADDRESS": "3/365d",
        "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "2/365d",
        "LOGIN_FAILURES_PER_ACCOUNT": "1/365d",
    }
    begin(address="192.0.2.9").failed()
    begin().failed()
    assert [wait() for _ in range(10)] == [2] * 10
    clock.shift(timedelta(seconds=2))
    begin()


@pytest.mark.usefixtures("counting")
def test_what_was_never_counted_is_not_taken_back(settings: Any) -> None:
    """Law 8: an attempt that went on while the cache was down frees nothing once it is up."""
    settings.DRF_JWT_KIT = {"THROTTLE_FAILS_OPEN": True}
    up = settings.CACHES
    settings.CACHES = {"default": CACHES["down"]}
    uncounted = begin()
    settings.CACHES = up
    for _ in range(5):
        begin()
    uncounted.withdrawn()
    wait()


@pytest.mark.usefixtures("counting")
def test_the_three_limits_hold_each_for_itself(settings: Any) -> None:
    """2.3: by account and address, by address, by account."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "2/1m"}
    for _ in range(2):
        begin()
    assert 0 < wait() <= 60
    begin(account="bob")
    begin(address="192.0.2.2")


@pytest.mark.usefixtures("counting")
def test_an_address_is_limited_over_all_accounts(settings: Any) -> None:
    """2.3: the same for spraying."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ADDRESS": "2/1d"}
    for account in ("bob", "carol"):
        begin(account)
    assert 0 < wait("alice") <= 86_400
    begin("alice", address="192.0.2.2")


@pytest.mark.usefixtures("counting")
def test_the_delay_of_an_account_doubles_to_a_bound_and_never_locks(settings: Any, clock: Any) -> None:
    """2.3: beyond ``LOGIN_FAILURES_PER_ACCOUNT`` a growing delay, never a lock."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT": "1/365d"}
    begin(address="192.0.2.9").failed()
    waits = []
    for _ in range(10):
        begin().failed()
        waits.append(wait())
        clock.shift(timedelta(seconds=waits[-1]))
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    begin(address="192.0.2.2")


@pytest.mark.usefixtures("counting")
def test_a_delay_is_over_to_the_second(settings: Any, clock: Any) -> None:
    """2.2: ``Retry-After`` is neither too short nor too long."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT": "1/365d"}
    begin().failed()
    assert wait() == 2
    clock.shift(timedelta(seconds=1.5))
    assert wait() == 1
    clock.shift(timedelta(seconds=0.5))
    begin()


@pytest.mark.usefixtures("counting")
def test_a_delay_is_over_with_its_window(settings: Any, clock: Any) -> None:
    """2.2: ``Retry-After`` does not tell of a delay that is not kept."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT": "1/10s"}
    waits = []
    for _ in range(8):
        begin().failed()
        waits.append(wait())
        clock.shift(timedelta(seconds=waits[-1]))
    assert max(waits) <= 10


@pytest.mark.usefixtures("counting")
def test_what_was_withdrawn_leaves_the_delay_alone(settings: Any, clock: Any) -> None:
    """Issue 4.4: neither a malformed body nor a success of one who has two accounts that count as one resets it."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT": "1/365d"}
    begin().failed()
    clock.shift(timedelta(seconds=2))
    begin().withdrawn()
    begin().failed()
    assert wait() == 4


def test_old_failures_of_an_address_are_forgotten(settings: Any, clock: Any) -> None:
    """2.3: never a lock: whoever waits is at the beginning again."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT": "1/365d"}
    begin().failed()
    clock.shift(timedelta(seconds=601))
    begin().failed()
    assert wait() == 2


@pytest.mark.usefixtures("counting")
def test_an_attempt_counts_once_on_the_account_that_it_means(settings: Any, clock: Any) -> None:
    """THREATS: however often it is asked, and with the delay; what is too many counts nowhere."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT": "2/365d"}

    def is_too_many(number: int) -> bool:
        attempt = begin(f"ali{number}")
        for _ in range(3):
            attempt.means("alice")
        attempt.failed()
        return attempt.is_too_many

    assert [is_too_many(number) for number in range(5)] == [False, False, True, True, True]
    clock.shift(timedelta(seconds=4))
    assert [is_too_many(number) for number in range(5, 7)] == [False, True]


@pytest.mark.usefixtures("counting")
def test_all_names_of_an_account_are_free_again_at_once(settings: Any, clock: Any) -> None:
    """2.2: whoever waited is not denied for another spelling that was counted a moment later than the name."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "1/5m"}
    clock.shift(timedelta(seconds=0.99))
    attempt = begin("alicia")
    clock.shift(timedelta(seconds=0.02))
    attempt.means("alice")
    clock.shift(timedelta(seconds=wait("alicia")))
    attempt = begin("alicia")
    attempt.means("alice")
    assert not attempt.is_too_many


@pytest.mark.usefixtures("counting")
def test_what_is_withdrawn_is_withdrawn_from_the_account_that_it_means(settings: Any) -> None:
    """2.3: a success, or what was no guess, leaves no trace there."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "1/365d"}
    for _ in range(2):
        attempt = begin("alicia")
        attempt.means("alice")
        attempt.withdrawn()
        attempt.withdrawn()
    last = begin("alicia")
    last.means("alice")
    assert not last.is_too_many


@pytest.mark.usefixtures("counting")
@pytest.mark.parametrize("first", ["alice", "alicia"])
def test_all_names_of_an_account_are_one_account(settings: Any, first: str) -> None:
    """THREATS: whichever came first; and a name that is too many by itself is told so, as one that nobody has is."""
    settings.DRF_JWT_KIT = {**OFF, "LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS": "1/365d"}
    begin(first).means("alice")
    for name in {"alice", "alicia", "alisha"} - {first}:
        attempt = begin(name)
        attempt.means("alice")
        assert attempt.is_too_many
    wait(first)


@pytest.mark.usefixtures("counting")
def test_an_account_is_looked_for_once_its_address_has_failed_often_enough(settings: Any) -> None:
    """Section 5: the ordinary sign-in costs no statement for it."""
    assert [begin(f"user{number}").may_be_too_many for number in range(7)] == [False] * 5 + [True] * 2
    assert not begin("alice", address="192.0.2.2").may_be_too_many
    begin("bob", address="192.0.2.2").failed()
    assert begin("alice", address="192.0.2.2").may_be_too_many
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ADDRESS": None}
    assert begin("alice", address="192.0.2.2").may_be_too_many
    assert not begin("alice", address="192.0.2.3").may_be_too_many
    settings.DRF_JWT_KIT = OFF
    assert not begin().may_be_too_many


def test_no_key_tells_of_the_account_or_the_address() -> None:
    """Accounts are personal data: the cache holds none."""
    begin().failed()
    keys = " ".join(cache._cache)
    assert keys.count("drf_jwt_kit:") == 8
    assert "alice" not in keys
    assert "192.0.2.1" not in keys


def test_keys_cannot_be_made_by_whoever_has_the_cache(settings: Any) -> None:
    """Who tried to sign in from where cannot be found out by trying names and addresses: that takes ``SECRET_KEY``."""
    begin().failed()
    first = set(cache._cache)
    settings.SECRET_KEY = "another key, long enough to be one " * 2
    begin().failed()
    assert len(first) == 8
    assert len(set(cache._cache) - first) == 8


CACHES = {
    "dummy": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    "down": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"},
    "missing": {"BACKEND": "django.core.cache.backends.nowhere.Cache"},
    # A client that says nothing of a server that is down, once it knows.
    "silent": {"BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache", "LOCATION": "127.0.0.1:1"},
}


@pytest.mark.parametrize("name", CACHES)
def test_a_cache_that_cannot_count_lets_nobody_in(settings: Any, name: str) -> None:
    """Law 8: down, or keeping nothing: 503, unless ``THROTTLE_FAILS_OPEN``."""
    settings.CACHES = {"default": CACHES[name]}
    for _ in range(5):
        with pytest.raises(ServiceUnavailable):
            begin()
    settings.DRF_JWT_KIT = {"THROTTLE_FAILS_OPEN": True}
    for _ in range(10):
        begin().failed()
    begin().withdrawn()


def test_no_part_of_a_password_is_logged(settings: Any, caplog: Any) -> None:
    """Law 10: of a URL that cannot be read an error says a part, which may be one of a password."""
    location = "redis://:s3cr3t/pw@cache.example:6379/0"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location}}
    with pytest.raises(ServiceUnavailable):
        begin()
    assert "ValueError" in caplog.text
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize("name", CACHES)
def test_with_all_limits_off_the_cache_is_not_asked(settings: Any, name: str, caplog: Any) -> None:
    """2.3: ``None`` turns a limit off: then nothing depends on the cache, and nothing complains of it."""
    settings.DRF_JWT_KIT = OFF
    settings.CACHES = {"default": CACHES[name]}
    for _ in range(10):
        begin().failed()
    begin().withdrawn()
    assert not caplog.records


@pytest.mark.parametrize("name", CACHES)
def test_a_cache_that_fails_later_is_only_logged(settings: Any, name: str, caplog: Any) -> None:
    """Law 8: the attempt was counted before the cache went: what it came to is answered all the same."""
    attempt = begin()
    settings.CACHES = {"default": CACHES[name]}
    attempt.failed()
    attempt.withdrawn()
    assert all(record.name == "drf_jwt_kit" for record in caplog.records)


@pytest.mark.parametrize("account", ["\ud800", "\0", "\x1b[31m", "'\"\\", "\udfff" * 300], ids=ascii)
def test_any_name_can_be_counted(account: str) -> None:
    """2.2: nothing that a client can send gives a 500."""
    begin(account).failed()
    begin(account).withdrawn()


NETWORKS = [
    ("192.0.2.1", "192.0.2.1"),
    ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
    ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
    ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
    ("::1", "::/64"),
    (None, ""),
]


@pytest.mark.parametrize(("address", "found"), NETWORKS)
def test_an_ipv6_client_is_its_64(address: str | None, found: str) -> None:
    """RFC 6177: a client chooses the last 64 bits of its address; of IPv4 it chooses none."""
    assert network(address) == found
