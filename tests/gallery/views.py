"""Views of every kind that DRF knows, protected in every way, or in none."""

from __future__ import annotations

from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin, UserPassesTestMixin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.decorators import decorator_from_middleware, method_decorator
from django.views import View
from django.views.decorators.cache import cache_page, never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers
from rest_framework import authentication, generics, permissions, serializers, versioning, viewsets
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.exceptions import NotAuthenticated
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView

from drf_jwt_kit.permissions import ProtectedByDefaultMixin, public
from tests.gallery.permissions import (
    AnyoneThere,
    AnyoneThereUnlessItFails,
    Broken,
    FirstOnly,
    Flagged,
    Free,
    Guests,
    HasBasket,
    HasKey,
    Hidden,
    Kept,
    OverTLS,
    OwnsIt,
    ReadOnly,
    Strangers,
)


class Reads(APIView):
    """Answer GET; the project's defaults protect it."""

    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("read")


class Answers(Reads):
    """Answer GET and POST."""

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("written")


class WritesOnly(APIView):
    """Anyone may read, and there is nothing to read."""

    permission_classes = [permissions.IsAuthenticatedOrReadOnly]

    def post(self, request: Any) -> Response:
        """Answer."""
        return Response("written")


class Every(APIView):
    """Answer whatever is asked, in handlers of its own."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete", "trace", "purge"]

    def get(self, request: Any) -> Response:
        """Answer."""
        return Response("done")

    head = post = put = patch = delete = trace = purge = get


class Alone(Answers):
    """Answer GET alone; the name is a string by mistake, and works."""

    permission_classes = []
    http_method_names = "get"  # type: ignore[assignment]


class HeadAlone(Answers):
    """Answer HEAD alone, with GET's handler."""

    permission_classes = []
    http_method_names = ["head"]


class Upper(Answers):
    """Answer nothing: names of methods are in lower case."""

    http_method_names = ["GET", "POST"]


class SetUp(Answers):
    """Get a handler when it is set up."""

    permission_classes = []

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Answer PUT as POST."""
        super().setup(request, *args, **kwargs)
        self.put = self.post


class Untold(Answers):
    """Have no metadata to tell."""

    permission_classes = []
    metadata_class = None


class ToldByHand(Untold):
    """Tell by hand what there is."""

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("everything")


# -- Permissions -----------------------------------------------------------------------------------


class Nothing(Answers):
    """Ask nothing."""

    permission_classes = []


class Anyone(Answers):
    """Let anyone in."""

    permission_classes = [permissions.AllowAny]


class Reader(Answers):
    """Let anyone read."""

    permission_classes = [permissions.IsAuthenticatedOrReadOnly]


class Staff(Answers):
    """Let staff in."""

    permission_classes = [permissions.IsAdminUser]


class Either(Answers):
    """Let users in, or anyone."""

    permission_classes = [permissions.IsAuthenticated | permissions.AllowAny]


class Both(Answers):
    """Let users in who are staff."""

    permission_classes = [permissions.IsAuthenticated & permissions.IsAdminUser]


class Not(Answers):
    """Let those in who are not signed in."""

    permission_classes = [~permissions.IsAuthenticated]


class StaffOrReading(Answers):
    """Let staff do all, and anyone read."""

    permission_classes = [permissions.IsAdminUser | ReadOnly]


class Keyed(Answers):
    """Ask for a key."""

    permission_classes = [HasKey]


class Basket(Answers):
    """Ask the session."""

    permission_classes = [HasBasket]


class ByMethod(Answers):
    """Choose permissions by the method."""

    def get_permissions(self) -> list[Any]:
        """Let anyone read."""
        return [permissions.AllowAny()] if self.request.method == "GET" else super().get_permissions()


class ClosedToGet(Answers):
    """Choose permissions by the method, and forget one."""

    def get_permissions(self) -> list[Any]:
        """Let anyone in who does not say GET or POST."""
        return super().get_permissions() if self.request.method in {"GET", "POST"} else []


class Secured(Answers):
    """Let in who comes over TLS."""

    permission_classes = [OverTLS]


class ForTheFree(Answers):
    """Let in whom the URLconf lets in."""

    permission_classes = [Free]


class AsksCache(Answers):
    """Ask the cache."""

    permission_classes = [Flagged]


class AsksCacheOtherwise(Answers):
    """Ask the cache in another way."""

    permission_classes = [Kept]


class CountsInCache(Answers):
    """Count in the cache."""

    permission_classes = [FirstOnly]


class FailingReasons(Answers):
    """Let anyone in, and fail to say why."""

    def check_permissions(self, request: Any) -> None:
        """Check nothing."""

    def get_permissions(self) -> list[Any]:
        """Raise."""
        raise NotImplementedError


class FailingPermissions(Answers):
    """Fail to choose."""

    def get_permissions(self) -> list[Any]:
        """Raise."""
        raise LookupError


class AsksDatabase(Answers):
    """Ask the database."""

    permission_classes = [AnyoneThere]


class AsksDatabaseCarelessly(Answers):
    """Ask the database, and let everybody in when it fails."""

    permission_classes = [AnyoneThereUnlessItFails]


class HiddenView(Answers):
    """Deny that it is there."""

    permission_classes = [Hidden]


class BrokenView(Answers):
    """Fail to decide."""

    permission_classes = [Broken]


# -- Authentication --------------------------------------------------------------------------------


class Nobody(Answers):
    """Want a user, and have no way to know one."""

    authentication_classes = []


class NobodyAsked(Answers):
    """Want no user, and know none."""

    authentication_classes = []
    permission_classes = []


class SessionFirst(Answers):
    """Take a session's user."""

    authentication_classes = [authentication.SessionAuthentication]


