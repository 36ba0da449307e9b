"""``drf_jwt_kit.counters``: windows and what is counted in them."""

from __future__ import annotations

import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from drf_jwt_kit.counters import Counter
from drf_jwt_kit.rules import Rate

pytestmark = pytest.mark.usefixtures("clock")


@pytest.mark.usefixtures("counting")
def test_a_counter_counts_in_windows() -> None:
    """2.3: what was counted is forgotten when its window ends, and not before."""
    counter = Counter("kit:00000000", Rate(2, 60))
    found = [counter.exceeded_by(counter.count(counter.window(now))) for now in (7, 8, 66.9, 67, 68, 126, 190, 191)]
    assert found == [False, False, True, False, False, True, False, False]
    assert [counter.window(now).seconds_left for now in (190, 191, 249.5, 255, 256)] == [60, 59, 0.5, 60, 59]


@pytest.mark.usefixtures("counting")
def test_a_clock_that_is_behind_counts_in_the_same_window() -> None:
    """THREATS: the clocks of two servers differ, or an attempt was slow: nobody gets two windows by it."""
    counter = Counter("kit:00000000", Rate(2, 60))
    assert [counter.count(counter.window(now)) for now in (100, 98, 41, 101)] == [1, 2, 3, 4]
    assert counter.window(98).seconds_left == 60


@pytest.mark.usefixtures("counting")
def test_a_clock_that_was_set_back_begins_a_window() -> None:
    """2.2: nobody waits for a time that has been already."""
    counter = Counter("kit:00000000", Rate(2, 60))
    assert [counter.count(counter.window(now)) for now in (100, 30, 31)] == [1, 1, 2]
    assert counter.window(31).seconds_left == 59


def test_a_counter_without_a_rate_counts_nothing() -> None:
    """2.3: ``None`` turns a limit off."""
    counter = Counter("kit:00000000", None)
    window = counter.window(0)
    assert (counter.count(window), counter.exceeded_by(10**9), window.seconds_left) == (0, False, 0)
    counter.take_back(window)
    assert counter.count(window) == 0


@pytest.mark.usefixtures("counting")
def test_what_was_counted_can_be_taken_back() -> None:
    """A failure that was none leaves no trace, even where its window is gone."""
    counter = Counter("kit:00000000", Rate(5, 60))
    window, never = counter.window(0), counter.window(3600)
    counter.count(window)
    counter.count(window)
    counter.take_back(window)
    assert counter.count(window) == 2
    counter.take_back(never)
    assert counter.count(never) == 1


@pytest.mark.usefixtures("counting")
def test_what_comes_late_is_counted_in_its_window(clock: Any) -> None:
    """THREATS: an attempt that began in a window is counted there, though the window ends meanwhile."""
    counter = Counter("kit:00000000", Rate(5, 60))
    window = counter.window(time.time())
    counter.count(window)
    clock.shift(timedelta(seconds=61))
    assert counter.count(window) == 2


@pytest.mark.parametrize("backend", ["filebased.FileBasedCache", "db.DatabaseCache", "locmem.LocMemCache"])
@pytest.mark.django_db
def test_a_count_is_kept_for_its_period(settings: Any, clock: Any, tmp_path: Any, backend: str) -> None:
    """THREATS: some caches count by setting anew, and would keep that as long as anything else, for five minutes."""
    location = "counts" if backend.startswith("db.") else str(tmp_path)
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": location}}
    if backend.startswith("db."):
        call_command("createcachetable", stdout=StringIO())
    counter = Counter("kit", Rate(5, 86_400))
    for _ in range(3):
        counter.count(counter.window(time.time()))
    clock.shift(timedelta(minutes=10))
    counter.take_back(counter.window(time.time()))
    clock.shift(timedelta(minutes=10))
    assert counter.count(counter.window(time.time())) == 3
    clock.shift(timedelta(days=1, minutes=-10))
    assert counter.window(time.time()).seconds_left == 86_400
