"""The laws of DESIGN.md 3 over HTTP, each as a client would see it broken."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from asgiref.sync import ThreadSensitiveContext, async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.asgi import get_asgi_application
from django.db import connection, transaction
from rest_framework_simplejwt.tokens import RefreshToken as PlainRefreshToken
from rest_framework_simplejwt.views import TokenRefreshView as PlainTokenRefreshView

from drf_jwt_kit.models import TokenSession
from tests.conftest import PASSWORD, Tokens, bearer

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
GRACE = timedelta(seconds=30)


class Device:
    """A client that holds the tokens of one session."""

    def __init__(self, client: Any, tokens: Tokens) -> None:
        """Take the tokens of a sign-in."""
        self.client = client
        self.access, self.refresh = tokens

    def get(self, path: str = "me/") -> Any:
        """Ask for something that needs a token."""
        return self.client.get(f"/api/{path}", **bearer(self.access))

    def renew(self, refresh: str | None = None) -> Any:
        """Present a refresh token, the current one by default, and keep what comes back."""
        answer = self.client.post("/api/token/refresh/", {"refresh": refresh or self.refresh}, format="json")
        if answer.status_code == 200:
            self.access, self.refresh = answer.data["access"], answer.data.get("refresh", self.refresh)
        return answer

    def refusals(self) -> list[tuple[int, str]]:
        """Return how access, refresh and verify are answered now."""
        verify = self.client.post("/api/token/verify/", {"token": self.refresh}, format="json")
        return [(answer.status_code, answer.data.get("reason")) for answer in (self.get(), self.renew(), verify)]


@pytest.fixture
def device(client: Any, sign_in: Any) -> Callable[[], Device]:
    """A function that signs alice in on one more device."""
    return lambda: Device(client, sign_in())


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    """Wrap each view in a transaction, as ``ATOMIC_REQUESTS`` does."""
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says, unchecked."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


# -- Laws 1 to 3 -----------------------------------------------------------------------------------


@pytest.mark.parametrize("elapsed", [timedelta(0), SECOND, GRACE - MICROSECOND, GRACE], ids=str)
def test_a_retry_within_grace_gets_the_same_successor_byte_for_byte(device: Any, clock: Any, elapsed: Any) -> None:
    """Law 2: a lost answer signs nobody out, and its repetition makes no second successor."""
    phone = device()
    first, successor = phone.refresh, phone.renew().data["refresh"]
    clock.shift(elapsed)
    again = phone.renew(first)
    assert again.status_code == 200
    assert again.data["refresh"] == successor
    assert phone.get().status_code == 200


def test_a_retry_after_the_role_changed_gets_the_same_identity(device: Any, user: Any, settings: Any) -> None:
    """Law 2: jti, iat and exp of the successor stay, whatever else became of the claims."""
    settings.DRF_JWT_KIT = {"CLAIMS": f"{role_claims.__module__}.role_claims"}
    phone = device()
    first = phone.refresh
    one = claims_of(phone.renew().data["refresh"])
    get_user_model().objects.filter(pk=user.pk).update(is_staff=True)
    two = claims_of(phone.renew(first).data["refresh"])
    assert {name for name in one if one[name] != two[name]} == {"staff"}


def role_claims(user: Any, session: Any) -> dict[str, Any]:
    """Return claims that follow the user's state."""
    return {"staff": user.is_staff}


@pytest.mark.parametrize(
    ("grace", "elapsed"),
    [(GRACE, GRACE + MICROSECOND), (GRACE, timedelta(hours=2)), (timedelta(0), timedelta(0)), (timedelta(0), SECOND)],
    ids=str,
)
def test_a_replay_ends_the_session_with_successor_and_access(
    device: Any, clock: Any, settings: Any, grace: timedelta, elapsed: timedelta
) -> None:
    """Law 3: who of the two was the thief nobody knows, so both are out (RFC 9700 4.14.2)."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": grace}
    settings.SIMPLE_JWT = {"ACCESS_TOKEN_LIFETIME": timedelta(hours=12)}
    phone = device()
    stolen = phone.refresh
    phone.renew()
    clock.shift(elapsed)
    replay = phone.renew(stolen)
    assert (replay.status_code, replay.data["code"], replay.data["reason"]) == (401, "token_not_valid", "reused")
    assert phone.refusals() == [(401, "revoked")] * 3
    assert phone.renew(stolen).data["reason"] == "revoked"


def test_an_ancestor_inside_grace_ends_the_session(device: Any, clock: Any) -> None:
    """Laws 2 and 3: only the token right before the current one is a retry."""
    phone = device()
    grandparent = phone.refresh
    phone.renew()
    phone.renew()
    assert phone.renew(grandparent).data["reason"] == "reused"
    assert phone.refusals() == [(401, "revoked")] * 3


def test_a_replay_leaves_other_devices_signed_in(device: Any, clock: Any) -> None:
    """Law 3 ends the session, not the user's others."""
    phone, laptop = device(), device()
    stolen = phone.refresh
    phone.renew()
    clock.shift(GRACE + SECOND)
    phone.renew(stolen)
    assert laptop.get().status_code == laptop.renew().status_code == 200


