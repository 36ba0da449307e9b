"""The example project's second factor over HTTP: real codes, checked by django-otp."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from notes.models import Note
from second_factor.devices import code_of

from drf_jwt_kit.models import TokenSession
from tests.attacks import forge
from tests.conftest import PASSWORD, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.urls("example.second_factor_urls")]

STEP = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _the_examples_gate(settings: Any) -> None:
    """Put the gate up that the example's settings name."""
    settings.DRF_JWT_KIT = {"SIGN_IN_GATE": "second_factor.gates.gate"}


@pytest.fixture
def device(user: Any) -> TOTPDevice:
    """Alice's authenticator app."""
    return TOTPDevice.objects.create(user=user, name="phone", key="01" * 20)


@pytest.fixture
def sign_in(post: Any, user: Any) -> Any:
    """A function that sends alice's password, and a code with it."""

    def sign_in(*code: Any, password: str = PASSWORD) -> Any:
        more = {"otp": code[0]} if code else {}
        return post("token/", username="alice", password=password, **more)

    return sign_in


def shown(device: TOTPDevice, steps: int = 0) -> str:
    """Return the code that the device shows so many steps from now, computed by django-otp's own function."""
    return f"{totp(device.bin_key, device.step, device.t0, device.digits, drift=steps):06}"


def wrong(device: TOTPDevice) -> str:
    """Return a code that the device does not show anywhere near now."""
    near = {shown(device, steps) for steps in range(-9, 10)}
    return next(code for code in (f"{number:06}" for number in range(100)) if code not in near)


def test_a_user_without_a_device_signs_in_by_password(sign_in: Any) -> None:
    """And the token says that it was no more than that."""
    answer = sign_in()
    assert answer.status_code == 200
    assert forge.payload_of(answer.data["access"])["amr"] == ["pwd"]


def test_a_device_that_is_not_confirmed_yet_asks_for_nothing(sign_in: Any, device: TOTPDevice) -> None:
    """Who has only begun to set one up must be able to finish."""
    TOTPDevice.objects.update(confirmed=False)
    assert sign_in().status_code == 200


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("nothing", [(), (None,), ("",)])
def test_a_device_is_asked_for(sign_in: Any, device: TOTPDevice, nothing: tuple[Any, ...]) -> None:
    """401 with what to send; then the code makes two factors of it."""
    answer = sign_in(*nothing)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    assert answer.json() == {
        "detail": "A second factor is required",
        "code": "second_factor_required",
        "methods": ["otp"],
    }
    assert not TokenSession.objects.exists()
    answer = sign_in(shown(device))
    assert answer.status_code == 200
    assert forge.payload_of(answer.data["access"])["amr"] == ["pwd", "otp"]
    assert shown(device) == code_of(device)


def test_without_the_password_nobody_learns_of_the_device(sign_in: Any, device: TOTPDevice) -> None:
    """A right code with a wrong password is a wrong password, and is not used up."""
    code = shown(device)
    assert sign_in(code, password="wrong").json()["code"] == "no_active_account"
    assert sign_in(code).status_code == 200


@pytest.mark.usefixtures("clock")
def test_a_code_is_good_once(sign_in: Any, device: TOTPDevice) -> None:
    """RFC 6238 5.2: who looks over a shoulder comes too late."""
    code = shown(device)
    assert sign_in(code).status_code == 200
    answer = sign_in(code)
    assert (answer.status_code, answer.json()["code"]) == (401, "second_factor_invalid")
    assert TokenSession.objects.count() == 1


def test_the_next_code_is_good_again(sign_in: Any, device: TOTPDevice, clock: Any) -> None:
    """A user who signs in on two devices waits for half a minute."""
    assert sign_in(shown(device)).status_code == 200
    clock.shift(STEP)
    assert sign_in(shown(device)).status_code == 200


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
def test_a_clock_may_be_a_step_off(sign_in: Any, device: TOTPDevice, steps: int, status: int) -> None:
    """RFC 6238 6: half a minute, either way."""
    assert sign_in(shown(device, steps)).status_code == status


def test_a_clock_that_drifts_is_followed(sign_in: Any, device: TOTPDevice, clock: Any) -> None:
    """RFC 6238 6: a device that was one step off may be two off the next time."""
    assert sign_in(shown(device, 1)).status_code == 200
    clock.shift(STEP * 10)
    assert sign_in(shown(device, 2)).status_code == 200


NO_CODES: list[Any] = [123456, 1.5, True, ["123456"], {"code": "123456"}, " ", "12345", "x" * 5000, "0x1f", "-1"]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("code", NO_CODES, ids=forge.label)
def test_what_is_no_code_is_a_wrong_one(sign_in: Any, device: TOTPDevice, code: Any) -> None:
    """THREATS, bodies: whatever is sent, it is never a 500."""
    answer = sign_in(code)
    assert (answer.status_code, answer.json()["code"]) == (401, "second_factor_invalid")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("spelling", [" {}", "{} ", "+{}", "0{}", "{}\n", "{}.0"])
