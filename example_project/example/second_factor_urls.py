"""URLs of the example project with a second factor: the plain ones, and one view that asks for it."""

from django.urls import path

from example.urls import urlpatterns as plain
from second_factor.views import ExportView

urlpatterns = [
    path("api/export/", ExportView.as_view(), name="export"),
    *plain,
]
