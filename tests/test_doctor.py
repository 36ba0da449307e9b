"""What the doctor looks at, topic by topic."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher, make_password
from django.core.checks import Info, register
from django.core.checks.registry import registry
from example import settings as example_settings

from drf_jwt_kit import doctor, models, sessions
from drf_jwt_kit.findings import Finding, Status
from drf_jwt_kit.models import TokenSession

MD5 = "django.contrib.auth.hashers.MD5PasswordHasher"
TOPICS = ["settings", "keys", "hasher", "cache", "clock", "proxies", "protection", "sessions", "round_trip"]


@pytest.fixture(autouse=True)
def _hashers(settings: Any) -> None:
    """Hash passwords as the example project does."""
    settings.PASSWORD_HASHERS = example_settings.PASSWORD_HASHERS


def examined(topic: str) -> list[Finding]:
    """Return what is found under one topic."""
    return [diagnosis.finding for diagnosis in doctor.examine() if diagnosis.topic == topic]


def pem(key: Any) -> dict[str, str]:
    """Return a key pair as the two settings."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return {"SIGNING_KEY": private, "VERIFYING_KEY": public}


VERIFYING = {"ALGORITHM": "RS256", "JWK_URL": "http://127.0.0.1:1/"}


@pytest.mark.django_db
class TestExamination:
    """The whole of it."""

    def test_a_sound_project_has_no_error(self) -> None:
        """Issue 5.5: every topic is looked at, in this order, on each of the suite's databases."""
        found = list(doctor.examine())
        assert list(dict.fromkeys(diagnosis.topic for diagnosis in found)) == TOPICS
        assert [diagnosis for diagnosis in found if diagnosis.finding.status is Status.ERROR] == []
        assert all(bool(finding.remedy) is (finding.status is not Status.OK) for _topic, finding in found)

    def test_a_topic_that_fails_keeps_nobody_from_the_next(self, monkeypatch: Any) -> None:
        """A project may be broken in any way: it is named, with what was found before it broke."""

        def broken() -> Any:
            yield Finding(Status.OK, "So far so good.")
            raise RuntimeError("then this\nand a long story")

        monkeypatch.setattr(doctor, "TOPICS", {"first": broken, "second": doctor.key_ring})
        [good, bad, next_one] = doctor.examine()
        assert good == ("first", Finding(Status.OK, "So far so good."))
        assert (bad.topic, bad.finding.status) == ("first", Status.ERROR)
        assert bad.finding.found == "Could not be examined: RuntimeError: then this"
        assert next_one.topic == "second"

    def test_settings_that_cannot_be_read_do_not_stop_it(self, settings: Any) -> None:
        """Issue 5.5: what later topics could not look at, and why."""
        settings.DRF_JWT_KIT = {"NOPE": 1}
        assert [finding.status for finding in examined("keys")] == [Status.OK]
        [error] = examined("round_trip")
        assert error.found.startswith("Could not be examined: ImproperlyConfigured: DRF_JWT_KIT has no key 'NOPE'.")


class TestSystemChecks:
    """The topic ``settings``."""

    def test_silence_is_a_finding(self, settings: Any) -> None:
        """With how many checks were silent."""
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}
        [finding] = doctor.system_checks()
        assert finding.status is Status.OK
        assert int(re.findall(r"\d+", finding.found)[0]) >= 15

    def test_each_message_comes_with_its_id_and_hint(self, settings: Any) -> None:
        """Those of ``check --deploy``, too; errors come first."""
        settings.SIMPLE_JWT = {"ACCESS_TOKEN_LIFETIME": 300}
        error, warning = doctor.system_checks()
        assert (error.status, warning.status) == (Status.ERROR, Status.WARNING)
        assert error.found.startswith("drf_jwt_kit.E004: SIMPLE_JWT['ACCESS_TOKEN_LIFETIME'] must be a timedelta")
        assert warning.found.startswith("drf_jwt_kit.W011: ")
        assert "Redis" in warning.remedy

    def test_what_a_project_silenced_is_silent(self, settings: Any) -> None:
        """It was answered before."""
        settings.SILENCED_SYSTEM_CHECKS = ["drf_jwt_kit.W011"]
        [finding] = doctor.system_checks()
        assert finding.status is Status.OK

    def test_checks_of_others_are_theirs(self) -> None:
        """``manage.py check`` runs them."""

        @register("security")
        def check(**kwargs: Any) -> list[Any]:
            return [Info("Not ours.", id="elsewhere.I001")]

        try:
            assert all("Not ours" not in finding.found for finding in doctor.system_checks())
        finally:
            registry.registered_checks.remove(check)

    def test_a_check_that_breaks_is_named(self, settings: Any) -> None:
        """The others still run: a URLconf that is not there breaks those that look into it."""
        settings.SECURE_SSL_REDIRECT, settings.ROOT_URLCONF = True, "no.such.urls"
        *broken, warning = doctor.system_checks()
        assert {finding.found for finding in broken} == {
            "Could not be examined: ModuleNotFoundError: No module named 'no'"
        }
        assert warning.found.startswith("drf_jwt_kit.W011")


