"""Closed unless said open: the mixin that closes, and the one word that opens; permissions that ask for claims."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from datetime import timedelta
from functools import partial, update_wrapper, wraps
from types import FunctionType
from typing import Any, Self, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.views import View
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission, IsAuthenticated, OperationHolderMixin
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework_simplejwt.tokens import Token

from . import claims
from .challenges import INSUFFICIENT_SCOPE, INSUFFICIENT_USER_AUTHENTICATION, Lack
from .conf import asked_for, kit, leeway

MARK = "declared_public"
_DEMANDING = "demands_sign_in"
_OF_FUNCTION = "WrappedAPIView"  # the class that `@api_view` makes; its name is that of the function

# RFC 6749 3.3: what a scope may be made of. The methods of RFC 8176 are held to the same.
_WORD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")

Target = TypeVar("Target", bound=Callable[..., Any])


def public(target: Target) -> Target:
    """Declare a view class, a handler, an ``@action`` or an ``@api_view`` open to anyone.

    It lifts the demand for a signed-in user and nothing else: other permissions stay. A handler or an
    action needs :class:`ProtectedByDefaultMixin` on its class, which asks for it; there, a subclass of
    a public class is closed again until it says so itself. A handler is copied, so that
    ``list = public(ListModelMixin.list)`` opens it here, and nowhere else.

    Raises :exc:`~django.core.exceptions.ImproperlyConfigured` for what ``as_view()`` returned: all routes
    of a class share its marks.
    """
    view_class = _class_of(target)
    if view_class is None:
        target = _twin(target)
    else:
        setattr(view_class, MARK, view_class)
    opened: Any = view_class or target
    demands = getattr(opened, "permission_classes", APIView.permission_classes)
    if isinstance(demands, Iterable):  # a property is the view's own choice, and E031 tells of what is no list
        left = [demand for demand in demands if demand is not IsAuthenticated]
        opened.permission_classes = left if view_class else _LiftedDemands(target, left)
    setattr(target, MARK, view_class or True)
    return target


def _class_of(target: Any) -> Any:
    """Return the view class to open, ``None`` for a handler; ``@api_view`` makes a class for each function."""
    if isinstance(target, type):
        return target
    view_class = getattr(target, "cls", None)
    if view_class is not None and view_class.__qualname__ != _OF_FUNCTION:
        name = view_class.__name__
        raise ImproperlyConfigured(
            f"public({name}.as_view()) would open all of {name}: write public({name}).as_view()."
        )
    return view_class


def _twin(handler: Any) -> Any:
    """Return a copy of a handler; ``copy()`` takes a function for itself."""
    if not isinstance(handler, FunctionType):
        return copy(handler)
    code, defaults, closure = handler.__code__, handler.__defaults__, handler.__closure__
    twin: Any = update_wrapper(FunctionType(code, handler.__globals__, None, defaults, closure), handler)
    twin.__kwdefaults__ = handler.__kwdefaults__
    del twin.__wrapped__  # a copy is no decorator; the handler's own comes back, if it has one
    vars(twin).update(vars(handler))
    return twin


class _LiftedDemands(list[Any]):
    """The permission classes of a public function: all that ``@api_view`` takes over from it."""

    def __init__(self, function: Any, demands: Iterable[Any]) -> None:
        """Take the function, and what it demands."""
        super().__init__(demands)
        self.function = function


def is_public(view: Any, method: str) -> bool:
    """Return whether ``view`` declares its handler for ``method`` (or itself) public."""
    if getattr(view, MARK, None) is type(view) or _is_of_public_function(view):
        return True
    name = method.lower()
    actions = getattr(view, "action_map", None) or {}  # generators of schemas name them, and bind none
    handler = getattr(view, name, None) or getattr(view, actions.get(name, name), None)
    return getattr(handler, MARK, False) is True


def _is_of_public_function(view: Any) -> bool:
    """Return whether ``@api_view`` made the view for a public function, whose permissions others may have borrowed."""
    made, demands = type(view), view.permission_classes
    return isinstance(demands, _LiftedDemands) and (made.__qualname__, made.__module__, made.__name__) == (
        _OF_FUNCTION,
        demands.function.__module__,
        demands.function.__name__,
    )


class ProtectedByDefaultMixin:
    """Demand a signed-in user *in addition to* whatever a view's permissions say.

    ``class NoteViewSet(ProtectedByDefaultMixin, ModelViewSet)``: neither ``permission_classes = []``
    nor ``[AllowAny]``, on the class or on an ``@action``, opens it. Only :func:`public` does.

    Raises :exc:`~django.core.exceptions.ImproperlyConfigured` at class creation where it would protect
    nothing: behind the view class, and on a view that is not DRF's.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse an order of bases in which the view's own check comes first, and views that have none."""
        super().__init_subclass__(**kwargs)
        bases, fault = cls.__mro__, f"{cls.__qualname__} is not protected: ProtectedByDefaultMixin"
        if APIView in bases and bases.index(APIView) < bases.index(ProtectedByDefaultMixin):
            raise ImproperlyConfigured(f"{fault} must stand before the view class.")
        if View in bases and APIView not in bases:
            raise ImproperlyConfigured(f"{fault} is for views of Django REST framework.")

    def check_permissions(self, request: Request) -> None:
        """Check the demand for a signed-in user, then the view's own permissions."""
        _check(self, request, super().check_permissions)  # type: ignore[misc]


