"""The audit: what it says of each view is what a request without a token really gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.shortcuts import resolve_url
from django.test import modify_settings, override_settings
from django.urls import path, resolve
from rest_framework.permissions import BasePermission
from rest_framework.views import APIView

from drf_jwt_kit import audit, routes
from drf_jwt_kit.audit import Row, Verdict
from drf_jwt_kit.permissions import protect_every_view
from tests.conftest import PASSWORD
from tests.gallery import urls, views

GALLERY = "tests.gallery.urls"
EXPECTED = {str(shown.pattern.pattern): shown.verdicts for shown in urls.ONE_BY_ONE} | urls.BY_NAME

# Views that take no notice of PROTECT_EVERY_VIEW: they threw the check away, or have a user for everybody.
BEYOND_HELP = {"unchecked/", "mixed-unchecked/", "guest-house/"}


def examined() -> list[Row]:
    """Return the gallery's rows."""
    return audit.rows(GALLERY)


def of_drf(rows: list[Row]) -> dict[str, dict[str, str]]:
    """Return what the audit says, in the form of the gallery's table."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        if not row.route.startswith("admin/"):
            found.setdefault(row.name or row.route, {})[row.method] = row.verdict.value
    return found


@lru_cache
def agreed() -> dict[str, dict[str, str]]:
    """Return what the audit says of the gallery under the project's own settings."""
    return of_drf(examined())


PATHS = {route.route: route.example() for route in routes.walk(GALLERY)}


@pytest.fixture
def visit(client: Any, user: Any) -> Iterator[Any]:
    """A function that sends a row's request, without a token, with a body that every handler likes."""
    body = {"name": "readers", "username": user.get_username(), "password": PASSWORD}
    schema = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}

    def visit(row: Row) -> Any:
        cache.clear()
        Group.objects.all().delete()
        Group.objects.create(name="first").delete()  # PostgreSQL counts on from what it gave itself, not from ours
        Group.objects.create(pk=1, name="writers")
        example = PATHS[row.route]
        assert example is not None
        return client.generic(row.method, f"/{example.path}", json.dumps(body), "application/json", secure=True)

    with (
        override_settings(ROOT_URLCONF=GALLERY, REST_FRAMEWORK=schema),
        modify_settings(INSTALLED_APPS={"append": "drf_spectacular"}),
    ):
        yield visit


def is_refusal(answer: Any) -> bool:
    """Return whether a request was turned away: told so, or sent to a sign-in page."""
    pages = (resolve_url(settings.LOGIN_URL), views.OwnLogin.login_url)
    to_sign_in = answer.status_code == 302 and answer["Location"].startswith(pages)
    return answer.status_code in {401, 403} or to_sign_in


class TestTheGallery:
    """Sixty views and more, each with the verdict that a person would give."""

    def test_it_is_large_enough_to_prove_something(self) -> None:
        """Issue 5: sixty deliberately varied views."""
        assert len(EXPECTED) >= 60

    @pytest.mark.parametrize("where", EXPECTED)
    def test_the_audit_agrees(self, where: str) -> None:
        """DESIGN.md 8: the verdict on every method of every view."""
        assert agreed()[where] == EXPECTED[where]

    def test_nothing_is_left_out(self) -> None:
        """Every route of the URLconf has its row, and no row is made up."""
        assert agreed().keys() == EXPECTED.keys()

    def test_the_admin_is_plain(self) -> None:
        """What DRF does not serve is named as such, each route once."""
        admin = [row for row in examined() if row.route.startswith("admin/")]
        assert len(admin) > 20
        assert {(row.method, row.verdict) for row in admin} == {("ANY", Verdict.PLAIN)}

    @pytest.mark.django_db
    def test_protected_is_what_a_request_gets(self, visit: Any) -> None:
        """SC-002: each PROTECTED, asked for without a token, is refused."""
        protected = [row for row in examined() if row.verdict is Verdict.PROTECTED]
        let_in = [(row, answer.status_code) for row in protected if not is_refusal(answer := visit(row))]
        assert len(protected) > 100
        assert let_in == []

    @pytest.mark.django_db
    def test_open_is_what_a_request_gets(self, visit: Any) -> None:
        """Law 7: each OPEN, asked for without a token, is answered."""
        opened = [row for row in examined() if row.verdict is Verdict.OPEN]
        refused = [(row, answer.content) for row in opened if not 200 <= (answer := visit(row)).status_code < 300]
        assert len(opened) > 50
        assert refused == []

    @pytest.mark.django_db
    def test_public_is_not_refused_for_want_of_a_token(self, visit: Any) -> None:
        """The kit's own endpoints ask for something in the body, and for nothing else."""
        public = [row for row in examined() if row.verdict is Verdict.PUBLIC]
        assert len(public) > 10
        assert {visit(row).status_code for row in public} <= {200, 400}


