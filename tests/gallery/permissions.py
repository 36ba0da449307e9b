"""Permissions and authenticators of the gallery."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.http import Http404
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission


class ReadOnly(BasePermission):
    """Allow reading to all."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Look at the method."""
        return request.method in SAFE_METHODS


class HasKey(BasePermission):
    """Ask for a header."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Look for it."""
        return "HTTP_X_KEY" in request.META


class HasBasket(BasePermission):
    """Ask Django's session."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Look into it."""
        return bool(request.session.get("basket"))


class OverTLS(BasePermission):
    """Ask for a connection that nobody reads."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Look at it."""
        return bool(request.is_secure())


class Free(BasePermission):
    """Ask for a keyword argument."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Look for it."""
        return view.kwargs.get("free") is True


class Flagged(BasePermission):
    """Ask the cache."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Look for a flag."""
        return cache.get("flag") is None


class Kept(Flagged):
    """Ask the cache in another way."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Look whether there is a flag."""
        return "flag" not in cache


class FirstOnly(BasePermission):
    """Let the first one in, and count in the cache who that was."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Count."""
        return cache.add("first", True)


class OwnsIt(BasePermission):
    """Decide per object only."""

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        """Refuse all."""
        return False


class AnyoneThere(BasePermission):
    """Ask the database."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Count users."""
        return get_user_model().objects.exists()


class AnyoneThereUnlessItFails(AnyoneThere):
    """Ask the database, and take every failure for a yes."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Count users."""
        try:
            return super().has_permission(request, view)
        except Exception:  # noqa: BLE001 - what a careless project writes
            return True


class Hidden(BasePermission):
    """Deny that there is anything."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Raise 404."""
        raise Http404


class Broken(BasePermission):
    """Fail."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Raise."""
        raise KeyError("tenant")


class Strangers(BaseAuthentication):
    """Refuse who sends nothing."""

    def authenticate(self, request: Any) -> None:
        """Raise."""
        raise AuthenticationFailed("Who are you?")

    def authenticate_header(self, request: Any) -> str:
        """Return a challenge."""
        return "Password"


class Guests(BaseAuthentication):
    """Sign everybody in as a guest."""

    def authenticate(self, request: Any) -> tuple[Any, None]:
        """Return a user that is nobody's."""
        return get_user_model()(username="guest"), None
