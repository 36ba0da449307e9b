"""``path("api/", include("drf_jwt_kit.urls"))``: tokens in request and response bodies."""

from __future__ import annotations

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.urls import path

if not apps.is_installed("drf_jwt_kit"):
    raise ImproperlyConfigured("Add 'drf_jwt_kit' to INSTALLED_APPS before including its URLs.")

from . import views

app_name = "drf_jwt_kit"

urlpatterns = [
    path("token/", views.TokenObtainPairView.as_view(), name="token_obtain_pair"),
    path("token/refresh/", views.TokenRefreshView.as_view(), name="token_refresh"),
    path("token/verify/", views.TokenVerifyView.as_view(), name="token_verify"),
    path("token/revoke/", views.TokenRevokeView.as_view(), name="token_revoke"),
    path("token/blacklist/", views.TokenBlacklistView.as_view(), name="token_blacklist"),
    path("sessions/", views.SessionListView.as_view(), name="session_list"),
    path("sessions/others/", views.OtherSessionsView.as_view(), name="session_others"),
    path("sessions/<str:pk>/", views.SessionDetailView.as_view(), name="session_detail"),
]
