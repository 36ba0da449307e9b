"""Closed unless said open: the mixin that closes, and the one word that opens."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from .conf import asked_for, kit

_MARK = "declared_public"
_DEMANDING = "demands_sign_in"

Target = TypeVar("Target", bound=Callable[..., Any])


def public(target: Target) -> Target:
    """Declare a view class, a handler, an ``@action`` or an ``@api_view`` open to anyone.

    It lifts the demand for a signed-in user and nothing else: other permissions stay. A handler or an
    action needs :class:`ProtectedByDefaultMixin` on its class, which asks for it; there, a subclass of
    a public class is closed again until it says so itself.
    """
    view_class = target if isinstance(target, type) else getattr(target, "cls", None)
    if view_class is not None:
        setattr(view_class, _MARK, view_class)
    opened: Any = view_class or target
    demands = getattr(opened, "permission_classes", APIView.permission_classes)
    kind = list if view_class else _LiftedDemands
    opened.permission_classes = kind(demand for demand in demands if demand is not IsAuthenticated)
    setattr(target, _MARK, view_class or True)
    return target


class _LiftedDemands(list[Any]):
    """The permission classes of a public function: all that ``@api_view`` takes over from it."""


def is_public(view: Any, method: str) -> bool:
    """Return whether ``view`` declares its handler for ``method`` (or itself) public."""
    if getattr(view, _MARK, None) is type(view) or isinstance(view.permission_classes, _LiftedDemands):
        return True
    actions: dict[str, str] = getattr(view, "action_map", None) or {}
    handler = getattr(view, actions.get(method.lower(), method.lower()), None)
    return getattr(handler, _MARK, False) is True


class ProtectedByDefaultMixin:
    """Demand a signed-in user *in addition to* whatever a view's permissions say.

    ``class NoteViewSet(ProtectedByDefaultMixin, ModelViewSet)``: neither ``permission_classes = []``
    nor ``[AllowAny]``, on the class or on an ``@action``, opens it. Only :func:`public` does.

    Raises :exc:`~django.core.exceptions.ImproperlyConfigured` at class creation when it stands
    behind the view class, where it would protect nothing.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse an order of bases in which the view's own check comes first."""
        super().__init_subclass__(**kwargs)
        bases = cls.__mro__
        if APIView in bases and bases.index(APIView) < bases.index(ProtectedByDefaultMixin):
            raise ImproperlyConfigured(
                f"{cls.__qualname__} is not protected: ProtectedByDefaultMixin must stand before the view class."
            )

    def check_permissions(self, request: Request) -> None:
        """Check the demand for a signed-in user, then the view's own permissions."""
        _check(self, request, super().check_permissions)  # type: ignore[misc]


def _check(view: Any, request: Request, own_check: Callable[[Request], None]) -> None:
    """Check the demand for a signed-in user, unless it is lifted, then what the view itself demands."""
    if is_public(view, request.method or ""):
        _check_without_sign_in(view, request, own_check)
        return
    if not IsAuthenticated().has_permission(request, view):
        view.permission_denied(request)
    own_check(request)


def _check_without_sign_in(view: Any, request: Request, own_check: Callable[[Request], None]) -> None:
    """Check the permissions of a public handler, without the one that it lifts.

    What an ``@action`` of a public class demands for itself, it demands.
    """
    if "permission_classes" in vars(view):
        own_check(request)
        return
    for permission in view.get_permissions():
        if type(permission) is not IsAuthenticated and not permission.has_permission(request, view):
            message, code = (getattr(permission, name, None) for name in ("message", "code"))
            view.permission_denied(request, message=message, code=code)


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
