"""The cache, the database's clock and the proxies, as the doctor sees them."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache

from drf_jwt_kit import surroundings
from drf_jwt_kit.findings import Finding, Status
from tests.settings.base import REDIS_URL
from tests.test_deploy_checks import OFF


class RacingCache(LocMemCache):
    """A cache that counts by reading and writing, with everybody reading first."""

    everybody = threading.Barrier(8)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Lose all but one of the counts that are made side by side."""
        value = self.get(key, version=version) + delta
        self.everybody.wait(timeout=60)
        self.set(key, value, version=version)
        return value


class FailingCache(LocMemCache):
    """A cache that answers until it has to count."""

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Fail as a server does that went away."""
        raise ConnectionError("went away")


def with_cache(settings: Any, backend: str, location: str = "") -> Finding:
    """Return what is found of a cache."""
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": location}}
    [finding] = surroundings.cache_counts()
    return finding


def test_a_cache_of_this_process_counts_for_this_process(settings: Any) -> None:
    """``LocMemCache`` loses nothing, and knows nothing of other processes; nothing is left in it."""
    finding = with_cache(settings, "django.core.cache.backends.locmem.LocMemCache", "surroundings")
    assert finding.status is Status.NOTE
    assert re.fullmatch(r"LocMemCache wrote, read and deleted in [\d.]+ ms; 8 threads .* 400, .*", finding.found)
    assert "Redis" in finding.remedy
    assert not caches["default"]._cache


@pytest.mark.redis
def test_a_shared_cache_that_counts_is_all_right(settings: Any) -> None:
    """Redis, for real."""
    finding = with_cache(settings, "django.core.cache.backends.redis.RedisCache", REDIS_URL)
    assert (finding.status, finding.remedy) == (Status.OK, "")
    assert "8 threads counted to 400, none was lost" in finding.found


def test_a_cache_that_loses_counts_is_found_out(settings: Any) -> None:
    """THREATS, throttling: 48 parallel attempts against a limit of 5."""
    finding = with_cache(settings, f"{__name__}.RacingCache", "racing")
    assert finding.status is Status.WARNING
    assert "counted to 50 instead of 400" in finding.found
    assert "Redis" in finding.remedy


def test_a_cache_that_keeps_nothing_is_an_error(settings: Any) -> None:
    """Law 8: sign-in answers 503."""
    finding = with_cache(settings, "django.core.cache.backends.dummy.DummyCache")
    assert (finding.status, finding.remedy) == (Status.ERROR, "Use Redis or Valkey.")
    assert finding.found.startswith("DummyCache keeps nothing: ")
    assert finding.found.endswith("sign-in answers 503, or with THROTTLE_FAILS_OPEN goes on without limits.")


@pytest.mark.parametrize("backend", ["django.core.cache.backends.dummy.DummyCache", "no.such.Cache"])
def test_no_cache_is_needed_where_nothing_is_counted(settings: Any, backend: str) -> None:
    """W024, among the settings, says that nothing is."""
    settings.DRF_JWT_KIT = OFF
    finding = with_cache(settings, backend)
    assert (finding.status, finding.remedy) == (Status.NOTE, "")
    assert finding.found == "No cache is needed: all LOGIN_FAILURES_... are None, and failed sign-ins are not counted."


@pytest.mark.parametrize(
    ("backend", "named"),
    [
        ("django.core.cache.backends.redis.RedisCache", "ConnectionError"),
        ("no.such.Cache", "InvalidCacheBackendError"),
        (f"{__name__}.FailingCache", "ConnectionError: went away"),
    ],
)
def test_a_cache_that_does_not_answer_is_an_error(settings: Any, backend: str, named: str) -> None:
    """Its own words say why, and the remedy what to do."""
    finding = with_cache(settings, backend, "redis://127.0.0.1:1/0")
    assert finding.status is Status.ERROR
    assert named in finding.found
    assert "CACHES" in finding.remedy


def test_another_backend_is_named(settings: Any) -> None:
    """Whatever its name."""
    finding = surroundings.judged_cache(RedisCache, kept=True, seconds=0.001, counted=399)
    assert finding.found.startswith("RedisCache wrote, read and deleted in 1 ms")


@pytest.mark.django_db
class TestClock:
    """The database's clock."""

    def test_two_clocks_that_agree_are_all_right(self) -> None:
        """Each of the suite's databases is asked in its own words."""
        [finding] = surroundings.clock()
        assert (finding.status, finding.remedy) == (Status.OK, "")
        assert re.match(r"The database's clock is \d\.\d\d s (ahead|behind); LEEWAY is 0 s\.", finding.found)

    @pytest.mark.parametrize(("hours", "word"), [(-1, "ahead"), (1, "behind")])
    def test_a_clock_that_is_wrong_is_found_out(self, hours: int, word: str) -> None:
        """Here it is the process's."""
        with time_machine.travel(timedelta(hours=hours)):
            [finding] = surroundings.clock()
        assert finding.status is Status.WARNING
        assert re.match(rf"The database's clock is 3[56]\d\d\.\d\d s {word}", finding.found)
        assert "NTP" in finding.remedy

    def test_a_database_that_nobody_knows_how_to_ask(self, monkeypatch: Any) -> None:
        """It is said, and no more."""
        monkeypatch.setattr(surroundings, "_NOW", {})
        [finding] = surroundings.clock()
        assert finding.status is Status.NOTE


@pytest.mark.parametrize(
    ("skew", "leeway", "status"),
    [
        (2.0, 0, Status.OK),
        (2.1, 0, Status.WARNING),
        (-2.1, 0, Status.WARNING),
        (-9.9, 10, Status.OK),
        (10.1, timedelta(seconds=10), Status.WARNING),
    ],
)
def test_a_skew_within_leeway_is_all_right(settings: Any, skew: float, leeway: Any, status: Status) -> None:
    """Nobody notices two seconds, and ``LEEWAY`` is there for more."""
    settings.SIMPLE_JWT = {"LEEWAY": leeway}
    assert surroundings.judged_clock(skew).status is status


@pytest.mark.parametrize(
    ("trusted", "words"), [(0, "whoever opens the connection"), (2, "number 2 from the right in X-Forwarded-For")]
)
def test_whose_address_counts_is_said(settings: Any, trusted: int, words: str) -> None:
    """Nobody can measure how many proxies there are: it is to be known."""
    settings.DRF_JWT_KIT = {"TRUSTED_PROXIES": trusted}
    [finding] = surroundings.proxies()
    assert finding.status is Status.NOTE
    assert words in finding.found
    assert finding.remedy
