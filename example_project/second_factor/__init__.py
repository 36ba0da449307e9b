"""What the example project has with a second factor: codes from an authenticator app (RFC 6238), by django-otp."""
