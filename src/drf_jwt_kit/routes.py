"""The routes of a URLconf, whole, each with a path that it matches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice, product
from typing import Any, NamedTuple
from uuid import UUID

from django.urls import ResolverMatch, URLResolver, get_resolver
from django.utils.regex_helper import normalize
from rest_framework.settings import api_settings
from rest_framework.views import APIView

_PARAMETER = re.compile("<(?:[^>:]+:)?([^>]+)>")

# What is tried for a parameter, until the route takes it.
_VALUES = ("1", "x", str(UUID(int=0)), "2026", "2026-01-01", "en", "a-b", "A", "0" * 24, "1.0", "a@example.com")
_MOST_TRIES = 2000
_MOST_PIECES = 32


class Example(NamedTuple):
    """A path that a route matches, without the slash in front, and what its view is then called with."""

    path: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Route(NamedTuple):
    """One endpoint of a URLconf.

    ``route`` and ``name`` are spelled as in :class:`~django.urls.ResolverMatch`: the parts of all includes
    joined, ``app:name`` with a namespace. ``name`` is empty where there is none.
    """

    route: str
    name: str
    callback: Any
    patterns: tuple[Any, ...]
    namespaces: tuple[str, ...]
    app_names: tuple[str, ...]
    defaults: dict[str, Any]

    @property
    def view_class(self) -> type[APIView] | None:
        """Return the class of a DRF view, ``None`` for every other view."""
        callback = self.callback
        while isinstance(callback, partial):
            callback = callback.func
        cls = getattr(callback, "cls", None)
        return cls if isinstance(cls, type) and issubclass(cls, APIView) else None

    def example(self) -> Example | None:
        """Return a path that the route matches, ``None`` where none was found."""
        return next(self.examples(), None)

    def examples(self) -> Iterator[Example]:
        """Yield paths that the route matches, the first one at little cost.

        More than one, since an earlier route may match a path as well, and would get it.
        """
        for most in (1, _MOST_PIECES):
            pieces = (islice(self._pieces(pattern), most) for pattern in self.patterns)
            for chosen in islice(product(*pieces), _MOST_TRIES):
                if example := self._matched("".join(chosen)):
                    yield example

    def match(self, example: Example) -> ResolverMatch:
        """Return what Django's resolver says of a path that this route matches."""
        _path, args, kwargs = example
        name = self.name.rpartition(":")[2]
        return ResolverMatch(
            self.callback, args, kwargs, name, [*self.app_names], [*self.namespaces], self.route, self.patterns
        )

    def _matched(self, path: str) -> Example | None:
        """Return the path with what the patterns read from it, as Django's resolver would."""
        rest, args, captured = path, (), dict[str, Any]()
        for pattern in self.patterns:
            match = pattern.match(rest)
            if match is None:
                return None
            rest, args, captured = match[0], args + match[1], {**captured, **match[2]}
        kwargs = {**captured, **self.defaults}
        return Example(path, () if kwargs else args, kwargs)

    def _pieces(self, pattern: Any) -> Iterator[str]:
        """Yield texts that one pattern matches."""
        if hasattr(pattern, "_route"):
            yield from self._by_converters(str(pattern), pattern.converters)
        elif hasattr(pattern, "_regex"):
            yield from self._by_regex(pattern)
        else:
            yield str(pattern)  # the prefix of a language

    def _by_converters(self, route: str, converters: dict[str, Any]) -> Iterator[str]:
        """Yield a ``path()`` route with values in its places."""
        fitting = (
            [value for value in self._values(name) if _converts(converter, value)]
            for name, converter in converters.items()
        )
        for values in product(*fitting):
            chosen = dict(zip(converters, values, strict=True))
            yield _PARAMETER.sub(partial(_chosen_for, chosen), route)

    def _by_regex(self, pattern: Any) -> Iterator[str]:
        """Yield a ``re_path()`` route with values in its groups; the words of the regex itself are tried too."""
        words = re.findall(r"\w+", pattern.regex.pattern)
        for template, names in normalize(pattern.regex.pattern):
            choices = product(*([*self._values(name), *words] for name in names))
            for values in islice(choices, _MOST_TRIES):
                text = template % dict(zip(names, values, strict=True))
                if pattern.match(text) is not None:
                    yield text

    def _values(self, name: str) -> Iterable[str]:
        """Return what may stand for a parameter; DRF reads some names itself."""
        cls: Any = self.view_class
        if cls is not None and name == api_settings.FORMAT_SUFFIX_KWARG:
            formats = [renderer.format for renderer in cls.renderer_classes]
            return [*formats, *(f".{name}" for name in formats), *_VALUES]
        versioning = getattr(cls, "versioning_class", None)
        if versioning is not None and name == versioning.version_param:
            return filter(None, [versioning.default_version, *(versioning.allowed_versions or ()), *_VALUES])
        return _VALUES


def _chosen_for(chosen: dict[str, str], place: re.Match[str]) -> str:
    """Return the value for one place of a ``path()`` route."""
    return chosen[place[1]]


def _converts(converter: Any, value: str) -> bool:
    """Return whether a path converter takes ``value``."""
    if not re.fullmatch(converter.regex, value):
        return False
    try:
        converter.to_python(value)
    except ValueError:
        return False
    return True


def walk(urlconf: Any = None) -> Iterator[Route]:
    """Yield every route of ``urlconf``, the project's own by default, in its order."""
    yield from _beneath(get_resolver(urlconf), Route("", "", None, (), (), (), {}))


def _beneath(resolver: URLResolver, above: Route) -> Iterator[Route]:
    """Yield the routes of ``resolver``, whose own pattern is in ``above`` already."""
    for entry in resolver.url_patterns:
        route = above._replace(
            route=_joined(above.route, str(entry.pattern)),
            patterns=(*above.patterns, entry.pattern),
        )
        if isinstance(entry, URLResolver):
            yield from _beneath(entry, _included(route, entry))
        else:
            named = ":".join((*above.namespaces, entry.name)) if entry.name else ""
            defaults = {**above.defaults, **(entry.default_args or {})}
            yield route._replace(name=named, callback=entry.callback, defaults=defaults)


def _included(route: Route, resolver: URLResolver) -> Route:
    """Return ``route`` with what an ``include()`` hands down."""
    return route._replace(
        namespaces=(*route.namespaces, *filter(None, [resolver.namespace])),
        app_names=(*route.app_names, *filter(None, [resolver.app_name])),
        defaults={**route.defaults, **resolver.default_kwargs},
    )


def _joined(above: str, own: str) -> str:
    """Return two parts of a route as Django joins them: without the second one's ``^``."""
    return above + own.removeprefix("^") if above else own