# -- Law 4 -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_replay_under_atomic_requests_ends_the_session(atomic_requests: None, device: Any, settings: Any) -> None:
    """Law 4: the 401 does not roll the revocation back."""
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    phone = device()
    stolen = phone.refresh
    phone.renew()
    assert phone.renew(stolen).data["reason"] == "reused"
    assert phone.refusals() == [(401, "revoked")] * 3


class _UrlsOfAnExistingProject:
    """A URLconf that still has simplejwt's own view at one path."""

    def __init__(self) -> None:
        from django.urls import include, path

        self.urlpatterns = [
            path("api/token/refresh/", PlainTokenRefreshView.as_view()),
            path("", include("tests.urls")),
        ]


@pytest.mark.django_db(transaction=True)
def test_a_replay_at_simplejwts_own_view_ends_the_session(atomic_requests: None, device: Any, settings: Any) -> None:
    """Law 4: simplejwt's view runs the kit's serializer inside the transaction that its 401 rolls back."""
    settings.ROOT_URLCONF = _UrlsOfAnExistingProject()
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    phone = device()
    stolen = phone.refresh
    assert phone.renew().status_code == 200
    assert phone.renew(stolen).status_code == 401
    assert phone.get().status_code == 401


async def _project(scope: Any, receive: Any, send: Any) -> None:
    """Be Django under ASGI, whose view has a thread of its own, and leave no connection of that thread behind."""
    async with ThreadSensitiveContext():
        await get_asgi_application()(scope, receive, send)
        await sync_to_async(_hang_up)()


def _hang_up() -> None:
    """Close a connection even where Django keeps it: a database in memory is gone with its last one."""
    if connection.connection is not None:
        connection.connection.close()
        connection.connection = None


def _over_asgi(method: str, path: str, access: str = "", body: Any = None) -> int:
    """Return the status of one request to Django as an ASGI server makes it."""

    async def request() -> int:
        sent = json.dumps(body).encode()
        headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
        headers += [(b"content-length", str(len(sent)).encode())]
        headers += [(b"authorization", f"Bearer {access}".encode())] if access else []
        scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
        project = ApplicationCommunicator(_project, scope)
        await project.send_input({"type": "http.request", "body": sent})
        started = await project.receive_output(timeout=60)
        await project.receive_output(timeout=60)
        await project.wait(timeout=60)
        return int(started["status"])

    return async_to_sync(request)()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("atomic_requests")
def test_a_replay_under_asgi_ends_the_session(device: Any, settings: Any) -> None:
    """Law 4: a request's context there is not that of its end."""
    settings.ROOT_URLCONF = _UrlsOfAnExistingProject()
    settings.DRF_JWT_KIT = {"REFRESH_GRACE_PERIOD": timedelta(0)}
    phone = device()
    stolen = phone.refresh
    assert phone.renew().status_code == 200
    assert _over_asgi("POST", "/api/token/refresh/", body={"refresh": stolen}) == 401
    assert phone.get().status_code == 401


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("atomic_requests")
def test_a_user_found_inactive_under_asgi_stays_signed_out(device: Any, user: Any) -> None:
    """Laws 4 and 9: the same where an authenticator shows it."""
    phone = device()
    users = get_user_model().objects.filter(pk=user.pk)
    users.update(is_active=False)
    assert _over_asgi("GET", "/api/me/", phone.access) == 401
    users.update(is_active=True)
    assert phone.refusals() == [(401, "revoked")] * 3


@pytest.mark.django_db(transaction=True)
def test_a_user_found_inactive_under_atomic_requests_stays_signed_out(
    atomic_requests: None, device: Any, user: Any
) -> None:
    """Laws 4 and 9: the request that shows it is rolled back, the end of the session is not."""
    phone = device()
    users = get_user_model().objects.filter(pk=user.pk)
    users.update(is_active=False)
    assert phone.get().data["reason"] == "user_inactive"
    users.update(is_active=True)
    assert phone.refusals() == [(401, "revoked")] * 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize("path", ["sessions/", "sessions/others/"])
