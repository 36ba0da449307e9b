"""The Django app."""

from __future__ import annotations

import sys
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
        self.views_came_first = "rest_framework.views" in sys.modules
        from . import conf

        conf.put_defaults_beneath()

    def ready(self) -> None:
        """Register the system checks and the signal receivers, and close what the project wants closed."""
        from . import checks, deploy_checks, path_checks, permissions, receivers, token_checks  # noqa: F401

        permissions.protect_every_view()
