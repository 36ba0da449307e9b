"""THREATS "Passwords, enumeration, throttling": guessing passwords against the limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model, user_login_failed
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import UserManager
from django.core.exceptions import PermissionDenied

from drf_jwt_kit.serializers import TokenObtainPairSerializer
from drf_jwt_kit.spellings import fold
from tests.attempts import attempt, count_hashing, statuses, wait_of
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "user")]


def test_one_password_cannot_be_sprayed_over_many_users(client: Any, django_user_model: Any) -> None:
    """THREATS: an address has a hundred failures an hour, spread as it likes, known users or not."""
    for number in range(0, 100, 10):
        django_user_model.objects.create_user(f"user{number}", password="another")
    assert [attempt(client, f"user{number}", "Summer2026!").status_code for number in range(100)] == [401] * 100
    assert 0 < wait_of(attempt(client, "alice", "Summer2026!")) <= 3600
    assert wait_of(attempt(client, "nobody", "Summer2026!")) == wait_of(attempt(client, "alice", PASSWORD))
    assert attempt(client, "alice", PASSWORD, peer="192.0.2.2").status_code == 200


def test_known_and_unknown_users_are_throttled_alike(client: Any, django_user_model: Any) -> None:
    """THREATS: the 429 tells nothing of whether there is such a user."""
    django_user_model.objects.create_user("inactive", password=PASSWORD, is_active=False)
    names = ("alice", "nobody", "inactive")
    assert [statuses(client, 6, name) for name in names] == [[401] * 5 + [429]] * 3
    answers = [attempt(client, name, PASSWORD) for name in names]
    assert all(0 < wait_of(answer) <= 300 for answer in answers)
    assert len({tuple(answer.headers) for answer in answers}) == 1


def test_nothing_is_hashed_once_the_limit_is_reached(client: Any, settings: Any) -> None:
    """Issue 4.4: the limit is looked at before a password is hashed, the right one too."""
    hasher = count_hashing(settings)
    assert statuses(client, 5) == [401] * 5
    assert hasher.calls == 5
    assert statuses(client, 20) + statuses(client, 20, "alice", PASSWORD) == [429] * 40
    assert hasher.calls == 5


def test_nothing_is_hashed_for_a_malformed_body(client: Any, settings: Any) -> None:
    """THREATS: a 400 costs no hashing."""
    hasher = count_hashing(settings)
    assert [attempt(client, "alice", password).status_code for password in ("", "x" * 5000)] == [400, 400]
    assert hasher.calls == 0


def test_the_owner_signs_in_from_elsewhere(client: Any) -> None:
    """THREATS: an attacker's failures from A, the owner from B: 200; and the attacker gains nothing by it."""
    assert statuses(client, 10, peer="198.51.100.1") == [401] * 5 + [429] * 5
    assert statuses(client, 3, "alice", PASSWORD, peer="203.0.113.7") == [200] * 3
    assert statuses(client, 1, peer="198.51.100.1") == [429]


def test_a_botnet_is_slowed_and_the_owner_is_not_locked_out(client: Any, settings: Any, clock: Any) -> None:
    """THREATS and 2.3: many addresses, one account: a growing delay for each, the owner is let in, mistyping too."""
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ACCOUNT": "20/1d"}
    assert [attempt(client, peer=f"198.51.100.{host}").status_code for host in range(20)] == [401] * 20
    assert [wait_of(attempt(client, peer=f"198.51.100.{host}")) for host in range(20)] == [2] * 20
    assert attempt(client, peer="203.0.113.7").status_code == 401
    clock.shift(timedelta(seconds=wait_of(attempt(client, "alice", PASSWORD, peer="203.0.113.7"))))
    assert statuses(client, 3, "alice", PASSWORD, peer="203.0.113.7") == [200] * 3
    assert attempt(client, "alice", PASSWORD, peer="203.0.113.8").status_code == 200
    assert attempt(client, peer="198.51.100.1").status_code == 401
    assert wait_of(attempt(client, peer="198.51.100.1")) == 4


