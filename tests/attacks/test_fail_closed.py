"""Law 8: what the kit depends on is really stopped, hung or made read-only, and nobody is let in meanwhile."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.backends import BaseBackend
from django.views.debug import ExceptionReporter

from drf_jwt_kit.models import TokenSession
from tests.attempts import attempt, count_hashing
from tests.concurrency.servers import Server
from tests.conftest import PASSWORD, bearer
from tests.outages import PrivatePostgreSQL, PrivateRedis, migrated, private_postgresql, private_redis

# One worker has the servers that are stopped here.
pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("outages")]


class Answer(NamedTuple):
    """A response as a client sees it."""

    status: int
    headers: dict[str, str]
    body: Any


def ask(server: Server, method: str, path: str, body: Any = None, access: str = "") -> Answer:
    """Send one request to a server and return its answer."""
    connection = server.send(method, f"/api/{path}", body, access)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return Answer(response.status, dict(response.getheaders()), json.loads(content or b"null"))


def sign_in(server: Server) -> Answer:
    """Sign alice in."""
    return ask(server, "POST", "token/", {"username": "alice", "password": PASSWORD})


def every_endpoint(server: Server, access: str, refresh: str) -> dict[str, Answer]:
    """Return what each endpoint answers to the best of credentials; what ends the session comes last."""
    requests: list[tuple[str, str, Any, str]] = [
        ("POST", "token/", {"username": "alice", "password": PASSWORD}, ""),
        ("POST", "token/", {"username": "nobody", "password": "wrong"}, ""),
        ("POST", "token/verify/", {"token": access}, ""),
        ("POST", "token/verify/", {"token": refresh}, ""),
        ("GET", "me/", None, access),
        ("GET", "notes/", None, access),
        ("GET", "sessions/", None, access),
        ("POST", "token/refresh/", {"refresh": refresh}, ""),
        ("DELETE", "sessions/others/", None, access),
        ("DELETE", "sessions/01960000-0000-7000-8000-00000000abcd/", None, access),
        ("DELETE", "sessions/", None, access),
        ("POST", "token/revoke/", {"token": refresh}, ""),
        ("POST", "token/revoke/", {"token": access}, ""),
        ("POST", "token/blacklist/", {"refresh": refresh}, ""),
    ]
    return {f"{line[0]} {line[1]} {number}": ask(server, *line) for number, line in enumerate(requests)}


def is_unavailable(answer: Answer) -> bool:
    """Return whether this is the contract's 503: JSON, a code, when to try again, and not a word of what is down."""
    if (answer.status, answer.headers.get("Content-Type")) != (503, "application/json"):
        return False
    words = json.dumps(answer.body).lower()
    told = any(word in words for word in ("127.0.0.1", "psycopg", "sqlite", "redis", "traceback", "connection"))
    return answer.body["code"] == "service_unavailable" and int(answer.headers["Retry-After"]) > 0 and not told


def environ(database: str, name: str, **more: str) -> dict[str, str]:
    """Return the environment of a server on a database."""
    return {**os.environ, "ARENA_DATABASE": database, "ARENA_NAME": name, **more}


@pytest.fixture(scope="module")
def cluster() -> Iterator[PrivatePostgreSQL]:
    """A PostgreSQL with tables and alice, to be stopped."""
    with private_postgresql() as cluster:
        migrated(on(cluster), "alice", PASSWORD)
        yield cluster


def on(cluster: PrivatePostgreSQL, **more: str) -> dict[str, str]:
    """Return the environment of a server on the cluster."""
    return environ("postgresql", "postgres", PGHOST="127.0.0.1", PGPORT=str(cluster.port), PGUSER="postgres", **more)


@pytest.mark.postgresql
def test_with_postgresql_stopped_every_endpoint_answers_503(cluster: PrivatePostgreSQL) -> None:
    """Law 8: really stopped: 503 from every endpoint; started again: everything works, tokens too."""
    with Server(on(cluster), workers=1) as server:
        tokens = sign_in(server).body
        cluster.stop()
        answers = every_endpoint(server, tokens["access"], tokens["refresh"])
        assert {name: answer for name, answer in answers.items() if not is_unavailable(answer)} == {}
        anonymous = ask(server, "GET", "me/")
        assert anonymous.status == 403
        forged = tokens["access"][:-4] + "AAAA"
        assert ask(server, "GET", "me/", access=forged).status == 401
        cluster.start()
        assert ask(server, "GET", "me/", access=tokens["access"]).status == 200
        assert ask(server, "POST", "token/refresh/", {"refresh": tokens["refresh"]}).status == 200
        assert sign_in(server).status == 200