def test_signing_out_under_atomic_requests_lasts(device: Any, path: str) -> None:
    """Law 4: signing out everywhere, or everywhere else, holds."""
    phone, laptop = device(), device()
    assert phone.client.delete(f"/api/{path}", **bearer(phone.access)).status_code == 204
    assert laptop.refusals() == [(401, "revoked")] * 3


@pytest.mark.django_db(transaction=True)
def test_a_revocation_in_a_callers_transaction_follows_the_caller(device: Any, user: Any) -> None:
    """Law 4 counts from the commit: what the caller takes back never was."""
    from drf_jwt_kit import sessions

    phone = device()
    with transaction.atomic():
        sessions.revoke_all(user)
        transaction.set_rollback(True)
    assert phone.get().status_code == 200
    with transaction.atomic():
        sessions.revoke_all(user)
    assert phone.refusals() == [(401, "revoked")] * 3


# -- Law 5 -----------------------------------------------------------------------------------------


def stored_values() -> set[Any]:
    """Return every value in every column of every table."""
    values: set[Any] = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            values.update(value for row in cursor.fetchall() for value in row if value not in (None, ""))
    return values


def possible_keys(value: Any) -> Iterator[bytes]:
    """Yield what somebody with a copy of the database would try as a key."""
    text = value if isinstance(value, bytes) else str(value).encode()
    yield text
    yield hashlib.sha256(text).digest()
    yield hashlib.sha256(text).hexdigest().encode()
    if re.fullmatch(rb"([0-9a-fA-F]{2}){4,}", compact := text.replace(b"-", b"")):
        yield bytes.fromhex(compact.decode())


def sign_by_hand(token: str, key: bytes) -> str:
    """Return the token signed with another key (RFC 7515 A.1)."""
    signing_input = token.rpartition(".")[0]
    signature = hmac.new(key, signing_input.encode(), hashlib.sha256).digest()
    return f"{signing_input}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_the_database_holds_no_token(device: Any) -> None:
    """Law 5: not a token, not its signature, not its id."""
    phone = device()
    seen = [phone.access, phone.refresh]
    phone.renew()
    seen += [phone.access, phone.refresh]
    dump = "\n".join(map(str, stored_values()))
    for token in seen:
        assert not any(part in dump for part in (token, token.rpartition(".")[2], claims_of(token)["jti"]))
    assert not re.search(r"eyJ[\w-]*\.[\w-]+", dump)


def test_nothing_in_the_database_signs_a_token(device: Any, settings: Any) -> None:
    """Law 5: every stored value was tried as a key, and as what a key is derived from."""
    phone = device()
    phone.renew()
    for key in {key for value in stored_values() for key in possible_keys(value)}:
        forged = sign_by_hand(phone.access, key)
        assert phone.client.get("/api/me/", **bearer(forged)).status_code == 401
    signed = sign_by_hand(phone.access, settings.SECRET_KEY.encode())
    assert phone.client.get("/api/me/", **bearer(signed)).status_code == 200


# -- Law 6 -----------------------------------------------------------------------------------------


def test_refreshing_adds_no_row_anywhere(device: Any) -> None:
    """Law 6: a sign-in is a row, and a refresh is none."""
    phone = device()
    before = _rows()
    for _ in range(20):
        assert phone.renew().status_code == 200
    assert _rows() == before
    device()
    assert _rows() == {**before, TokenSession._meta.db_table: before[TokenSession._meta.db_table] + 1}


def _rows() -> dict[str, int]:
    """Return how many rows each table has."""
    counts = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")
            counts[table] = cursor.fetchone()[0]
    return counts


# -- Law 9 -----------------------------------------------------------------------------------------


def _set_password(user: Any) -> None:
    user.set_password("a new one")
    user.save()


def _set_password_field_only(user: Any) -> None:
    user.set_password("a new one")
    user.save(update_fields=["password"])


def _assign_hash(user: Any) -> None:
    user.password = make_password("a new one")
    user.save(update_fields=["password"])


def _update_hash(user: Any) -> None:
    get_user_model().objects.filter(pk=user.pk).update(password=make_password("a new one"))


def _make_unusable(user: Any) -> None:
    user.set_unusable_password()
    user.save()


@pytest.mark.parametrize(
    "change", [_set_password, _set_password_field_only, _assign_hash, _update_hash, _make_unusable]
)
def test_a_changed_password_signs_out_everywhere(device: Any, user: Any, change: Callable[[Any], None]) -> None:
    """Law 9: whichever way the password is changed, it counts at the next request and at refresh."""
    phone, laptop = device(), device()
    change(user)
    assert phone.refusals() == laptop.refusals() == [(401, "password_changed")] * 3


def _deactivate(user: Any) -> None:
    user.is_active = False
    user.save()


def _deactivate_field_only(user: Any) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])