def test_an_impatient_owner_is_not_locked_out(client: Any, settings: Any, clock: Any) -> None:
    """2.3: retrying while the delay lasts uses up nothing, and costs no hashing."""
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ACCOUNT": "20/1d"}
    hasher = count_hashing(settings)
    assert [attempt(client, peer=f"198.51.100.{host}").status_code for host in range(20)] == [401] * 20
    assert attempt(client, peer="203.0.113.7").status_code == 401
    waits = [wait_of(attempt(client, "alice", PASSWORD, peer="203.0.113.7")) for _ in range(20)]
    assert (waits, hasher.calls) == ([2] * 20, 21)
    clock.shift(timedelta(seconds=2))
    assert attempt(client, peer="203.0.113.7").status_code == 401
    clock.shift(timedelta(seconds=wait_of(attempt(client, "alice", PASSWORD, peer="203.0.113.7"))))
    assert attempt(client, "alice", PASSWORD, peer="203.0.113.7").status_code == 200


def test_an_attackers_own_account_wins_no_attempts(client: Any, django_user_model: Any) -> None:
    """THREATS: signing in as oneself in between takes back that attempt alone."""
    django_user_model.objects.create_user("mallory", password=PASSWORD)
    found = []
    for _ in range(6):
        found.append(attempt(client).status_code)
        assert attempt(client, "mallory", PASSWORD).status_code == 200
    assert found == [401] * 5 + [429]


SPOOFED = {
    "X-Forwarded-For": "HTTP_X_FORWARDED_FOR",
    "Forwarded": "HTTP_FORWARDED",
    "X-Real-IP": "HTTP_X_REAL_IP",
    "X-Client-IP": "HTTP_X_CLIENT_IP",
    "True-Client-IP": "HTTP_TRUE_CLIENT_IP",
    "CF-Connecting-IP": "HTTP_CF_CONNECTING_IP",
    "X-Cluster-Client-IP": "HTTP_X_CLUSTER_CLIENT_IP",
    "Via": "HTTP_VIA",
    "X-Original-Forwarded-For": "HTTP_X_ORIGINAL_FORWARDED_FOR",
    "X-Originating-IP": "HTTP_X_ORIGINATING_IP",
    "X-Remote-Addr": "HTTP_X_REMOTE_ADDR",
    "Remote-Addr": "HTTP_REMOTE_ADDR",
    "Client-IP": "HTTP_CLIENT_IP",
    "Fastly-Client-IP": "HTTP_FASTLY_CLIENT_IP",
    "X-Host": "HTTP_X_HOST",
    "User-Agent": "HTTP_USER_AGENT",
    "Cookie": "HTTP_COOKIE",
}


@pytest.mark.parametrize("header", SPOOFED)
def test_without_declared_proxies_no_header_changes_the_address(client: Any, header: str) -> None:
    """THREATS: rotating it is no bypass, and nobody can use up another's attempts by it."""
    template = "for=203.0.113.{}" if header == "Forwarded" else "203.0.113.{}"
    found = [attempt(client, **{SPOOFED[header]: template.format(host)}).status_code for host in range(8)]
    assert found == [401] * 5 + [429] * 3
    assert attempt(client, "alice", PASSWORD, peer="203.0.113.1").status_code == 200


@pytest.mark.parametrize("proxies", [1, 2, 3])
def test_with_declared_proxies_the_client_is_that_many_from_the_right(client: Any, settings: Any, proxies: int) -> None:
    """2.3 ``TRUSTED_PROXIES``: what stands further left is the client's own claim, and changes nothing."""
    settings.DRF_JWT_KIT = {"TRUSTED_PROXIES": proxies}

    def through(client_address: str, claim: str, password: str = "wrong") -> int:
        hops = [claim, client_address, *(f"10.0.0.{hop}" for hop in range(1, proxies))]
        forwarded = ", ".join(filter(None, hops))
        return attempt(client, "alice", password, peer="10.0.0.9", HTTP_X_FORWARDED_FOR=forwarded).status_code

    assert [through("198.51.100.1", f"203.0.113.{host}") for host in range(8)] == [401] * 5 + [429] * 3
    assert through("203.0.113.7", "", PASSWORD) == 200
    assert through("203.0.113.7", "198.51.100.1", PASSWORD) == 200


GARBAGE = ["unknown", "", " ", ",", "_hidden", "203.0.113.{}.5", "[::{}]:https", "\x00", "x" * 4000, "999.0.0.{}"]


@pytest.mark.parametrize("forwarded", GARBAGE, ids=lambda text: repr(text)[:20])
def test_what_is_no_address_is_one_client(client: Any, settings: Any, forwarded: str) -> None:
    """THREATS: behind a proxy that passes anything on, no garbage makes a new client of each request."""
    settings.DRF_JWT_KIT = {"TRUSTED_PROXIES": 1}
    found = [attempt(client, HTTP_X_FORWARDED_FOR=forwarded.format(host)).status_code for host in range(8)]
    assert found == [401] * 5 + [429] * 3