class BasicOnly(Answers):
    """Take a password."""

    authentication_classes = [authentication.BasicAuthentication]


class NoStrangers(Answers):
    """Refuse who sends nothing, whatever the permissions say."""

    authentication_classes = [Strangers]
    permission_classes = [permissions.AllowAny]


class GuestHouse(Answers):
    """Want a user, and make everybody one."""

    authentication_classes = [Guests]


class FailingAuthenticators(Answers):
    """Fail to choose."""

    permission_classes = [permissions.AllowAny]

    def get_authenticators(self) -> list[Any]:
        """Raise."""
        raise LookupError


# -- The mixin and the word ------------------------------------------------------------------------


class MixedNothing(ProtectedByDefaultMixin, Nothing):
    """Ask nothing, behind the mixin."""


class MixedAnyone(ProtectedByDefaultMixin, Anyone):
    """Let anyone in, behind the mixin."""


class MixedEither(ProtectedByDefaultMixin, Either):
    """Let users in, or anyone, behind the mixin."""


@public
class MixedPublic(ProtectedByDefaultMixin, Answers):
    """Say it of the class."""


class MixedHandler(ProtectedByDefaultMixin, Answers):
    """Say it of one handler."""

    @public
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("read")


class MixedChild(MixedPublic):
    """Inherit from a public view, behind the mixin."""


@public
class SaidPublic(Answers):
    """Say it without the mixin."""


class SaidPublicChild(SaidPublic):
    """Inherit that without the mixin: it was not said of this one."""


@public
class PublicForKeys(Answers):
    """Say it, and ask for a key all the same."""

    permission_classes = [HasKey]


class HandlerWithoutMixin(Answers):
    """Say it of a handler without the mixin, where it opens nothing."""

    @public
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("read")


# -- What stands around and before -----------------------------------------------------------------


class Throttled(Answers):
    """Count anonymous requests."""

    permission_classes = [permissions.AllowAny]
    throttle_classes = [AnonRateThrottle]
    throttle_scope = "anon"

    def get_throttles(self) -> list[Any]:
        """Let one through in a day."""
        throttle = AnonRateThrottle.__new__(AnonRateThrottle)
        throttle.rate, (throttle.num_requests, throttle.duration) = "1/day", (1, 86400)
        return [throttle]


