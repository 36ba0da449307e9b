"""The routes of a URLconf, whole, each with a path that it matches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain, islice, pairwise, product
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.middleware.locale import LocaleMiddleware
from django.urls import Resolver404, ResolverMatch, URLResolver, get_resolver
from django.utils import translation
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from . import middleware
from .decorators import layers, view_classes
from .regexes import forms, groups, is_literal, matches, shortest

_PARAMETER = re.compile("<(?:[^>:]+:)?([^>]+)>")

# What is tried for a parameter, until the route takes it.
_VALUES = ("1", "x", str(UUID(int=0)), "2026", "2026-01-01", "en", "a-b", "A", "1.0", "a@example.com")
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
    joined, ``app:name`` with a namespace. ``name`` is empty where there is none. ``entries`` are what leads
    there: the root's resolver, those of all includes, and the route's own pattern. ``layers`` are the callback
    and what it is put around, down to the function that ``as_view()`` made; empty for other views.
    """

    route: str
    name: str
    callback: Any
    entries: tuple[Any, ...]
    layers: tuple[Any, ...]

    @property
    def view_class(self) -> type[APIView] | None:
        """Return the class of a DRF view, ``None`` for every other view."""
        cls = getattr(self._view, "cls", None)
        return cls if _is_of_drf(cls) else None

    @property
    def choices(self) -> list[Any]:
        """Return the view classes of which one answers, DRF's among them; empty where that is no question."""
        classes = view_classes(self.callback)
        return classes if len(classes) > 1 and any(map(_is_of_drf, classes)) else []

    @property
    def initkwargs(self) -> dict[str, Any]:
        """Return what ``as_view()`` was given for the instance."""
        return getattr(self._view, "initkwargs", {})

    @property
    def actions(self) -> dict[str, str]:
        """Return which action of a viewset answers which method, empty for other views."""
        return getattr(self._view, "actions", None) or {}

    @property
    def keywords(self) -> dict[str, Any]:
        """Return what partials around the view hand it, beside what the path holds."""
        around = [outer for outer, inner in pairwise(self.layers) if isinstance(outer, partial) and outer.func is inner]
        return {name: value for layer in reversed(around) for name, value in layer.keywords.items()}

    @property
    def patterns(self) -> tuple[Any, ...]:
        """Return the kinds and the texts of all patterns: routes with the same ones match the same paths."""
        patterns = [entry.pattern for entry in self.entries[1:]]
        return tuple((type(pattern), type(_written(pattern)), str(pattern)) for pattern in patterns)

    @property
    def has_one_path(self) -> bool:
        """Return whether one path alone matches the route, whatever the language."""
        return all(_is_one_text(entry.pattern) for entry in self.entries[1:])

    def example(self) -> Example | None:
        """Return a path that the route matches, ``None`` where none was found."""
        return next(self.examples(), None)

    def examples(self) -> Iterator[Example]:
        """Yield paths that the route matches, the first one at little cost.

        More than one, since an earlier route may match a path as well, and would get it.
        """
        for most in (1, _MOST_PIECES):
            pieces = (islice(self._pieces(entry.pattern), most) for entry in self.entries[1:])
            for chosen in islice(product(*pieces), _MOST_TRIES):
                path = "".join(chosen)
                if match := self._resolve(path):
                    yield Example(path, match.args, match.kwargs)

    def placeholder(self) -> Example:
        """Return what stands in where there is no example: the route for a path, and nothing read from it."""
        *resolvers, entry = self.entries
        given = [*(resolver.default_kwargs for resolver in resolvers), entry.default_args]
        return Example(self.route, (), {name: value for kwargs in given for name, value in kwargs.items()})

    def match(self, example: Example) -> ResolverMatch:
        """Return what Django's resolver says of a path; of one that does not match, the route all the same."""
        *resolvers, entry = self.entries
        namespaces = [resolver.namespace for resolver in resolvers if resolver.namespace]
        app_names = [resolver.app_name for resolver in resolvers if resolver.app_name]
        return self._resolve(example.path) or ResolverMatch(
            self.callback, example.args, example.kwargs, entry.name, app_names, namespaces, self.route
        )

    def _resolve(self, path: str) -> ResolverMatch | None:
        """Let Django resolve a path against this route alone."""
        *resolvers, entry = self.entries
        for above in reversed(resolvers):
            entry = URLResolver(above.pattern, [entry], above.default_kwargs, above.app_name, above.namespace)
        try:
            match: ResolverMatch = entry.resolve(f"/{path}")
        except Resolver404:
            return None
        return match

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
            [value for value in (*self._values(name), *shortest(converter.regex)) if _converts(converter, value)]
            for name, converter in converters.items()
        )
        for values in product(*fitting):
            chosen = dict(zip(converters, values, strict=True))
            yield _PARAMETER.sub(partial(_chosen_for, chosen), route)

    def _by_regex(self, pattern: Any) -> Iterator[str]:
        """Yield a ``re_path()`` route with values in its groups; the words of the regex itself are tried too."""
        regex = pattern.regex.pattern
        inside, words = groups(regex), re.findall(r"\w+", regex)
        fitting = {
            name: [value for value in (*self._values(name), *words, *shortest(inner)) if matches(inner, value)]
            for name, inner in inside.items()
        }
        texts = (
            form.filled(dict(zip(form.places, values, strict=True)))
            for form in forms(regex)
            for values in product(*(fitting[name] for name in form.places))
        )
        yield from (text for text in chain(islice(texts, _MOST_TRIES), shortest(regex)) if pattern.match(text))

    def _values(self, name: str) -> Iterator[str]:
        """Yield what may stand for a parameter; DRF reads some names itself."""
        versioning = self._policy("versioning_class")
        if name == api_settings.FORMAT_SUFFIX_KWARG:
            formats = [renderer.format for renderer in self._policy("renderer_classes") or ()]
            yield from (*formats, *(f".{name}" for name in formats))
        if versioning is not None and name == versioning.version_param:
            yield from filter(None, [versioning.default_version, *(versioning.allowed_versions or ())])
        yield from _VALUES

    def _policy(self, name: str) -> Any:
        """Return what a DRF view has under a name, on its class or from ``as_view()``."""
        return self.initkwargs.get(name, getattr(self.view_class, name, None))

    @property
    def _view(self) -> Any:
        """Return the function that ``as_view()`` made."""
        return self.layers[-1] if self.layers else None


