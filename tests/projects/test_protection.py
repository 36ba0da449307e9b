"""Installing the kit is enough, and whatever a project says itself wins."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.processes

CLOSED = [403, 200, 401]
OPEN = [200, 200, 200]

BOTH = """
client = migrated_client()
tell(checks=kit_checks(), **statuses(client, "/class/", "/function/"))
"""

OWN_PERMISSIONS = """
from drf_jwt_kit.permissions import public
from rest_framework.decorators import api_view
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView


class Shelf(APIView):
    permission_classes = [AllowAny]

    def get(self, request):
        return Response("books")


@api_view(["GET"])
@public
def shelf(request):
    return Response("books")
"""

FREEZES_DRF = "import rest_framework.views\n"
APP = "from django.apps import AppConfig\n\n\nclass Shop(AppConfig):\n    name = 'shop'\n"
FREEZES_SIMPLEJWT = "from rest_framework_simplejwt import authentication, serializers, tokens, views\n"


def apps(*names: str) -> str:
    """Return the line of the settings that lists these apps beside Django's own."""
    return f"INSTALLED_APPS = {['django.contrib.auth', 'django.contrib.contenttypes', *names]!r}\n"


def test_installed_apps_and_include_protect_every_view(project: Any) -> None:
    """FR-005 and law 7: a bare ``APIView`` and an ``@api_view`` of a project that did nothing else."""
    assert project.run(BOTH) == {"checks": [], "/class/": CLOSED, "/function/": CLOSED}


@pytest.mark.parametrize(
    "names",
    [
        ("drf_jwt_kit", "rest_framework", "shop"),
        ("rest_framework", "shop", "drf_jwt_kit"),
        ("shop", "drf_jwt_kit", "rest_framework"),
        ("drf_jwt_kit", "shop"),
        ("drf_jwt_kit.apps.DRFJWTKitConfig", "rest_framework", "shop"),
    ],
    ids=" ".join,
)
def test_the_order_of_installed_apps_does_not_matter(project: Any, names: tuple[str, ...]) -> None:
    """Issue 2.2: first, last, between, and without ``rest_framework`` at all."""
    project.set(apps(*names))
    assert project.run(BOTH) == {"checks": [], "/class/": CLOSED, "/function/": CLOSED}


@pytest.mark.parametrize("kit", ["first", "last"])
def test_models_that_import_simplejwt_early(project: Any, kit: str) -> None:
    """Issue 2.2: a ``models.py`` that imports tokens, serializers and views finds the defaults in place."""
    project.write("shop/models.py", FREEZES_SIMPLEJWT + FREEZES_DRF)
    project.set(apps(*(("drf_jwt_kit", "shop") if kit == "first" else ("shop", "drf_jwt_kit"))))
    assert project.run(BOTH) == {"checks": [], "/class/": CLOSED, "/function/": CLOSED}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ('{"DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"]}', [200, 200, 401]),
        ('{"DEFAULT_PERMISSION_CLASSES": []}', [200, 200, 401]),
        ('{"DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"]}', [403, 403, 401]),
        ('{"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"]}', [401, 401, 401]),
        ('{"DEFAULT_AUTHENTICATION_CLASSES": [], "DEFAULT_PERMISSION_CLASSES": []}', OPEN),
        ('{"PAGE_SIZE": 5}', CLOSED),
        ("{}", CLOSED),
    ],
    ids=lambda value: str(value)[:70],
)
def test_own_rest_framework_defaults_are_kept(project: Any, own: str, expected: list[int]) -> None:
    """Issue 2, acceptance: a project with own ``REST_FRAMEWORK`` defaults keeps them."""
    project.set(f"REST_FRAMEWORK = {own}\n")
    found = project.run(BOTH)
    assert (found["/class/"], found["/function/"]) == (expected, expected)
    assert found["checks"] == (["drf_jwt_kit.W008"] if "AUTHENTICATION" in own else [])


def test_protect_by_default_can_be_turned_off(project: Any) -> None:
    """DESIGN 2.3: ``PROTECT_BY_DEFAULT = False`` leaves DRF's defaults, and W008 says what that means."""
    project.set('DRF_JWT_KIT = {"PROTECT_BY_DEFAULT": False}\n')
    assert project.run(BOTH) == {"checks": ["drf_jwt_kit.W008"], "/class/": OPEN, "/function/": OPEN}


