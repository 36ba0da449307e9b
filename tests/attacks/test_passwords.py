"""THREATS "Passwords, enumeration, throttling": what a password is, and what its failure tells."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import MD5PasswordHasher, PBKDF2PasswordHasher, make_password
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import (
    ImproperlyConfigured,
    ObjectDoesNotExist,
    PermissionDenied,
    SuspiciousOperation,
)
from django.db import DatabaseError, IntegrityError, connection
from django.http import Http404
from rest_framework.exceptions import NotAcceptable

from drf_jwt_kit.models import TokenSession
from tests.attacks import forge
from tests.attacks.conftest import is_json
from tests.attacks.work import steps
from tests.attempts import count_hashing
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def attempt(client: Any, username: str, password: str) -> Any:
    """Return the answer to one sign-in."""
    return client.post("/api/token/", {"username": username, "password": password}, format="json")


SPACES = [" {}", "{} ", "  {}  ", "\t{}", "{}\n", "\r\n{}", "\u00a0{}", "{}\u3000", "{}\u200b", "\ufeff{}", "{}\u0301"]


@pytest.mark.parametrize("template", SPACES, ids=forge.label)
def test_outer_spaces_belong_to_the_password(client: Any, user: Any, django_user_model: Any, template: str) -> None:
    """THREATS: 200 for the account that has them, 401 for the one that has not, and the reverse."""
    spaced = template.format(PASSWORD)
    django_user_model.objects.create_user("spaced", password=spaced)
    found = {
        (name, given): attempt(client, name, given).status_code
        for name, given in (("spaced", spaced), ("spaced", PASSWORD), ("alice", PASSWORD), ("alice", spaced))
    }
    assert list(found.values()) == [200, 401, 200, 401]


ODD_PASSWORDS = [" ", "\t", "ä", "a\u0308", "密码", "🔑", "null", "0", "x" * 4096, "\x01\x1b", "%00", "'\"", "<script>"]


@pytest.mark.parametrize("password", ODD_PASSWORDS, ids=forge.label)
def test_a_password_may_be_any_text(client: Any, django_user_model: Any, password: str) -> None:
    """US1: what Django stored signs in, unchanged; a little more or less does not."""
    django_user_model.objects.create_user("odd", password=password)
    assert attempt(client, "odd", password).status_code == 200
    for other in (password[:-1] + "\u2603", password[:4000] + "x", f"{password[:4000]} "):
        assert attempt(client, "odd", other).status_code == 401


@pytest.mark.parametrize("length", [4097, 10_000, 1_000_000, 2_000_000])
def test_a_password_too_long_is_a_400(client: Any, user: Any, settings: Any, length: int) -> None:
    """THREATS: a 1 MB password is refused before anything hashes it, for known and unknown users alike."""
    hasher = count_hashing(settings)
    known, unknown = (attempt(client, name, "x" * length) for name in ("alice", "nobody"))
    assert hasher.calls == 0
    assert (known.status_code, known.content) == (400, unknown.content)
    assert is_json(known)
    assert list(known.json()) == ["password"]
    assert "x" * 100 not in known.content.decode()


@pytest.mark.parametrize("field", ["username", "password"])
def test_a_credential_is_too_long_at_a_glance(client: Any, user: Any, field: str) -> None:
    """THREATS: a megabyte costs no CPU, neither hashed nor looked through."""
    body = {"username": "alice", "password": PASSWORD, field: "\u00e4" * 1_000_000}
    assert steps(lambda: client.post("/api/token/", body, format="json")) < 20_000


NOBODIES = [
    *(
        "nobody",
        "ALICE",
        "Alice",
        "\uff41lice",
        "alice\u0301",
        "alice\u200b",
        "\u0430lice",
    ),
    *("alice' --", "%", "*", "alice%00", "x" * 254, "alice\r\nadmin", "\x1b[31malice", "null", "0", "${jndi:ldap://x}"),
]


@pytest.fixture
def accounts(user: Any, django_user_model: Any) -> dict[str, Any]:
    """Users who may not sign in, by name."""
    make = django_user_model.objects.create_user
    make("inactive", password=PASSWORD, is_active=False)
    make("unusable").set_unusable_password()
    make("empty", password=PASSWORD)
    django_user_model.objects.filter(username="empty").update(password="")
    make("garbled", password=PASSWORD)
    django_user_model.objects.filter(username="garbled").update(password="not a hash")
    make("plain", password=PASSWORD)
    django_user_model.objects.filter(username="plain").update(password=PASSWORD)
    make("legacy")
    django_user_model.objects.filter(username="legacy").update(
        password=PBKDF2PasswordHasher().encode("another password", "salt", 1)
    )
    return {found.username: found for found in django_user_model.objects.all()}


def case_is_ignored() -> bool:
    """Return whether the database takes ALICE for alice, as MySQL's collations do: then that is her name."""
    return bool(connection.vendor == "mysql")