@pytest.mark.parametrize("hop", ["203.0.113.{}:51234", "[2001:db8:{}::1]:443"])
def test_clients_behind_a_proxy_that_sends_ports_are_told_apart(client: Any, settings: Any, hop: str) -> None:
    """THREATS: else one attacker would use up what all users have; and a new port is no new client."""
    settings.DRF_JWT_KIT = {"TRUSTED_PROXIES": 1}
    assert statuses(client, 6, HTTP_X_FORWARDED_FOR=hop.format(1)) == [401] * 5 + [429]
    assert statuses(client, 1, HTTP_X_FORWARDED_FOR=hop.format(1).rpartition(":")[0] + ":1") == [429]
    assert statuses(client, 1, "alice", PASSWORD, HTTP_X_FORWARDED_FOR=hop.format(2)) == [200]


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["2001:db8:1:2::{:x}", "2001:DB8:1:2:{:x}::", "2001:db8:0001:0002:0:0:{:x}:0"], [401] * 5 + [429] * 4),
        (["2001:db8:1:{:x}::1"] * 3, [401] * 9),
        (["::ffff:192.0.2.77", "192.0.2.77", "::ffff:c000:24d"], [401] * 5 + [429] * 4),
        (["fe80::1%eth{}", "fe80::1", "fe80::{:x}"], [401] * 5 + [429] * 4),
    ],
    ids=["one /64", "many /64s", "IPv4 in IPv6", "zones"],
)
def test_a_client_cannot_walk_through_its_own_network(client: Any, addresses: list[str], expected: list[int]) -> None:
    """THREATS: an IPv6 client has a /64 to choose from, and each address has one spelling."""
    found = [attempt(client, peer=addresses[turn % 3].format(turn + 1)).status_code for turn in range(9)]
    assert found == expected


SPELLINGS = ["alice", "ALICE", " alice", "alice ", "\uff41lice", "al\u00efce", "a\u0301lice", "\tAlice", "ali ce"]


def test_one_account_has_one_counter_however_it_is_spelt(client: Any) -> None:
    """THREATS: case, white space, full-width, diacritics."""
    assert [attempt(client, spelling).status_code for spelling in SPELLINGS] == [401] * 5 + [429] * 4


def test_every_spelling_that_finds_the_user_counts_as_one(client: Any) -> None:
    """THREATS, on each database: were one spelling let in after five failures, its collation would be a bypass."""
    assert statuses(client, 5) == [401] * 5
    for spelling in (*SPELLINGS, "ali\u200bce", "ali\u00adce", "al\u0131ce", "ali\x01ce", "\u24d0lice"):
        assert attempt(client, spelling, PASSWORD).status_code in (401, 429), spelling


def test_letters_that_a_collation_takes_for_others_win_no_guesses(client: Any, django_user_model: Any) -> None:
    """THREATS, on each database: a German sharp s is one s to some, and two to Unicode; each would have its counter."""
    django_user_model.objects.create_user("jessica", password=PASSWORD)
    assert statuses(client, 5, "jessica") == [401] * 5
    for spelling in (
        "je\u00dfsica",
        "jes\u00dfica",
        "je\u00df\u00dfica",
        "jessic\u0363",
        "jessica\u0640",
        "jessica\ufe00",
    ):
        assert attempt(client, spelling, PASSWORD).status_code in (401, 429), spelling
    assert attempt(client, "jessica", PASSWORD, peer="192.0.2.2").status_code == 200