@pytest.mark.parametrize(
    ("kit", "open_class", "public_class"),
    [('{"PROTECT_EVERY_VIEW": True}', CLOSED, [200, 200, 401]), ("{}", [200, 200, 401], [200, 200, 401])],
    ids=["asked for", "not asked for"],
)
def test_every_view_is_protected_where_that_is_asked_for(
    project: Any, kit: str, open_class: list[int], public_class: list[int]
) -> None:
    """Law 7: ``PROTECT_EVERY_VIEW`` closes what ``permission_classes`` opened; ``@public`` stays, DRF else is DRF."""
    project.set(f"DRF_JWT_KIT = {kit}\n")
    project.write("shop/views.py", OWN_PERMISSIONS)
    script = """
    from rest_framework.views import APIView
    untouched = APIView.check_permissions.__module__ == "rest_framework.views" and not vars(APIView.check_permissions)
    tell(untouched=untouched, **statuses(migrated_client(), "/class/", "/function/"))
    """
    assert project.run(script) == {"untouched": kit == "{}", "/class/": open_class, "/function/": public_class}


@pytest.mark.parametrize("value", ['"rest_framework.permissions.AllowAny"', "None"])
def test_a_default_that_is_no_list_is_told_where_the_urls_are_included(project: Any, value: str) -> None:
    """E031, and no traceback: the kit's own views can be imported."""
    project.set(f'REST_FRAMEWORK = {{"DEFAULT_PERMISSION_CLASSES": {value}}}\n')
    urls = 'from django.urls import include, path\nurlpatterns = [path("api/", include("drf_jwt_kit.urls"))]\n'
    project.write("urls.py", urls)
    assert project.run("tell(checks=kit_checks())")["checks"] == ["drf_jwt_kit.E031"]


@pytest.mark.parametrize("broken", ['"nonsense"', '{"PROTECT_BY_DEFAULT": "False"}', '{"PROTECT_BY_DEFUALT": False}'])
def test_a_broken_dict_leaves_the_views_closed(project: Any, broken: str) -> None:
    """Law 7: a typing mistake never opens anything, and E001 speaks."""
    project.set(f"DRF_JWT_KIT = {broken}\n")
    script = """
    from shop.views import Shelf
    tell(checks=kit_checks(), permissions=[permission.__name__ for permission in Shelf.permission_classes])
    """
    assert project.run(script) == {"checks": ["drf_jwt_kit.E001"], "permissions": ["IsAuthenticated"]}


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("settings.py", FREEZES_DRF),
        ("settings.py", "from rest_framework.views import APIView\n"),
        ("shop/__init__.py", FREEZES_DRF),
        (
            "shop/apps.py",
            FREEZES_DRF + APP,
        ),
    ],
    ids=["settings", "settings, by name", "package", "app config"],
)
def test_a_late_installation_is_an_error(project: Any, file: str, source: str) -> None:
    """Issue 2.2 and law 7: views that were frozen before the kit was there are named, twice."""
    (project.set(source) if file == "settings.py" else project.write(file, source))
    project.set(apps("shop", "drf_jwt_kit"))
    done = project.process("tell(checks=kit_checks())")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("drf_jwt_kit.E009") == 2


OWN_DEFAULTS = """
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
"""


NOT_BY_THE_KIT = "DRF_JWT_KIT = {'PROTECT_BY_DEFAULT': False}\n"
READS_SETTINGS = "from rest_framework.renderers import JSONRenderer\n"
BASE = "REST_FRAMEWORK = {'DEFAULT_PERMISSION_CLASSES': ['rest_framework.permissions.AllowAny']}\n"
BY_NAME = "from rest_framework.views import APIView\n"
SCHEMAS = "import rest_framework.schemas\n"
IN_PLACE = OWN_DEFAULTS.replace("REST_FRAMEWORK = {", "REST_FRAMEWORK |= {")
LIST_IN_PLACE = "REST_FRAMEWORK['DEFAULT_PERMISSION_CLASSES'][:] = ['rest_framework.permissions.IsAuthenticated']\n"
READS_AGAIN = "from rest_framework.settings import api_settings\napi_settings.reload()\n"
CLOSES = """
from rest_framework.permissions import IsAdminUser
from rest_framework.views import APIView
APIView.permission_classes.append(IsAdminUser)
"""
IN_VAIN = OWN_DEFAULTS.replace("IsAuthenticated", "NoSuchPermission")
NO_LIST = OWN_DEFAULTS.replace('["rest_framework.permissions.IsAuthenticated"]', "None")

