"""Several server processes on one database, and servers that are killed in the middle of their work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from random import Random
from time import perf_counter
from typing import Any

import pytest

from tests.concurrency.servers import Answer, Server

pytestmark = pytest.mark.concurrency

PASSWORD = "correct horse battery staple"


def sign_in(server: Server, username: str) -> str:
    """Return the refresh token of a new session."""
    answer = server.call("POST", "/api/token/", {"username": username, "password": PASSWORD})
    assert answer.status == 200
    refresh: str = answer.body["refresh"]
    return refresh


def race(server: Server, threads: ThreadPoolExecutor, token: str) -> dict[str, Any]:
    """Let eight clients present the same refresh token; return what came of it."""
    answers: list[Answer] = list(threads.map(server.refresh, [token] * 8))
    successors = {answer.body["refresh"] for answer in answers if answer.status == 200}
    after = [server.refresh(successor).status for successor in successors]
    return {"statuses": sorted(answer.status for answer in answers), "successors": len(successors), "after": after}


@pytest.mark.parametrize(
    ("grace", "good"),
    [
        pytest.param(30, {"statuses": [200] * 8, "successors": 1, "after": [200]}, id="grace"),
        pytest.param(0, {"statuses": [200] + [401] * 7, "successors": 1, "after": [401]}, id="strict"),
    ],
)
def test_four_server_processes_rotate_a_token_once(arena: Any, grace: int, good: dict[str, Any]) -> None:
    """Laws 1 to 3, with gunicorn's four workers: as with one process."""
    username = arena.run("newcomer")
    environ = {**arena.environ, "ARENA_GRACE": str(grace)}
    with Server(environ, workers=4) as server, ThreadPoolExecutor(8) as threads:
        rounds = [race(server, threads, sign_in(server, username)) for _ in range(100)]
    assert [found for found in rounds if found != good] == []
    generations = arena.run("generations", username=username)
    assert generations == [1 + (grace > 0)] * 100


class Client:
    """A client that refreshes, and after a lost answer presents what it has once more."""

    def __init__(self, server: Server, token: str, seed: int) -> None:
        """Take the first refresh token; ``seed`` decides when the server is killed."""
        self.server = server
        self.tokens = [token]
        self.random = Random(seed)
        self.usual = 0.01
        self.lost = 0

    def refresh(self) -> None:
        """Go on to the next token, however often the answer is lost."""
        token, answer = self.tokens[-1], None
        while answer is None:
            answer = self.refresh_at_risk(token) if self.random.random() < 0.4 else self.refresh_in_peace(token)
        assert answer.status == 200, (len(self.tokens), answer.body)
        self.tokens.append(answer.body["refresh"])

    def refresh_in_peace(self, token: str) -> Answer:
        """Refresh, and learn how long it takes."""
        begun = perf_counter()
        answer = self.server.refresh(token)
        self.usual = perf_counter() - begun
        return answer

    def refresh_at_risk(self, token: str) -> Answer | None:
        """Refresh, while the server is killed at any moment of about the time it takes."""
        answer = self.server.refresh_and_kill(token, self.random.uniform(0, 1.3 * self.usual))
        self.lost += answer is None
        return answer


def test_a_server_killed_at_any_moment_signs_nobody_out(arena: Any) -> None:
    """Law 2: through 200 refreshes and many SIGKILLs every retry gets the one successor; none is left over."""
    username = arena.run("newcomer")
    with Server(arena.environ, workers=1) as server:
        client = Client(server, sign_in(server, username), seed=20_26)
        for _ in range(200):
            client.refresh()
            # Whoever was answered and asks again hears the same: there is no second successor.
            assert server.refresh(client.tokens[-2]).body["refresh"] == client.tokens[-1]
    assert len(set(client.tokens)) == 201
    assert arena.run("generations", username=username) == [200]
    assert client.lost > 0
