"""Every view with what an anonymous request gets from it, method by method."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import include, path, re_path, register_converter
from django.urls.converters import StringConverter
from django.views.decorators.cache import cache_page
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.permissions import AllowAny
from rest_framework.routers import DefaultRouter, SimpleRouter
from rest_framework.urlpatterns import format_suffix_patterns
from rest_framework_simplejwt.views import TokenObtainPairView

from tests.gallery import views

PROTECTED, PUBLIC, OPEN, PLAIN, UNKNOWN = "PROTECTED", "PUBLIC", "OPEN", "PLAIN", "UNKNOWN"


class ShelfMark(StringConverter):
    """A converter of the project's own, which takes few values."""

    regex = "[a-z]-[a-z]"


register_converter(ShelfMark, "mark")


class Exhibit(NamedTuple):
    """One route, and the verdict on each of its methods."""

    pattern: Any
    verdicts: dict[str, str]


def all_of(verdict: str, *methods: str) -> dict[str, str]:
    """Return the same verdict for each method."""
    return dict.fromkeys(methods, verdict)


def exhibit(route: str, view: Any, **verdicts: str) -> Exhibit:
    """Return a ``path()``; OPTIONS is as the last method unless said otherwise."""
    return Exhibit(path(route, view), verdicts)


def both(route: str, view: Any, verdict: str) -> Exhibit:
    """Return a view that answers GET and POST, and OPTIONS alike."""
    return Exhibit(path(route, view.as_view()), all_of(verdict, "GET", "POST", "OPTIONS"))