class LoginRequired(LoginRequiredMixin, Anyone):
    """Be sent to the sign-in page by Django's mixin."""


class TestPassed(UserPassesTestMixin, Anyone):
    """Be denied by Django's other mixin."""

    raise_exception = True

    def test_func(self) -> bool:
        """Ask for staff."""
        return bool(self.request.user.is_staff)


@method_decorator(login_required, name="dispatch")
class LoginDispatch(Anyone):
    """Be sent to the sign-in page by a decorator."""


class LoginHandler(Reads):
    """Be sent to the sign-in page by the handler's decorator, which only the handler knows."""

    permission_classes = []

    @method_decorator(login_required)
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("read")


class CachedHandler(Reads):
    """Be kept for a minute."""

    permission_classes = []

    @method_decorator([cache_page(60), vary_on_headers("Authorization"), never_cache])
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("read")


class Closed(Anyone):
    """Answer everybody alike, before DRF does."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Answer."""
        return HttpResponse("Closed for the night.", status=503)


class ToTLS(Nothing):
    """Send who does not come over TLS there."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Look at the connection first."""
        if not request.is_secure():
            return HttpResponseRedirect(request.build_absolute_uri().replace("http:", "https:"))
        return super().dispatch(request, *args, **kwargs)


class Elsewhere(Nothing):
    """Send who does not say a version to where one is said."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Look at the query first."""
        return super().dispatch(request, *args, **kwargs) if request.GET else HttpResponseRedirect("?version=1")


class OwnLogin(LoginRequired):
    """Be sent to a sign-in page of its own."""

    login_url = "/staff/sign-in/"


class CatchesAll(Nothing):
    """Say 403 to everything that goes wrong."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Catch all, and more than there should be."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except BaseException:  # noqa: BLE001 - what a careless project writes
            return HttpResponse("No.", status=403)


class RaisesAnew(Nothing):
    """Say that something went wrong."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Catch all, and more than there should be."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except BaseException as error:
            raise PermissionError from error


@method_decorator(csrf_protect, name="dispatch")
class WithCSRFToken(Nothing):
    """Want the token that Django's forms have; anyone may have one."""


@method_decorator(cache_page(60), name="dispatch")
class CachedDispatch(Answers):
    """Give to others what it gave to one."""


@method_decorator(transaction.atomic, name="dispatch")
class InTransaction(Answers):
    """Begin a transaction first."""


@method_decorator(transaction.atomic, name="dispatch")
class OpenInTransaction(Nothing):
    """Begin a transaction first, for anyone."""


class Later(Answers):
    """Answer later, as the views of asynchronous packages do."""

    view_is_async = True

    async def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Answer in a thread."""
        return await sync_to_async(super().dispatch)(request, *args, **kwargs)


class OpenLater(Later):
    """Answer anyone later."""

    permission_classes = []


class Initial(Anyone):
    """Refuse strangers by hand."""

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Refuse."""
        super().initial(request, *args, **kwargs)
        if not request.user.is_authenticated:
            raise NotAuthenticated


class Unchecked(Answers):
    """Throw the check away."""

    def check_permissions(self, request: Any) -> None:
        """Check nothing."""


class MixedUnchecked(ProtectedByDefaultMixin, Answers):
    """Throw the mixin's check away."""

    def check_permissions(self, request: Any) -> None:
        """Check nothing."""


class Unmade(Anyone):
    """Cannot be made."""

    def __init__(self, **kwargs: Any) -> None:
        """Raise."""
        raise LookupError


class PathVersioned(Answers):
    """Read the version from the path."""

    versioning_class = type("Versions", (versioning.URLPathVersioning,), {"allowed_versions": ("v2",)})


class PathVersionedOpen(PathVersioned):
    """Read the version from the path, for anyone."""

    permission_classes = []


class NamespaceVersioned(Answers):
    """Read the version from the namespace."""

    permission_classes = []
    versioning_class = type("Spaces", (versioning.NamespaceVersioning,), {"allowed_versions": ("v1",)})


