"""The sign-in gate: ``DRF_JWT_KIT["SIGN_IN_GATE"] = "second_factor.gates.gate"``."""

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django_otp import verify_token
from django_otp.plugins.otp_totp.models import TOTPDevice
from drf_jwt_kit.exceptions import SecondFactorRequired
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request


@sensitive_variables("code")
def gate(request: Request, user: AbstractUser) -> dict[str, Any]:
    """Return how the user signed in: by password alone, or with the code that the newest device shows.

    drf-jwt-kit calls it when the password was right, and puts what it returns on the session's tokens.
    """
    device = TOTPDevice.objects.devices_for_user(user, confirmed=True).last()
    if device is None:
        return {"amr": ["pwd"]}
    code = request.data.get("otp")
    if not code:
        raise SecondFactorRequired(methods=["otp"])
    refuse_while_waiting(device)
    # django-otp locks the device and remembers the code, so that each is good once.
    if not (is_written_as(code, device) and verify_token(user, device.persistent_id, code)):
        raise AuthenticationFailed("The code is wrong, or was used before.", code="second_factor_invalid")
    return {"amr": ["pwd", "otp"]}


def is_written_as(code: Any, device: TOTPDevice) -> bool:
    """Return whether ``code`` is spelt as the device spells codes.

    django-otp reads them with ``int()``, which takes spaces, signs and every script's digits.
    """
    return isinstance(code, str) and code.isascii() and code.isdecimal() and len(code) == device.digits


def refuse_while_waiting(device: TOTPDevice) -> None:
    """Answer 429 while django-otp lets the device wait: after each wrong code twice as long as before.

    It counts from everywhere, where drf-jwt-kit counts by address too. Whoever has the password can thus
    keep the owner waiting; without it nobody gets here.
    """
    allowed, reason = device.verify_is_allowed()
    if not allowed:
        raise Throttled(wait=(reason["locked_until"] - timezone.now()).total_seconds())
