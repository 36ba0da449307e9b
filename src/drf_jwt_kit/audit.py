"""What an anonymous request gets from each view: asked of the view itself, short of running its handler.

Middleware is not run, and what a permission decides per object is decided in the handler. A view that
needs a database to say who may come in is not let near one: its verdict is ``UNKNOWN``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from functools import partial, wraps
from typing import Any, NamedTuple, Never

from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied
from django.db import connections
from django.http import HttpRequest
from django.test import RequestFactory

from . import routes
from .exceptions import nothing_rolled_back
from .permissions import ProtectedByDefaultMixin, is_public
from .routes import Example, Route

# Where the functions come from that `as_view()` returns; what is wrapped around them is a decorator.
_AS_VIEW = {"django.views.generic.base", "rest_framework.viewsets"}
# Decorators that change how a view answers, not whom.
_SEEN_THROUGH = ("django.views.decorators.", "django.utils.decorators", "rest_framework.decorators", "functools")


class Verdict(StrEnum):
    """What comes of an anonymous request."""

    PROTECTED = "PROTECTED"
    PUBLIC = "PUBLIC"
    OPEN = "OPEN"
    PLAIN = "PLAIN"
    UNKNOWN = "UNKNOWN"


class Row(NamedTuple):
    """The verdict on one method of one route.

    ``route`` is spelled as Django prints it, ``name`` is what ``reverse()`` takes (empty where there is
    none), ``method`` is upper-case (``ANY`` for a view that is not DRF's), ``view`` a dotted path that ends
    in the action of a viewset.
    """

    route: str
    name: str
    method: str
    view: str
    verdict: Verdict
    why: str


def rows(urlconf: Any = None) -> list[Row]:
    """Return a verdict for every method of every route of ``urlconf``, the project's own by default.

    Handlers, throttles and databases are left alone. ``HEAD`` stands for itself only where a view has a
    handler of its own for it; ``GET``'s answers it otherwise.
    """
    return [row for _route, row in routed_rows(urlconf)]


def routed_rows(urlconf: Any = None) -> list[tuple[Route, Row]]:
    """Return the same with the route of each: what a request needs that is to reach it."""
    with _no_database() as touched:
        return [(route, row) for route in routes.walk(urlconf) for row in _rows(route, touched)]


def _rows(route: Route, touched: list[str]) -> Iterator[Row]:
    """Yield the rows of one route."""
    cls = route.view_class
    if cls is None:
        yield Row(route.route, route.name, "ANY", _path(route.callback), Verdict.PLAIN, "not a view of DRF's")
        return
    try:
        answered = methods(route)
    except Exception as error:  # noqa: BLE001 - a project's code raises what it likes
        yield Row(route.route, route.name, "ANY", _path(cls), Verdict.UNKNOWN, _raised(error))
        return
    for method in answered:
        action = _actions(route).get(method.lower(), "")
        verdict, why = _ask(route, method, touched)
        yield Row(route.route, route.name, method, ".".join(filter(None, [_path(cls), action])), verdict, why)


def _raised(error: Exception) -> str:
    """Return the reason of a verdict that could not be had."""
    return f"making the view or asking it raised {type(error).__name__}"


def _path(target: Any) -> str:
    """Return the dotted path of a view; ``@api_view`` names its class after the function."""
    target = getattr(target, "view_class", target)
    known = target if hasattr(target, "__name__") else type(target)
    return f"{known.__module__}.{known.__name__}"


def _actions(route: Route) -> dict[str, str]:
    """Return which action of a viewset answers which method, empty for other views."""
    actions: dict[str, str] = getattr(route.callback, "actions", None) or {}
    return actions


def methods(route: Route) -> list[str]:
    """Return the methods that a route of DRF's has handlers for, in upper case."""
    view = _instance(route)
    actions = _actions(route)
    handled = {*actions, "options"} if actions else {name for name in view.http_method_names if hasattr(view, name)}
    if actions.get("head", "") == actions.get("get"):
        handled.discard("head")  # DRF's, not the project's
    return [name.upper() for name in view.http_method_names if name in handled]


def _instance(route: Route) -> Any:
    """Return the view as it is made for each request."""
    cls: Any = route.view_class
    return cls(**getattr(route.callback, "initkwargs", {}))


class _Reached(BaseException):
    """A handler would have run now. Nothing on the way catches it."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        """Note which one."""
        super().__init__()
        self.handler = handler


def _ask(route: Route, method: str, touched: list[str]) -> tuple[Verdict, str]:
    """Return what an anonymous request gets, and why."""
    touched.clear()
    view = _instance(route)
    try:
        with nothing_rolled_back():
            answer = _dispatch(view, route, method)
        verdict, why = _refused(view, answer, method)
    except _Reached as reached:
        verdict, why = _let_in(view, route, method, reached.handler)
    except PermissionDenied:
        verdict, why = Verdict.PROTECTED, "answers 403 before DRF is asked"
    except Exception as error:  # noqa: BLE001 - a project's code raises what it likes
        verdict, why = Verdict.UNKNOWN, _raised(error)
    return (Verdict.UNKNOWN, "whom it lets in depends on the database") if touched else (verdict, why)


def _dispatch(view: Any, route: Route, method: str) -> Any:
    """Let the view handle an anonymous request until its handler would run."""
    example = route.example() or Example(route.route, (), dict(route.defaults))
    request = _anonymous(method, f"/{example.path}")
    request.resolver_match = route.match(example)
    _prepare(view, route, request, example)
    view.check_throttles = lambda request: None
    setattr(view, method.lower(), _stop_before(getattr(view, method.lower())))
    return view.dispatch(request, *example.args, **example.kwargs)


def _anonymous(method: str, path: str) -> HttpRequest:
    """Return a request that nobody sent."""
    request = RequestFactory().generic(method, path)
    request.user = AnonymousUser()
    request.session = SessionBase()
    return request


def _prepare(view: Any, route: Route, request: HttpRequest, example: Example) -> None:
    """Make the view ready as the function does that ``as_view()`` returns."""
    actions = _actions(route)
    if not actions:
        view.setup(request, *example.args, **example.kwargs)
        return
    view.request, view.args, view.kwargs, view.action_map = request, example.args, example.kwargs, actions
    for method, action in actions.items():
        setattr(view, method, getattr(view, action))


def _stop_before(handler: Callable[..., Any]) -> Callable[..., Never]:
    """Return what stands in for a handler, with what decorators noted on it."""

    @wraps(handler)
    def stop(*args: Any, **kwargs: Any) -> Never:
        raise _Reached(handler)

    return stop


def _let_in(view: Any, route: Route, method: str, handler: Callable[..., Any]) -> tuple[Verdict, str]:
    """Return the verdict on a view that lets an anonymous request through to its handler."""
    if is_public(view, method):
        return Verdict.PUBLIC, "declared @public"
    decorators = {*_decorators(route.callback, _AS_VIEW), *_decorators(handler)}
    if unknown := sorted(module for module in decorators if not module.startswith(_SEEN_THROUGH)):
        return Verdict.UNKNOWN, f"the view lets it in; a decorator from {', '.join(unknown)} may not"
    return Verdict.OPEN, f"reaches the handler; {_permissions(view)}"


def _refused(view: Any, answer: Any, method: str) -> tuple[Verdict, str]:
    """Return the verdict on a view that answers before its handler."""
    status = answer.status_code
    if 300 <= status < 400:
        return Verdict.PROTECTED, f"answers {status} to {answer.headers.get('Location', '')}"
    if status not in {401, 403}:
        return Verdict.UNKNOWN, f"answers {status} before it asks who that is"
    declared = "declared @public, yet " if is_public(view, method) else ""
    return Verdict.PROTECTED, f"{declared}answers {status}; {_permissions(view)}"


def _permissions(view: Any) -> str:
    """Return what stands before the handler."""
    names = ["ProtectedByDefaultMixin"] if isinstance(view, ProtectedByDefaultMixin) else []
    names += [type(permission).__name__ for permission in view.get_permissions()]
    return f"permissions: {', '.join(names)}" if names else "no permissions"


def _decorators(function: Any, innermost: Iterable[str] = ()) -> Iterator[str]:
    """Yield the modules of the decorators around a function, outside of those that are ``innermost``."""
    while _module(function) not in innermost and (inner := _inner(function)) is not None:
        yield from map(_module, _held(function).get("decorators", [function]))
        function = inner


def _module(function: Any) -> str:
    """Return where a function was written, whatever a decorator named it; for other objects, their class."""
    module: str = getattr(function, "__globals__", {}).get("__name__") or type(function).__module__
    return module


def _inner(function: Any) -> Any:
    """Return what a decorator was put around, ``None`` for what is no decorator's work."""
    if _module(function) == "rest_framework.decorators":
        return _held(function).get("func")
    return getattr(function, "__wrapped__", getattr(function, "func", None))


def _held(function: Any) -> dict[str, Any]:
    """Return a function's closure: there Django's ``method_decorator`` and ``@api_view`` keep what they wrap."""
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())
    return dict(zip(names, (cell.cell_contents for cell in getattr(function, "__closure__", None) or ()), strict=True))


class _DatabaseAskedError(Exception):
    """A view wanted to ask a database."""


@contextmanager
def _no_database() -> Iterator[list[str]]:
    """Refuse every way to a database, and note which were tried: there may be none where this runs."""
    touched: list[str] = []

    def refuse(alias: str, *args: Any, **kwargs: Any) -> Never:
        touched.append(alias)
        raise _DatabaseAskedError

    with ExitStack() as stack:
        for connection in connections.all():
            for way in ("connect", "temporary_connection", "cursor", "chunked_cursor"):
                stack.enter_context(_shadowed(connection, way, partial(refuse, connection.alias)))
        yield touched


@contextmanager
def _shadowed(instance: Any, name: str, stand_in: Any) -> Iterator[None]:
    """Give one instance another method for a while."""
    before = {name: vars(instance)[name]} if name in vars(instance) else {}
    setattr(instance, name, stand_in)
    try:
        yield
    finally:
        delattr(instance, name)
        vars(instance).update(before)
