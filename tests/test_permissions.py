"""Closed unless said open: the mixin, and ``public``."""

from __future__ import annotations

from datetime import timedelta
from functools import wraps
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.urls import include, path, resolve
from django.views import View
from django.views.decorators.cache import never_cache
from rest_framework.decorators import action, api_view, permission_classes
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission, IsAdminUser, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.schemas.generators import BaseSchemaGenerator
from rest_framework.views import APIView
from rest_framework.viewsets import ModelViewSet, ViewSet

from drf_jwt_kit.permissions import HasScope, ProtectedByDefaultMixin, RecentlyAuthenticated, is_public, public
from tests.conftest import bearer

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class HasKey(BasePermission):
    """A permission of the project's own that asks for a header, not for a user."""

    message = "No key."
    code = "no_key"

    def has_permission(self, request: Any, view: Any) -> bool:
        """Look for the header."""
        return "HTTP_X_KEY" in request.META


class IsReading(BasePermission):
    """Allow reading to all."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Look at the method."""
        return request.method in SAFE_METHODS


class Answers(APIView):
    """Answer every method."""

    def get(self, request: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("read")

    def post(self, request: Any, **kwargs: Any) -> Response:
        """Answer."""
        return Response("written")


class Bare(ProtectedByDefaultMixin, Answers):
    """The mixin and nothing else."""


class Empty(ProtectedByDefaultMixin, Answers):
    """No permissions at all."""

    permission_classes = []


class Allowing(ProtectedByDefaultMixin, Answers):
    """DRF's own word for open."""

    permission_classes = [AllowAny]


class Composed(ProtectedByDefaultMixin, Answers):
    """A composed permission."""

    permission_classes = [AllowAny | IsAuthenticated]


class Reading(ProtectedByDefaultMixin, Answers):
    """Open for reading, says the view."""

    permission_classes = [IsReading | IsAdminUser]


class Overrides(ProtectedByDefaultMixin, Answers):
    """A ``get_permissions`` of the project's own."""

    def get_permissions(self) -> list[Any]:
        """Ask for nothing."""
        return []


class Below(Empty):
    """A subclass of a protected view."""

    permission_classes = [AllowAny]


class SetOf(ProtectedByDefaultMixin, ViewSet):
    """A viewset with actions that say they are open, and one that is declared public."""

    permission_classes = [AllowAny]

    def list(self, request: Any) -> Response:
        """Answer."""
        return Response("list")

    @public
    def retrieve(self, request: Any, pk: str) -> Response:
        """Answer anybody."""
        return Response("one")

    @action(detail=False, permission_classes=[])
    def nothing(self, request: Any) -> Response:
        """Answer."""
        return Response("nothing")

    @action(detail=False, permission_classes=[AllowAny])
    def allowed(self, request: Any) -> Response:
        """Answer."""
        return Response("allowed")

    @action(detail=False)
    @public
    def inside(self, request: Any) -> Response:
        """Answer anybody."""
        return Response("inside")

    @public
    @action(detail=False)
    def outside(self, request: Any) -> Response:
        """Answer anybody."""
        return Response("outside")

    @action(detail=False, methods=["get"])
    @public
    def mapped(self, request: Any) -> Response:
        """Answer anybody who reads."""
        return Response("mapped")

    @mapped.mapping.post
    def mapped_post(self, request: Any) -> Response:
        """Answer users who write."""
        return Response("mapped post")

    @action(detail=False, permission_classes=[HasKey])
    @public
    def keyed(self, request: Any) -> Response:
        """Answer anybody with a key."""
        return Response("keyed")


@public
class PublicView(Answers):
    """A public view without the mixin."""


@public
class PublicMixed(ProtectedByDefaultMixin, Answers):
    """A public view with the mixin."""


class BelowPublicMixed(PublicMixed):
    """A subclass of a public view, which says nothing itself."""


@public
class PublicAgain(BelowPublicMixed):
    """A subclass that says so itself."""


@public
class PublicKeyed(ProtectedByDefaultMixin, Answers):
    """A public view with a permission of its own."""

    permission_classes = [IsAuthenticated, HasKey]


@public
class PublicKeyedAlone(Answers):
    """The same without the mixin."""

    permission_classes = [IsAuthenticated, HasKey]


@public
class PublicForAdmins(ProtectedByDefaultMixin, Answers):
    """A public view with a permission that asks for more than a user."""

    permission_classes = [IsAdminUser]


@public
class PublicSet(ProtectedByDefaultMixin, ViewSet):
    """A public viewset with an action that asks for a user itself."""

    def list(self, request: Any) -> Response:
        """Answer anybody."""
        return Response("list")

    @action(detail=False, permission_classes=[IsAuthenticated])
    def closed(self, request: Any) -> Response:
        """Answer users."""
        return Response("closed")


class Chooses(Answers):
    """A view that asks for users itself where something is written."""

    def get_permissions(self) -> list[Any]:
        """Ask for what stands on the class, and for more."""
        own = super().get_permissions()
        return own if self.request.method in SAFE_METHODS else [*own, IsAuthenticated()]


@public
class PublicChooses(Chooses):
    """A public view of the kind."""


@public
class PublicMixedChooses(ProtectedByDefaultMixin, Chooses):
    """The same with the mixin."""


class HalfPublicChooses(ProtectedByDefaultMixin, Chooses):
    """Both handlers are public; one of them asks for users itself."""

    get = public(Answers.get)
    post = public(Answers.post)


class Computes(ProtectedByDefaultMixin, Answers):
    """A view that has its permissions from a property."""

    get = public(Answers.get)
    post = public(Answers.post)

    @property
    def permission_classes(self) -> list[Any]:  # type: ignore[override]
        """Ask those for a user who write."""
        return [] if self.request.method in SAFE_METHODS else [IsAuthenticated]


class AsksForKeyItself(Answers):
    """A check of the view's own, which no permission class makes."""

    def check_permissions(self, request: Any) -> None:
        """Look for the header."""
        super().check_permissions(request)
        if not HasKey().has_permission(request, self):
            raise PermissionDenied(HasKey.message)


@public
class PublicKeyedItself(ProtectedByDefaultMixin, AsksForKeyItself):
    """A public view with such a check."""


class HalfPublicKeyedItself(ProtectedByDefaultMixin, AsksForKeyItself):
    """A public handler with such a check."""

    get = public(Answers.get)


class Lenient(ProtectedByDefaultMixin, Answers):
    """Write refusals down, and let everybody go on."""

    def permission_denied(self, request: Any, message: Any = None, code: Any = None) -> None:  # type: ignore[override]
        """Raise nothing."""


class HalfPublic(ProtectedByDefaultMixin, Answers):
    """One handler is public."""

    @public
    def get(self, request: Any, **kwargs: Any) -> Response:
        """Answer anybody."""
        return Response("read")


class Crossed(ProtectedByDefaultMixin, ViewSet):
    """An action that is named after a method, and is not bound to it."""

    def post(self, request: Any) -> Response:
        """Answer users, to GET."""
        return Response("read")

    @public
    def write(self, request: Any) -> Response:
        """Answer anybody, to POST."""
        return Response("written")


class Borrowing(ProtectedByDefaultMixin, Answers):
    """The handler of another class is public here, and only here."""

    get = public(Answers.get)


class MarkWithoutMixin(Answers):
    """A mark on a handler, but no mixin that would ask for it."""

    @public
    def get(self, request: Any, **kwargs: Any) -> Response:
        """Answer users."""
        return Response("read")


@api_view(["GET", "POST"])
@public
def public_inside(request: Any) -> Response:
    """Answer anybody."""
    return Response("inside")


@public
@api_view(["GET"])
def public_outside(request: Any) -> Response:
    """Answer anybody."""
    return Response("outside")


@api_view(["GET"])
@public
@permission_classes([IsAuthenticated, HasKey])
def public_keyed(request: Any) -> Response:
    """Answer anybody with a key."""
    return Response("keyed")


@api_view(["GET"])
def private(request: Any) -> Response:
    """Answer users."""
    return Response("private")


INSIDE = public_inside.cls.permission_classes

router = SimpleRouter()
router.register("set", SetOf, basename="set")
router.register("public-set", PublicSet, basename="public-set")

VIEWS = [
    Bare, Empty, Allowing, Composed, Reading, Overrides, Below, PublicView, PublicMixed, BelowPublicMixed,
    PublicAgain, PublicKeyed, PublicKeyedAlone, PublicForAdmins, PublicKeyedItself,
    PublicChooses, PublicMixedChooses, HalfPublicChooses, Computes,
    HalfPublicKeyedItself, Lenient, HalfPublic, Borrowing, MarkWithoutMixin,
]  # fmt: skip

urlpatterns = [
    path("api/", include("drf_jwt_kit.urls")),
    *(path(f"{view.__name__}/", view.as_view()) for view in VIEWS),
    path("Crossed/", Crossed.as_view({"get": "post", "post": "write"})),
    path("inside/", public_inside),
    path("outside/", public_outside),
    path("keyed/", public_keyed),
    path("private/", private),
    *router.urls,
]

CLOSED = [
    ("get", "Bare"), ("post", "Bare"), ("get", "Empty"), ("get", "Allowing"), ("get", "Composed"), ("get", "Reading"),
    ("get", "Overrides"), ("get", "Below"), ("get", "BelowPublicMixed"), ("post", "HalfPublic"),
    ("get", "MarkWithoutMixin"), ("get", "set"), ("get", "set/nothing"), ("get", "set/allowed"),
    ("post", "set/mapped"), ("get", "private"), ("get", "public-set/closed"), ("options", "Bare"),
    ("options", "HalfPublic"), ("put", "HalfPublic"), ("head", "Bare"), ("post", "Borrowing"),
    ("get", "Lenient"), ("get", "Crossed"), ("post", "PublicChooses"), ("post", "PublicMixedChooses"),
    ("post", "HalfPublicChooses"), ("post", "Computes"),
]  # fmt: skip

OPEN = [
    ("get", "PublicView"), ("post", "PublicView"), ("get", "PublicMixed"), ("post", "PublicMixed"),
    ("get", "PublicAgain"), ("get", "HalfPublic"), ("head", "HalfPublic"), ("get", "Borrowing"), ("get", "set/1"),
    ("post", "Crossed"), ("get", "PublicChooses"), ("get", "PublicMixedChooses"), ("get", "HalfPublicChooses"),
    ("get", "Computes"),
    ("head", "set/1"),
    ("get", "set/inside"), ("get", "set/outside"), ("get", "set/mapped"), ("head", "set/mapped"), ("get", "inside"),
    ("post", "inside"), ("get", "outside"), ("get", "public-set"),
]  # fmt: skip


def test_a_public_class_keeps_a_property_that_chooses() -> None:
    """protection.md: that is the view's own choice."""
    chooses = property(lambda view: [HasKey])
    assert vars(public(type("Chooses", (APIView,), {"permission_classes": chooses})))["permission_classes"] is chooses


@pytest.mark.parametrize(("method", "where"), CLOSED)
class TestClosed:
    """What nobody declared public."""

    def test_an_anonymous_request_is_a_403(self, client: Any, method: str, where: str) -> None:
        """Law 7: the mixin's demand comes on top of whatever the view says."""
        assert getattr(client, method)(f"/{where}/").status_code == 403

    def test_a_user_passes_it(self, client: Any, tokens: Any, method: str, where: str) -> None:
        """The demand is for a user, and for nothing else."""
        assert getattr(client, method)(f"/{where}/", **bearer(tokens.access)).status_code in {200, 405}


@pytest.mark.parametrize(("method", "where"), OPEN)
class TestOpen:
    """What is declared public."""

    def test_an_anonymous_request_is_answered(self, client: Any, method: str, where: str) -> None:
        """Law 7: ``@public`` on a class, a handler, an action and an ``@api_view``, in either order."""
        assert getattr(client, method)(f"/{where}/").status_code == 200

    def test_a_bad_token_is_refused_all_the_same(self, client: Any, method: str, where: str) -> None:
        """THREATS, headers: public is not deaf."""
        assert getattr(client, method)(f"/{where}/", **bearer("garbage")).status_code == 401


@pytest.mark.parametrize("every_view", [False, True])
@pytest.mark.parametrize("where", ["PublicChooses", "PublicMixedChooses"])
def test_what_a_view_chooses_itself_it_demands(client: Any, settings: Any, where: str, *, every_view: bool) -> None:
    """Law 7: ``PROTECT_EVERY_VIEW`` opens nothing that is closed without it."""
    settings.DRF_JWT_KIT = {"PROTECT_EVERY_VIEW": every_view}
    assert (client.get(f"/{where}/").status_code, client.post(f"/{where}/").status_code) == (200, 403)


@pytest.mark.parametrize(
    "where",
    ["PublicKeyed", "PublicKeyedAlone", "PublicKeyedItself", "HalfPublicKeyedItself", "keyed", "set/keyed"],
)
def test_other_permissions_stay(client: Any, tokens: Any, where: str) -> None:
    """DESIGN 8: ``@public`` lifts the demand for a user, and nothing else."""
    assert client.get(f"/{where}/").status_code == 403
    assert client.get(f"/{where}/", **bearer(tokens.access)).status_code == 403
    assert client.get(f"/{where}/", HTTP_X_KEY="1").status_code == 200


def test_the_message_of_another_permission_is_answered(client: Any, tokens: Any) -> None:
    """A permission explains itself as it does without the mixin."""
    assert client.get("/PublicKeyed/", **bearer(tokens.access)).json()["detail"] == "No key."


def test_a_permission_that_asks_for_more_than_a_user_stays(client: Any, tokens: Any, user: Any) -> None:
    """Law 7: ``@public`` does not open what only admins may see."""
    assert client.get("/PublicForAdmins/").status_code == 403
    assert client.get("/PublicForAdmins/", **bearer(tokens.access)).status_code == 403
    type(user).objects.update(is_staff=True)
    assert client.get("/PublicForAdmins/", **bearer(tokens.access)).status_code == 200


@pytest.mark.parametrize(
    ("method", "where", "expected"),
    [
        ("GET", "set/inside", True),
        ("GET", "set/mapped", True),
        ("POST", "set/mapped", False),
        ("GET", "set/nothing", False),
        ("GET", "Crossed", False),
        ("GET", "HalfPublic", True),
        ("POST", "HalfPublic", False),
    ],
)
def test_a_schema_for_nobody_has_what_is_public(rf: Any, method: str, where: str, *, expected: bool) -> None:
    """DRF's generator names a viewset's actions to the view, and binds none of them."""
    request = Request(rf.get("/schema/"))
    request.user = AnonymousUser()
    generator = BaseSchemaGenerator()
    view = generator.create_view(resolve(f"/{where}/").func, method, request)
    assert generator.has_view_permissions(f"/{where}/", method, view) is expected


class TestBorrowedPermissions:
    """Law 7: the permissions of a public function open its own view, and no other."""

    def test_a_class_is_closed(self) -> None:
        """It says nothing of itself."""
        borrowing = type("Borrowing", (ProtectedByDefaultMixin, Answers), {"permission_classes": INSIDE})
        assert not is_public(borrowing(), "GET")

    def test_a_view_that_is_given_them_is_closed(self) -> None:
        """On one route."""
        assert not is_public(Bare(permission_classes=INSIDE), "GET")

    def test_a_subclass_is_closed(self) -> None:
        """As that of a public class is."""
        assert not is_public(type("Below", (public_inside.cls,), {})(), "GET")

    def test_another_function_is_closed(self) -> None:
        """Whatever it lends them for."""

        @api_view(["GET"])
        @permission_classes(INSIDE)
        def other(request: Any) -> Response:
            return Response("other")

        assert not is_public(other.cls(), "GET")

    def test_a_decorator_between_opens_its_function(self) -> None:
        """It takes over what the function says."""

        @api_view(["GET"])
        @never_cache
        @public
        def fresh(request: Any) -> Response:
            return Response("fresh")

        assert is_public(fresh.cls(), "GET")


@pytest.mark.parametrize(
    "bases",
    [
        (APIView, ProtectedByDefaultMixin),
        (ModelViewSet, ProtectedByDefaultMixin),
        (ListModelMixin, GenericAPIView, ProtectedByDefaultMixin),
        (Answers, ProtectedByDefaultMixin),
    ],
    ids=lambda bases: " ".join(base.__name__ for base in bases),
)
def test_the_wrong_order_of_bases_raises(bases: tuple[type[Any], ...]) -> None:
    """DESIGN 8: behind the view class the mixin protects nothing, so that raises at class creation."""
    with pytest.raises(ImproperlyConfigured, match="Wrong is not protected: ProtectedByDefaultMixin must stand"):
        type("Wrong", bases, {})


@pytest.mark.parametrize("bases", [(ProtectedByDefaultMixin, View), (View, ProtectedByDefaultMixin)])
def test_a_view_that_is_not_drfs_raises(bases: tuple[type[Any], ...]) -> None:
    """Law 7: nothing of Django's asks for permissions, so there the mixin would protect nothing."""
    with pytest.raises(ImproperlyConfigured, match="Wrong is not protected: ProtectedByDefaultMixin is for views of"):
        type("Wrong", bases, {})


def test_a_wrong_order_further_down_raises() -> None:
    """The order that counts is the one that Python resolves."""

    class Reusable(ProtectedByDefaultMixin):
        """A mixin on the mixin."""

    with pytest.raises(ImproperlyConfigured):
        type("Wrong", (APIView, Reusable), {})
    assert issubclass(type("Right", (Reusable, APIView), {}), APIView)


def test_a_mixin_on_the_mixin_protects() -> None:
    """It needs no view class among its own bases."""

    class Base(ProtectedByDefaultMixin):
        """A project's base for all its views."""

        permission_classes = [AllowAny]

    assert type("View", (Base, Answers), {}).as_view()


@pytest.mark.parametrize("view", [PublicMixed, PublicView])
def test_public_returns_what_it_was_given(view: Any) -> None:
    """It is a decorator that changes no name."""
    assert public(view) is view


def test_a_view_of_a_class_cannot_be_public() -> None:
    """Law 7: said of one route, it would open every route of the class."""
    with pytest.raises(ImproperlyConfigured, match=r"public\(SetOf\)"):
        public(SetOf.as_view({"get": "list"}))
    assert not is_public(SetOf(), "DELETE")


class Greets:
    """A handler that is no function."""

    def __call__(self, request: Any) -> Response:
        """Answer."""
        return Response("hello")


@wraps(Answers.get)
def decorated(view: Any, first: int = 1, *, last: int = 2) -> tuple[int, int]:
    """Return both."""
    return first, last


@pytest.mark.parametrize("handler", [Answers.get, decorated, Greets()], ids=["method", "decorated", "object"])
def test_what_other_classes_share_stays_closed(handler: Any) -> None:
    """Law 7: the mark is on the copy that ``public`` returns."""
    here, there = (type("View", (APIView,), {"get": shared}) for shared in (public(handler), handler))
    assert is_public(here(), "GET")
    assert not is_public(there(), "GET")


def test_a_public_handler_is_otherwise_what_it_was() -> None:
    """Name, documentation, defaults, and what it is wrapped around."""
    opened: Any = public(decorated)
    assert (opened.__name__, opened.__doc__, opened.__wrapped__) == ("get", Answers.get.__doc__, Answers.get)
    assert (opened(None), opened(None, 3, last=4)) == ((1, 2), (3, 4))


def test_public_leaves_the_parent_closed(client: Any) -> None:
    """Law 7: a public subclass opens itself and nobody else."""
    assert client.get("/BelowPublicMixed/").status_code == 403
    assert Answers.permission_classes == [IsAuthenticated]
    assert APIView.permission_classes == [IsAuthenticated]


# -- Permissions on claims: tests/flows drives them over HTTP --------------------------------------

NO_WORDS: list[Any] = [
    *(
        "",
        " ",
        "a b",
        "a ",
        " a",
        "a\tb",
        "a\n",
        "a\r\nX-Evil: 1",
        'a"b',
        "a\\b",
        "a\x00",
        "a\x7f",
        "é",
        "a\u00a0b",
        "a\u200bb",
    ),
    *("\ud800", None, True, 1, b"a", ["a"], ("a",), {"a": 1}, AllowAny),
]


@pytest.mark.parametrize("word", NO_WORDS, ids=ascii)
def test_what_is_no_scope_is_refused_when_it_is_written(word: Any) -> None:
    """RFC 6749 3.3: a typing mistake must not become a permission that nobody, or anybody, has."""
    for scopes in ((word,), ("notes:read", word), (word, "notes:read")):
        with pytest.raises(ImproperlyConfigured, match="HasScope takes words of printable ASCII"):
            HasScope(*scopes)


@pytest.mark.parametrize("word", ["a", "notes:write", "https://api.example/notes.write", "!#[]^~", "A/b-c_d.e*"])
def test_any_scope_token_is_a_scope(word: str) -> None:
    """RFC 6749 3.3: the whole grammar."""
    assert HasScope(word).scopes == (word,)


def test_a_scope_is_needed() -> None:
    """With none it would demand nothing; DRF calls a class that was not called, too late to open anything."""
    with pytest.raises(ImproperlyConfigured, match="HasScope takes words"):
        HasScope()
    with pytest.raises(ImproperlyConfigured, match="max_age, amr or both"):
        RecentlyAuthenticated()


NO_AGES: list[Any] = [
    *(0, 0.9, -1, -300.0, True, False, "300", "5m", float("nan"), float("inf"), -float("inf"), 10**12, [300], {}, 1j),
    *(timedelta(0), timedelta(seconds=-1), timedelta(milliseconds=999), timedelta.max, timedelta.min),
]


@pytest.mark.parametrize("age", NO_AGES, ids=repr)
def test_what_is_no_age_is_refused_when_it_is_written(age: Any) -> None:
    """A number that cannot be met, or that is always met, is a mistake."""
    with pytest.raises(ImproperlyConfigured, match="max_age must be a timedelta or seconds"):
        RecentlyAuthenticated(age, amr="otp")


@pytest.mark.parametrize(
    "amr", [*(word for word in NO_WORDS if word not in (None, ["a"], ("a",), {"a": 1})), (), []], ids=ascii
)
def test_what_is_no_method_is_refused_when_it_is_written(amr: Any) -> None:
    """RFC 8176: methods are words; an empty list of them would demand nothing."""
    for methods in (amr, ["otp", amr]):
        with pytest.raises(ImproperlyConfigured, match="amr takes words of printable ASCII"):
            RecentlyAuthenticated(300, amr=methods)


@pytest.mark.parametrize(
    ("age", "seconds"),
    [
        (1, 1),
        (300, 300),
        (300.9, 300),
        (timedelta(minutes=5), 300),
        (timedelta(seconds=1.5), 1),
        (timedelta(days=36500), 3_153_600_000),
    ],
)
def test_an_age_is_whole_seconds(age: Any, seconds: int) -> None:
    """OpenID Connect Core 3.1.2.1: so a fraction is given away, not won."""
    assert RecentlyAuthenticated(age).max_age == seconds


@pytest.mark.parametrize("amr", [["pwd", "otp"], ("pwd", "otp"), iter(["pwd", "otp"]), dict.fromkeys(["pwd", "otp"])])
def test_methods_come_as_any_iterable(amr: Any) -> None:
    """A project keeps them wherever it likes."""
    assert RecentlyAuthenticated(amr=amr).amr == ("pwd", "otp")


@pytest.mark.parametrize(
    "permission",
    [
        HasScope("a"),
        HasScope("a", "b:c"),
        RecentlyAuthenticated(300),
        RecentlyAuthenticated(max_age=60, amr=("pwd", "otp")),
    ],
    ids=repr,
)
def test_a_permission_reads_as_it_was_written(permission: Any) -> None:
    """In an audit, or where a test fails."""
    names = {"HasScope": HasScope, "RecentlyAuthenticated": RecentlyAuthenticated}
    assert vars(eval(repr(permission), names)) == vars(permission)  # noqa: S307 - our own text