class TestEveryViewProtected:
    """``PROTECT_EVERY_VIEW``: the mixin's demand, for views that do not have it."""

    @pytest.fixture(autouse=True)
    def _asked_for(self) -> Iterator[None]:
        """Ask for it."""
        with override_settings(DRF_JWT_KIT={"PROTECT_EVERY_VIEW": True}):
            yield

    @pytest.mark.django_db
    def test_what_was_open_is_closed(self, visit: Any) -> None:
        """Law 7: only what throws the check away stays open; only ``@public`` opens."""
        rows = examined()
        assert {row.route for row in rows if row.verdict is Verdict.OPEN} == BEYOND_HELP
        closed = [row for row in rows if row.verdict is Verdict.PROTECTED]
        assert [row for row in closed if not is_refusal(visit(row))] == []

    def test_what_was_declared_stays_public(self) -> None:
        """On a handler, too: it needs no mixin then."""
        public = {row.name or row.route for row in examined() if row.verdict is Verdict.PUBLIC}
        declared = {where for where, verdicts in EXPECTED.items() if "PUBLIC" in verdicts.values()}
        assert declared < public
        assert public - declared == {"handler-without-mixin/", "shelf-sign"}

    def test_it_is_put_in_place_once(self) -> None:
        """Asking again wraps nothing anew."""
        in_place = APIView.check_permissions
        protect_every_view()
        assert APIView.check_permissions is in_place