@pytest.mark.django_db
@pytest.mark.parametrize("location", ["redis://:s3cr3t/pw@cache.example:6379/0", "redis://:s3cr3t#pw@cache.example/0"])
def test_no_part_of_a_password_is_printed(settings: Any, caplog: Any, location: str) -> None:
    """Law 10: one that was not quoted makes a URL that cannot be read, and of that an error says a part."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location}}
    found = [diagnosis.finding.found for diagnosis in doctor.examine()]
    assert "The default cache does not answer (ValueError): failed sign-ins cannot be counted." in found
    assert "s3cr3t" not in " ".join(found) + caplog.text


class TestKeyRing:
    """The topic ``keys``."""

    @pytest.mark.parametrize(
        ("overridden", "words"),
        [
            ({}, "HS256 signs with a key of 416 bits, which is SECRET_KEY. 1 key verifies."),
            (
                {"SECRET_KEY_FALLBACKS": ["f" * 40, "g" * 40]},
                "HS256 signs with a key of 416 bits, which is SECRET_KEY. 3 keys verify.",
            ),
            (
                {"SIMPLE_JWT": {"ALGORITHM": "HS512", "SIGNING_KEY": "k" * 70}},
                "HS512 signs with a key of 560 bits. 1 key verifies.",
            ),
            (
                {"SIMPLE_JWT": {"ALGORITHM": "RS256", **pem(rsa.generate_private_key(65537, 2048))}},
                "RS256 signs with a key of 2048 bits. 1 key verifies.",
            ),
            (
                {"SIMPLE_JWT": {"ALGORITHM": "ES384", **pem(ec.generate_private_key(ec.SECP384R1()))}},
                "ES384 signs with a key of 384 bits. 1 key verifies.",
            ),
            (
                {"SIMPLE_JWT": {"ALGORITHM": "EdDSA", **pem(ed25519.Ed25519PrivateKey.generate())}},
                "EdDSA signs with a key. 1 key verifies.",
            ),
        ],
        ids=["HS256", "fallbacks", "HS512", "RS256", "ES384", "EdDSA"],
    )
    def test_a_key_that_is_long_enough(self, settings: Any, overridden: dict[str, Any], words: str) -> None:
        """Its length, whose it is, and how many verify."""
        for name, value in overridden.items():
            setattr(settings, name, value)
        [finding] = doctor.key_ring()
        assert finding == (Status.OK, words, "")

    def test_keys_at_a_jwks_url(self, settings: Any) -> None:
        """Nobody is asked for them."""
        pair = pem(rsa.generate_private_key(65537, 2048))
        settings.SIMPLE_JWT = {"ALGORITHM": "RS256", **pair, "JWK_URL": "http://127.0.0.1:1/"}
        [finding] = doctor.key_ring()
        assert finding.found.endswith("bits. The keys at JWK_URL verify.")

    def test_no_key_that_signs_beside_a_sign_in(self, settings: Any) -> None:
        """Whoever signs in would be answered 500."""
        settings.SIMPLE_JWT = VERIFYING
        [finding] = doctor.key_ring()
        assert finding.status is Status.ERROR
        assert finding.found == "RS256: a token could not be signed and verified (InvalidKeyError)."

    def test_no_key_that_signs_and_no_sign_in(self, settings: Any) -> None:
        """A view of the project's own may sign in all the same: nothing is said of that, but what it needs."""
        settings.ROOT_URLCONF, settings.SIMPLE_JWT = "notes.urls", VERIFYING
        [finding] = doctor.key_ring()
        assert finding.status is Status.NOTE
        assert finding.found == (
            "RS256: no key signs, and the URLconf has no sign-in or refresh of the kit's or simplejwt's. "
            "The keys at JWK_URL verify."
        )
        assert "SIGNING_KEY" in finding.remedy

    @pytest.mark.filterwarnings("ignore:The RSA key is 1024 bits long")
    @pytest.mark.parametrize(
        ("simple_jwt", "words", "remedy"),
        [
            ({"SIGNING_KEY": "short-key"}, "HS256 signs with a key of 72 bits.", "at least 256 bits"),
            ({"SIGNING_KEY": None}, "HS256 signs with a key of 0 bits.", "at least 256 bits"),
            ({"ALGORITHM": "HS512", "SIGNING_KEY": "k" * 63}, "HS512 signs with a key of 504 bits", "least 512 bits"),
            (
                {"ALGORITHM": "RS256", **pem(rsa.generate_private_key(65537, 1024))},  # noqa: S505 - that is the point
                "RS256 signs with a key of 1024 bits.",
                "at least 2048 bits",
            ),
            ({"ALGORITHM": "RS256", "SIGNING_KEY": "no-pem"}, "RS256: a token could not be signed", "belong together"),
            ({"ALGORITHM": "HS257"}, "HS257: a token could not be signed and verified", "belong together"),
        ],
        ids=["short", "none", "HS512", "RSA 1024", "no PEM", "HS257"],
    )
    def test_a_key_that_will_not_do(self, settings: Any, simple_jwt: dict[str, Any], words: str, remedy: str) -> None:
        """RFC 7518 3: how long it must be; the key itself is not shown (law 10)."""
        settings.SIMPLE_JWT = simple_jwt
        [finding] = doctor.key_ring()
        assert finding.status is Status.ERROR
        assert finding.found.startswith(words)
        assert remedy in finding.remedy
        assert str(simple_jwt.get("SIGNING_KEY")) not in f"{finding.found} {finding.remedy}"

    def test_a_key_is_not_blamed_for_a_leeway(self, settings: Any) -> None:
        """No token can be verified with one that is text, and E018 says so."""
        settings.SIMPLE_JWT = {"LEEWAY": "10"}
        [finding] = doctor.key_ring()
        assert finding.status is Status.OK

    def test_the_key_that_startproject_wrote(self, settings: Any) -> None:
        """It is in a repository."""
        settings.SECRET_KEY = "django-insecure-" + "k" * 50
        [finding] = doctor.key_ring()
        assert finding.status is Status.WARNING
        assert "startproject" in finding.found
        assert "get_random_secret_key" in finding.remedy


