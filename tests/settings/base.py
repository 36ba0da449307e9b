"""What the databases' settings share: the example project's settings, hashing fast and serving test URLs."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "example_project"))

from example.settings import *

SECRET_KEY = "a-test-key-that-is-long-enough-for-hmac-with-sha-256"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.urls"
# The tables of the example's second factor; the tests that are about it put its gate and its URLs up.
INSTALLED_APPS = [*INSTALLED_APPS, "django_otp", "django_otp.plugins.otp_totp", "second_factor"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
