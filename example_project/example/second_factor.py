"""Settings of the example project with a second factor, on top of the plain ones.

``manage.py demo --second-factor`` runs on them, and so does any command with ``--settings example.second_factor``.
They need django-otp.
"""

import os

from example.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "django_otp", "django_otp.plugins.otp_totp", "second_factor"]
ROOT_URLCONF = "example.second_factor_urls"

# A database of its own: the plain project knows nothing of the devices that belong to its users.
if not os.environ.get("DATABASE_URL"):
    DATABASES = {"default": {**DATABASES["default"], "NAME": BASE_DIR / "second_factor.sqlite3"}}

DRF_JWT_KIT = {"SIGN_IN_GATE": "second_factor.gates.gate"}

OTP_TOTP_ISSUER = "Notes"
OTP_ADMIN_HIDE_SENSITIVE_DATA = True