def test_a_code_has_one_spelling(sign_in: Any, device: TOTPDevice, spelling: str) -> None:
    """django-otp reads codes with ``int()``, which takes these too."""
    assert sign_in(spelling.format(shown(device))).status_code == 401
    digits = "".join(chr(0x660 + int(digit)) for digit in shown(device))
    assert sign_in(digits).status_code == 401


def test_wrong_codes_are_limited(sign_in: Any, device: TOTPDevice, clock: Any) -> None:
    """Issue 4.4: five failures and it is over, the right code or not, as for a wrong password."""
    for wait in (1, 2, 4, 8, 16):
        answer = sign_in(wrong(device))
        assert (answer.status_code, answer.json()["code"]) == (401, "second_factor_invalid")
        clock.shift(timedelta(seconds=wait))
    answer = sign_in(shown(device))
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert int(answer["Retry-After"]) > 16


def test_a_device_waits_after_a_wrong_code(sign_in: Any, device: TOTPDevice, clock: Any) -> None:
    """django-otp's own limit, which follows the device wherever codes come from, has its ``Retry-After``."""
    assert sign_in(wrong(device)).status_code == 401
    for _ in range(9):
        answer = sign_in(shown(device))
        assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    clock.shift(timedelta(seconds=1))
    assert sign_in(shown(device)).status_code == 200


@pytest.mark.usefixtures("clock")
def test_the_newest_device_counts(sign_in: Any, user: Any, device: TOTPDevice) -> None:
    """A new phone replaces the old one, also where nobody deleted it; another user's opens nothing."""
    newest = TOTPDevice.objects.create(user=user, name="new phone", key="02" * 20)
    other = get_user_model().objects.create_user("bob", password=PASSWORD)
    theirs = TOTPDevice.objects.create(user=other, name="phone", key="03" * 20)
    assert sign_in(shown(theirs)).status_code == 401
    TOTPDevice.objects.update(throttling_failure_count=0)
    assert sign_in(shown(device)).status_code == 401
    TOTPDevice.objects.update(throttling_failure_count=0)
    assert sign_in(shown(newest)).status_code == 200


class TestExport:
    """``GET export/``: what a stolen phone must not be enough for."""

    def test_it_wants_a_second_factor(self, client: Any, sign_in: Any) -> None:
        """RFC 9470 3: the answer says how old a sign-in may be, and how it must have been done."""
        answer = client.get("/api/export/", **bearer(sign_in().data["access"]))
        assert answer.status_code == 401
        assert answer.json()["code"] == "insufficient_user_authentication"
        assert answer["WWW-Authenticate"].endswith('max_age="300", amr="otp"')

    def test_it_wants_one_that_was_not_long_ago(
        self, client: Any, post: Any, sign_in: Any, device: TOTPDevice, clock: Any
    ) -> None:
        """Five minutes, which no refresh extends: then the next code."""
        pair = sign_in(shown(device)).data
        assert client.get("/api/export/", **bearer(pair["access"])).status_code == 200
        clock.shift(timedelta(minutes=5, seconds=1))
        pair = post("token/refresh/", refresh=pair["refresh"]).data
        assert client.get("/api/export/", **bearer(pair["access"])).status_code == 401
        pair = sign_in(shown(device)).data
        assert client.get("/api/export/", **bearer(pair["access"])).status_code == 200

    def test_it_holds_own_notes_only(self, client: Any, sign_in: Any, user: Any, device: TOTPDevice) -> None:
        """All of them, archived or not."""
        other = get_user_model().objects.create_user("bob")
        for owner, archived in ((user, False), (user, True), (other, False)):
            Note.objects.create(owner=owner, title=f"{owner} {archived}", archived=archived)
        answer = client.get("/api/export/", **bearer(sign_in(shown(device)).data["access"]))
        assert {note["title"] for note in answer.json()} == {"alice False", "alice True"}

    def test_nothing_was_sent(self, client: Any) -> None:
        """DESIGN 2.2: 403, as everywhere."""
        answer = client.get("/api/export/")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_authenticated")


@pytest.mark.django_db(transaction=True)
def test_signing_in_stays_within_its_budget(sign_in: Any, user: Any) -> None:
    """DESIGN 5: its four statements, and one that finds no device; the code costs the lock and the note of its use."""
    with CaptureQueriesContext(connection) as queries:
        assert sign_in().status_code == 200
    assert len(queries) == 5, queries.captured_queries
    device = TOTPDevice.objects.create(user=user, name="phone")
    with CaptureQueriesContext(connection) as queries:
        assert sign_in(shown(device)).status_code == 200
    assert len(queries) == 9, queries.captured_queries
