"""What an anonymous request gets from each view: asked of the view itself, short of running its handler.

The request comes over HTTPS, with no body, no query and no header. Middleware is not run, and what a
permission decides per object is decided in the handler. A view that needs a database or a cache to say who
may come in is not let near one: its verdict is ``UNKNOWN``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import closing
from enum import StrEnum
from functools import partial, wraps
from typing import Any, NamedTuple, Never

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.test import RequestFactory
from django.views import View
from rest_framework.views import APIView

from . import routes
from .decorators import beneath, handler_layers, methods_let_through, that_may_close, that_may_open
from .permissions import MARK, ProtectedByDefaultMixin, is_public
from .redirects import leads_to_sign_in
from .routes import Example, Route
from .stand_ins import kept_from_data


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
    none), ``method`` is upper-case (``ANY`` for a view that is not DRF's, or that would not tell its methods),
    ``view`` a dotted path that ends in the action of a viewset.
    """

    route: str
    name: str
    method: str
    view: str
    verdict: Verdict
    why: str


def rows(urlconf: Any = None) -> list[Row]:
    """Return a verdict for every method of every route of ``urlconf``, the project's own by default.

    Handlers, throttles, databases and caches are left alone. ``HEAD`` stands for itself only where a view
    has a handler of its own for it, or lets others in than with ``GET``.
    """
    return [row for _route, row in routed_rows(urlconf)]


def routed_rows(urlconf: Any = None) -> list[tuple[Route, Row]]:
    """Return the same with the route of each: what a request needs that is to reach it."""
    with routes.in_served_language(urlconf), kept_from_data() as asked:
        return [(route, row) for route in routes.walk(urlconf) for row in _rows(route, asked)]


def _rows(route: Route, asked: list[str]) -> list[Row]:
    """Return the rows of one route."""
    if choices := route.choices:
        why = f"one of several views answers: {', '.join(sorted(cls.__name__ for cls in choices))}"
        return [Row(route.route, route.name, "ANY", _path(route.callback), Verdict.UNKNOWN, why)]
    cls = route.view_class
    if cls is None:
        return [Row(route.route, route.name, "ANY", _path(route.callback), Verdict.PLAIN, "not a view of DRF's")]
    asked.clear()
    try:
        example = route.example() or route.placeholder()
        view = _prepared(route, example, "GET")
        verdicts = {method: _ask(route, example, method, asked) for method in methods(route, view)}
        if _is_echo(route, verdicts):
            del verdicts["HEAD"]
    except Exception as error:  # noqa: BLE001 - a project's code raises what it likes
        return [Row(route.route, route.name, "ANY", _path(cls), Verdict.UNKNOWN, _raised(error, asked))]
    return [Row(route.route, route.name, method, named(route, method), *told) for method, told in verdicts.items()]


def _raised(error: Exception, asked: list[str]) -> str:
    """Return the reason of a verdict that could not be had."""
    return _depends(asked) if asked else f"making the view or asking it raised {type(error).__name__}"


def _depends(asked: list[str]) -> str:
    """Return the reason of a verdict that is for others to give."""
    return f"whom it lets in depends on {asked[0]}"


def _path(target: Any) -> str:
    """Return the dotted path of a view; ``@api_view`` names its class after the function."""
    while isinstance(target, partial):
        target = target.func
    target = getattr(target, "view_class", target)
    known = target if hasattr(target, "__name__") else type(target)
    return f"{known.__module__}.{known.__name__}"


def named(route: Route, method: str) -> str:
    """Return the dotted path of what answers a method: a view, or an action of one."""
    return ".".join(filter(None, [_path(route.view_class), _actions(route).get(method.lower())]))


def _actions(route: Route) -> dict[str, str]:
    """Return which action answers which method, ``HEAD`` too, as in the view that was asked once."""
    actions = route.actions
    return {**actions, "head": actions["get"]} if "get" in actions and "head" not in actions else actions


def methods(route: Route, view: Any) -> list[str]:
    """Return the methods that the view of a route has handlers for, in upper case."""
    # Not simply all names: a project may have written one alone, a string, which has no others in it.
    names = dict.fromkeys([*View.http_method_names, *view.http_method_names])
    handled = [name for name in names if name in view.http_method_names and hasattr(view, name)]
    answered = [name for name in handled if _is_let_through(route, view, name)]
    return [name.upper() for name in answered if name != "options" or _tells_options(view)]


def _is_let_through(route: Route, view: Any, name: str) -> bool:
    """Return whether no decorator of Django's around the view, or its handler, says 405 to a method."""
    layers = [*route.layers, *handler_layers(getattr(view, name))]
    return all(name.upper() in allowed for allowed in methods_let_through(layers))


def _tells_options(view: Any) -> bool:
    """Return whether a view answers ``OPTIONS``; DRF's handler says 405 where there are no metadata to tell."""
    return view.metadata_class is not None or getattr(view.options, "__func__", None) is not APIView.options


def _is_echo(route: Route, verdicts: dict[str, tuple[Verdict, str]]) -> bool:
    """Return whether ``HEAD`` is answered by ``GET``'s handler, and lets nobody in whom that would not."""
    if not {"GET", "HEAD"} <= verdicts.keys():
        return False
    actions = _actions(route)
    its_own = actions["head"] != actions["get"] if actions else hasattr(_instance(route), "head")
    return not its_own and verdicts["HEAD"][0] in {verdicts["GET"][0], Verdict.PROTECTED}