def told(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    """Return everything that an answer tells."""
    return answer.status_code, answer.content, dict(answer.headers)


@pytest.mark.parametrize(
    "name", ["alice", "inactive", "unusable", "empty", "garbled", "plain", "legacy", *NOBODIES], ids=forge.label
)
@pytest.mark.usefixtures("accounts")
def test_failures_are_alike(client: Any, settings: Any, name: str) -> None:
    """THREATS: unknown, wrong, inactive, unusable, legacy hasher: same status, same body, same headers."""
    settings.PASSWORD_HASHERS = [*settings.PASSWORD_HASHERS, "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    reference = told(attempt(client, "no such user", "wrong"))
    assert (reference[0], json.loads(reference[1])["code"]) == (401, "no_active_account")
    for password in ("wrong", PASSWORD, "!", " ", "not a hash"):
        if (name, password) != ("alice", PASSWORD) and not (name.lower() == "alice" and case_is_ignored()):
            assert told(attempt(client, name, password)) == reference, password
    assert not TokenSession.objects.exists()


@pytest.mark.usefixtures("accounts")
def test_a_rule_of_the_projects_own_tells_nothing_either(client: Any, settings: Any) -> None:
    """THREATS: a backend that finds inactive users changes nothing: the rule refuses them alike."""
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]
    assert told(attempt(client, "inactive", PASSWORD)) == told(attempt(client, "nobody", PASSWORD))


def has_enough(**arguments: Any) -> None:
    """Be a receiver that stops whoever failed, as packages do that count failures themselves."""
    raise PermissionDenied


def is_down(**arguments: Any) -> None:
    """Be a receiver that fails."""
    raise ConnectionError


def answers(**arguments: Any) -> None:
    """Be a receiver with words of its own."""
    raise NotAcceptable


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize(("receiver", "status"), [(has_enough, 401), (is_down, 503), (answers, 406)])
def test_a_receiver_of_failures_does_not_tell_that_the_password_was_right(
    client: Any, settings: Any, receiver: Any, status: int
) -> None:
    """THREATS, enumeration: wrong, unknown and inactive are alike and count alike, whoever of the two tells of it."""
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ADDRESS": None}
    tried = [("inactive", PASSWORD), ("alice", "wrong"), ("nobody", PASSWORD)]
    user_login_failed.connect(receiver)
    try:
        found = [[told(attempt(client, *credentials)) for _ in range(6)] for credentials in tried]
    finally:
        user_login_failed.disconnect(receiver)
    assert [answer[0] for answer in found[0]] == [status] * 5 + [429]
    assert found[0][:5] == found[1][:5] == found[2][:5]
    assert [answers[5][0] for answers in found] == [429] * 3


class Short(MD5PasswordHasher):
    """A hasher that takes 72 bytes, as bcrypt does."""

    algorithm = "short"

    def encode(self, password: str, salt: str) -> str:
        """Refuse more."""
        if len(password.encode()) > 72:
            raise ValueError("password cannot be longer than 72 bytes")
        return super().encode(password, salt)


class Missing(MD5PasswordHasher):
    """A hasher whose library is not there."""

    algorithm = "missing"

    def encode(self, password: str, salt: str) -> str:
        """Refuse everything, as Django does."""
        raise ValueError("Couldn't load 'Missing' algorithm library")


class Verifies(MD5PasswordHasher):
    """A hasher for what was imported, which hashes nothing itself."""

    algorithm = "imported"

    def encode(self, password: str, salt: str) -> str:
        """Say so."""
        raise NotImplementedError


VERIFIES = f"{__name__}.Verifies"
MD5 = "django.contrib.auth.hashers.MD5PasswordHasher"
SHORT = f"{__name__}.Short"
LONG = "x" * 73


@pytest.mark.parametrize(
    ("hashers", "stored", "password"),
    [
        ([SHORT], "short", "x"),
        ([SHORT, MD5], "short", "x"),
        ([SHORT, MD5], "md5", "x"),
        ([SHORT, MD5], "md5", LONG),
        ([MD5, SHORT], "short", "x"),
        ([MD5, VERIFIES, SHORT], "short", "x"),
    ],
    ids=["alone", "preferred", "beside an older one", "right, and not to be hashed anew", "older", "beside another"],
)
def test_a_password_that_a_hasher_refuses_is_a_wrong_one(
    client: Any, settings: Any, user: Any, *, hashers: list[str], stored: str, password: str
) -> None:
    """THREATS, enumeration: bcrypt takes 72 bytes; known and unknown names are denied alike, and limited."""
    settings.PASSWORD_HASHERS, settings.DRF_JWT_KIT = [SHORT, MD5], {"LOGIN_FAILURES_PER_ADDRESS": None}
    type(user).objects.update(password=make_password(password, hasher=stored))
    settings.PASSWORD_HASHERS = hashers
    known, unknown = ([told(attempt(client, name, LONG)) for _ in range(6)] for name in ("alice", "nobody"))
    assert [answer[0] for answer in known] == [401] * 5 + [429]
    assert known[:5] == unknown[:5]
    assert unknown[5][0] == 429


@pytest.mark.parametrize("stored", ["md5", "missing"])
def test_a_hasher_that_takes_no_password_at_all_is_no_denial(
    client: Any, settings: Any, user: Any, caplog: Any, stored: str
) -> None:
    """Law 8: without its library nobody is let in, known or unknown, and the log tells of it."""
    settings.PASSWORD_HASHERS = [f"{__name__}.Missing", MD5]
    type(user).objects.update(password=f"{stored}$salt$hash")
    known, unknown = (told(attempt(client, name, "wrong")) for name in ("alice", "nobody"))
    assert known == unknown
    assert known[0] == 503
    assert caplog.text.count("An authentication backend failed.") == 2


class Denying(ModelBackend):
    """A backend that knows nobody."""

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        """Deny."""


class Forbidding(ModelBackend):
    """A backend that ends the search."""

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        """Forbid."""
        raise PermissionDenied


class Raising(ModelBackend):
    """A backend that fails, with the error of each family in turn."""

    error: type[BaseException] = RuntimeError

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        """Fail."""
        raise self.error(credentials)


class WordlessError(Exception):
    """An error that cannot even be shown."""

    def __str__(self) -> str:
        """Fail."""
        raise ValueError


class GroupedError(ExceptionGroup[Exception]):
    """Several errors in one."""

    def __new__(cls, credentials: dict[str, str]) -> Any:
        """Take what each error takes."""
        return super().__new__(cls, str(credentials), [KeyError(credentials["password"])])


class Returning(ModelBackend):
    """A backend that knows somebody who is no user."""

    found: Any = None

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        """Return it."""
        return self.found


ERRORS: list[type[Exception]] = [
    *(
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        AssertionError,
        StopIteration,
        NotImplementedError,
    ),
    *(OSError, TimeoutError, RecursionError, MemoryError, ImportError, EOFError, WordlessError, GroupedError),
    *(Http404, ObjectDoesNotExist, SuspiciousOperation, ImproperlyConfigured, DatabaseError, IntegrityError),
]
BACKENDS: list[tuple[str, Any, int]] = [
    ("Denying", None, 401),
    ("Forbidding", None, 401),
    *(("Raising", error, 503) for error in ERRORS),
    *(("Returning", found, 503) for found in (False, 0, "", "alice", ())),
    ("Returning", AnonymousUser(), 401),
]


@pytest.mark.parametrize("case", BACKENDS, ids=forge.label)
def test_only_the_backends_decide(
    client: Any, user: Any, settings: Any, monkeypatch: Any, caplog: Any, case: tuple[str, Any, int]
) -> None:
    """Law 8: denies, forbids, raises anything: 401, 401, 503; right credentials are no way round, nor are they told."""
    name, outcome, status = case
    monkeypatch.setattr(Raising, "error", outcome)
    monkeypatch.setattr(Returning, "found", outcome)
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{name}"]
    answer = attempt(client, "alice", PASSWORD)
    assert answer.status_code == status, answer.content
    assert is_json(answer)
    assert PASSWORD not in answer.content.decode() + caplog.text
    assert ("An authentication backend failed." in caplog.text) == (status == 503)
    assert not TokenSession.objects.exists()


def test_without_a_backend_nobody_signs_in(client: Any, user: Any, settings: Any) -> None:
    """Law 8: where the project names none, Django says that it is no configuration, and nobody is let in."""
    settings.AUTHENTICATION_BACKENDS = []
    assert attempt(client, "alice", PASSWORD).status_code == 503


def test_a_backend_that_forbids_is_not_passed_over(client: Any, user: Any, settings: Any) -> None:
    """Law 8: the next backend is not asked after one that forbade or failed."""
    for name, status in (("Forbidding", 401), ("Raising", 503)):
        settings.AUTHENTICATION_BACKENDS = [f"{__name__}.{name}", "django.contrib.auth.backends.ModelBackend"]
        assert attempt(client, "alice", PASSWORD).status_code == status