def _deactivate_by_update(user: Any) -> None:
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)


@pytest.mark.parametrize("deactivate", [_deactivate, _deactivate_field_only, _deactivate_by_update])
def test_a_deactivated_user_is_out_and_stays_out(device: Any, user: Any, post: Any, deactivate: Any) -> None:
    """Law 9: refused at once everywhere; re-activation brings sign-in back, not the old sessions."""
    phone = device()
    deactivate(user)
    assert phone.refusals() == [(401, "user_inactive")] * 3
    assert phone.get("sessions/").status_code == 401
    assert post("token/", username="alice", password=PASSWORD).status_code == 401
    get_user_model().objects.filter(pk=user.pk).update(is_active=True)
    assert phone.refusals() == [(401, "revoked")] * 3
    assert device().get().status_code == 200


@pytest.mark.parametrize("notice", ["get", "renew", "verify", "sessionless", "legacy"])
def test_one_request_that_shows_the_deactivation_ends_every_session(
    device: Any, user: Any, post: Any, client: Any, notice: str
) -> None:
    """Law 9: once the kit has seen the user inactive, re-activation revives no session, on no device."""
    phone, laptop, legacy = device(), device(), PlainRefreshToken.for_user(user)
    _deactivate_by_update(user)
    seen = {
        "get": phone.get,
        "renew": phone.renew,
        "verify": lambda: post("token/verify/", token=phone.access),
        "sessionless": lambda: client.get("/api/me/", **bearer(str(legacy.access_token))),
        "legacy": lambda: post("token/refresh/", refresh=str(legacy)),
    }[notice]()
    assert (seen.status_code, seen.data["reason"]) == (401, "user_inactive")
    get_user_model().objects.filter(pk=user.pk).update(is_active=True)
    assert laptop.refusals() == [(401, "revoked")] * 3


def test_a_deleted_user_is_not_found(device: Any, user: Any) -> None:
    """Law 9: the row goes with the user, and the answer says why."""
    phone = device()
    user.delete()
    assert phone.refusals() == [(401, "user_not_found")] * 3
    assert phone.get().data["code"] == "user_not_found"


def test_signing_in_with_a_renewed_hasher_keeps_other_devices(device: Any, user: Any, settings: Any) -> None:
    """Law 9: Django hashes the password anew at the sign-in of one device, and the other stays signed in."""
    phone = device()
    before = user.password
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    laptop = device()
    user.refresh_from_db()
    assert user.password != before
    assert [one.get().status_code for one in (phone, laptop)] == [200, 200]
    assert [one.renew().status_code for one in (phone, laptop)] == [200, 200]


# -- Law 11 ----------------------------------------------------------------------------------------


def test_no_rotation_extends_the_absolute_lifetime(device: Any, clock: Any, settings: Any) -> None:
    """Law 11: whoever refreshes every hour is out after three days all the same."""
    settings.DRF_JWT_KIT = {"SESSION_LIFETIME": timedelta(days=3)}
    phone = device()
    end = claims_of(phone.refresh)["iat"] + 3 * 24 * 3600
    for _ in range(71):
        clock.shift(timedelta(hours=1))
        answer = phone.renew()
        assert answer.status_code == 200
        assert claims_of(phone.refresh)["exp"] <= end
    clock.shift(timedelta(minutes=59))
    answer = phone.renew()
    assert (answer.data["expires_in"], answer.data["refresh_expires_in"]) == (60, 60)
    assert claims_of(phone.access)["exp"] == end
    clock.shift(timedelta(minutes=1))
    assert phone.refusals() == [(401, "expired")] * 3


def test_without_an_absolute_lifetime_a_session_goes_on(device: Any, clock: Any, settings: Any) -> None:
    """Law 11 is a setting: ``None`` for no end."""
    settings.DRF_JWT_KIT = {"SESSION_LIFETIME": None}
    phone = device()
    for _ in range(60):
        clock.shift(timedelta(hours=23))
        assert phone.renew().status_code == 200


def test_claims_are_those_of_the_moment(device: Any, user: Any, settings: Any) -> None:
    """Law 11: a role that was taken away is gone from the tokens of the next refresh."""
    settings.DRF_JWT_KIT = {"CLAIMS": f"{role_claims.__module__}.role_claims"}
    get_user_model().objects.filter(pk=user.pk).update(is_staff=True)
    phone = device()
    assert claims_of(phone.access)["staff"] is claims_of(phone.refresh)["staff"] is True
    get_user_model().objects.filter(pk=user.pk).update(is_staff=False)
    phone.renew()
    assert claims_of(phone.access)["staff"] is claims_of(phone.refresh)["staff"] is False
