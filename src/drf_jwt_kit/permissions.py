"""Closed unless said open: the mixin that closes, and the one word that opens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

_MARK = "declared_public"

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
    opened.permission_classes = [demand for demand in demands if demand is not IsAuthenticated]
    setattr(target, _MARK, view_class or True)
    return target


def is_public(view: Any, method: str) -> bool:
    """Return whether ``view`` declares its handler for ``method`` (or itself) public."""
    if getattr(view, _MARK, None) is type(view):
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
        if is_public(self, request.method or ""):
            self._check_without_sign_in(request)
            return
        if not IsAuthenticated().has_permission(request, self):  # type: ignore[arg-type]
            self.permission_denied(request)  # type: ignore[attr-defined]
        super().check_permissions(request)  # type: ignore[misc]

    def _check_without_sign_in(self, request: Request) -> None:
        """Check the permissions of a public handler, without the one that it lifts.

        What an ``@action`` of a public class demands for itself, it demands.
        """
        if "permission_classes" in vars(self):
            super().check_permissions(request)  # type: ignore[misc]
            return
        for permission in self.get_permissions():  # type: ignore[attr-defined]
            if type(permission) is not IsAuthenticated and not permission.has_permission(request, self):
                self.permission_denied(  # type: ignore[attr-defined]
                    request,
                    message=getattr(permission, "message", None),
                    code=getattr(permission, "code", None),
                )
