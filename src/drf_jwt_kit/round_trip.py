"""A round trip through the project: obtain, call, refresh, verify, replay, revoke, and nothing is left of it.

It goes through the project's own URLconf, middleware and settings, as a user who is made up.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, connections
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.views.decorators.debug import sensitive_variables
from rest_framework.settings import api_settings as drf_settings

from . import routes, sessions, subject
from .conf import SIMPLE_JWT_DEFAULTS, kit, schemes, simple_jwt
from .exceptions import exception_handler
from .findings import LONGEST, Finding, Status, described, milliseconds, unexamined
from .isolation import isolated

SIGN_IN_SECONDS = 0.2  # SC-001

# DESIGN.md 5: SQL statements. A call is one to authenticate, and here the list of sessions.
_BUDGET = {"anonymous call": 0, "obtain": 4, "call": 2, "refresh": 4, "verify": 1, "revoke": 2}

_REMEDIES = {
    400: "Look at ALLOWED_HOSTS, and at middleware of your own.",
    404: "Something answers before the URLconf is asked: look at middleware of your own.",
    500: "Mend what stands in parentheses.",
    503: "Mend what stands in parentheses; of the cache and the database the topics above tell more.",
}
_REMEDY = "Ask the same of a running server, and read what its log says."


class Answer(NamedTuple):
    """What the project answered, and what that cost."""

    status: int
    body: dict[str, Any]
    seconds: float
    statements: int
    why: str

    @property
    def words(self) -> str:
        """Return the status with the word that a client switches on."""
        word = self.body.get("reason") or self.body.get("code")
        return f"{self.status} {word}" if isinstance(word, str) else str(self.status)


class _StepError(Exception):
    """A step went wrong, and the next ones build on it."""


def examine() -> Iterator[Finding]:
    """Make the round trip; yield what each step answered and cost."""
    namespace = next(_namespaces(get_resolver()), None)
    if namespace is None:
        yield Finding(
            Status.WARNING,
            "drf_jwt_kit.urls is nowhere in the URLconf, so there was no sign-in to try.",
            'Add path("api/", include("drf_jwt_kit.urls")). With views on paths of your own, try those by hand.',
        )
        return
    password = secrets.token_urlsafe(24)
    password_hash = make_password(password)
    with isolated() as said:
        try:
            user = subject.save(password_hash)
        except (subject.SubjectError, IntegrityError, ValueError) as error:
            findings = [_without_user(error)]
        else:
            findings = RoundTrip(namespace, said).findings_of(user, password)
    yield from findings


def _namespaces(resolver: URLResolver, outer: str = "") -> Iterator[str]:
    """Yield the namespaces, outermost first and colons between, that hold the kit's endpoints."""
    for name, (_prefix, inner) in resolver.namespace_dict.items():
        whole = f"{outer}{name}:"
        if inner.app_name == "drf_jwt_kit":
            yield whole
        yield from _namespaces(inner, whole)


def _without_user(error: Exception) -> Finding:
    """Say that there was nobody to go."""
    why = str(error) if isinstance(error, subject.SubjectError) else described(error)
    return Finding(
        Status.NOTE,
        f"Not examined, as no user could be made up: {why}.",
        "Sign in, refresh and sign out by hand once.",
    )


