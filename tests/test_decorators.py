"""Decorators: those around a view and those around a handler are told apart, and where they come from."""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

import pytest
from django.contrib.auth.decorators import login_required
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import cache_page, never_cache
from django.views.decorators.gzip import gzip_page
from rest_framework.decorators import api_view

from drf_jwt_kit.decorators import around_handler, around_view, layers
from tests.gallery import views

VIEW = views.Reads.as_view()
PLAIN = views.Plain.as_view()


def handler(*args: Any) -> None:
    """Do nothing."""


class Endless:
    """An object that has whatever it is asked for."""

    def __getattr__(self, name: str) -> Any:
        """Return another one."""
        return Endless()


def recursive() -> Any:
    """Return a function that holds itself, and a name that it has no value for yet."""

    def function() -> Any:
        return function, later

    if function is None:
        later = None
    return function


class Unready:
    """An object that fails where it is asked for what it holds."""

    @property
    def view(self) -> Any:
        """Fail."""
        raise AssertionError

    def __call__(self, request: Any) -> Any:
        """Answer as the view."""
        return self.view(request)

    @classmethod
    def answer(cls, request: Any) -> Any:
        """Answer as an object."""
        return cls()(request)


def lazy() -> Any:
    """Return a function that holds what is not to be made yet."""
    later = SimpleLazyObject(lambda: pytest.fail("it was made"))

    def function() -> Any:
        return later

    return function


def itself() -> Any:
    """Return a function that is said to be wrapped around itself."""

    def function() -> None:
        pass

    function.__wrapped__ = function  # type: ignore[attr-defined]
    return function


@pytest.mark.parametrize(
    ("view", "modules"),
    [
        (VIEW, {"django.views.decorators.csrf"}),
        (views.Shelf.as_view({"get": "list"}), {"django.views.decorators.csrf"}),
        (partial(VIEW), {"functools", "django.views.decorators.csrf"}),
        (login_required(PLAIN), {"django.contrib.auth.decorators"}),
        (cache_page(60)(PLAIN), {"django.middleware.cache"}),
        (gzip_page(PLAIN), {"django.middleware.gzip"}),
        (views.with_card(PLAIN), {"tests.gallery.views"}),
        (views.Wrapper(PLAIN), {"tests.gallery.views"}),
        (views.with_card(views.Wrapper(never_cache(PLAIN))), {"tests.gallery.views", never_cache.__module__}),
        (views.Wrapper(views.Wrapper(PLAIN)).__call__, {"tests.gallery.views"}),
        (partial(PLAIN), {"functools"}),
        (partial(views.answered_by, PLAIN), {"functools", "tests.gallery.views"}),
        (partial(cache_page(60)(PLAIN)), {"functools", "django.middleware.cache"}),
        (views.unmarked(never_cache(PLAIN)), {"tests.gallery.views", "django.views.decorators.cache"}),
    ],
)
def test_the_decorators_of_a_view_are_found(view: Any, modules: set[str]) -> None:
    """Down to the function that ``as_view()`` made; DRF puts one of Django's around its own."""
    assert set(around_view(layers(view))) == modules


def test_a_view_that_says_its_class_is_a_layer_of_its_own() -> None:
    """Whatever made it, ``as_view()`` did not."""

    def made() -> None:
        pass

    made.cls = views.Reads  # type: ignore[attr-defined]
    assert set(around_view(layers(made))) == {__name__}


@pytest.mark.parametrize(
    "callback",
    [
        handler,
        recursive(),
        itself(),
        Endless(),
        Unready(),
        Unready.answer,
        lazy(),
        views.Callable(),
        views.plain,
        partial(handler),
    ],
    ids=[
        "function",
        "recursive",
        "itself",
        "endless",
        "property",
        "class method",
        "lazy",
        "object",
        "plain",
        "partial",
    ],
)
def test_other_callbacks_have_no_layers(callback: Any) -> None:
    """However they hang together."""
    assert layers(callback) == ()


@pytest.mark.parametrize(
    ("decorated", "modules"),
    [
        (handler, set()),
        (wraps(handler)(lambda: None), {__name__}),
        (login_required(handler), {"django.contrib.auth.decorators"}),
        (method_decorator([cache_page(60), never_cache])(handler), {"django.middleware.cache", never_cache.__module__}),
        (method_decorator(views.with_card)(handler), {"tests.gallery.views"}),
        (api_view(["GET"])(login_required(handler)).cls.get, {"rest_framework.decorators", login_required.__module__}),
    ],
)
def test_the_decorators_of_a_handler_are_found(decorated: Any, modules: set[str]) -> None:
    """As far as they say what they are put on."""
    assert set(around_handler(decorated)) == modules


@pytest.mark.parametrize("decorated", [itself(), Endless()])
def test_there_is_an_end_to_them(decorated: Any) -> None:
    """Also where each has another beneath it."""
    assert len(list(around_handler(decorated))) == 100