@pytest.mark.postgresql
def test_an_outage_uses_up_nobodys_attempts(cluster: PrivatePostgreSQL) -> None:
    """Law 8: ten sign-ins against a stopped database are ten times 503, and the eleventh is let in."""
    with Server(on(cluster, ARENA_FAILURES="5/1h"), workers=1) as server:
        assert sign_in(server).status == 200
        cluster.stop()
        assert {sign_in(server).status for _ in range(10)} == {503}
        cluster.start()
        assert sign_in(server).status == 200


@pytest.mark.postgresql
def test_a_postgresql_that_hangs_is_a_503_after_the_projects_timeout(cluster: PrivatePostgreSQL) -> None:
    """Law 8: with libpq's ``connect_timeout`` nobody waits for ever, and nobody gets in."""
    with Server(on(cluster), workers=1) as server:
        tokens = sign_in(server).body
    with Server(on(cluster, PGCONNECT_TIMEOUT="2"), workers=1) as server:
        cluster.hang()
        try:
            answer = ask(server, "GET", "me/", access=tokens["access"])
        finally:
            cluster.go_on()
        assert is_unavailable(answer), answer
        assert ask(server, "GET", "me/", access=tokens["access"]).status == 200


def reads_and_writes(server: Server, tokens: dict[str, str]) -> tuple[dict[str, int], dict[str, Answer]]:
    """Return the statuses of what only reads, and the answers of what must write."""
    answers = every_endpoint(server, tokens["access"], tokens["refresh"])
    reading = ("token/verify/", "me/", "notes/", "sessions/ 6", "abcd/", "token/ 1")
    reads = {name: answer.status for name, answer in answers.items() if any(part in name for part in reading)}
    return reads, {name: answer for name, answer in answers.items() if name not in reads}


def assert_reads_alone_work(server: Server, tokens: dict[str, str]) -> None:
    """Assert that reads do what they can and that each write is a 503."""
    reads, writes = reads_and_writes(server, tokens)
    assert list(reads.values()) == [401, 200, 200, 200, 200, 200, 404]
    # Nobody else is signed in, so there is nothing to write.
    others = next(name for name in writes if "others" in name)
    assert writes.pop(others).status in (204, 503)
    assert {name: answer for name, answer in writes.items() if not is_unavailable(answer)} == {}


@pytest.mark.postgresql
def test_a_read_only_postgresql_answers_what_it_can(cluster: PrivatePostgreSQL) -> None:
    """Law 8: a standby: who is signed in stays so, and whatever must be written is a 503, sign-out first of all."""
    with Server(on(cluster), workers=1) as server:
        tokens = sign_in(server).body
    with Server(on(cluster, PGOPTIONS="-c default_transaction_read_only=on"), workers=1) as server:
        assert_reads_alone_work(server, tokens)
    with Server(on(cluster), workers=1) as server:
        assert ask(server, "POST", "token/refresh/", {"refresh": tokens["refresh"]}).status == 200


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of SQLite's with tables and alice."""
    name = str(tmp_path_factory.mktemp("outages") / "db.sqlite3")
    migrated(environ("sqlite", name), "alice", PASSWORD)
    return name


def test_a_read_only_sqlite_file_answers_what_it_can(file: str) -> None:
    """Law 8: the same for a file that cannot be written."""
    with Server(environ("sqlite", file), workers=1) as server:
        tokens = sign_in(server).body
    with Server(environ("sqlite", f"file:{file}?mode=ro"), workers=1) as server:
        assert_reads_alone_work(server, tokens)


def test_a_database_without_tables_is_a_503(file: str, tmp_path: Path) -> None:
    """Law 8: nobody migrated: no stack trace, and nobody gets in."""
    with Server(environ("sqlite", file), workers=1) as server:
        tokens = sign_in(server).body
    with Server(environ("sqlite", str(tmp_path / "empty.sqlite3")), workers=1) as server:
        answers = every_endpoint(server, tokens["access"], tokens["refresh"])
    assert {name: answer for name, answer in answers.items() if not is_unavailable(answer)} == {}


def unavailable(answer: Any) -> bool:
    """Return whether an answer of the test client's is the contract's 503."""
    assert answer["Cache-Control"] == "no-store"
    return is_unavailable(Answer(answer.status_code, dict(answer.headers), answer.json()))


@pytest.fixture
def redis(settings: Any) -> Iterator[PrivateRedis]:
    """A Redis that is Django's default cache, to be stopped."""
    with private_redis() as redis:
        options = {"socket_timeout": 0.2, "socket_connect_timeout": 0.2}
        backend = "django.core.cache.backends.redis.RedisCache"
        settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": redis.url, "OPTIONS": options}}
        yield redis