class RoundTrip:
    """A client that goes from step to step, and stops where one goes wrong."""

    def __init__(self, namespace: str, said: list[Any]) -> None:
        """Take the endpoints' namespace, and the list that log records will be in."""
        self.namespace, self.said = namespace, said
        with routes.in_served_language():
            endpoints = [route for route in routes.walk() if route.name.startswith(namespace)]
            self.paths = {route.name: f"/{(route.example() or route.placeholder()).path}" for route in endpoints}
        self.findings: list[Finding] = []
        self.client = Client(raise_request_exception=False, HTTP_HOST=_host())

    @sensitive_variables()
    def findings_of(self, user: Any, password: str) -> list[Finding]:
        """Go the whole way, or as far as it leads."""
        try:
            self.go(user, password)
        except _StepError:
            pass  # the last finding says so
        except Exception as error:  # noqa: BLE001 - a project's code may fail in any way
            self.findings.append(unexamined(error))
        return self.findings

    @sensitive_variables()
    def go(self, user: Any, password: str) -> None:
        """Take one step after the other."""
        self.expect("anonymous call", self.ask("session_list"), kit().ANONYMOUS_STATUS)
        tokens = self.obtain(user, password)
        self.expect("call", self.call(tokens))
        refreshed = self.expect("refresh", self.ask("token_refresh", {"refresh": tokens["refresh"]}))
        tokens |= refreshed.body
        self.expect("verify", self.ask("token_verify", {"token": tokens["access"]}))
        self.replay(user)
        self.expect("revoke", self.ask("token_revoke", {"token": tokens["access"]}))
        self.expect("call after the revocation", self.call(tokens), 401, "revoked")

    @sensitive_variables()
    def obtain(self, user: Any, password: str) -> dict[str, Any]:
        """Sign in; where that is refused, say so and go on with a session that was asked for in Python."""
        users = type(user)
        answer = self.ask("token_obtain_pair", {users.USERNAME_FIELD: str(user.get_username()), "password": password})
        if answer.status == 200 and {"access", "refresh"} <= answer.body.keys():
            self.findings.append(_judged("obtain", answer))
            return dict(answer.body)
        self.findings.append(_refusal(answer))
        return _started(user)

    @sensitive_variables()
    def replay(self, user: Any) -> None:
        """Use a refresh token whose successor has been used: no grace period tolerates that (law 3)."""
        if not simple_jwt().ROTATE_REFRESH_TOKENS:
            found = "Refresh tokens are not rotated, so a stolen one cannot be told from its owner's."
            remedy = "Take ROTATE_REFRESH_TOKENS = False out of SIMPLE_JWT, unless clients need it."
            self.findings.append(Finding(Status.NOTE, found, remedy))
            return
        tokens = _started(user)
        ancestor = tokens["refresh"]
        for step in ("second refresh", "third refresh"):
            tokens |= self.checked(step, self.ask("token_refresh", {"refresh": tokens["refresh"]})).body
        self.expect("replay", self.ask("token_refresh", {"refresh": ancestor}), 401, "reused")
        self.expect("call after the replay", self.call(tokens), 401, "revoked")

    @sensitive_variables()
    def call(self, tokens: dict[str, Any]) -> Answer:
        """List the user's sessions with an access token."""
        return self.ask("session_list", access=tokens["access"])

    def expect(self, step: str, answer: Answer, status: int = 200, reason: str = "") -> Answer:
        """Note what a step cost, or stop where it was answered otherwise."""
        self.findings.append(_judged(step, self.checked(step, answer, status, reason)))
        return answer

    def checked(self, step: str, answer: Answer, status: int = 200, reason: str = "") -> Answer:
        """Return the answer, or note what is wrong with it and go no further."""
        has_own_words = drf_settings.EXCEPTION_HANDLER is not exception_handler
        if answer.status == status and (not reason or has_own_words or answer.body.get("reason") == reason):
            return answer
        wanted = f"{status} {reason}".strip()
        found = f"{step}: {answer.words} instead of {wanted}{answer.why}. The steps after it were not tried."
        self.findings.append(Finding(Status.ERROR, found, _REMEDIES.get(answer.status, _REMEDY)))
        raise _StepError

    @sensitive_variables()
    def ask(self, endpoint: str, body: dict[str, Any] | None = None, *, access: str = "") -> Answer:
        """Ask an endpoint over HTTPS: POST with a body, else GET."""
        path = self.paths[self.namespace + endpoint]
        sent: Any = {"REMOTE_ADDR": _address(), "headers": _header(access) if access else {}}
        self.said.clear()
        with _counted() as statements:
            begun = perf_counter()
            if body is None:
                response = self.client.get(path, secure=True, **sent)
            else:
                response = self.client.post(path, body, content_type="application/json", secure=True, **sent)
            seconds = perf_counter() - begun
        return Answer(response.status_code, _parsed(response), seconds, len(statements), self._why(response))

    def _why(self, response: Any) -> str:
        """Return what else is known of a failure: an exception, a redirection or a line of the log."""
        if response.exc_info:
            return f" ({described(response.exc_info[1])})"
        if "Location" in response:
            return f" (to {response['Location']})"
        told = "".join(record.getMessage() for record in self.said[:1]).strip()
        return f" ({told.splitlines()[-1][:LONGEST]})" if told else ""


