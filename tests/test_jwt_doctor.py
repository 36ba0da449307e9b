"""``manage.py jwt_doctor``."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import caches
from django.core.management import call_command
from example import settings as example_settings

from drf_jwt_kit import doctor
from drf_jwt_kit.doctor import Diagnosis
from drf_jwt_kit.findings import Finding, Status
from tests import outages

pytestmark = pytest.mark.django_db(transaction=True)

KIT = "drf_jwt_kit.authentication.JWTAuthentication"
REDIS = "django.core.cache.backends.redis.RedisCache"
FAILURES = ("LOGIN_FAILURES_PER_ACCOUNT_AND_ADDRESS", "LOGIN_FAILURES_PER_ADDRESS", "LOGIN_FAILURES_PER_ACCOUNT")


@pytest.fixture(autouse=True)
def _sound(settings: Any) -> None:
    """Start from the example project's own settings; a cache of its own is one warning there."""
    settings.PASSWORD_HASHERS = example_settings.PASSWORD_HASHERS
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "doctor"}}


def run(*options: str) -> tuple[str, int]:
    """Run the command; return what it printed and its exit status."""
    said = StringIO()
    try:
        call_command("jwt_doctor", *options, stdout=said)
    except SystemExit as ended:
        return said.getvalue(), int(ended.code or 0)
    return said.getvalue(), 0


def report(*options: str) -> tuple[dict[str, Any], int]:
    """Return the JSON and the exit status."""
    said, status = run("--json", *options)
    return json.loads(said), status


def everything() -> dict[str, Any]:
    """Return all rows of all tables, and all keys of the cache."""
    rows = {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in apps.get_models()}
    return {**rows, "cache": list(caches["default"]._cache)}


def test_a_sound_project_is_well_and_stays_as_it_is(user: Any, tokens: Any) -> None:
    """Issue 5, acceptance: ok on each of the suite's databases, and nothing is left behind."""
    before = everything()
    found, status = report()
    assert (found["ok"], status) == (True, 0)
    assert {finding["status"] for finding in found["findings"]} <= {"ok", "note", "warning"}
    assert everything() == before


def test_json_has_four_texts_for_each_finding() -> None:
    """The shape that machines read."""
    found, _status = report()
    assert set(found) == {"findings", "ok"}
    assert all(list(finding) == ["topic", "status", "found", "remedy"] for finding in found["findings"])
    assert all(isinstance(text, str) for finding in found["findings"] for text in finding.values())
    assert {finding["topic"] for finding in found["findings"]} == set(doctor.TOPICS)


def test_warnings_count_where_they_are_meant_to() -> None:
    """``--fail-on-warning``: here it is W011."""
    assert report()[1] == 0
    found, status = report("--fail-on-warning")
    assert (found["ok"], status) == (False, 1)


def test_a_service_that_only_verifies_is_no_fault(settings: Any) -> None:
    """It has no sign-in to try; a project that has lost its own is told."""
    settings.SILENCED_SYSTEM_CHECKS = ["drf_jwt_kit.W011"]
    settings.ROOT_URLCONF = "notes.urls"
    assert report("--fail-on-warning")[1] == 1
    settings.SIMPLE_JWT = {"ALGORITHM": "RS256", "JWK_URL": "http://127.0.0.1:1/"}
    found, status = report("--fail-on-warning")
    assert (found["ok"], status) == (True, 0)
    noted = [finding["found"] for finding in found["findings"] if finding["topic"] == "round_trip"]
    assert noted == ["Not made: no key signs, and the URLconf has no sign-in or refresh of the kit's or simplejwt's."]


def test_figures_are_there() -> None:
    """Issue 5.5: milliseconds, statements, bits and seconds are measured."""
    said = " ".join(run()[0].split())
    for figure in (
        r"HS256 signs with a key of \d+ bits",
        r"check_password takes [\d.]+ ms with argon2",
        r"wrote, read and deleted in [\d.]+ ms; 8 threads counted to 400",
        r"clock is \d+\.\d\d s (ahead|behind)",
        r"obtain: 200 in [\d.]+ ms with \d SQL statements of 4\.",
        r"replay: 401 reused in [\d.]+ ms with \d SQL statements\.",
    ):
        assert re.search(figure, said), figure