def _instance(route: Route) -> Any:
    """Return the view as it is made for each request."""
    cls: Any = route.view_class
    return cls(**route.initkwargs)


def unprepared(route: Route) -> Any:
    """Return the view with the handlers that DRF itself gives it, for where a project's own code raises."""
    view = object.__new__(route.view_class or APIView)
    handlers = {name: getattr(view, action, None) for name, action in _actions(route).items()}
    vars(view).update(route.initkwargs, **handlers)
    if not handlers:
        View.setup(view, HttpRequest())
    return view


def _prepared(route: Route, example: Example, method: str) -> Any:
    """Return the view with an anonymous request, as the function makes it ready that ``as_view()`` returns."""
    view, actions = _instance(route), _actions(route)
    request = _anonymous(method, f"/{example.path}")
    request.resolver_match = route.match(example)
    kwargs = {**route.keywords, **example.kwargs}
    if not actions:
        view.setup(request, *example.args, **kwargs)
        return view
    view.request, view.args, view.kwargs, view.action_map = request, example.args, kwargs, actions
    for name, action in actions.items():
        setattr(view, name, getattr(view, action))
    return view


def _anonymous(method: str, path: str) -> HttpRequest:
    """Return a request that nobody sent, to a host that the project serves; it needs no token against CSRF."""
    hosts = [host.removeprefix(".") for host in settings.ALLOWED_HOSTS if host != "*"]
    request = RequestFactory().generic(method, path, secure=True, HTTP_HOST=next(iter(hosts), "localhost"))
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    request.user = AnonymousUser()
    request.session = SessionBase()
    return request


class _Reached(BaseException):
    """A handler would have run now."""


def _ask(route: Route, example: Example, method: str, asked: list[str]) -> tuple[Verdict, str]:
    """Return what an anonymous request gets, and why."""
    asked.clear()
    try:
        verdict, why = _verdict(route, example, method)
    except PermissionDenied:
        verdict, why = Verdict.PROTECTED, "answers 403 before DRF is asked"
    except Exception as error:  # noqa: BLE001 - a project's code raises what it likes
        return Verdict.UNKNOWN, _raised(error, asked)
    if asked:
        return Verdict.UNKNOWN, _depends(asked)
    if verdict is Verdict.PROTECTED and (strangers := that_may_open(route.layers)):
        return Verdict.UNKNOWN, f"the view lets nobody in; a decorator from {strangers} may"
    return verdict, why


def _verdict(route: Route, example: Example, method: str) -> tuple[Verdict, str]:
    """Let the view handle an anonymous request until its handler would run, and tell what came of it."""
    reached: list[Any] = []
    answer = None
    view = _prepared(route, example, method)
    view.check_throttles = lambda request: None
    _stop_before(view, method.lower(), _actions(route), reached)
    try:
        answer = _settled(view.dispatch(view.request, *view.args, **view.kwargs))
    except (Exception, _Reached):
        if not reached:
            raise
    # Whatever a project made of it: some code catches all that is raised.
    return _let_in(view, route, method, reached[0]) if reached else _refused(view, answer, method)


def _stop_before(view: Any, name: str, actions: dict[str, str], reached: list[Any]) -> None:
    """Put something in the place of a handler that notes that it would have run; by either name, for a viewset."""
    handler = getattr(view, name)

    @wraps(handler)  # with what decorators noted on it
    def stop(*args: Any, **kwargs: Any) -> Never:
        reached.append(handler)
        raise _Reached

    for known_as in {name, actions.get(name, name)}:
        setattr(view, known_as, stop)


def _settled(answer: Any) -> Any:
    """Return what a view answers, also where it does so later."""

    async def settle() -> Any:
        return await answer

    if not isinstance(answer, Coroutine):
        return answer
    with closing(answer):
        return async_to_sync(settle)()


def _let_in(view: Any, route: Route, method: str, handler: Callable[..., Any]) -> tuple[Verdict, str]:
    """Return the verdict on a view that lets an anonymous request through to its handler."""
    if is_public(view, method):
        return Verdict.PUBLIC, "declared @public"
    if strangers := that_may_close(route.layers, handler):
        return Verdict.UNKNOWN, f"the view lets it in; a decorator from {strangers} may not"
    return Verdict.OPEN, f"reaches the handler; {_permissions(view, method)}"


def _refused(view: Any, answer: Any, method: str) -> tuple[Verdict, str]:
    """Return the verdict on a view that answers before its handler."""
    status = answer.status_code
    told = f"answers {status} to {answer.headers['Location']}" if "Location" in answer.headers else f"answers {status}"
    if status in {401, 403}:
        declared = "declared @public, yet " if is_public(view, method) else ""
        return Verdict.PROTECTED, f"{declared}{told}; {_permissions(view, method)}"
    if leads_to_sign_in(answer, view, view.request):
        return Verdict.PROTECTED, told
    return Verdict.UNKNOWN, f"{told} before it asks who that is"


def _permissions(view: Any, method: str) -> str:
    """Return what stands before the handler, and what was said there in vain."""
    names = ["ProtectedByDefaultMixin"] if isinstance(view, ProtectedByDefaultMixin) else []
    names += [type(permission).__name__ for permission in view.get_permissions()]
    told = f"permissions: {', '.join(names)}" if names else "no permissions"
    hidden = getattr(beneath(getattr(type(view), method.lower(), None)), MARK, False) and not is_public(view, method)
    return f"{told}; @public is hidden by a decorator above it" if hidden else told