class HeaderVersioned(Answers):
    """Read the version from the header."""

    versioning_class = versioning.AcceptHeaderVersioning


# -- Generic views and viewsets --------------------------------------------------------------------


class GroupSerializer(serializers.ModelSerializer[Group]):
    """A group's name."""

    class Meta:
        """What is shown."""

        model = Group
        fields = ("id", "name")


class Groups:
    """Where groups come from."""

    queryset = Group.objects.order_by("pk")
    serializer_class = GroupSerializer


class ListCreate(Groups, generics.ListCreateAPIView):
    """List and create."""


class OpenList(Groups, generics.ListAPIView):
    """List to anyone."""

    permission_classes = [permissions.AllowAny]


class OpenCreate(Groups, generics.CreateAPIView):
    """Create for anyone."""

    permission_classes = [permissions.AllowAny]


class Detail(Groups, generics.RetrieveUpdateDestroyAPIView):
    """Retrieve, update, destroy."""


class ReaderDetail(Groups, generics.RetrieveDestroyAPIView):
    """Retrieve for anyone, destroy for users."""

    permission_classes = [permissions.IsAuthenticatedOrReadOnly]


class ModelPermissions(Groups, generics.ListCreateAPIView):
    """Ask Django's permissions."""

    permission_classes = [permissions.DjangoModelPermissions]


class ModelPermissionsOrReading(Groups, generics.ListCreateAPIView):
    """Ask Django's permissions of those who write."""

    permission_classes = [permissions.DjangoModelPermissionsOrAnonReadOnly]


class ObjectPermissions(Groups, generics.RetrieveAPIView):
    """Ask Django's permissions of each object."""

    permission_classes = [permissions.DjangoObjectPermissions]


class OwnerList(Groups, generics.ListAPIView):
    """Decide per object, in a view that has none."""

    permission_classes = [OwnsIt]


class Shelf(viewsets.ViewSet):
    """A viewset with actions of its own."""

    def list(self, request: Any) -> Response:
        """List."""
        return Response([])

    @action(detail=False, permission_classes=[permissions.AllowAny])
    def leaflet(self, request: Any) -> Response:
        """Answer anyone."""
        return Response("read")

    @action(detail=False, methods=["post"], permission_classes=[permissions.IsAdminUser])
    def sweep(self, request: Any) -> Response:
        """Answer staff."""
        return Response("swept")

    @action(detail=False)
    @public
    def sign(self, request: Any) -> Response:
        """Say it without the mixin, where it opens nothing."""
        return Response("read")

    @action(detail=False, permission_classes=[permissions.IsAuthenticatedOrReadOnly])
    def label(self, request: Any) -> Response:
        """Answer anyone who reads."""
        return Response("read")

    @label.mapping.delete
    def tear_off(self, request: Any) -> Response:
        """Answer users."""
        return Response("torn")


class MixedShelf(ProtectedByDefaultMixin, Shelf):
    """The same behind the mixin."""