class TestOutput:
    """What people read."""

    @pytest.fixture(autouse=True)
    def _findings(self, monkeypatch: Any) -> None:
        """Find four things under three topics."""
        found = [
            Diagnosis("settings", Finding(Status.ERROR, "One thing is wrong.", "Mend it.")),
            Diagnosis(
                "settings", Finding(Status.WARNING, "Another thing is " + "rather " * 12 + "odd.", "Look at it.")
            ),
            Diagnosis("round_trip", Finding(Status.OK, "This is well.")),
            Diagnosis("sessions", Finding(Status.NOTE, "This is to be known.", "Or not.")),
        ]
        monkeypatch.setattr(doctor, "examine", lambda: iter(found))
        monkeypatch.setenv("COLUMNS", "60")

    def test_it_is_aligned_and_grouped(self) -> None:
        """A topic is named once; a remedy stands beneath what it is for; the last line counts."""
        said, status = run("--no-color")
        assert status == 1
        assert said.splitlines() == [
            "settings    error   One thing is wrong.",
            "                      Mend it.",
            "            warning Another thing is rather rather rather",
            "                    rather rather rather rather rather",
            "                    rather rather rather rather odd.",
            "                      Look at it.",
            "round trip  ok      This is well.",
            "sessions    note    This is to be known.",
            "                      Or not.",
            "1 ok, 1 note, 1 warning, 1 error.",
        ]

    def test_more_than_one_of_a_kind_is_counted_as_such(self, monkeypatch: Any) -> None:
        """As English has it."""
        monkeypatch.setattr(doctor, "examine", lambda: iter([]))
        assert run("--no-color") == ("0 ok, 0 notes, 0 warnings, 0 errors.\n", 0)

    def test_it_is_coloured_where_that_is_wanted(self) -> None:
        """Each status in a colour of its own, and the same text beneath."""
        coloured = run("--force-color")[0]
        assert len(set(re.findall(r"(\x1b\[[\d;]+m)(?:ok|note|warning|error) ", coloured))) == 4
        assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == run("--no-color")[0]

    def test_a_narrow_terminal_still_gets_words(self, monkeypatch: Any) -> None:
        """Narrower than the columns are."""
        monkeypatch.setenv("COLUMNS", "10")
        assert "This is well." in run("--no-color")[0]

    def test_json_is_all_that_is_printed(self) -> None:
        """Nothing before it, nothing behind it, no colour."""
        said, status = run("--json", "--force-color")
        assert status == 1
        assert json.loads(said)["findings"][0] == {
            "topic": "settings",
            "status": "error",
            "found": "One thing is wrong.",
            "remedy": "Mend it.",
        }


