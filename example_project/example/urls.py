"""URLs of the example project: the API under ``/api/``, the admin, and a page that uses the API."""

from django.contrib import admin
from django.urls import include, path

from notes.pages import DemoPage

urlpatterns = [
    path("api/", include("drf_jwt_kit.urls")),
    path("api/", include("notes.urls")),
    path("admin/", admin.site.urls),
    path("", DemoPage.as_view(), name="demo"),
]
