"""Law 6, where a project's own model refers to sessions."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.processes

MODEL = """
from django.db import models


class Device(models.Model):
    session = models.OneToOneField("drf_jwt_kit.TokenSession", on_delete=models.CASCADE)
"""

ASK = """
call_command("makemigrations", "shop", verbosity=0)
client = migrated_client()
from datetime import timedelta
from io import StringIO
from drf_jwt_kit.models import TokenSession
from shop.models import Device

for _ in range(3):
    sign_in(client)
newest = TokenSession.objects.order_by("-pk")[0]
for session in TokenSession.objects.all():
    Device.objects.create(session=session)
expired = TokenSession.objects.exclude(pk=newest.pk)
expired.update(expires_at=newest.expires_at - timedelta(days=60))
said = StringIO()
call_command("jwt_prune", stdout=said)
tell(said=said.getvalue(), kept=[device.session_id == newest.pk for device in Device.objects.all()])
"""


def test_what_a_project_keeps_of_a_session_goes_with_it(project: Any) -> None:
    """One row that is referred to would hold up all others, batch after batch."""
    project.write("shop/models.py", MODEL)
    project.write("shop/migrations/__init__.py", "")
    assert project.run(ASK) == {"said": "2 expired sessions were deleted.\n", "kept": [True]}