def _check(view: Any, request: Request, own_check: Callable[[Request], None]) -> None:
    """Check the demand for a signed-in user, unless it is lifted, then what the view itself demands."""
    if is_public(view, request.method or ""):
        with _demand_lifted(view):
            own_check(request)
        return
    if not IsAuthenticated().has_permission(request, view):
        view.permission_denied(request)
        raise NotAuthenticated  # where a project's own permission_denied() lets a refusal pass
    own_check(request)


@contextmanager
def _demand_lifted(view: Any) -> Iterator[None]:
    """Take ``IsAuthenticated`` out of what a public handler's class demands.

    What an ``@action`` demands for itself, it demands, and so does what the view's own ``get_permissions`` chooses.
    """
    own = vars(view)
    if "permission_classes" in own:
        yield
        return
    own["permission_classes"] = [demand for demand in view.permission_classes if demand is not IsAuthenticated]
    try:
        yield
    finally:
        del own["permission_classes"]


def protect_every_view() -> None:
    """Demand of every DRF view what :class:`ProtectedByDefaultMixin` demands, if the project asks for it.

    ``DRF_JWT_KIT["PROTECT_EVERY_VIEW"]``. DRF has no setting that a view's own ``permission_classes`` do
    not replace, so the demand is put in front of ``APIView.check_permissions``. A project that does not ask
    for it has DRF as it is.
    """
    every_view: Any = APIView
    own_check = every_view.check_permissions
    if not asked_for("PROTECT_EVERY_VIEW") or hasattr(own_check, _DEMANDING):
        return

    @wraps(own_check)
    def check_permissions(view: APIView, request: Request) -> None:
        if kit().PROTECT_EVERY_VIEW and not isinstance(view, ProtectedByDefaultMixin):
            _check(view, request, partial(own_check, view))
        else:
            own_check(view, request)

    setattr(check_permissions, _DEMANDING, True)
    every_view.check_permissions = check_permissions


@receiver(setting_changed)
def _follow_setting(*, setting: str, **kwargs: Any) -> None:
    """Begin to demand when a test's ``override_settings`` asks for it."""
    if setting == "DRF_JWT_KIT":
        protect_every_view()


class _DemandOnClaims(OperationHolderMixin, BasePermission):
    """A permission that stands in ``permission_classes`` as an instance, and combines there as a class does."""

    def __init__(self, lack: Lack, **enough: Any) -> None:
        """Take what a token lacks that is refused, and what would be enough."""
        self.code = lack.code
        self.message = lack.body(**enough)

    def __call__(self) -> Self:
        """Return the permission: DRF calls what stands in ``permission_classes``."""
        return self

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Return the same for every object, so that ``~`` turns both answers around."""
        return self.has_permission(request, view)


def _claims_of(request: Request) -> Mapping[str, Any]:
    """Return the claims of the request's token; whoever is signed in by other means has none."""
    token: Any = request.auth
    return token.payload if isinstance(token, Token) else {}