@pytest.mark.django_db
class TestHasher:
    """The topic ``hasher``."""

    def test_its_time_is_measured(self) -> None:
        """In milliseconds, against the 200 of SC-001."""
        [finding] = doctor.hasher()
        assert re.fullmatch(
            r"check_password takes [\d.]+ ms with argon2; a sign-in may take 200 ms \(SC-001\)\.", finding.found
        )

    @pytest.mark.parametrize(
        ("seconds", "status"),
        [
            (0.4, Status.WARNING),
            (0.191, Status.WARNING),
            (0.19, Status.OK),
            (0.005, Status.OK),
            (0.004, Status.WARNING),
        ],
    )
    def test_what_is_too_slow_and_what_too_fast(self, seconds: float, status: Status) -> None:
        """The remedy is the same."""
        finding = doctor.judged_hasher("any", seconds)
        assert finding.status is status
        assert ("Argon2idPasswordHasher" in finding.remedy) is (status is Status.WARNING)

    @pytest.mark.parametrize("hashers", [[], ["no.such.Hasher"], ["tests.test_doctor.MissingLibrary"]], ids=str)
    def test_a_hasher_that_cannot_be_had_is_an_error(self, settings: Any, hashers: list[str]) -> None:
        """Every sign-in would fail."""
        settings.PASSWORD_HASHERS = hashers
        [finding] = doctor.hasher()
        assert finding.status is Status.ERROR
        assert finding.found.startswith("No password can be hashed: ")
        assert "PASSWORD_HASHERS" in finding.remedy

    def test_older_hashes_are_counted(self, settings: Any, user: Any) -> None:
        """Who has them, and who has none at all."""
        settings.PASSWORD_HASHERS = [*example_settings.PASSWORD_HASHERS, MD5]
        users = get_user_model().objects
        for number, text in enumerate([make_password("a", hasher="md5"), make_password("a", hasher="md5"), "gone$1$x"]):
            users.create(username=f"user{number}", password=text)
        users.create_user("unusable")
        users.filter(pk=user.pk).update(password=make_password("a"))
        _time, unknown, older = doctor.hasher()
        assert unknown.status is Status.WARNING
        assert unknown.found.startswith("1 of the 4 newest users with a password have a hash that no hasher knows")
        assert (older.status, older.found) == (
            Status.NOTE,
            "2 of the 4 newest users with a password have a hash of md5.",
        )

    def test_few_users_are_read(self, user: Any, django_assert_num_queries: Any) -> None:
        """However many there are: one query with a limit."""
        with django_assert_num_queries(1) as queries:
            list(doctor.hasher())
        assert "LIMIT 1000" in queries.captured_queries[0]["sql"]


