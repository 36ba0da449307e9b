"""Routes: each is found, named as Django names it, and has a path that leads to it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.test import Client, override_settings
from django.urls import get_resolver, include, path, re_path, register_converter, resolve, reverse
from django.urls.converters import StringConverter
from django.utils import translation
from rest_framework.renderers import BaseRenderer
from rest_framework.versioning import URLPathVersioning
from rest_framework.views import APIView

from drf_jwt_kit import routes
from tests.gallery import views

GALLERY = "tests.gallery.urls"
WALKED = list(routes.walk(GALLERY))


class Nowhere(StringConverter):
    """A converter that takes nothing that it matches."""

    def to_python(self, value: str) -> str:
        """Refuse."""
        raise ValueError


class Code(StringConverter):
    """A converter that takes what nobody guesses."""

    regex = "[A-Z]{3}"


register_converter(Nowhere, "nowhere")
register_converter(Code, "code")


def view(request: Any, **kwargs: Any) -> HttpResponse:
    """Answer."""
    return HttpResponse()


def only(*patterns: Any) -> routes.Route:
    """Return the only route of some patterns."""
    (route,) = routes.walk(patterns)
    return route


@pytest.mark.parametrize("route", WALKED, ids=lambda route: f"{route.route} {route.name}")
def test_its_path_leads_to_it(route: routes.Route) -> None:
    """With the arguments and the name that Django's resolver gives."""
    example = route.example()
    assert example is not None
    with override_settings(ROOT_URLCONF=GALLERY):
        found = resolve(f"/{example.path}")
    if found.route == route.route:
        mine = route.match(example)
        assert (mine.args, mine.kwargs, mine.view_name) == (found.args, found.kwargs, found.view_name)
        assert (mine.namespaces, mine.app_names) == (found.namespaces, found.app_names)
    else:  # another route stands before it and takes this path, as the admin's do
        assert route.route.startswith("admin/")


def test_its_name_is_what_reverse_takes() -> None:
    """Namespaces and all."""
    with override_settings(ROOT_URLCONF=GALLERY):
        assert reverse(next(route.name for route in WALKED if route.route == "outer/v1/leaf/")) == "/outer/v1/leaf/"


def test_the_projects_own_urlconf_is_walked_unless_another_is_named() -> None:
    """``ROOT_URLCONF``."""
    assert "api/notes/<int:pk>/" in {route.route for route in routes.walk()}


def test_arguments_of_includes_are_handed_down() -> None:
    """``include()`` and ``path()`` may both add arguments."""
    route = only(path("a/", include([path("b/<int:pk>/", view, {"own": 1})]), {"above": 2}))
    assert route.example() == routes.Example("a/b/1/", (), {"pk": 1, "own": 1, "above": 2})


@pytest.mark.parametrize(
    "pattern",
    [
        path("a/", include([path("<int:pk>/", view)]), {"pk": 5}),
        path("<int:pk>/", include([path("b/", view)]), {"pk": 5}),
        path("<int:pk>/", view, {"pk": 5}),
        path("<int:pk>/", include([path("<slug:pk>/", view)])),
        path("<int:pk>/", include([re_path(r"^(\d)/$", view)])),
        re_path(r"^(\d)/$", view, {"extra": 1}),
        re_path(r"^(\d)/", include([re_path(r"^(\d)/$", view)]), {"extra": 1}),
        re_path(r"^(\d)/", include([path("<int:pk>/", view)])),
        re_path(r"^(\d)/(?P<pk>\d)/$", view),
        re_path(r"^(?P<hex>[0-9a-f]{32})/$", view),
        re_path(r"^(?P<day>\d{4}/\d\d)/(?P<code>[A-Z]{3})/$", view),
        re_path(r"^(?P<outer>x(?P<inner>\d))/$", view),
        re_path(r"^users/(?:me|(?P<pk>\d+))/$", view),
        re_path(r"^100%/(?P<pk>\d+)/$", view),
        path("<code:code>/", view),
    ],
    ids=lambda pattern: " ".join(route.route + str(route.placeholder().kwargs) for route in routes.walk((pattern,))),
)
def test_arguments_are_those_that_django_reads(pattern: Any) -> None:
    """However captured and given arguments meet."""
    example = only(pattern).example()
    assert example is not None
    found = get_resolver((pattern,)).resolve(f"/{example.path}")
    assert (example.args, example.kwargs) == (found.args, found.kwargs)
    assert only(pattern).match(example).url_name == found.url_name