@pytest.mark.redis
@pytest.mark.django_db
def test_with_redis_stopped_nobody_signs_in(client: Any, user: Any, redis: PrivateRedis, settings: Any) -> None:
    """Law 8: sign-in is 503 before anything is hashed; who is signed in notices nothing; it goes on by itself."""
    hasher = count_hashing(settings)
    signed_in = attempt(client, "alice", PASSWORD).json()
    hashed = hasher.calls
    redis.stop()
    for name, password in (("alice", PASSWORD), ("alice", "wrong"), ("nobody", "wrong")):
        assert unavailable(attempt(client, name, password))
    assert hasher.calls == hashed
    assert client.get("/api/me/", **bearer(signed_in["access"])).status_code == 200
    answer = client.post("/api/token/refresh/", {"refresh": signed_in["refresh"]}, format="json")
    assert answer.status_code == 200
    redis.start()
    assert attempt(client, "alice", PASSWORD).status_code == 200
    assert TokenSession.objects.count() == 2


@pytest.mark.redis
@pytest.mark.django_db
def test_a_redis_that_hangs_is_a_503_too(client: Any, user: Any, redis: PrivateRedis) -> None:
    """Law 8: with a ``socket_timeout`` nobody waits for ever."""
    redis.hang()
    assert unavailable(attempt(client, "alice", PASSWORD))
    redis.go_on()
    assert attempt(client, "alice", PASSWORD).status_code == 200


@pytest.mark.redis
@pytest.mark.django_db
def test_a_redis_that_takes_no_writes_is_a_503_too(client: Any, user: Any, redis: PrivateRedis) -> None:
    """Law 8: a replica, or one that is full: what cannot be counted is not let in."""
    from redis import Redis

    with Redis.from_url(redis.url) as direct:
        direct.config_set("maxmemory", 1)
        assert unavailable(attempt(client, "alice", PASSWORD))
        direct.config_set("maxmemory", 0)
    assert attempt(client, "alice", PASSWORD).status_code == 200


@pytest.mark.redis
@pytest.mark.django_db
def test_with_redis_stopped_a_project_may_go_on_uncounted(
    client: Any, user: Any, redis: PrivateRedis, settings: Any
) -> None:
    """2.3 ``THROTTLE_FAILS_OPEN``: right is 200 and wrong is 401, however often; counting begins again by itself."""
    settings.DRF_JWT_KIT = {"THROTTLE_FAILS_OPEN": True}
    redis.stop()
    assert [attempt(client).status_code for _ in range(8)] == [401] * 8
    assert attempt(client, "alice", PASSWORD).status_code == 200
    redis.start()
    assert [attempt(client).status_code for _ in range(6)] == [401] * 5 + [429]


@pytest.mark.django_db
def test_a_cache_that_keeps_nothing_lets_nobody_in(client: Any, user: Any, settings: Any) -> None:
    """Law 8: ``DummyCache`` lies: 503; with ``THROTTLE_FAILS_OPEN`` it is as good as down."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert unavailable(attempt(client, "alice", PASSWORD))
    settings.DRF_JWT_KIT = {"THROTTLE_FAILS_OPEN": True}
    assert [attempt(client, "alice", password).status_code for password in (PASSWORD, "wrong")] == [200, 401]


class StopsRedis(BaseBackend):
    """A backend during which the cache goes down."""

    redis: PrivateRedis

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Stop the server, and know nobody."""
        self.redis.stop()


@pytest.fixture
def stopped_meanwhile(redis: PrivateRedis, settings: Any, monkeypatch: Any) -> PrivateRedis:
    """A cache that goes down while the backends are asked."""
    monkeypatch.setattr(StopsRedis, "redis", redis, raising=False)
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.StopsRedis", "django.contrib.auth.backends.ModelBackend"]
    return redis


@pytest.mark.redis
@pytest.mark.django_db
@pytest.mark.parametrize("password", ["a wrong password that nobody may read", PASSWORD], ids=["wrong", "right"])
def test_a_cache_that_goes_down_meanwhile_tells_no_password(
    client: Any, user: Any, stopped_meanwhile: PrivateRedis, caplog: Any, password: str
) -> None:
    """Laws 8 and 10: a 503, wrong or right; what is logged of the cache reports no frame that holds the password."""
    assert attempt(client, "alice", password).status_code == 503
    assert not TokenSession.objects.exists()
    stopped_meanwhile.start()
    records = [record for record in caplog.records if record.name == "drf_jwt_kit"]
    assert records
    reports = [ExceptionReporter(None, *record.exc_info).get_traceback_html() for record in records if record.exc_info]
    assert not [report for report in reports if password in report]
    assert password not in caplog.text
