"""The Django app."""

from __future__ import annotations

from types import ModuleType

from django.apps import AppConfig


class DRFJWTKitConfig(AppConfig):
    """Put the kit's defaults in place, then connect its checks and receivers."""

    name = "drf_jwt_kit"
    verbose_name = "JWT sessions"
    default_auto_field = "django.db.models.BigAutoField"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        """Install the defaults: ``ready()`` runs after models have imported what freezes them."""
        super().__init__(app_name, app_module)
        from . import conf, defaults

        defaults.made_early()
        conf.put_defaults_beneath()

    def ready(self) -> None:
        """Register the system checks and the signal receivers, and close what is or the project wants closed."""
        from . import checks, defaults, deploy_checks, path_checks, permissions, receivers, token_checks  # noqa: F401

        defaults.make_good()
        permissions.protect_every_view()