def _is_of_drf(cls: Any) -> bool:
    """Return whether something is the class of a DRF view."""
    return isinstance(cls, type) and issubclass(cls, APIView)


def _written(pattern: Any) -> Any:
    """Return what was written for a pattern: a text, or its translations; nothing for the prefix of a language."""
    return getattr(pattern, "_route", getattr(pattern, "_regex", None))


def _is_one_text(pattern: Any) -> bool:
    """Return whether a pattern matches one text alone, which no language changes."""
    written = _written(pattern)
    if not isinstance(written, str):
        return False
    if hasattr(pattern, "_route"):
        return not pattern.converters
    return is_literal(written) and (written.endswith("$") or not pattern._is_endpoint)


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


@contextmanager
def in_served_language(urlconf: Any = None) -> Iterator[None]:
    """Let paths have the prefix that those of a request without a language have, whatever language is active.

    That is ``en`` for a ``LANGUAGE_CODE`` of ``en-us``, where a middleware chooses among those that Django has.
    """
    language = settings.LANGUAGE_CODE
    _is_used, has_default = is_language_prefix_patterns_used(urlconf or settings.ROOT_URLCONF)
    if has_default and middleware.is_used(LocaleMiddleware):
        with suppress(LookupError):
            language = translation.get_supported_language_variant(language)
    with translation.override(language):
        yield


def walk(urlconf: Any = None) -> Iterator[Route]:
    """Yield every route of ``urlconf``, the project's own by default, in its order."""
    root = get_resolver(urlconf)
    yield from _beneath(root, Route("", "", None, (root,), ()))


def _beneath(resolver: URLResolver, above: Route) -> Iterator[Route]:
    """Yield the routes of ``resolver``, which is the last of the entries ``above``."""
    for entry in resolver.url_patterns:
        entries = (*above.entries, entry)
        route = above._replace(route=_joined(above.route, str(entry.pattern)), entries=entries)
        if isinstance(entry, URLResolver):
            yield from _beneath(entry, route)
        else:
            spaces = [above.namespace for above in entries[:-1] if above.namespace]
            name = ":".join((*spaces, entry.name)) if entry.name else ""
            yield route._replace(name=name, callback=entry.callback, layers=layers(entry.callback))


def _joined(above: str, own: str) -> str:
    """Return two parts of a route as Django joins them: without the second one's ``^``."""
    return above + own.removeprefix("^") if above else own
