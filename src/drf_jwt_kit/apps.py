"""The Django app."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from django.apps import AppConfig
from django.conf import settings


class DRFJWTKitConfig(AppConfig):
    """Put the kit's defaults in place, then connect its checks and receivers."""

    name = "drf_jwt_kit"
    verbose_name = "JWT sessions"
    default_auto_field = "django.db.models.BigAutoField"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        """Install the defaults: ``ready()`` runs after models have imported what freezes them."""
        super().__init__(app_name, app_module)
        from . import conf

        conf.put_defaults_beneath()

    def ready(self) -> None:
        """Register the system checks and the signal receivers, and close what is or the project wants closed."""
        from . import checks, defaults, deploy_checks, path_checks, permissions, receivers, token_checks  # noqa: F401

        self.lacked: dict[str, list[Any]] = defaults.lacking(getattr(settings, "REST_FRAMEWORK", {}))
        defaults.give(self.lacked)
        permissions.protect_every_view()
