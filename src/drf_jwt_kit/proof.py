"""The live proof that endpoints are closed: requests, through the project's own middleware and URLconf.

What :mod:`drf_jwt_kit.testing` drives. Which tokens are sent, this module does not know.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import copy
from http.cookies import SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings
from django.db import Error, connections
from django.http import HttpResponseNotAllowed
from django.test import Client
from django.urls import Resolver404, ResolverMatch, resolve

from . import audit
from .audit import Row, Verdict
from .conf import simple_jwt
from .isolation import rolled_back
from .models import writing_database
from .permissions import is_public
from .redirects import leads_to_sign_in
from .routes import Route, in_served_language

# What is wrong with the requests that must be refused.
ATTACKS = ("no token", "expired", "tampered", "wrong type", "revoked")

# A method that no view has a handler for: DRF answers 405 to those whom it let in, and runs nothing. Django's
# decorators, which let nobody in, have a response of their own for it.
_UNHANDLED = "PROBE"

_ROOT = '""'  # the route of the root, for people


class Protection(NamedTuple):
    """What became of each endpoint, a method of a route: it is in one of the lists.

    ``driven``: each attack was sent there, and refused. ``public``: declared so, and not driven. ``plain``:
    not a view of DRF's. ``skipped``: left out by the caller. ``shadowed``: an earlier route gets the only
    path that it matches, or has the same patterns.
    """

    driven: list[Row]
    public: list[Row]
    plain: list[Row]
    skipped: list[Row]
    shadowed: list[Row]

    @property
    def requests(self) -> int:
        """Return how many requests were sent and refused."""
        return len(self.driven) * len(ATTACKS)


class Target(NamedTuple):
    """An endpoint, and a path that leads to it."""

    row: Row
    path: str


class Passed(NamedTuple):
    """A request that was not refused, and what came back instead."""

    row: Row
    attack: str
    answer: str


class Endpoints:
    """The endpoints of the URLconf, sorted by what is to be done about them."""

    def __init__(self, paths: Mapping[str, str], skip: Collection[str]) -> None:
        """Find a path to each that is to be driven, and refuse names that nothing here has."""
        self.paths, self.skip = paths, frozenset(skip)
        self.targets: list[Target] = []
        self.unreached: list[Row] = []
        self.undecided: list[Row] = []
        self.protection = Protection([], [], [], [], [])
        routed = [(route, row) for route, told in audit.routed_rows() for row in _by_method(route, told)]
        unknown = set(paths).difference(*(_names(route) for route, _row in routed))
        if unknown := unknown | self.skip.difference(*(_skippable(route, row) for route, row in routed)):
            raise ValueError(f"paths and skip name what is not there: {', '.join(sorted(unknown))}")
        with in_served_language():
            self.first = {route.patterns: route for route, _row in reversed(routed)}
            for route, row in routed:
                self._list_for(route, row).append(row)

    def _list_for(self, route: Route, row: Row) -> list[Row]:
        """Return where one endpoint belongs, and note the path to one that is to be driven."""
        if row.verdict is Verdict.PUBLIC:
            return self.protection.public
        if row.verdict is Verdict.PLAIN:
            return self.protection.plain
        if self.skip & _skippable(route, row):
            return self.protection.skipped
        if route.choices:
            return self.undecided
        if path := self._path_to(route):
            self.targets.append(Target(row, path))
            return self.protection.driven
        return self.protection.shadowed if self._is_shadowed(route) else self.unreached

    def _is_shadowed(self, route: Route) -> bool:
        """Return whether nobody gets to a route that nothing was found to lead to.

        So it is where an earlier route has the same patterns, or gets the only path that there is.
        """
        return route.has_one_path or self.first[route.patterns] is not route

    def _path_to(self, route: Route) -> str | None:
        """Return a path that leads to ``route``: the caller's, or the first that Django resolves to it."""
        for given in (self.paths[name] for name in _names(route) if name in self.paths):
            if not _leads_to(route, unquote(urlsplit(given).path)):
                raise ValueError(f"paths: {given} does not lead to {route.route}")
            return given
        made = (f"/{example.path}" for example in route.examples())
        return next((quote(path) for path in made if _leads_to(route, path)), None)

    def faults(self) -> Iterator[str]:
        """Yield what stands in the way of a proof."""
        if not self.targets and not self.unreached and not self.undecided:
            yield "Nothing was driven: no view of DRF's is there that is not declared @public, or skipped."
        if self.unreached:
            yield "No path was found to these routes: give one in paths={route: path}, or name them in skip."
            yield from _listed(self.unreached)
        if self.undecided:
            yield "One of several views answers there: test each yourself, and name the route in skip."
            yield from _listed(self.undecided)


def _listed(rows: Iterable[Row]) -> list[str]:
    """Return a line for each route."""
    return sorted({f"  {row.route} ({row.view})" for row in rows})


def _by_method(route: Route, row: Row) -> list[Row]:
    """Return a row for each method that a class has, where its view could not be made ready to tell the audit."""
    if row.method != "ANY" or row.verdict is not Verdict.UNKNOWN or route.choices:
        return [row]
    view = audit.unprepared(route)
    rows = [row._replace(method=method, view=audit.named(route, method)) for method in audit.methods(route, view)]
    declared: dict[str, Any] = {"verdict": Verdict.PUBLIC, "why": "declared @public"}
    return [row._replace(**declared) if is_public(view, row.method) else row for row in rows]