class MissingLibrary(PBKDF2PasswordHasher):
    """A hasher whose library was not installed."""

    algorithm = "missing"
    library = ("missing", "no_such_library")

    def encode(self, *args: Any, **kwargs: Any) -> str:
        """Load the library, as Django's hashers do."""
        self._load_library()
        return super().encode(*args, **kwargs)


class TestProtection:
    """The topic ``protection``."""

    def test_the_example_project_is_protected(self) -> None:
        """Each verdict with its count."""
        [finding] = doctor.protection()
        assert finding.status is Status.OK
        assert " 7 PUBLIC, 0 OPEN, " in finding.found
        assert finding.remedy == ""

    @pytest.mark.urls("tests.gallery.urls")
    def test_what_is_open_is_counted_here_and_named_among_the_settings(self) -> None:
        """Issue 5: opening one action makes the doctor name it."""
        [finding] = doctor.protection()
        assert finding.status is Status.WARNING
        assert "jwt_audit" in finding.remedy
        said = [finding.found for finding in doctor.system_checks()]
        opened = "drf_jwt_kit.W014: GET ^shelf/leaflet/$ (tests.gallery.views.Shelf.leaflet) is open to anyone"
        assert [text for text in said if text.startswith(opened)]

    @pytest.mark.urls("tests.gallery.unknown")
    def test_what_could_not_be_told_is_no_protection(self) -> None:
        """UNKNOWN is not OK."""
        [finding] = doctor.protection()
        assert finding.status is Status.WARNING
        assert " 0 OPEN, 0 PLAIN, 3 UNKNOWN." in finding.found


@pytest.mark.django_db
class TestSessions:
    """The topic ``sessions``."""

    def test_rows_are_counted(self, user: Any, django_assert_num_queries: Any) -> None:
        """All of them, and those that can go."""
        kept, gone = (sessions.start(user).session for _ in range(2))
        TokenSession.objects.filter(pk=gone.pk).update(expires_at=models.now() - timedelta(hours=1))
        with django_assert_num_queries(2):
            [finding] = doctor.session_rows()
        assert finding == (Status.OK, "Rows in the table of sessions: 2. Of them can be pruned: 1.", "")
        assert kept.pk != gone.pk

    @pytest.mark.parametrize(
        ("many", "status"), [(0, Status.WARNING), (2, Status.OK)], ids=["most can go", "half of them can"]
    )
    def test_a_table_that_nobody_prunes(self, user: Any, monkeypatch: Any, many: int, status: Status) -> None:
        """Where most rows are dead; a few hurt nobody."""
        monkeypatch.setattr(doctor, "_MANY_SESSIONS", many)
        for _ in range(2):
            sessions.start(user)
        TokenSession.objects.update(expires_at=models.now() - timedelta(hours=1))
        [finding] = doctor.session_rows()
        assert (finding.status, "jwt_prune" in finding.remedy) == (status, status is Status.WARNING)

    def test_a_table_that_is_not_there(self, monkeypatch: Any) -> None:
        """``migrate`` was forgotten."""
        monkeypatch.setattr(TokenSession._meta, "db_table", "nowhere")
        [finding] = doctor.session_rows()
        assert finding.status is Status.ERROR
        assert finding.found.startswith("The table of sessions cannot be read: ")
        assert "migrate" in finding.remedy
