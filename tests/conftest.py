"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.cache import cache
from redis import Redis
from rest_framework.test import APIClient

from tests import services
from tests.attacks import figures

PASSWORD = "correct horse battery staple"


class Tokens(NamedTuple):
    """What signing in answered."""

    access: str
    refresh: str


def bearer(access: str) -> dict[str, str]:
    """Return the headers of a request that sends ``access``."""
    return {"HTTP_AUTHORIZATION": f"Bearer {access}"}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose service is missing, or fail it where services are required."""
    for name in services.SERVICES:
        reason = services.missing(name) if item.get_closest_marker(name) else None
        if reason and services.REQUIRED:
            pytest.fail(f"{reason}, and REQUIRE_SERVICES is set")
        if reason:
            pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell what generated attacks sent, whichever workers sent it."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    shares = [value for report in reports for name, value in report.user_properties if name == figures.PROPERTY]
    if shares:
        terminalreporter.section("hostile inputs")
        terminalreporter.write("".join(f"{line}\n" for line in figures.summary(shares)))


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Let no test see another's failed sign-ins."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def user(db: None) -> Any:
    """A user who may sign in."""
    return get_user_model().objects.create_user("alice", password=PASSWORD)


@pytest.fixture
def client() -> APIClient:
    """A client that sends JSON and lets server errors through as answers, as a real one would."""
    return APIClient(raise_request_exception=False)


@pytest.fixture
def post(client: APIClient) -> Any:
    """A function that posts JSON to one of the kit's endpoints: ``post("token/", username=...)``."""

    def post(path: str, **body: Any) -> Any:
        return client.post(f"/api/{path}", body, format="json")

    return post


@pytest.fixture
def sign_in(post: Any, user: Any) -> Any:
    """A function that signs alice in once more and returns the tokens."""

    def sign_in() -> Tokens:
        answer = post("token/", username="alice", password=PASSWORD)
        assert answer.status_code == 200, answer.content
        return Tokens(answer.data["access"], answer.data["refresh"])

    return sign_in


@pytest.fixture
def tokens(sign_in: Any) -> Tokens:
    """The tokens of one sign-in of alice's."""
    return sign_in()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time that stands still until a test moves it: ``clock.shift(timedelta(seconds=31))``."""
    with time_machine.travel(datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture(params=["LocMemCache", pytest.param("RedisCache", marks=pytest.mark.redis)])
def counting(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """Each cache that counts; what is left in Redis is deleted by its prefix, nothing is flushed."""
    if request.param == "LocMemCache":
        yield
        return
    prefix = f"drf_jwt_kit-{uuid4().hex}"
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": settings.REDIS_URL, "KEY_PREFIX": prefix}}
    yield
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete(b"nothing", *redis.scan_iter(f"{prefix}:*"))
