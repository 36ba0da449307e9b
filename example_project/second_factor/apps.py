"""The second factor's app."""

from django.apps import AppConfig


class SecondFactorConfig(AppConfig):
    """Configure the second factor's app, which has commands and no models."""

    name = "second_factor"