def test_a_route_without_an_example_has_a_placeholder() -> None:
    """Its match still knows where it stands."""
    inner = ([path("<nowhere:pk>/", view, {"own": 1}, name="leaf")], "app")
    route = only(path("a/", include(inner, namespace="space"), {"above": 2}))
    placeholder = route.placeholder()
    match = route.match(placeholder)
    assert placeholder == routes.Example("a/<nowhere:pk>/", (), {"above": 2, "own": 1})
    assert (match.view_name, match.app_names, match.route) == ("space:leaf", ["app"], "a/<nowhere:pk>/")


def test_positional_arguments_are_those_of_all_parts() -> None:
    """Unnamed groups, where no group has a name."""
    assert only(re_path(r"^(\d)/", include([re_path(r"^(x)/$", view)]))).example() == ("1/x/", ("1", "x"), {})


@pytest.mark.parametrize(
    "pattern",
    [
        path("<nowhere:pk>/", view),
        re_path(r"(?i)^a/$", view),
        re_path(r"^a/$", include([path("<nowhere:pk>/", view)])),
    ],
)
def test_a_route_without_an_example_says_so(pattern: Any) -> None:
    """Nothing is made up."""
    assert only(pattern).example() is None


def test_a_path_that_only_a_part_takes_is_no_example() -> None:
    """What one pattern leaves to the next is not always what was meant for it."""
    assert only(re_path(r"^(?P<a>.+)", include([path("b/", view)]))).example() is None


READS = views.Reads.as_view()


def with_default(request: Any, *, answer: Any = READS) -> Any:
    """Answer as a view that is there for a default."""


def with_attribute(request: Any) -> Any:
    """Answer as a view that is kept on the function."""


with_attribute.view = READS  # type: ignore[attr-defined]


def by_object_of_a_class(answer: Any) -> Any:
    """Decorate a view by an object whose class has it in a closure."""

    class Decorated:
        """Answer as the view."""

        def __call__(self, request: Any) -> Any:
            """Answer."""
            return answer(request)

    return Decorated()


@pytest.mark.parametrize(
    "callback",
    [
        READS,
        partial(partial(READS)),
        views.unmarked(READS),
        views.Wrapper(views.Wrapper(READS)),
        views.unmarked(views.Wrapper(READS)),
        views.Wrapper(READS).__call__,
        READS.__call__,  # type: ignore[operator]
        views.Desk(READS).answer,
        views.Desk(views.Desk(READS).answer).answer,
        partial(views.answered_by, READS),
        partial(views.answered_by, view=views.Wrapper(READS)),
        with_default,
        with_attribute,
        by_object_of_a_class(READS),
    ],
    ids=[
        "view",
        "partial",
        "decorated",
        "object",
        "object in a closure",
        "call",
        "call of a function",
        "method",
        "two methods",
        "argument",
        "keyword",
        "default",
        "attribute",
        "closure of a class",
    ],
)
def test_views_of_drf_are_known(callback: Any) -> None:
    """Wherever what stands around one holds it, and tells nothing of it."""
    assert only(path("", callback)).view_class is views.Reads


def test_what_a_view_was_made_with_is_known() -> None:
    """Behind a partial, too, and what that hands it."""
    made = views.Shelf.as_view({"get": "list"}, permission_classes=[])
    route = only(path("", partial(partial(made, shelf=1, row=1), row=2)))
    assert (route.actions, route.initkwargs) == ({"get": "list"}, {"permission_classes": []})
    assert route.keywords == {"shelf": 1, "row": 2}


def test_what_a_partial_hands_to_another_is_not_the_views() -> None:
    """It calls a function, which calls the view as it likes."""
    assert only(path("", partial(views.answered_by, view=READS))).keywords == {}


