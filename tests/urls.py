"""The example project's URLs, which the suite drives."""

from example.urls import urlpatterns

__all__ = ["urlpatterns"]
