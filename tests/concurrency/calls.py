"""Callers of the kit's endpoints inside an arena: the whole way through WSGI, without a socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError, connections
from django.test import RequestFactory

from drf_jwt_kit import sessions

PASSWORD = "correct horse battery staple"
A_MOMENT = 0.5  # seconds that a database may take to let another writer in, if it does at all

project = WSGIHandler()
names = (f"user{number}" for number in count())


class Answer(NamedTuple):
    """A response, as far as a client looks at it."""

    status: int
    body: Any


class Held(NamedTuple):
    """The tokens that a client holds; ``access`` is empty where it got none."""

    access: str
    refresh: str


def call(method: str, path: str, body: Any = None, access: str = "") -> Answer:
    """Send one request through the whole project."""
    headers = {"HTTP_AUTHORIZATION": f"Bearer {access}"} if access else {}
    request = RequestFactory().generic(method, f"/api/{path}", json.dumps(body), "application/json", **headers)
    statuses: list[str] = []
    response = project(request.environ, lambda status, headers: statuses.append(status))
    try:
        content = b"".join(response)
    finally:
        response.close()
    return Answer(int(statuses[0][:3]), json.loads(content or b"null"))


def refresh(token: str) -> Answer:
    """Present a refresh token."""
    return call("POST", "token/refresh/", {"refresh": token})


def new_user(password: str = "") -> Any:
    """Return a user of an own name; ``password`` is an encoded one."""
    return get_user_model().objects.create(username=next(names), password=password)


def signed_in(user: Any) -> Held:
    """Return the tokens of a new session."""
    pair = sessions.start(user)
    return Held(str(pair.access), str(pair.refresh))


def held_after(answers: list[Answer]) -> list[Held]:
    """Return the tokens that were handed out by ``answers``."""
    return [Held(answer.body["access"], answer.body["refresh"]) for answer in answers if answer.status == 200]


def accepted(held: list[Held]) -> list[str]:
    """Return which uses of the tokens are still let in; what changes nothing is tried first."""
    accesses = {tokens.access for tokens in held if tokens.access}
    refreshes = {tokens.refresh for tokens in held}
    uses = [
        *(("access", call("GET", "me/", access=token)) for token in accesses),
        *(("verify", call("POST", "token/verify/", {"token": token})) for token in accesses | refreshes),
        *(("refresh", refresh(token)) for token in refreshes),
    ]
    return [use for use, answer in uses if answer.status != 401]


class Callers:
    """Threads that keep their own database connection from round to round."""

    def __init__(self, most: int) -> None:
        """Take how many there may be at once."""
        self.most = most
        self.threads = ThreadPoolExecutor(most)

    def at_once(self, *jobs: Callable[[], Any]) -> list[Any]:
        """Let each of ``jobs`` begin in a thread of its own at the same moment; return their results in order."""
        start = Barrier(len(jobs))

        def run(job: Callable[[], Any]) -> Any:
            start.wait(timeout=60)
            return job()

        return [future.result() for future in [self.threads.submit(run, job) for job in jobs]]

    def stopped(self, *jobs: Callable[[], Any]) -> str:
        """Let ``jobs`` begin at once; return what the database says to one that it stops, nothing if it lets all by."""
        try:
            self.at_once(*jobs)
        except OperationalError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Close every thread's connection: a database in use cannot be dropped."""
        self.at_once(*[connections.close_all] * self.most)
        self.threads.shutdown()
