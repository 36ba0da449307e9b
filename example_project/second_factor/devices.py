"""Alice's authenticator app, as the demo has it."""

from django.contrib.auth.models import AbstractUser
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice


def device_of(user: AbstractUser) -> TOTPDevice:
    """Return the user's device; the first call makes one, with a random key."""
    device, _ = TOTPDevice.objects.get_or_create(user=user, name="demo")
    return device


def code_of(device: TOTPDevice) -> str:
    """Return what the device shows now."""
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits)
    return f"{totp.token():0{device.digits}}"
