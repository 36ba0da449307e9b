"""The notes app."""

from django.apps import AppConfig


class NotesConfig(AppConfig):
    """Configure the notes app."""

    name = "notes"
    default_auto_field = "django.db.models.BigAutoField"
