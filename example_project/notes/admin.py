"""Notes in the admin."""

from django.contrib import admin

from notes.models import Note


@admin.register(Note)
class NoteAdmin(admin.ModelAdmin):
    """Find and edit notes."""

    list_display = ("title", "owner", "archived", "created_at")
    list_filter = ("archived",)
    list_select_related = ("owner",)
    search_fields = ("title", "owner__username")
    autocomplete_fields = ("owner",)