class Creates(viewsets.ViewSetMixin, generics.CreateAPIView[Group]):
    """A generic view made a viewset: its own handler stays, on every route."""

    permission_classes = []

    def list(self, request: Any) -> Response:
        """List."""
        return Response([])

    def post(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("written")

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("everything")


class ActsByItself(Shelf):
    """Look for the action itself, and not for the method."""

    permission_classes = []

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Do what DRF does, and then the action."""
        self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        self.initial(self.request, *args, **kwargs)
        answer = getattr(self, self.action or "")(self.request, *args, **kwargs)
        return self.finalize_response(self.request, answer, *args, **kwargs)


class GroupSet(Groups, viewsets.ModelViewSet[Group]):
    """A model's viewset."""


class OpenGroupSet(GroupSet):
    """A model's viewset for anyone."""

    permission_classes = [permissions.AllowAny]


class ReadOnlySet(Groups, viewsets.ReadOnlyModelViewSet[Group]):
    """A model's viewset that anyone may read."""

    permission_classes = [permissions.IsAuthenticatedOrReadOnly]


# -- Functions -------------------------------------------------------------------------------------


@api_view(["GET", "POST"])
def function(request: Any) -> Response:
    """Answer users."""
    return Response("done")


@api_view(["GET"])
@permission_classes([permissions.AllowAny])
def open_function(request: Any) -> Response:
    """Answer anyone."""
    return Response("done")


@require_GET
@api_view(["GET", "POST"])
@permission_classes([permissions.AllowAny])
def read_function(request: Any) -> Response:
    """Answer anyone who reads."""
    return Response("done")


@api_view(["GET", "POST", "PUT"])
@permission_classes([permissions.AllowAny])
@require_http_methods(["POST", "PUT"])
def written_function(request: Any) -> Response:
    """Answer anyone who writes, which only the handler's decorator knows."""
    return Response("done")


@api_view(["GET"])
@public
def public_function(request: Any) -> Response:
    """Answer anyone, as it says."""
    return Response("done")


@api_view(["GET"])
@permission_classes([permissions.AllowAny])
@public
def public_in_vain(request: Any) -> Response:
    """Answer anyone, and say so where DRF's decorator takes it away."""
    return Response("done")


@public
@api_view(["GET"])
def public_from_outside(request: Any) -> Response:
    """Answer anyone, as it says outside."""
    return Response("done")


@api_view(["GET"])
@permission_classes([permissions.AllowAny])
@login_required
def login_function(request: Any) -> Response:
    """Answer whom Django's decorator lets through."""
    return Response("done")


def unmarked(view: Any) -> Any:
    """Decorate a view without a trace."""

    def undecorated(request: Any, *args: Any, **kwargs: Any) -> Any:
        return view(request, *args, **kwargs)

    return undecorated


class Wrapper:
    """A decorator that is an object."""

    def __init__(self, view: Any) -> None:
        """Take the view."""
        self.view = view

    def __call__(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer as the view."""
        return self.view(request, *args, **kwargs)


class Chooser:
    """An object that lets one view read, and another write."""

    def __init__(self, get: Any, post: Any) -> None:
        """Take both."""
        self.get, self.post = get, post

    def __call__(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer as one of them."""
        return (self.post if request.method == "POST" else self.get)(request, *args, **kwargs)


class Desk:
    """An object whose method is the callback, and a place of which is empty."""

    __slots__ = ("bell", "view")

    def __init__(self, view: Any) -> None:
        """Take the view."""
        self.view = view

    def answer(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer as the view."""
        return self.view(request, *args, **kwargs)


def answered_by(view: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
    """Answer as a view that a partial hands over."""
    return view(request, *args, **kwargs)


def answered_by_default(request: Any, view: Any = Nothing.as_view()) -> Any:  # noqa: B008 - that is the point
    """Answer as a view that is there for a default."""
    return view(request)


def open_to(guests: Any) -> Any:
    """Decorate a view so that another one answers."""

    def decorate(view: Any) -> Any:
        @wraps(view)
        def answered_by_another(request: Any, *args: Any, **kwargs: Any) -> Any:
            return guests(request, *args, **kwargs)

        return answered_by_another

    return decorate


class Doorman:
    """A middleware of the project's own."""

    def __init__(self, get_response: Any) -> None:
        """Take what is behind the door."""

    def process_request(self, request: Any) -> HttpResponse | None:
        """Refuse who has no card."""
        return None if "HTTP_X_CARD" in request.META else HttpResponse("No.", status=403)


with_card = decorator_from_middleware(Doorman)


class CardHandler(Reads):
    """Ask for a card in the handler's decorator."""

    permission_classes = []

    @method_decorator(with_card)
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("read")


def plain(request: Any) -> HttpResponse:
    """Answer without DRF."""
    return HttpResponse("plain")


class Plain(View):
    """Answer without DRF."""

    def get(self, request: Any) -> HttpResponse:
        """Answer."""
        return HttpResponse("plain")


class Callable:
    """Answer without being a view of any kind."""

    def __call__(self, request: Any) -> HttpResponse:
        """Answer."""
        return HttpResponse("plain")