SETTINGS_READ_BY_HALF = {
    "nothing named": (FREEZES_DRF, 2),
    "named": (FREEZES_DRF + OWN_DEFAULTS, 2),
    "named in vain": (FREEZES_DRF + IN_VAIN, 2),
    "no list": (FREEZES_DRF + NO_LIST, 2),
    "named, by name": (BY_NAME + OWN_DEFAULTS, 2),
    "not by the kit": (NOT_BY_THE_KIT + FREEZES_DRF + OWN_DEFAULTS, 2),
    "without views, not by the kit": (NOT_BY_THE_KIT + READS_SETTINGS + OWN_DEFAULTS, 2),
    "without views, open before": (BASE + READS_SETTINGS + OWN_DEFAULTS, 2),
    "schemas": (SCHEMAS, 2),
    "schemas, named": (SCHEMAS + OWN_DEFAULTS, 2),
    "schemas, not by the kit": (NOT_BY_THE_KIT + SCHEMAS + OWN_DEFAULTS, 2),
    "changed in place": (BASE + FREEZES_DRF + IN_PLACE, 2),
    "changed in place, without views": (BASE + READS_SETTINGS + IN_PLACE, 0),
    "a list changed in place": (BASE + FREEZES_DRF + LIST_IN_PLACE, 2),
    "read again": (FREEZES_DRF + OWN_DEFAULTS + READS_AGAIN, 2),
    "read again, nothing named": (FREEZES_DRF + READS_AGAIN, 2),
    "closed further": (NOT_BY_THE_KIT + CLOSES, 0),
    "closed further by half": (CLOSES + OWN_DEFAULTS, 2),
    "complete": (OWN_DEFAULTS + FREEZES_DRF, 0),
    "complete, without views": (OWN_DEFAULTS + READS_SETTINGS, 0),
}

ASKS = """
from rest_framework.test import APIClient
found = [APIClient().get(path).status_code for path in ("/class/", "/function/")]
tell(checks=kit_checks().count("drf_jwt_kit.E009"), found=found)
"""


@pytest.mark.parametrize("case", SETTINGS_READ_BY_HALF)
def test_views_are_closed_whatever_drf_has_read_of_the_settings(project: Any, case: str) -> None:
    """Law 7: views lacked what the settings name in the end. It is an Error, and they have it all the same."""
    source, times = SETTINGS_READ_BY_HALF[case]
    project.set(source)
    project.set(apps("shop", "drf_jwt_kit"))
    assert project.run(ASKS) == {"checks": times, "found": [403, 403]}


def test_views_are_open_where_nothing_closes_them(project: Any) -> None:
    """``PROTECT_BY_DEFAULT = False``, and the project names nothing."""
    project.set(NOT_BY_THE_KIT + FREEZES_DRF)
    project.set(apps("shop", "drf_jwt_kit"))
    assert project.run(ASKS) == {"checks": 0, "found": [200, 200]}


@pytest.mark.parametrize("imported", ["rest_framework.views", "shop.views", "rest_framework.schemas"])
def test_views_are_closed_that_a_server_imports_before_the_project(project: Any, imported: str) -> None:
    """Law 7: a line in ``wsgi.py`` above ``get_wsgi_application()``, which no check sees: servers run none."""
    project.write("early.py", f"import {imported}\n")
    before = 'import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "settings"\nimport early\n'
    client = "client = migrated_client()\ntell(found=statuses(client, '/class/', '/function/'))"
    closed = [403, 200, 401]
    assert project.run(client, before=before)["found"] == {"/class/": closed, "/function/": closed}


def test_a_late_installation_with_own_defaults_is_none(project: Any) -> None:
    """Issue 2.2: a project that names the defaults itself has them whenever DRF is imported."""
    project.set(OWN_DEFAULTS)
    project.write("shop/apps.py", FREEZES_DRF + APP)
    project.set(apps("shop", "drf_jwt_kit"))
    assert project.run("tell(checks=kit_checks())") == {"checks": ["drf_jwt_kit.W008"]}


def test_the_urls_need_the_app(project: Any) -> None:
    """DESIGN 2.1: including them without the app says so, at once."""
    project.set(apps("rest_framework", "shop"))
    done = project.process("call_command('check')")
    assert done.returncode != 0
    assert "ImproperlyConfigured: Add 'drf_jwt_kit' to INSTALLED_APPS before including its URLs." in done.stderr