def _names(route: Route) -> set[str]:
    """Return what a caller may call a route: itself, and its name if it has one."""
    return {route.route, route.name or route.route}


def _skippable(route: Route, row: Row) -> set[str]:
    """Return what a caller may call an endpoint: its route, its method, or both."""
    names = _names(route)
    return {row.method, *names, *(f"{row.method} {name}" for name in names)}


def _leads_to(route: Route, path: str) -> bool:
    """Return whether Django resolves ``path`` to ``route``: an earlier one may match it as well."""
    match = _resolved(path)
    return match is not None and match.func is route.callback and match.route == route.route


def _resolved(path: str) -> ResolverMatch | None:
    """Return where Django's resolver takes ``path`` to, ``None`` for nowhere."""
    try:
        return resolve(path, settings.ROOT_URLCONF)
    except Resolver404:
        return None


class Driver:
    """Requests of nobody's: each forgets the cookies of the last, and leaves no trace in any database."""

    def __init__(self, client: Client) -> None:
        """Take a client that is signed in nowhere; its host and other headers are kept."""
        _ensure_nobodys(client)
        self.client: Any = copy(client)
        self.client.raise_request_exception = False
        self.databases = [alias for alias in connections if alias == writing_database() or _may_be_used(alias)]

    def drive(self, targets: Iterable[Target], attacks: Mapping[str, Mapping[str, str]]) -> Iterator[Passed]:
        """Yield each request that was not refused; ``attacks`` are headers by the name of what is wrong."""
        for row, path in targets:
            for attack, headers in attacks.items():
                answer = self._send(row.method, path, headers)
                match = answer.wsgi_request.resolver_match
                if match is not None and match.route != row.route:
                    yield Passed(row, attack, f"led to {match.route}")
                elif not _is_refusal(answer):
                    yield Passed(row, attack, " to ".join([str(answer.status_code), *_sent_to(answer)]))

    def gets_in(self, targets: Iterable[Target], headers: Mapping[str, str]) -> bool:
        """Return whether a request with ``headers`` gets into any view. No handler is run."""
        answers = (self._send(_UNHANDLED, target.path, headers) for target in targets)
        return any(not (_is_refusal(answer) or isinstance(answer, HttpResponseNotAllowed)) for answer in answers)

    def _send(self, method: str, path: str, headers: Mapping[str, str]) -> Any:
        """Return the answer to one request over HTTPS; an exception in the project's code is a 500."""
        self.client.cookies = SimpleCookie()
        with self.undone(), _quiet():
            answer = self.client.generic(method, path, secure=True, **headers)
            if answer.streaming:
                answer.close()
        return answer

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Roll back whatever is done to a database meanwhile, in a savepoint where a transaction is open."""
        with ExitStack() as stack:
            for alias in self.databases:
                stack.enter_context(rolled_back(alias))
            yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep refusals, which are what is wanted, out of the log; errors stay in it."""
    logger = logging.getLogger("django.request")
    level = logger.level
    logger.setLevel(max(level, logging.ERROR))
    try:
        yield
    finally:
        logger.setLevel(level)


def _ensure_nobodys(client: Any) -> None:
    """Refuse a client whose own credentials would be sent instead of each token, or answer for it."""
    if not isinstance(client, Client):
        raise TypeError(f"A client of Django's or DRF's is needed, not {client!r}.")
    sent = {**client.defaults, **getattr(client, "_credentials", {})}
    forced = [getattr(client.handler, name, None) for name in ("_force_user", "_force_token")]
    if simple_jwt().AUTH_HEADER_NAME in sent or any(forced):
        raise ValueError("The client has credentials of its own: give one that is signed in nowhere.")


def _may_be_used(alias: str) -> bool:
    """Return whether a test may use a database: Django's test cases forbid those that they do not name."""
    try:
        connections[alias].cursor().close()
    except (Error, AssertionError):
        return False
    return True


def _is_refusal(answer: Any) -> bool:
    """Return whether an answer turns the client away: 401, 403, or off to the sign-in page."""
    request = answer.wsgi_request
    view_class = getattr(request.resolver_match and request.resolver_match.func, "cls", None)
    return answer.status_code in {401, 403} or leads_to_sign_in(answer, view_class, request)


def _sent_to(answer: Any) -> list[str]:
    """Return where a redirect leads to."""
    return [answer.headers.get("Location", "")] if 300 <= answer.status_code < 400 else []


def told(passed: Iterable[Passed]) -> Iterator[str]:
    """Yield a line for each endpoint that let requests in, with what got in, and what came back."""
    by_row: dict[Row, list[str]] = {}
    for row, attack, answer in passed:
        by_row.setdefault(row, []).append(f"{attack} ({answer})")
    if by_row:
        yield "Let in, and must be refused:"
    for row in sorted(by_row):
        yield f"  {row.method} {row.route or _ROOT} ({row.view}): {', '.join(by_row[row])}"