class TestHowItAsks:
    """No handler runs, nothing is written, and nothing is taken on trust."""

    @pytest.mark.django_db
    def test_no_statement_reaches_the_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A view that wants to ask is answered with an error, and its verdict is UNKNOWN."""
        statements: list[str] = []
        monkeypatch.setattr(CursorWrapper, "_execute", lambda cursor, sql, *args: statements.append(sql))
        rows = examined()
        assert statements == []
        asking = {row.route: row.why for row in rows if row.route.startswith("asks-database")}
        assert set(asking.values()) == {"whom it lets in depends on the database"}
        assert len(asking) == 2

    @pytest.mark.django_db
    @pytest.mark.parametrize("urlconf", [GALLERY, "tests.gallery.nowhere"])
    def test_the_database_is_there_afterwards(self, urlconf: str) -> None:
        """What was in the way is gone, also where the URLconf is not there."""
        with suppress(ImportError):
            audit.rows(urlconf)
        assert Group.objects.count() == 0

    def test_what_else_keeps_the_database_away_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Django's ``SimpleTestCase`` does."""
        keeps_away = object()
        monkeypatch.setattr(connection, "cursor", keeps_away)
        examined()
        assert connection.cursor is keeps_away

    def test_views_that_answer_later_are_left_to_the_loop_that_runs(self) -> None:
        """Inside of an event loop nothing can wait for them, and nothing is left unawaited."""

        async def in_a_loop() -> dict[str, dict[str, str]]:
            return of_drf(audit.rows((path("later/", views.Later.as_view()), path("now/", views.Reads.as_view()))))

        found = asyncio.run(in_a_loop())
        assert set(found["later/"].values()) == {"UNKNOWN"}
        assert set(found["now/"].values()) == {"PROTECTED"}

    def test_it_asks_a_host_that_is_served(self) -> None:
        """``ALLOWED_HOSTS`` of production knows no test server."""
        with override_settings(ALLOWED_HOSTS=[".example.com", "example.net"]):
            assert of_drf(examined())["login-required/"] == EXPECTED["login-required/"]

    def test_no_handler_runs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not even that of an open view."""
        ran: list[str] = []
        monkeypatch.setattr(views.Answers, "post", lambda *args: ran.append("post"))
        examined()
        assert ran == []

    def test_no_throttle_counts(self) -> None:
        """An audit uses up nobody's rate."""
        examined()
        assert list(getattr(cache, "_cache", {})) == []

    @pytest.mark.django_db
    def test_a_transaction_around_it_is_not_condemned(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """DRF's handler marks it for rollback under ``ATOMIC_REQUESTS``."""
        monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
        examined()
        assert connection.needs_rollback is False

    def test_a_view_is_asked_with_what_its_route_captures(self) -> None:
        """Permissions read ``kwargs``, the path and the resolver's match."""
        seen: list[Any] = []

        class Looks(BasePermission):
            """Look around."""

            def has_permission(self, request: Any, view: Any) -> bool:
                """Note what is there."""
                seen.append((request.method, view.kwargs, request.path, request.resolver_match.route))
                return False

        pattern = path("<int:pk>/<slug:name>/", views.Reads.as_view(permission_classes=[Looks]), {"extra": True})
        audit.rows((pattern,))
        kwargs = {"pk": 1, "name": "1", "extra": True}
        assert seen[0] == ("GET", kwargs, "/1/1/", "<int:pk>/<slug:name>/")

    @pytest.mark.parametrize(
        ("route", "why"),
        [
            ("anyone/", "reaches the handler; permissions: AllowAny"),
            ("nothing/", "reaches the handler; no permissions"),
            ("mixed-anyone/", "answers 403; permissions: ProtectedByDefaultMixin, AllowAny"),
            ("said-public/", "declared @public"),
            (
                "public-in-vain/",
                "reaches the handler; permissions: AllowAny; @public is hidden by a decorator above it",
            ),
            ("public-for-keys/", "declared @public, yet answers 403; permissions: HasKey"),
            ("basic-only/", "answers 401; permissions: IsAuthenticated"),
            ("login-required/", "answers 302 to /accounts/login/?next=/login-required/"),
            ("test-passed/", "answers 403 before DRF is asked"),
            ("own-login/", "answers 302 to /staff/sign-in/?next=/own-login/"),
            ("elsewhere/", "answers 302 to ?version=1 before it asks who that is"),
            ("asks-cache/", "whom it lets in depends on the cache"),
            ("cached/", "the view lets nobody in; a decorator from django.middleware.cache may"),
            ("card-first/", "the view lets nobody in; a decorator from tests.gallery.views may"),
            ("open-to/", "one of several views answers: Nothing, Reads"),
            ("handed/", "the view lets it in; a decorator from tests.gallery.views may not"),
            ("handed-closed/", "the view lets nobody in; a decorator from tests.gallery.views may"),
            ("chosen-by-method/", "one of several views answers: Nothing, SaidPublic"),
            ("chosen/", "one of several views answers: Nothing, SaidPublic"),
            ("behind-card/", "the view lets it in; a decorator from tests.gallery.views may not"),
            ("closed/", "answers 503 before it asks who that is"),
            ("broken/", "making the view or asking it raised KeyError"),
            ("unmade/", "making the view or asking it raised LookupError"),
            ("behind-login/", "the view lets it in; a decorator from django.contrib.auth.decorators may not"),
            ("login-handler/", "the view lets it in; a decorator from django.contrib.auth.decorators may not"),
            ("plain/", "not a view of DRF's"),
        ],
    )
    def test_it_says_why(self, route: str, why: str) -> None:
        """A verdict comes with its reason."""
        assert next(row.why for row in examined() if row.route == route) == why

    def test_views_are_named(self) -> None:
        """A dotted path that ends in the action of a viewset; a function is named after itself."""
        named = {row.name or row.route: row.view for row in examined() if row.method in {"GET", "ANY"}}
        assert named["bare/"] == "tests.gallery.views.Answers"
        assert named["shelf-leaflet"] == "tests.gallery.views.Shelf.leaflet"
        assert named["function/"] == "tests.gallery.views.function"
        assert named["plain/"] == "tests.gallery.views.plain"
        assert named["plain-class/"] == "tests.gallery.views.Plain"
        assert named["plain-partial/"] == "tests.gallery.views.plain"
        assert named["plain-object/"] == "tests.gallery.views.Callable"

    def test_routes_are_spelled_as_django_does(self) -> None:
        """What ``resolve()`` calls the route of a path is what the audit calls it."""
        with override_settings(ROOT_URLCONF=GALLERY):
            for route, example in PATHS.items():
                if example is not None and not route.startswith("admin/"):
                    assert resolve(f"/{example.path}").route == route


def jwt_audit(*arguments: str) -> str:
    """Return what the command prints."""
    printed = StringIO()
    call_command("jwt_audit", *arguments, stdout=printed, no_color=True)
    return printed.getvalue()


class TestTheCommand:
    """``manage.py jwt_audit``."""

    def test_json_has_the_contracts_shape(self) -> None:
        """DESIGN.md 8: a list of objects, one per route and method."""
        found = json.loads(jwt_audit("--format", "json"))
        assert {tuple(row) for row in found} == {("route", "name", "method", "view", "verdict", "why")}
        assert {
            "route": "api/notes/<int:pk>/archive/",
            "name": "note-archive",
            "method": "POST",
            "view": "notes.views.NoteViewSet.archive",
            "verdict": "PROTECTED",
            "why": "answers 403; permissions: ProtectedByDefaultMixin, IsAuthenticated",
        } in found

    def test_the_table_has_a_line_for_each_row_and_a_sum(self) -> None:
        """Columns for people."""
        heading, *lines, blank, total = jwt_audit("--urlconf", GALLERY).splitlines()
        assert heading.split() == ["VERDICT", "METHOD", "ROUTE", "VIEW", "WHY"]
        assert (len(lines), blank) == (len(examined()), "")
        counts = {verdict: sum(row.verdict is verdict for row in examined()) for verdict in Verdict}
        assert total == f"{len(lines)} endpoints: " + ", ".join(f"{count} {name}" for name, count in counts.items())

    def test_methods_can_be_chosen(self) -> None:
        """In either case, and more than one."""
        chosen = json.loads(jwt_audit("--format", "json", "--method", "delete", "--method", "PUT"))
        assert {row["method"] for row in chosen} == {"DELETE", "PUT"}

    def test_a_misspelt_method_is_an_error(self) -> None:
        """A CI job that looks at nothing does not pass; a method that no view has is fine."""
        with pytest.raises(CommandError, match="No endpoint has a method PSOT, and HTTP knows none"):
            jwt_audit("--fail-on-open", "--method", "POST", "--method", "psot")
        assert jwt_audit("--format", "json", "--method", "CONNECT") == "[]\n"

    @pytest.mark.parametrize("name", ["nowhere", "nowhere.urls", "tests.nowhere", "tests.urls.nowhere", "..urls", ""])
    def test_a_urlconf_that_does_not_exist_is_an_error(self, name: str) -> None:
        """A sentence, and no traceback."""
        with pytest.raises(CommandError, match=f"No URLconf is named '{name}'"):
            jwt_audit("--urlconf", name)

    @pytest.mark.parametrize("name", ["notes.models", "tests"])
    def test_a_module_that_is_no_urlconf_is_an_error_too(self, name: str) -> None:
        """What Django says of it is a sentence already."""
        with pytest.raises(CommandError, match=f"'{name}' does not appear to have any patterns in it"):
            jwt_audit("--urlconf", name)

    def test_what_a_urlconf_itself_cannot_import_is_not_hidden(self, tmp_path: Any, monkeypatch: Any) -> None:
        """That it exists is not in doubt."""
        (tmp_path / "half_written_urls.py").write_text("import a_library_that_is_missing\n")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ModuleNotFoundError, match="a_library_that_is_missing"):
            jwt_audit("--urlconf", "half_written_urls")

    def test_the_example_project_has_nothing_open(self) -> None:
        """US3: and nothing that could not be told."""
        jwt_audit("--fail-on-open", "--fail-on-unknown")

    @pytest.mark.parametrize(
        ("flag", "route"), [("--fail-on-open", "GET anyone/"), ("--fail-on-unknown", "GET broken/")]
    )
    def test_it_fails_where_it_is_told_to(self, flag: str, route: str) -> None:
        """Exit 1, and every endpoint at fault by name."""
        with pytest.raises(CommandError, match=route) as failure:
            jwt_audit("--urlconf", GALLERY, flag)
        assert failure.value.returncode == 1

    def test_a_view_that_would_not_tell_its_methods_fails_whatever_the_method(self) -> None:
        """It may answer the one that was chosen."""
        with pytest.raises(CommandError, match="UNKNOWN: ANY unmade/"):
            jwt_audit("--urlconf", GALLERY, "--method", "GET", "--fail-on-unknown")
        assert "PLAIN" not in jwt_audit("--urlconf", GALLERY, "--method", "GET").partition("endpoints")[0]

    def test_without_a_flag_it_does_not(self) -> None:
        """It only tells."""
        assert "OPEN" in jwt_audit("--urlconf", GALLERY)

    def test_colours_tell_the_verdicts_apart(self) -> None:
        """On a terminal."""
        printed = StringIO()
        call_command("jwt_audit", urlconf=GALLERY, stdout=printed, force_color=True)
        assert "\x1b[" in printed.getvalue()
