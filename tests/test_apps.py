"""The app."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.core import checks
from django.core.management import call_command
from django.core.signals import setting_changed

import drf_jwt_kit
from drf_jwt_kit import backends, conf, deploy_checks
from drf_jwt_kit import checks as kit_checks
from drf_jwt_kit.apps import DRFJWTKitConfig
from drf_jwt_kit.models import TokenSession


def test_the_app_is_found_by_its_name_alone() -> None:
    """DESIGN 2: ``INSTALLED_APPS = [..., "drf_jwt_kit"]``."""
    config = apps.get_app_config("drf_jwt_kit")
    assert isinstance(config, DRFJWTKitConfig)
    assert config.name == "drf_jwt_kit"


def test_every_check_is_registered() -> None:
    """``ready()`` imports them; each function that is named ``check_...`` runs."""
    for module in (kit_checks, deploy_checks):
        named = {name for name in vars(module) if name.startswith("check_")}
        registered = {check.__name__ for check in checks.registry.registry.get_checks(include_deployment_checks=True)}
        assert named
        assert named <= registered


def test_the_settings_are_watched() -> None:
    """DESIGN 2.3: what was read is forgotten when a setting changes."""
    assert {conf.forget, backends.forget} <= set(setting_changed._live_receivers(sender=None)[0])


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    """Issue 3.1: models and migrations agree."""
    call_command("makemigrations", "drf_jwt_kit", check=True, dry_run=True, verbosity=0)


def test_there_is_one_table() -> None:
    """Law 6: one row a session, and nothing else."""
    assert list(apps.get_app_config("drf_jwt_kit").get_models()) == [TokenSession]


def test_the_version_is_one() -> None:
    """PEP 440."""
    assert re.fullmatch(r"\d+\.\d+(\.\d+)?((a|b|rc)\d+)?(\.dev\d+)?", drf_jwt_kit.__version__)
