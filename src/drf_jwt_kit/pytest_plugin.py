"""Fixtures of :mod:`drf_jwt_kit.testing`, for projects that want them.

``pytest_plugins = ["drf_jwt_kit.pytest_plugin"]`` in the ``conftest.py`` beside ``pytest.ini``, or ``-p
drf_jwt_kit.pytest_plugin``. They need pytest-django. pytest reads this module before Django is set up, so
nothing of the kit is imported until a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import time_machine
    from rest_framework.test import APIClient

    from .proof import Protection


@pytest.fixture
def api_client_for(db: None) -> Callable[[Any], APIClient]:
    """:func:`drf_jwt_kit.testing.api_client_for`, with the database: ``api_client_for(user).get("/notes/")``."""
    from . import testing

    return testing.api_client_for


@pytest.fixture
def assert_protected(db: None) -> Callable[..., Protection]:
    """:func:`drf_jwt_kit.testing.assert_protected`, with the database: ``assert_protected()``."""
    from . import testing

    return testing.assert_protected


@pytest.fixture
def frozen_time() -> Iterator[time_machine.Traveller]:
    """Time that stands still until the test moves it: ``frozen_time.shift(timedelta(minutes=6))``."""
    from . import testing

    with testing.freeze() as traveller:
        yield traveller