BROKEN = {
    "a misspelt key": ({"DRF_JWT_KIT": {"ANONYMUS_STATUS": 401}}, "settings", "E001", "mean 'ANONYMOUS_STATUS'"),
    "a gate that is nowhere": ({"DRF_JWT_KIT": {"SIGN_IN_GATE": "no.gate"}}, "settings", "E002: .*'no.gate'", "e002"),
    "a lifetime in seconds": ({"SIMPLE_JWT": {"ACCESS_TOKEN_LIFETIME": 300}}, "settings", "E004", "checks.md#e004"),
    "a refresh token that ends first": (
        {"SIMPLE_JWT": {"REFRESH_TOKEN_LIFETIME": timedelta(minutes=1)}},
        "settings",
        "E005",
        "ends first",
    ),
    "a short key": ({"SIMPLE_JWT": {"SIGNING_KEY": "secret"}}, "keys", "a key of 48 bits", "at least 256 bits"),
    "keys that do not fit": (
        {"SIMPLE_JWT": {"ALGORITHM": "RS256", "SIGNING_KEY": "no pem"}},
        "keys",
        "could not be signed and verified",
        "belong together",
    ),
    "a leeway that is text": ({"SIMPLE_JWT": {"LEEWAY": "10"}}, "settings", "E018: .*'10'", "checks.md#e018"),
    "sessions before tokens": (
        {
            "REST_FRAMEWORK": {
                "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication", KIT]
            }
        },
        "settings",
        "W013: SessionAuthentication",
        "first",
    ),
    "a hasher that is not there": (
        {"PASSWORD_HASHERS": ["no.such.Hasher"]},
        "hasher",
        "No module named 'no'",
        "PASSWORD_HASHERS",
    ),
    "a hasher that is none": (
        {"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]},
        "settings",
        "E021: .*md5",
        "Argon2idPasswordHasher",
    ),
    "a cache that keeps nothing": (
        {"CACHES": {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}},
        "cache",
        "DummyCache keeps nothing",
        "Redis or Valkey",
    ),
    "a cache that is nowhere": (
        {"CACHES": {"default": {"BACKEND": REDIS, "LOCATION": "redis://127.0.0.1:1"}}},
        "cache",
        "ConnectionError",
        "CACHES",
    ),
    "naive times": ({"USE_TZ": False, "TIME_ZONE": "Europe/Berlin"}, "settings", "W017: .*Berlin", "USE_TZ = True"),
    "an undeclared proxy": (
        {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")},
        "settings",
        "W015: SECURE_PROXY_SSL_HEADER",
        "Set TRUSTED_PROXIES",
    ),
    "no limits": (
        {"DRF_JWT_KIT": dict.fromkeys(FAILURES)},
        "settings",
        "W024: .*without limit",
        "defaults",
    ),
    "no hosts": ({"ALLOWED_HOSTS": []}, "round_trip", "400 instead of 403", "ALLOWED_HOSTS"),
    "no endpoints": ({"ROOT_URLCONF": "notes.urls"}, "round_trip", "nowhere in the URLconf", "include"),
    "no URLconf": ({"ROOT_URLCONF": "no.urls"}, "round_trip", "No module named 'no'", "Mend that"),
    "a middleware that is nowhere": ({"MIDDLEWARE": ["no.middleware"]}, "round_trip", "no", "Mend that"),
    "a backend that is nowhere": (
        {"AUTHENTICATION_BACKENDS": ["no.backend"]},
        "round_trip",
        "503 service_unavailable .*No module named .no.",
        "Mend what stands in parentheses",
    ),
}


@pytest.mark.parametrize(("broken", "topic", "found", "remedy"), BROKEN.values(), ids=BROKEN)
def test_broken_settings_are_named_with_the_remedy(
    settings: Any, broken: dict[str, Any], topic: str, found: str, remedy: str
) -> None:
    """Issue 5, acceptance: the fault, and what to do about it; all other topics are still looked at."""
    for name, value in broken.items():
        setattr(settings, name, value)
    findings = report()[0]["findings"]
    told = [it for it in findings if it["topic"] == topic and re.search(found, it["found"])]
    assert [it["status"] in {"warning", "error"} and remedy in it["remedy"] for it in told] == [True], findings
    assert {it["topic"] for it in findings} == set(doctor.TOPICS)


@pytest.mark.processes
def test_a_redis_that_was_stopped_is_named(settings: Any) -> None:
    """Issue 5.5: it was all right while it ran, and nothing is left in it."""
    with outages.private_redis() as redis:
        settings.CACHES = {"default": {"BACKEND": REDIS, "LOCATION": redis.url}}
        found, status = report()
        assert (found["ok"], status) == (True, 0), found
        assert [it["status"] for it in found["findings"] if it["topic"] in {"settings", "cache"}] == ["ok", "ok"]
        assert caches["default"]._cache.get_client().keys("*") == []
        redis.stop()
        found, status = report()
        assert status == 1
        errors = [finding for finding in found["findings"] if finding["status"] == "error"]
        assert [(finding["topic"], "ConnectionError" in finding["found"]) for finding in errors] == [
            ("cache", True),
            ("round_trip", True),
        ]
        assert "CACHES" in errors[0]["remedy"]
        redis.start()