@pytest.mark.parametrize(
    "callback", [view, views.Plain.as_view(), views.Callable()], ids=["function", "class", "object"]
)
def test_other_views_are_told_from_them(callback: Any) -> None:
    """They have no class of DRF's."""
    assert only(path("", callback)).view_class is None


class Comma(BaseRenderer):
    """A renderer of a format that nobody guesses."""

    media_type, format = "text/csv", "csv"


class Release(URLPathVersioning):
    """A version that nobody guesses, under a name of its own."""

    version_param, default_version, allowed_versions = "release", "q3", ("q3", "q4")


class Tabular(APIView):
    """Answer in that format, in that version."""

    renderer_classes = [Comma]
    versioning_class = Release


def test_formats_and_versions_are_the_views_own() -> None:
    """DRF answers 404 to others, before it asks who that is."""
    route = "<release>/data.<format>"
    expected = routes.Example("q3/data.csv", (), {"release": "q3", "format": "csv"})
    assert only(path(route, Tabular.as_view())).example() == expected
    given = {"renderer_classes": [Comma], "versioning_class": Release}
    assert only(path(route, APIView.as_view(**given))).example() == expected


@pytest.mark.parametrize(
    "pattern",
    [path("<int:year>/<slug:title>/", view), re_path(r"^(?P<year>\d+)/(?P<title>[-\w]+)/$", view)],
    ids=["path", "re_path"],
)
def test_a_route_has_more_than_one_example(pattern: Any) -> None:
    """What an earlier route takes with one value may be reached with another."""
    found = {example.path for example in only(pattern).examples()}
    assert {"1/1/", "1/x/", "2026/a-b/"} <= found


def test_the_first_example_is_the_example() -> None:
    """The audit asks for one only, and asks often."""
    route = only(path("<int:year>/", view))
    assert route.example() == next(route.examples())


def test_a_route_without_parameters_has_its_own_spelling() -> None:
    """There is nothing to choose."""
    assert {example.path for example in only(path("notes/", view)).examples()} == {"notes/"}


class Prefixed:
    """A URLconf with the language in front."""

    urlpatterns = i18n_patterns(path("closed/", views.Reads.as_view()))


class PrefixedButForTheDefault:
    """The same, without it for the default language."""

    urlpatterns = i18n_patterns(path("closed/", views.Reads.as_view()), prefix_default_language=False)


class OwnLocaleMiddleware(LocaleMiddleware):
    """A project's own."""


OWN_LOCALE, TEAPOT = f"{__name__}.OwnLocaleMiddleware", "tests.test_round_trip.teapot_middleware"


@pytest.mark.parametrize("active", ["en-us", "de"])
@pytest.mark.parametrize(
    ("urlconf", "code", "middleware", "prefix"),
    [
        (Prefixed, "en-us", ["django.middleware.locale.LocaleMiddleware"], "en/"),
        (Prefixed, "de-at", [OWN_LOCALE], "de/"),
        (Prefixed, "pt-br", [OWN_LOCALE], "pt-br/"),
        (Prefixed, "nl", [OWN_LOCALE], "nl/"),
        (Prefixed, "en-us", [], "en-us/"),
        (Prefixed, "en-us", [TEAPOT], "en-us/"),
        (Prefixed, "en-us", ["no.such.middleware"], "en-us/"),
        (PrefixedButForTheDefault, "en-us", [OWN_LOCALE], ""),
    ],
)
def test_a_prefix_is_the_one_that_requests_have(
    settings: Any, *, urlconf: Any, code: str, middleware: list[str], prefix: str, active: str
) -> None:
    """`startproject` writes ``en-us``, for which Django has ``en``; whatever language is active meanwhile."""
    settings.LANGUAGE_CODE, settings.MIDDLEWARE, settings.ROOT_URLCONF = code, middleware, urlconf
    settings.LANGUAGES = [(known, known) for known in ("en", "de", "pt-br")]
    with translation.override(active), routes.in_served_language():
        (route,) = routes.walk()
        assert (route.route, route.example().path) == (f"{prefix}closed/", f"{prefix}closed/")
    if middleware not in ([TEAPOT], ["no.such.middleware"]):
        assert Client().get(f"/{prefix}closed/").status_code == 403
