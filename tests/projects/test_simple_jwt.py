"""Projects with settings and users of their own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.projects.conftest import CUSTOMER

pytestmark = pytest.mark.processes

ROUND_TRIP = """
client = migrated_client()
pair = sign_in(client).json()
sent = {"HTTP_AUTHORIZATION": "Bearer " + pair["access"]}
refreshed = client.post("/api/token/refresh/", {"refresh": pair["refresh"]}, format="json")
tell(
    checks=kit_checks(),
    keys=sorted(pair),
    lasts=[299 <= pair["expires_in"] <= 300, 86_399 <= pair["refresh_expires_in"] <= 86_400],
    called=client.get("/class/", **sent).status_code,
    listed=len(client.get("/api/sessions/", **sent).json()),
    refreshed=refreshed.status_code,
    verified=client.post("/api/token/verify/", {"token": pair["access"]}, format="json").status_code,
    revoked=client.post("/api/token/revoke/", {"token": pair["access"]}, format="json").status_code,
    after=client.get("/class/", **sent).json()["reason"],
)
"""

PAIR = ["access", "expires_in", "refresh", "refresh_expires_in"]
FINE = {
    "checks": [],
    "keys": PAIR,
    "lasts": [True, True],
    "called": 200,
    "listed": 1,
    "refreshed": 200,
    "verified": 200,
    "revoked": 200,
    "after": "revoked",
}

# The settings block of simplejwt's documentation, whole, as people copy it.
STOCK = """
from datetime import timedelta

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
    "ROTATE_REFRESH_TOKENS": False,
    "BLACKLIST_AFTER_ROTATION": False,
    "UPDATE_LAST_LOGIN": False,
    "ALGORITHM": "HS256",
    "SIGNING_KEY": SECRET_KEY,
    "VERIFYING_KEY": "",
    "AUDIENCE": None,
    "ISSUER": None,
    "JSON_ENCODER": None,
    "JWK_URL": None,
    "LEEWAY": 0,
    "AUTH_HEADER_TYPES": ("Bearer",),
    "AUTH_HEADER_NAME": "HTTP_AUTHORIZATION",
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "user_id",
    "USER_AUTHENTICATION_RULE": "rest_framework_simplejwt.authentication.default_user_authentication_rule",
    "ON_LOGIN_SUCCESS": "rest_framework_simplejwt.serializers.default_on_login_success",
    "ON_LOGIN_FAILED": "rest_framework_simplejwt.serializers.default_on_login_failed",
    "AUTH_TOKEN_CLASSES": ("rest_framework_simplejwt.tokens.AccessToken",),
    "TOKEN_TYPE_CLAIM": "token_type",
    "TOKEN_USER_CLASS": "rest_framework_simplejwt.models.TokenUser",
    "JTI_CLAIM": "jti",
    "SLIDING_TOKEN_REFRESH_EXP_CLAIM": "refresh_exp",
    "SLIDING_TOKEN_LIFETIME": timedelta(minutes=5),
    "SLIDING_TOKEN_REFRESH_LIFETIME": timedelta(days=1),
    "TOKEN_OBTAIN_SERIALIZER": "rest_framework_simplejwt.serializers.TokenObtainPairSerializer",
    "TOKEN_REFRESH_SERIALIZER": "rest_framework_simplejwt.serializers.TokenRefreshSerializer",
    "TOKEN_VERIFY_SERIALIZER": "rest_framework_simplejwt.serializers.TokenVerifySerializer",
    "TOKEN_BLACKLIST_SERIALIZER": "rest_framework_simplejwt.serializers.TokenBlacklistSerializer",
    "SLIDING_TOKEN_OBTAIN_SERIALIZER": "rest_framework_simplejwt.serializers.TokenObtainSlidingSerializer",
    "SLIDING_TOKEN_REFRESH_SERIALIZER": "rest_framework_simplejwt.serializers.TokenRefreshSlidingSerializer",
    "CHECK_REVOKE_TOKEN": False,
    "REVOKE_TOKEN_CLAIM": "hash_password",
    "CHECK_USER_IS_ACTIVE": True,
}
"""

BLACKLIST = """
INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework_simplejwt.token_blacklist"]
SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True, "UPDATE_LAST_LOGIN": True}
"""


@pytest.mark.parametrize(
    ("settings", "checks"),
    [
        ("SIMPLE_JWT = {}", []),
        ("SIMPLE_JWT = None", []),
        (STOCK, ["drf_jwt_kit.W003", "drf_jwt_kit.W003"]),
        (BLACKLIST, ["drf_jwt_kit.W006", "drf_jwt_kit.W006"]),
        ("USE_TZ = False\nTIME_ZONE = 'America/Chicago'", ["drf_jwt_kit.W017"]),
        ("USE_TZ = False\nTIME_ZONE = 'Pacific/Kiritimati'", []),
        ("TIME_ZONE = 'America/St_Johns'\nLANGUAGE_CODE = 'de'", []),
    ],
    ids=["empty", "none", "stock", "blacklist", "naive times", "naive times far east", "elsewhere"],
)
def test_settings_of_a_project_that_used_simplejwt(project: Any, settings: str, checks: list[str]) -> None:
    """Issue 2.2: absent, empty or copied whole, everything works; keys that do nothing are named."""
    project.set(settings)
    assert project.run(ROUND_TRIP) == {**FINE, "checks": checks}


def test_a_user_model_with_uuid_and_email(project: Any) -> None:
    """Issue 2.5: ``USERNAME_FIELD`` names the field of the body, and the primary key may be anything."""
    project.set("AUTH_USER_MODEL = 'shop.Customer'\n")
    project.write("shop/models.py", CUSTOMER)
    project.write("shop/migrations/__init__.py", "")
    project.set("from django.core.management import call_command\n")
    script = "call_command('makemigrations', 'shop', verbosity=0)\n" + ROUND_TRIP
    assert project.run(script) == FINE


def test_simplejwts_blacklist_from_the_projects_own_code(project: Any) -> None:
    """Drop-in: ``refresh.blacklist()``, the usual logout view, ends the session, access token too."""
    project.set(BLACKLIST)
    script = """
    client = migrated_client()
    pair = sign_in(client).json()
    from rest_framework_simplejwt.tokens import RefreshToken
    RefreshToken(pair["refresh"]).blacklist()
    refreshed = client.post("/api/token/refresh/", {"refresh": pair["refresh"]}, format="json")
    called = client.get("/class/", HTTP_AUTHORIZATION="Bearer " + pair["access"])
    tell(refreshed=refreshed.status_code, reasons=[refreshed.json()["reason"], called.json()["reason"]])
    """
    assert project.run(script) == {"refreshed": 401, "reasons": ["revoked", "revoked"]}


def test_the_kits_token_can_be_blacklisted_too(project: Any) -> None:
    """Drop-in: ``blacklist()`` is there on the kit's refresh token where simplejwt's app is installed."""
    project.set(BLACKLIST)
    script = """
    client = migrated_client()
    pair = sign_in(client).json()
    from drf_jwt_kit.tokens import RefreshToken
    RefreshToken(pair["refresh"]).blacklist()
    tell(reason=client.post("/api/token/refresh/", {"refresh": pair["refresh"]}, format="json").json()["reason"])
    """
    assert project.run(script) == {"reason": "revoked"}


def test_the_blacklist_app_can_go(project: Any) -> None:
    """Users whom it knows can be deleted after that, and sessions from before go on."""
    project.set('DATABASES["default"]["NAME"] = "db.sqlite3"\n' + BLACKLIST)
    refresh = project.run("""
        client = migrated_client()
        sign_in(client)
        from django.contrib.auth.models import User
        from rest_framework_simplejwt.tokens import RefreshToken
        before = {"refresh": str(RefreshToken.for_user(User.objects.get()))}
        tell(refresh=client.post("/api/token/refresh/", before, format="json").json()["refresh"])
    """)["refresh"]
    project.run("""
        from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
        OutstandingToken.objects.all().delete()
        call_command("migrate", "token_blacklist", "zero", verbosity=0)
        tell()
    """)
    project.set('INSTALLED_APPS.remove("rest_framework_simplejwt.token_blacklist")\n')
    found = project.run(f"""
        from django.contrib.auth.models import User
        from rest_framework.test import APIClient
        refreshed = APIClient().post("/api/token/refresh/", {{"refresh": "{refresh}"}}, format="json").status_code
        tell(refreshed=refreshed, deleted=User.objects.all().delete()[1]["auth.User"])
    """)
    assert found == {"refreshed": 200, "deleted": 1}


def test_importing_the_package_imports_nothing(project: Any) -> None:
    """Issue 2.1: not even Django."""
    script = """
    import subprocess, sys
    probe = "import sys; before = set(sys.modules); import drf_jwt_kit; print(sorted(set(sys.modules) - before))"
    tell(imported=subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout.strip())
    """
    assert project.run(script) == {"imported": "['drf_jwt_kit']"}


def test_no_migration_is_missing(project: Any) -> None:
    """Issue 3.1: whatever primary keys and time zones a project has."""
    project.set("DEFAULT_AUTO_FIELD = 'django.db.models.AutoField'\n")
    script = "call_command('makemigrations', 'drf_jwt_kit', check=True, dry_run=True, verbosity=0); tell(missing=False)"
    assert project.run(script) == {"missing": False}


def test_the_way_back_to_simple_jwt(project: Any) -> None:
    """Without the kit its tokens are simplejwt's, and users can be deleted: no table that refers to them is left."""
    project.set('DATABASES["default"]["NAME"] = "db.sqlite3"\n')
    access = project.run("""
        tell(access=sign_in(migrated_client()).json()["access"])
    """)["access"]
    project.run("""
        call_command("migrate", "drf_jwt_kit", "zero", verbosity=0)
        tell()
    """)
    project.set("""
        INSTALLED_APPS.remove("drf_jwt_kit")
        REST_FRAMEWORK = {
            "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        }
    """)
    project.write(
        "urls.py",
        """
        from django.urls import path
        from shop import views

        urlpatterns = [path("class/", views.Shelf.as_view())]
    """,
    )
    found = project.run(f"""
        from django.contrib.auth.models import User
        from rest_framework.test import APIClient
        called = APIClient().get("/class/", HTTP_AUTHORIZATION="Bearer {access}").status_code
        tell(called=called, deleted=User.objects.all().delete()[0], plain=APIClient().get("/class/").status_code)
    """)
    assert found == {"called": 200, "deleted": 1, "plain": 401}
