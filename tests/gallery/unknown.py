"""One view that nobody can tell of."""

from django.urls import path

from tests.gallery import views

urlpatterns = [path("broken/", views.BrokenView.as_view())]