@pytest.mark.parametrize("field", ["date_joined", "is_active", "last_login"])
def test_a_name_is_a_wrong_one_whatever_kind_of_column_cannot_hold_it(
    client: Any, user: Any, monkeypatch: Any, field: str
) -> None:
    """2.1: 401, not 503: Django's fields say no each in their own way."""
    monkeypatch.setattr(type(user), "USERNAME_FIELD", field)
    monkeypatch.setattr(TokenObtainPairSerializer, "username_field", field)
    answers = [client.post("/api/token/", {field: "abc", "password": PASSWORD}, format="json") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


@pytest.fixture
def by_number(client: Any, user: Any, monkeypatch: Any) -> Any:
    """A function that signs in with a number, where users are known by one: ``by_number("007", "wrong")``."""
    monkeypatch.setattr(type(user), "USERNAME_FIELD", "id")
    monkeypatch.setattr(TokenObtainPairSerializer, "username_field", "id")

    def sign_in(number: str, password: str, peer: str = "192.0.2.1") -> Any:
        return client.post("/api/token/", {"id": number, "password": password}, format="json", REMOTE_ADDR=peer)

    return sign_in


@pytest.mark.parametrize("known", [True, False])
def test_a_number_has_one_counter_however_many_zeros_stand_before_it(by_number: Any, user: Any, known: bool) -> None:
    """THREATS, on each database: a right password in another spelling is denied as a wrong one is, known or not."""
    number = str(user.pk if known else user.pk + 1)
    assert [by_number(number, "wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    for zeros in range(1, 10):
        answer = by_number("0" * zeros + number, PASSWORD)
        assert (answer.status_code, answer.data["code"]) == (401, "no_active_account")
    assert by_number(number, PASSWORD, peer="192.0.2.2").status_code == (200 if known else 401)


def test_what_fails_in_other_spellings_counts_on_the_account(by_number: Any, user: Any) -> None:
    """THREATS: five guesses are five guesses."""
    assert {by_number("0" * zeros + str(user.pk), "wrong").status_code for zeros in range(1, 6)} == {401}
    assert by_number(str(user.pk), PASSWORD).status_code == 401
    assert by_number(f"0{user.pk}", PASSWORD, peer="192.0.2.2").status_code == 200


def test_other_spellings_do_not_tell_a_known_name_from_an_unknown_one(by_number: Any, user: Any, settings: Any) -> None:
    """THREATS, enumeration: in whatever order, and beyond the limit of the account everywhere."""
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ACCOUNT": "7/1h"}
    for address, order in enumerate(([0] * 6, [1, 2, 3, 4, 5, 0], [0, 0, 0, 1, 1, 1, 2, 0], [1] * 6 + [0], [0] * 7)):
        found = [
            [by_number("0" * zeros + str(pk), "wrong", f"198.51.100.{address}").status_code for zeros in order]
            for pk in (user.pk, user.pk + 1)
        ]
        assert found[0] == found[1]


def test_a_password_that_is_denied_unseen_is_not_hashed_anew(by_number: Any, user: Any, settings: Any) -> None:
    """THREATS, enumeration: the next answers would be faster, and tell that it was the right one."""
    settings.PASSWORD_HASHERS = ["tests.attempts.QuickHasher", *settings.PASSWORD_HASHERS]
    for zeros in range(7):
        by_number("0" * zeros + str(user.pk), "wrong")
    assert by_number("0" * 8 + str(user.pk), PASSWORD).status_code == 401
    assert get_user_model().objects.get(pk=user.pk).password == user.password
    assert by_number(str(user.pk), PASSWORD, peer="192.0.2.2").status_code == 200
    assert get_user_model().objects.get(pk=user.pk).password != user.password


class Tidying(UserManager[Any]):
    """A project's manager that reads more than one spelling of a name."""

    def get_by_natural_key(self, username: str | None) -> Any:
        """Find a user by what stands before a plus."""
        return self.get(username=str(username).partition("+")[0].lower())


def test_what_the_models_manager_takes_for_one_name_counts_as_one(client: Any, user: Any, monkeypatch: Any) -> None:
    """THREATS: Django's own backend asks the manager, and so do the counters."""
    tidying = Tidying()
    tidying.model = get_user_model()
    monkeypatch.setattr(get_user_model()._meta, "default_manager", tidying)
    assert [attempt(client, f"alice+{number}").status_code for number in range(6)] == [401] * 6
    assert attempt(client, "alice+x", PASSWORD).status_code == 401
    assert attempt(client, "alice+x", PASSWORD, peer="192.0.2.2").status_code == 200


class Down(ModelBackend):
    """A second backend whose server is down."""

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        """Fail."""
        raise ConnectionError


def _has_enough(**arguments: Any) -> None:
    """Refuse as packages do that count failures themselves."""
    raise PermissionDenied


def _fails(**arguments: Any) -> None:
    """Fail, as a receiver may."""
    raise RuntimeError


def test_guesses_count_while_another_backend_is_down(client: Any, settings: Any) -> None:
    """THREATS and law 8: the first backend has said no, and would have said yes."""
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", f"{__name__}.Down"]
    assert statuses(client, 7) == [503] * 5 + [429] * 2
    assert attempt(client, "alice", PASSWORD).status_code == 429


@pytest.mark.parametrize(("receiver", "status"), [(_has_enough, 401), (_fails, 503)])
def test_guesses_count_whatever_a_receiver_of_failures_does(client: Any, receiver: Any, status: int) -> None:
    """THREATS: ``PermissionDenied`` from one is a denial like a backend's; anything else is no way round the limits."""
    user_login_failed.connect(receiver)
    try:
        assert statuses(client, 7) == [status] * 5 + [429] * 2
    finally:
        user_login_failed.disconnect(receiver)


def test_a_success_in_another_spelling_counts_for_nothing(by_number: Any, user: Any) -> None:
    """2.3: it is taken back wherever it was counted."""
    assert {by_number(f"0{user.pk}", PASSWORD).status_code for _ in range(20)} == {200}
    assert [by_number(str(user.pk), "wrong").status_code for _ in range(6)] == [401] * 5 + [429]


NO_NUMBERS = ["abc", "1.5", "1e3", "nan", "\u00b2", "0x10", "true", "1 or 1=1", "\u4e00"]


@pytest.mark.parametrize("name", NO_NUMBERS, ids=ascii)
def test_a_name_that_nobody_can_have_is_a_wrong_one(by_number: Any, caplog: Any, name: str) -> None:
    """2.1: 401 and a failure that counts, not 503: no backend is down, and nobody has to be told."""
    failed: list[Any] = []

    def listen(credentials: Any, **arguments: Any) -> None:
        failed.append(credentials)

    user_login_failed.connect(listen)
    answers = [by_number(name, PASSWORD) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[0].data["code"] == "no_active_account"
    assert failed == [{"id": name, "password": "*" * 8}] * 5
    assert {record.name for record in caplog.records} <= {"drf_jwt_kit.security", "django.request"}


class ByAddress(ModelBackend):
    """A project's backend that knows users by their e-mail address, too."""

    def authenticate(self, request: Any, username: str | None = None, password: str | None = None, **more: Any) -> Any:
        """Return the user with the address."""
        user = get_user_model().objects.filter(email=username).first()
        return user if user and user.check_password(password) else None


def test_an_address_is_no_spelling_of_the_name(client: Any, settings: Any, user: Any) -> None:
    """Never a lock: whoever mistyped a name five times still signs in by the address, which is counted for itself."""
    get_user_model().objects.filter(pk=user.pk).update(email="alice@example.com")
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.ByAddress", "django.contrib.auth.backends.ModelBackend"]
    assert statuses(client, 6) == [401] * 5 + [429]
    assert attempt(client, "alice@example.com", PASSWORD).status_code == 200


COLLEAGUES = [
    ("user_0", "user0"),
    ("john.doe", "johndoe"),
    ("ann@ab.com", "anna@b.com"),
    ("x+y", "xy"),
    ("\u0930\u093e\u092e", "\u0930\u092e"),
]


@pytest.mark.parametrize(("other", "name"), COLLEAGUES, ids=ascii)
def test_a_colleagues_failures_lock_nobody_out(client: Any, django_user_model: Any, other: str, name: str) -> None:
    """Never a lock: two accounts that no person and no database takes for one, behind one address."""
    django_user_model.objects.create_user(name, password=PASSWORD)
    assert statuses(client, 6, other) == [401] * 5 + [429]
    assert attempt(client, name, PASSWORD).status_code == 200


def test_a_name_without_end_costs_little_and_says_little(client: Any, settings: Any, caplog: Any) -> None:
    """THREATS: a megabyte that folds into six (U+FDFA: 18 letters) is neither folded whole nor logged whole."""
    name = "\ufdfa" * 5000
    assert statuses(client, 1, name) == [400]
    assert len(fold(name)) < 10_000
    assert statuses(client, 2) == [401, 401]
    settings.DRF_JWT_KIT = {"LOGIN_FAILURES_PER_ADDRESS": "1/1h"}
    wait_of(attempt(client, name))
    assert max(len(record.getMessage()) for record in caplog.records) < 1000


def test_the_log_tells_who_was_throttled_on_one_line(client: Any, caplog: Any) -> None:
    """THREATS "Words": name and address, control characters escaped, and no password."""
    caplog.set_level("WARNING", "drf_jwt_kit.security")
    statuses(client, 6, "mallory\r\nroot signed in\x1b[2K", "Summer2026!", peer="198.51.100.1")
    lines = [record.getMessage() for record in caplog.records if "sign_in_throttled" in record.getMessage()]
    assert lines == [r"sign_in_throttled username='mallory\r\nroot signed in\x1b[2K' address=198.51.100.1"]
    assert "Summer2026!" not in caplog.text