def _host() -> str:
    """Return a host that the project answers to."""
    allowed = next(iter(settings.ALLOWED_HOSTS), "localhost")
    return "localhost" if allowed == "*" else str(allowed).removeprefix(".")


@sensitive_variables()
def _header(access: str) -> dict[str, str]:
    """Return the header with a token, named as a client names it."""
    name = simple_jwt().AUTH_HEADER_NAME.removeprefix("HTTP_").replace("_", "-")
    return {name: f"{schemes()[0]} {access}"}


def _address() -> str:
    """Return an address that nobody has (RFC 3849), so that no limit of anybody's is reached or used up."""
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


@contextmanager
def _counted() -> Iterator[list[str]]:
    """Yield the list that SQL statements on any database are added to."""
    statements: list[str] = []

    def count(execute: Any, sql: str, *args: Any) -> Any:
        statements.append(sql)
        return execute(sql, *args)

    with ExitStack() as wrapped:
        for connection in connections.all():
            wrapped.enter_context(connection.execute_wrapper(count))
        yield statements


def _parsed(response: Any) -> dict[str, Any]:
    """Return the JSON object of a response, empty where it is none."""
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


@sensitive_variables()
def _started(user: Any) -> dict[str, Any]:
    """Return the tokens of a session that nobody signed in for."""
    pair = sessions.start(user)
    return {"access": str(pair.access), "refresh": str(pair.refresh)}


def _judged(step: str, answer: Answer) -> Finding:
    """Return what a step that went well cost, against the budget."""
    budget = _BUDGET.get(step)
    statements = f"{answer.statements} SQL statement{'s' * (answer.statements != 1)}"
    of = "" if budget is None else f" of {budget}"
    found = f"{step}: {answer.words} in {milliseconds(answer.seconds)} with {statements}{of}."
    if step == "obtain" and answer.seconds > SIGN_IN_SECONDS:
        remedy = "What the hasher topic does not explain is middleware, an authentication backend, a gate or claims."
        return Finding(Status.WARNING, f"{found} That is longer than 200 ms (SC-001).", remedy)
    if budget is not None and answer.statements > budget:
        remedy = "What is beyond the budget is middleware, an authentication backend, a serializer or claims."
        return Finding(Status.NOTE, found, remedy)
    return Finding(Status.OK, found)


def _refusal(answer: Answer) -> Finding:
    """Say that a right name and password did not sign in, and whether that may be meant."""
    found = f"obtain: a right name and password got {answer.words}{answer.why}, and no tokens."
    if answer.status < 500 and (asks_more := _asks_more()):
        remedy = f"That may be as it should be, as {asks_more} decides. The other steps went on without it."
        return Finding(Status.NOTE, found, remedy)
    return Finding(Status.ERROR, found, _REMEDIES.get(answer.status, "Look at AUTHENTICATION_BACKENDS."))


def _asks_more() -> str:
    """Return the name of a setting by which the project decides itself who signs in, if there is one."""
    names = simple_jwt()
    own = {
        "DRF_JWT_KIT['SIGN_IN_GATE']": kit().SIGN_IN_GATE is not None,
        "SIMPLE_JWT['TOKEN_OBTAIN_SERIALIZER']": _is_own(names.user_settings, "TOKEN_OBTAIN_SERIALIZER"),
        "SIMPLE_JWT['USER_AUTHENTICATION_RULE']": _is_own(names.user_settings, "USER_AUTHENTICATION_RULE"),
        "AUTHENTICATION_BACKENDS": settings.AUTHENTICATION_BACKENDS != ["django.contrib.auth.backends.ModelBackend"],
    }
    return next((name for name, is_own in own.items() if is_own), "")


def _is_own(values: Any, key: str) -> bool:
    """Return whether a setting names something that is neither the kit's nor simplejwt's."""
    path = values.get(key) or SIMPLE_JWT_DEFAULTS[key]
    return not str(path).startswith(("drf_jwt_kit.", "rest_framework_simplejwt."))