ONE_BY_ONE = [
    both("bare/", views.Answers, PROTECTED),
    both("nothing/", views.Nothing, OPEN),
    both("anyone/", views.Anyone, OPEN),
    exhibit("reader/", views.Reader.as_view(), GET=OPEN, POST=PROTECTED, OPTIONS=OPEN),
    exhibit("writes-only/", views.WritesOnly.as_view(), POST=PROTECTED, OPTIONS=OPEN),
    exhibit(
        "every/",
        views.Every.as_view(),
        **all_of(PROTECTED, "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"),
    ),
    exhibit("alone/", views.Alone.as_view(), GET=OPEN),
    exhibit("head-alone/", views.HeadAlone.as_view(), HEAD=OPEN),
    exhibit("head-of-a-set/", views.ReadOnlySet.as_view({"get": "list"}, http_method_names=["head"]), HEAD=OPEN),
    exhibit("set-up/", views.SetUp.as_view(), **all_of(OPEN, "GET", "POST", "PUT", "OPTIONS")),
    exhibit("untold/", views.Untold.as_view(), **all_of(OPEN, "GET", "POST")),
    both("told-by-hand/", views.ToldByHand, OPEN),
    both("staff/", views.Staff, PROTECTED),
    both("either/", views.Either, OPEN),
    both("both/", views.Both, PROTECTED),
    both("not/", views.Not, OPEN),
    exhibit("staff-or-reading/", views.StaffOrReading.as_view(), GET=OPEN, POST=PROTECTED, OPTIONS=OPEN),
    both("keyed/", views.Keyed, PROTECTED),
    both("basket/", views.Basket, PROTECTED),
    exhibit("by-method/", views.ByMethod.as_view(), GET=OPEN, POST=PROTECTED, OPTIONS=PROTECTED),
    exhibit("closed-to-get/", views.ClosedToGet.as_view(), GET=PROTECTED, HEAD=OPEN, POST=PROTECTED, OPTIONS=OPEN),
    both("secured/", views.Secured, OPEN),
    both("for-the-free/", views.ForTheFree, PROTECTED),
    both("asks-cache/", views.AsksCache, UNKNOWN),
    both("asks-cache-otherwise/", views.AsksCacheOtherwise, UNKNOWN),
    both("counts-in-cache/", views.CountsInCache, OPEN),
    both("failing-reasons/", views.FailingReasons, UNKNOWN),
    both("failing-permissions/", views.FailingPermissions, UNKNOWN),
    both("asks-database/", views.AsksDatabase, UNKNOWN),
    both("asks-database-carelessly/", views.AsksDatabaseCarelessly, UNKNOWN),
    both("hidden/", views.HiddenView, UNKNOWN),
    both("broken/", views.BrokenView, UNKNOWN),
    both("nobody/", views.Nobody, PROTECTED),
    both("nobody-asked/", views.NobodyAsked, OPEN),
    both("session-first/", views.SessionFirst, PROTECTED),
    both("basic-only/", views.BasicOnly, PROTECTED),
    both("no-strangers/", views.NoStrangers, PROTECTED),
    both("guest-house/", views.GuestHouse, OPEN),
    both("failing-authenticators/", views.FailingAuthenticators, UNKNOWN),
    both("mixed-nothing/", views.MixedNothing, PROTECTED),
    both("mixed-anyone/", views.MixedAnyone, PROTECTED),
    both("mixed-either/", views.MixedEither, PROTECTED),
    both("mixed-public/", views.MixedPublic, PUBLIC),
    exhibit("mixed-handler/", views.MixedHandler.as_view(), GET=PUBLIC, POST=PROTECTED, OPTIONS=PROTECTED),
    both("mixed-child/", views.MixedChild, PROTECTED),
    both("said-public/", views.SaidPublic, PUBLIC),
    both("said-public-child/", views.SaidPublicChild, OPEN),
    both("public-for-keys/", views.PublicForKeys, PROTECTED),
    both("handler-without-mixin/", views.HandlerWithoutMixin, PROTECTED),
    both("throttled/", views.Throttled, OPEN),
    both("login-required/", views.LoginRequired, PROTECTED),
    both("test-passed/", views.TestPassed, PROTECTED),
    both("login-dispatch/", views.LoginDispatch, PROTECTED),
    exhibit("login-handler/", views.LoginHandler.as_view(), GET=UNKNOWN, OPTIONS=OPEN),
    exhibit("cached-handler/", views.CachedHandler.as_view(), GET=OPEN, OPTIONS=OPEN),
    both("closed/", views.Closed, UNKNOWN),
    both("to-tls/", views.ToTLS, OPEN),
    both("elsewhere/", views.Elsewhere, UNKNOWN),
    both("own-login/", views.OwnLogin, PROTECTED),
    both("catches-all/", views.CatchesAll, OPEN),
    both("raises-anew/", views.RaisesAnew, OPEN),
    both("with-csrf-token/", views.WithCSRFToken, OPEN),
    exhibit("cached-dispatch/", views.CachedDispatch.as_view(), GET=UNKNOWN, POST=PROTECTED, OPTIONS=PROTECTED),
    both("in-transaction/", views.InTransaction, PROTECTED),
    both("open-in-transaction/", views.OpenInTransaction, OPEN),
    both("later/", views.Later, PROTECTED),
    both("open-later/", views.OpenLater, OPEN),
    exhibit("card-handler/", views.CardHandler.as_view(), GET=UNKNOWN, OPTIONS=OPEN),
    both("initial/", views.Initial, PROTECTED),
    both("unchecked/", views.Unchecked, OPEN),
    both("mixed-unchecked/", views.MixedUnchecked, OPEN),
    exhibit("unmade/", views.Unmade.as_view(), ANY=UNKNOWN),
    both("<version>/path-versioned/", views.PathVersioned, PROTECTED),
    both("<version>/path-versioned-open/", views.PathVersionedOpen, OPEN),
    both("header-versioned/", views.HeaderVersioned, PROTECTED),
    exhibit("list-create/", views.ListCreate.as_view(), **all_of(PROTECTED, "GET", "POST", "OPTIONS")),
    exhibit("open-list/", views.OpenList.as_view(), **all_of(OPEN, "GET", "OPTIONS")),
    exhibit("open-create/", views.OpenCreate.as_view(), **all_of(OPEN, "POST", "OPTIONS")),
    exhibit(
        "detail/<int:pk>/",
        views.Detail.as_view(),
        **all_of(PROTECTED, "GET", "PUT", "PATCH", "DELETE", "OPTIONS"),
    ),
    exhibit("reader-detail/<int:pk>/", views.ReaderDetail.as_view(), GET=OPEN, DELETE=PROTECTED, OPTIONS=OPEN),
    exhibit("model-permissions/", views.ModelPermissions.as_view(), **all_of(PROTECTED, "GET", "POST", "OPTIONS")),
    exhibit(
        "model-permissions-or-reading/",
        views.ModelPermissionsOrReading.as_view(),
        GET=OPEN,
        POST=PROTECTED,
        OPTIONS=OPEN,
    ),
    exhibit("object-permissions/<pk>/", views.ObjectPermissions.as_view(), **all_of(PROTECTED, "GET", "OPTIONS")),
    exhibit("owner-list/", views.OwnerList.as_view(), **all_of(OPEN, "GET", "OPTIONS")),
    exhibit("by-hand/", views.GroupSet.as_view({"get": "list"}), **all_of(PROTECTED, "GET", "OPTIONS")),
    exhibit("creates/", views.Creates.as_view({"get": "list"}), **all_of(OPEN, "GET", "POST", "OPTIONS")),
    exhibit("acts-by-itself/", views.ActsByItself.as_view({"get": "list"}), GET=OPEN, OPTIONS=UNKNOWN),
    exhibit("opened/", views.Answers.as_view(permission_classes=[AllowAny]), **all_of(OPEN, "GET", "POST", "OPTIONS")),
    exhibit("only-get/", views.Answers.as_view(http_method_names=["get"]), GET=PROTECTED),
    exhibit("function/", views.function, **all_of(PROTECTED, "GET", "POST", "OPTIONS")),
    exhibit("open-function/", views.open_function, **all_of(OPEN, "GET", "OPTIONS")),
    exhibit("read-function/", views.read_function, GET=OPEN),
    exhibit("written-function/", views.written_function, **all_of(OPEN, "POST", "PUT", "OPTIONS")),
    exhibit("safe-only/", require_safe(views.Anyone.as_view()), GET=OPEN),
    exhibit("public-function/", views.public_function, **all_of(PUBLIC, "GET", "OPTIONS")),
    exhibit("public-in-vain/", views.public_in_vain, **all_of(OPEN, "GET", "OPTIONS")),
    exhibit("public-from-outside/", views.public_from_outside, **all_of(PUBLIC, "GET", "OPTIONS")),
    exhibit("login-function/", views.login_function, GET=UNKNOWN, OPTIONS=OPEN),
    exhibit("uuid/<uuid:pk>/", views.Reads.as_view(), **all_of(PROTECTED, "GET", "OPTIONS")),
    exhibit("shelf-mark/<mark:pk>/", views.Reads.as_view(), **all_of(PROTECTED, "GET", "OPTIONS")),
    Exhibit(re_path(r"^year/(?P<year>[0-9]{4})/$", views.Reads.as_view()), all_of(PROTECTED, "GET", "OPTIONS")),
    Exhibit(re_path(r"^unnamed/(\d+)/([a-z]+)/$", views.Nothing.as_view()), all_of(OPEN, "GET", "POST", "OPTIONS")),
    Exhibit(re_path(r"^maybe(?:/(?P<page>\d+))?/$", views.Nothing.as_view()), all_of(OPEN, "GET", "POST", "OPTIONS")),
    Exhibit(re_path(r"^(a|b)-or/$", views.Reads.as_view()), all_of(PROTECTED, "GET", "OPTIONS")),
    exhibit("behind-login/", login_required(views.Nothing.as_view()), **all_of(UNKNOWN, "GET", "POST", "OPTIONS")),
    exhibit("behind-cache/", cache_page(60)(views.Nothing.as_view()), **all_of(OPEN, "GET", "POST", "OPTIONS")),
    exhibit("login-first/", login_required(views.Answers.as_view()), **all_of(PROTECTED, "GET", "POST", "OPTIONS")),
    exhibit("cached/", cache_page(60)(views.Reads.as_view()), **all_of(UNKNOWN, "GET", "OPTIONS")),
    exhibit("zipped/", gzip_page(views.Reads.as_view()), **all_of(PROTECTED, "GET", "OPTIONS")),
    exhibit("behind-card/", views.with_card(views.Nothing.as_view()), **all_of(UNKNOWN, "GET", "POST", "OPTIONS")),
    exhibit("unmarked/", views.unmarked(views.Nothing.as_view()), **all_of(UNKNOWN, "GET", "POST", "OPTIONS")),
    exhibit("wrapped/", views.Wrapper(views.Nothing.as_view()), **all_of(UNKNOWN, "GET", "POST", "OPTIONS")),
    exhibit(
        "wrapped-twice/",
        views.Wrapper(views.Wrapper(views.Nothing.as_view())),
        **all_of(UNKNOWN, "GET", "POST", "OPTIONS"),
    ),
    exhibit("desk/", views.Desk(views.Nothing.as_view()).answer, **all_of(UNKNOWN, "GET", "POST", "OPTIONS")),
    exhibit("default/", views.answered_by_default, **all_of(UNKNOWN, "GET", "POST", "OPTIONS")),
    exhibit(
        "handed/", partial(views.answered_by, views.Nothing.as_view()), **all_of(UNKNOWN, "GET", "POST", "OPTIONS")
    ),
    exhibit("handed-closed/", partial(views.answered_by, views.Reads.as_view()), **all_of(UNKNOWN, "GET", "OPTIONS")),
    exhibit(
        "chosen-by-method/",
        views.Chooser(get=views.SaidPublic.as_view(), post=views.Nothing.as_view()).__call__,
        ANY=UNKNOWN,
    ),
    exhibit("card-first/", views.with_card(views.Reads.as_view()), **all_of(UNKNOWN, "GET", "OPTIONS")),
    exhibit("open-to/", views.open_to(views.Nothing.as_view())(views.Reads.as_view()), ANY=UNKNOWN),
    exhibit("chosen/", views.Chooser(get=views.SaidPublic.as_view(), post=views.Nothing.as_view()), ANY=UNKNOWN),
    exhibit("chosen-plain/", views.Chooser(get=views.Plain.as_view(), post=views.Nothing.as_view()), ANY=UNKNOWN),
    exhibit("plain-chosen/", views.Chooser(get=views.Plain.as_view(), post=views.Plain.as_view()), ANY=PLAIN),
    exhibit("partial/", partial(views.Nothing.as_view()), **all_of(OPEN, "GET", "POST", "OPTIONS")),
    exhibit("partial-set/", partial(views.OpenGroupSet.as_view({"get": "list"})), **all_of(OPEN, "GET", "OPTIONS")),
    exhibit(
        "partial-opened/",
        partial(views.Answers.as_view(permission_classes=[AllowAny])),
        **all_of(OPEN, "GET", "POST", "OPTIONS"),
    ),
    exhibit("partial-free/", partial(views.ForTheFree.as_view(), free=True), GET=OPEN, POST=OPEN, OPTIONS=OPEN),
    exhibit("schema/", SpectacularAPIView.as_view(urlconf="drf_jwt_kit.urls"), **all_of(OPEN, "GET", "OPTIONS")),
    exhibit("swagger/", SpectacularSwaggerView.as_view(url="/schema/", http_method_names=["get"]), GET=OPEN),
    exhibit("simplejwt/", TokenObtainPairView.as_view(), **all_of(OPEN, "POST", "OPTIONS")),
    exhibit("plain/", views.plain, ANY=PLAIN),
    exhibit("plain-class/", views.Plain.as_view(), ANY=PLAIN),
    exhibit("plain-partial/", partial(views.plain), ANY=PLAIN),
    exhibit("plain-object/", views.Callable(), ANY=PLAIN),
    exhibit("plain-redirect/", RedirectView.as_view(url="/plain/"), ANY=PLAIN),
]