class HasScope(_DemandOnClaims):
    """Demand scopes, all of them: ``permission_classes = [IsAuthenticated, HasScope("notes:write")]``.

    They are words in the token's claim ``scope``, which is one string. It combines with other
    permissions, ``IsAdminUser | HasScope("notes:write")``. Alone it refuses with 403
    ``insufficient_scope`` (RFC 6750 3.1).

    Raises :exc:`~django.core.exceptions.ImproperlyConfigured` for what is no scope (RFC 6749 3.3).
    """

    def __init__(self, *scopes: str) -> None:
        """Take the scopes."""
        self.scopes = _words("HasScope", scopes)
        super().__init__(INSUFFICIENT_SCOPE, scope=" ".join(self.scopes))

    def __repr__(self) -> str:
        """Return the call that makes it."""
        return f"HasScope({', '.join(map(repr, self.scopes))})"

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether all of the scopes are granted."""
        return claims.scopes(_claims_of(request)).issuperset(self.scopes)


class RecentlyAuthenticated(_DemandOnClaims):
    """Demand a sign-in that was not long ago, or was done by certain methods, or both.

    ``max_age``, a ``timedelta`` or seconds, is held against the token's claim ``auth_time``; ``amr``,
    one method (``"otp"``) or several, all of which are needed, against its claim ``amr``. Refused with
    401 ``insufficient_user_authentication`` (RFC 9470 3): the client signs the user in anew.

    Raises :exc:`~django.core.exceptions.ImproperlyConfigured` for neither, and for what cannot be met.
    """

    def __init__(self, max_age: timedelta | float | None = None, *, amr: str | Iterable[str] | None = None) -> None:
        """Take the longest time since the sign-in, and the methods that it must have had."""
        if max_age is None and amr is None:
            raise ImproperlyConfigured("RecentlyAuthenticated needs max_age, amr or both.")
        self.max_age = None if max_age is None else _whole_seconds(max_age)
        self.amr = () if amr is None else _words("amr", amr)
        enough = {"max_age": self.max_age, "amr": list(self.amr)}
        super().__init__(INSUFFICIENT_USER_AUTHENTICATION, **{name: value for name, value in enough.items() if value})

    def __repr__(self) -> str:
        """Return the call that makes it."""
        return f"RecentlyAuthenticated(max_age={self.max_age!r}, amr={self.amr or None!r})"

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the sign-in is recent enough and had all of the methods."""
        payload = _claims_of(request)
        return self._is_recent(payload) and claims.methods(payload).issuperset(self.amr)

    def _is_recent(self, payload: Mapping[str, Any]) -> bool:
        """Return whether the user signed in within ``max_age``, as far as clocks agree."""
        if self.max_age is None:
            return True
        age, margin = claims.seconds_since_sign_in(payload, time.time()), leeway().total_seconds()
        return -margin <= age <= self.max_age + margin


def _words(owner: str, given: Any) -> tuple[str, ...]:
    """Return what was given, one word or several, if each can stand among others in one string."""
    words = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    if not words or not all(isinstance(word, str) and _WORD.fullmatch(word) for word in words):
        raise ImproperlyConfigured(
            f"{owner} takes words of printable ASCII without spaces, quotes and backslashes, not {given!r}."
        )
    return words


def _whole_seconds(duration: timedelta | float) -> int:
    """Return a duration as tokens count time."""
    seconds: Any = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if type(seconds) not in (int, float) or not 1 <= seconds <= claims.LATEST_TIME:
        raise ImproperlyConfigured(f"max_age must be a timedelta or seconds, and a second at least, not {duration!r}.")
    return int(seconds)
