"""What stands around a view or a handler: its decorators, and where they come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, MethodType, MethodWrapperType
from typing import Any

_MOST_LAYERS = 100  # some objects have whatever attribute they are asked for, `__wrapped__` too

# Decorators that change how a view answers, not whom: Django's, some of which it makes from its middleware.
_HOW_ALONE = (
    "django.views.decorators.",
    "django.middleware.csrf",
    "django.middleware.gzip",
    "django.middleware.http",
    "rest_framework.decorators",
    "functools",
)
_CLOSES_NOTHING = (*_HOW_ALONE, "django.middleware.cache")  # it tells others what it told one
_OPENS_NOTHING = (*_HOW_ALONE, "django.contrib.auth.decorators", "django.contrib.admin.views.decorators")


def layers(callback: Any) -> tuple[Any, ...]:
    """Return a view's callback and what it is put around, down to the function that ``as_view()`` made.

    Empty where there is no such function, as in a plain one.
    """
    named = getattr(callback, "__dict__", {})
    alone = (callback,) if isinstance(named.get("cls"), type) else ()
    return next(_down_to_views(callback, set()), alone)


def view_classes(callback: Any) -> list[Any]:
    """Return the class of each view that a callback holds; where there are several, it chooses."""
    return [_closure(way[-1])["cls"] for way in _down_to_views(callback, set())]


def that_may_open(layers: Iterable[Any]) -> str:
    """Return where decorators around a view come from that may answer those whom it would not."""
    return _others(around_view(layers), _OPENS_NOTHING)


def that_may_close(layers: Iterable[Any], handler: Any) -> str:
    """Return where decorators around a view and its handler come from that may refuse those whom it would not."""
    return _others([*around_view(layers), *around_handler(handler)], _CLOSES_NOTHING)


def _others(modules: Iterable[str], known: tuple[str, ...]) -> str:
    """Return the modules that are not known, in words."""
    return ", ".join(sorted({module for module in modules if not module.startswith(known)}))


def around_view(layers: Iterable[Any]) -> Iterator[str]:
    """Yield the modules of the decorators among the layers of a view."""
    for layer in layers:
        if not _is_view(layer):
            yield from _origins(layer)


def around_handler(handler: Any) -> Iterator[str]:
    """Yield the modules of the decorators around a handler, as far as they say what they are put on."""
    for layer in handler_layers(handler):
        yield from _origins(layer)


def handler_layers(handler: Any) -> Iterator[Any]:
    """Yield the decorators around a handler, as far as they say what they are put on."""
    for _ in range(_MOST_LAYERS):
        inner = beneath(handler)
        if inner is None:
            return
        yield handler
        handler = inner


def methods_let_through(layers: Iterable[Any]) -> Iterator[Iterable[str]]:
    """Yield what each of Django's ``require_http_methods`` among layers lets through, in upper case."""
    for layer in layers:
        if _module(layer) == "django.views.decorators.http" and "request_method_list" in (held := _closure(layer)):
            yield held["request_method_list"]


def _down_to_views(callback: Any, seen: set[int]) -> Iterator[tuple[Any, ...]]:
    """Yield the layers from ``callback`` down to each view."""
    seen.add(id(callback))
    if _is_view(callback):
        yield (callback,)
        return
    for inner in (beneath(callback), *_held(callback)):
        if id(inner) not in seen and len(seen) < _MOST_LAYERS:
            yield from ((callback, *way) for way in _down_to_views(inner, seen))


def _held(holder: Any) -> list[Any]:
    """Return what something that is called holds and may call, and the object that it is a method of."""
    bound = [holder.__self__] if isinstance(holder, MethodType | MethodWrapperType) else []
    given = (*holder.args, *holder.keywords.values()) if isinstance(holder, partial) else ()
    called = [value for value in (*_closed_over(holder), *given, *_kept(holder)) if callable(value)]
    return [value for value in (*called, *bound) if not isinstance(value, type)]


def _closed_over(function: Any) -> Iterator[Any]:
    """Yield what a function has in its closure and for defaults; nothing for other objects."""
    if written := _written(function):
        yield from _closure(written).values()
        yield from (*(written.__defaults__ or ()), *(written.__kwdefaults__ or {}).values())


def _kept(holder: Any) -> Iterator[Any]:
    """Yield what an object keeps, and what it is called by. No property is asked: that would run a project's code."""
    for cls in type(holder).__mro__:
        for name, member in vars(cls).items():
            if name == "__dict__" and type(member) is GetSetDescriptorType:
                yield from member.__get__(holder).values()
            elif type(member) is MemberDescriptorType:
                with suppress(AttributeError):  # a slot that is empty
                    yield member.__get__(holder)
            elif name == "__call__":
                yield member


def _is_view(function: Any) -> bool:
    """Return whether ``as_view()`` made a function: Django's and all others keep the class in it."""
    return {"cls", "initkwargs"} <= _closure(function).keys()


def beneath(function: Any) -> Any:
    """Return what a decorator was put on, ``None`` for what is no decorator's work."""
    if isinstance(function, partial):
        return function.func
    if _module(function) == "rest_framework.decorators":  # an @api_view keeps its function to itself
        return _closure(function).get("func")
    return getattr(function, "__wrapped__", None)


def _origins(decorator: Any) -> list[str]:
    """Return where a decorator comes from; one that Django made stands for what it was made of."""
    if isinstance(decorator, partial) and not _is_view(decorator.func):
        return [_module(decorator), *_origins(decorator.func)]
    closure = _closure(decorator)
    made_of = {**closure, **_closure(closure.get("_pre_process_request"))}
    if _module(decorator) != "django.utils.decorators":
        return [_module(decorator)]
    if "decorators" in made_of:  # on a method
        return [origin for inner in made_of["decorators"] for origin in _origins(inner)]
    middleware = made_of.get("middleware_class") or type(made_of.get("middleware"))
    return [middleware.__module__]


def _module(function: Any) -> str:
    """Return where a function was written, whatever a decorator named it; for other objects, their class."""
    written = _written(function)
    return str(written.__globals__["__name__"] if written else type(function).__module__)


def _closure(function: Any) -> dict[str, Any]:
    """Return what a function has in its closure by now, empty for other objects."""
    written, held = _written(function), dict[str, Any]()
    if written is not None:
        for name, cell in zip(written.__code__.co_freevars, written.__closure__ or (), strict=True):
            with suppress(ValueError):  # an empty cell
                held[name] = cell.cell_contents
    return held


def _written(function: Any) -> FunctionType | None:
    """Return a function or a method's, ``None`` for other objects."""
    function = getattr(function, "__func__", function)
    return function if isinstance(function, FunctionType) else None