shelves = SimpleRouter()
shelves.register("shelf", views.Shelf, basename="shelf")
shelves.register("mixed-shelf", views.MixedShelf, basename="mixed-shelf")
shelves.register("groups", views.GroupSet)
library = DefaultRouter(use_regex_path=False)
library.register("open-groups", views.OpenGroupSet, basename="open-group")
library.register("read-only", views.ReadOnlySet, basename="read-only")

COLLECTION = all_of(PROTECTED, "GET", "POST", "OPTIONS")
MEMBER = all_of(PROTECTED, "GET", "PUT", "PATCH", "DELETE", "OPTIONS")
REST = all_of(OPEN, "GET", "OPTIONS")

# What stands behind routers and includes: the name of each route, or the route itself where it has none.
BY_NAME = {
    "shelf-list": {"GET": PROTECTED, "OPTIONS": PROTECTED},
    "shelf-leaflet": all_of(OPEN, "GET", "OPTIONS"),
    "shelf-sweep": {"POST": PROTECTED, "OPTIONS": PROTECTED},
    "shelf-sign": {"GET": PROTECTED, "OPTIONS": PROTECTED},
    "shelf-label": {"GET": OPEN, "DELETE": PROTECTED, "OPTIONS": OPEN},
    "mixed-shelf-list": {"GET": PROTECTED, "OPTIONS": PROTECTED},
    "mixed-shelf-leaflet": {"GET": PROTECTED, "OPTIONS": PROTECTED},
    "mixed-shelf-sweep": {"POST": PROTECTED, "OPTIONS": PROTECTED},
    "mixed-shelf-sign": {"GET": PUBLIC, "OPTIONS": PROTECTED},
    "mixed-shelf-label": {"GET": PROTECTED, "DELETE": PROTECTED, "OPTIONS": PROTECTED},
    "group-list": COLLECTION,
    "group-detail": MEMBER,
    "library:api-root": all_of(PROTECTED, "GET", "OPTIONS"),
    "library:open-group-list": all_of(OPEN, "GET", "POST", "OPTIONS"),
    "library:open-group-detail": all_of(OPEN, "GET", "PUT", "PATCH", "DELETE", "OPTIONS"),
    "library:read-only-list": REST,
    "library:read-only-detail": REST,
    "suffixed": all_of(OPEN, "GET", "POST", "OPTIONS"),
    "outer:v1:leaf": all_of(OPEN, "GET", "POST", "OPTIONS"),
    "outer:tenant": all_of(PROTECTED, "GET", "OPTIONS"),
    "localized": all_of(PROTECTED, "GET", "OPTIONS"),
    "drf_jwt_kit:token_obtain_pair": {"POST": PUBLIC},
    "drf_jwt_kit:token_refresh": {"POST": PUBLIC},
    "drf_jwt_kit:token_verify": {"POST": PUBLIC},
    "drf_jwt_kit:token_revoke": {"POST": PUBLIC},
    "drf_jwt_kit:token_blacklist": {"POST": PUBLIC},
    "drf_jwt_kit:session_list": {"GET": PROTECTED, "DELETE": PROTECTED},
    "drf_jwt_kit:session_others": {"DELETE": PROTECTED},
    "drf_jwt_kit:session_detail": {"DELETE": PROTECTED},
}

versions = ([path("leaf/", views.NamespaceVersioned.as_view(), name="leaf")], "versions")
outer = (
    [
        path("v1/", include(versions, namespace="v1")),
        path("tenants/<slug:tenant>/", include([path("home/", views.Reads.as_view(), name="tenant")])),
    ],
    "outer",
)

urlpatterns = [
    *(shown.pattern for shown in ONE_BY_ONE),
    *shelves.urls,
    path("library/", include((library.urls, "library"))),
    *format_suffix_patterns([path("suffixed", views.Nothing.as_view(), name="suffixed")], allowed=["json"]),
    path("outer/", include(outer)),
    path("", include("drf_jwt_kit.urls")),
    path("admin/", admin.site.urls),
    *i18n_patterns(path("localized/", views.Reads.as_view(), name="localized")),
]
