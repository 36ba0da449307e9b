"""Sessions in the admin: to be seen and ended, never made or changed."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import sessions
from .models import TokenSession


@admin.register(TokenSession)
class TokenSessionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A read-only list with one action."""

    list_display = ("id", "user", "created_at", "rotated_at", "expires_at", "revoked_at", "revoke_reason", "ip_address")
    list_filter = ("revoke_reason", "created_at", "expires_at")
    list_select_related = ("user",)
    fields = (*list_display[:2], "generation", *list_display[2:], "absolute_expires_at", "user_agent")
    ordering = ("-id",)
    actions = ("revoke_sessions",)
    show_full_result_count = False

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search by address, and by the user's name, whatever the user model calls it, where that is a text."""
        name = get_user_model().USERNAME_FIELD
        is_text = not get_user_model()._meta.get_field(name).is_relation
        return ("ip_address", *([f"user__{name}"] if is_text else []))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the filters that the list offers, and the user: no column can be guessed from what it finds."""
        offered = lookup.partition("__")[0] in {*self.list_filter, "user"}
        return offered and super().lookup_allowed(lookup, value, request)

    @admin.action(description=_("End the selected sessions"), permissions=["end"])
    def revoke_sessions(self, request: HttpRequest, queryset: QuerySet[TokenSession]) -> None:
        """End what was selected, with a signal for each, in the order of those who end all of a user's."""
        selected = queryset.order_by("pk").iterator()
        ended = sum(sessions.revoke(session, "ended_by_admin", request) for session in selected)
        self.message_user(request, ngettext("%d session was ended.", "%d sessions were ended.", ended) % ended)

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may end sessions: whoever may delete them."""
        return super().has_delete_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: TokenSession | None = None) -> bool:
        """Refuse here, as a row that is gone bars nothing; with their user they go, whoever may delete that."""
        page = getattr(request.resolver_match, "url_name", None) or ""
        if page.startswith(f"{self.opts.app_label}_"):
            return False
        return page.endswith(("_delete", "_changelist")) or super().has_delete_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: sessions begin with a sign-in."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: TokenSession | None = None) -> bool:
        """Refuse: there is nothing to change."""
        return False
