"""URLs of the notes API."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from notes import views

router = SimpleRouter(use_regex_path=False)
router.register("notes", views.NoteViewSet, basename="note")

urlpatterns = [
    path("status/", views.status, name="status"),
    path("me/", views.MeView.as_view(), name="me"),
    *router.urls,
]
