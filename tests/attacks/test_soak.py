"""Generated attacks in great numbers, through all middleware: nobody gets in, nothing breaks, every answer is JSON.

The short run is the same each time. The long one, ``pytest -m soak -n 2 tests/attacks/test_soak.py``, sends
``DRF_JWT_KIT_SOAK`` inputs (a million) made from ``DRF_JWT_KIT_SOAK_SEED``, and prints the figures.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.client import ClientHandler
from notes.models import Note

from drf_jwt_kit import issuance, models
from drf_jwt_kit.models import TokenSession
from tests.attacks import forge
from tests.attacks.figures import PROPERTY, Figures
from tests.attacks.forgeries import Known
from tests.attacks.hostile import Sent, requests
from tests.attacks.wire import environ
from tests.conftest import PASSWORD, bearer

pytestmark = pytest.mark.django_db

SEED = int(os.environ.get("DRF_JWT_KIT_SOAK_SEED", "1"))
COUNT = int(os.environ.get("DRF_JWT_KIT_SOAK", "1_000_000"))
SHARE = 50_000  # inputs of one test: minutes on a slow machine, and many enough for any number of workers
SHORT = 5_000  # the same in the short run; half of it where the database is not in memory
CHECKPOINT = 500

ALICE, MALLORY = 1001, 1002  # ids that no number made by chance hits
ALICES, MALLORYS = UUID("0195a1b2-c3d4-7ef0-8abc-0123456789ab"), UUID("0195a1b2-c3d4-7ef0-8abc-0123456789ac")
JTI = UUID("5ca1ab1e-0000-4000-8000-000000000001").hex


def signed_in(pk: int, name: str, sid: UUID) -> TokenSession:
    """Return a user's session that is the same in each run."""
    user = get_user_model().objects.create_user(name, password=PASSWORD, pk=pk)
    session = TokenSession.of(user, models.now(), id=sid)
    session.extend(models.now(), timedelta(days=1))
    session.save(force_insert=True)
    Note.objects.create(pk=pk, owner=user, title="x")
    return session


@pytest.fixture
def known(db: None, settings: Any) -> Known:
    """What the attacker knows of alice, who is signed in, and of mallory, who is too."""
    session, other = signed_in(ALICE, "alice", ALICES), signed_in(MALLORY, "mallory", MALLORYS)
    refresh = issuance.refresh_token(session)
    access = issuance.access_token(session, refresh).payload | {"jti": JTI}
    claims = {"access": access, "refresh": refresh.payload}
    claims |= {
        f"{kind} without session": forge.without_session(payload) | {"jti": JTI} for kind, payload in claims.items()
    }
    now = int(models.now().timestamp())
    return Known(settings.SECRET_KEY, PASSWORD, now, claims, MALLORY, str(other.pk))


@pytest.fixture
def _silence() -> Iterator[None]:
    """Log nothing: pytest would keep every record, with its request."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def stored() -> list[Any]:
    """Return every row that an attack might change."""
    return [list(model.objects.order_by("pk").values()) for model in (TokenSession, get_user_model(), Note)]


def fault(sent: Sent, answer: Any) -> str | None:
    """Return what is wrong with an answer, if anything is."""
    status, of_the_kit = answer.status_code, sent.door not in {"me", "notes"}
    if not 400 <= status < 500 and (sent.door, status) != ("revoke", 200):
        return f"status {status}"
    if of_the_kit and answer.headers.get("Cache-Control") != "no-store":
        return "may be stored"
    if not is_json(sent, answer) and (of_the_kit or not may_be_a_page(sent)):
        return f"no JSON, but {answer.headers.get('Content-Type')}: {answer.content[:300]!r}"
    return None


def is_json(sent: Sent, answer: Any) -> bool:
    """Return whether an answer is JSON, without a body after ``HEAD``."""
    if answer.headers.get("Content-Type") != "application/json":
        return False
    return answer.content == b"" if sent.method == "HEAD" else json.loads(answer.content) is not None


def may_be_a_page(sent: Sent) -> bool:
    """Return whether a project's own view answers with HTML: DRF's pages, and Django's for a thousand fields."""
    query = sent.environ.get("QUERY_STRING", "")
    return "html" in sent.environ.get("HTTP_ACCEPT", "") or "format=api" in query or query.count("&") > 900


def soak(known: Known, seed: int, share: int, count: int) -> Figures:
    """Send a share of the inputs that ``seed`` makes; return the figures."""
    handler, before, figures = ClientHandler(enforce_csrf_checks=True), stored(), Figures(seed)
    for number, sent in enumerate(requests(f"{seed}/{share}", known, count), 1):
        answer = handler(environ(sent.method, sent.path, sent.environ, sent.body))
        figures.note(sent, answer.status_code)
        if wrong := fault(sent, answer):
            pytest.fail(f"input {number}, seed {seed}, share {share}: {wrong}\n{sent!r}")
        if number % CHECKPOINT == 0 or number == count:
            assert stored() == before, f"changed by an input up to {number}, seed {seed}, share {share}"
    return figures


def still_open(client: Any, known: Known) -> None:
    """Assert that the good tokens are as good as they were."""
    for kind in ("access", "access without session"):
        assert client.get("/api/me/", **bearer(known.good(kind))).json() == {"id": ALICE, "username": "alice"}
    for kind in known.claims:
        assert client.post("/api/token/verify/", {"token": known.good(kind)}, format="json").status_code == 200
    assert client.post("/api/token/refresh/", {"refresh": known.good("refresh")}, format="json").status_code == 200


@pytest.fixture
def attack(client: Any, known: Known, record_property: Any, _silence: None) -> Any:
    """A function that sends a share of hostile inputs, and that nothing came of it."""

    def attack(seed: int, share: int, count: int) -> None:
        figures = soak(known, seed, share, count)
        record_property(PROPERTY, figures.as_property())
        still_open(client, known)

    return attack


@pytest.mark.generated
@pytest.mark.parametrize("share", range(12))
def test_no_generated_input_gets_in_or_breaks_anything(attack: Any, share: int) -> None:
    """Laws 3, 4, 7 and 8, DESIGN 2.2: some ten thousand hostile inputs, the same each time."""
    attack(0, share, SHORT if connection.vendor == "sqlite" else SHORT // 2)


@pytest.mark.soak
@pytest.mark.parametrize("share", range(-(-COUNT // SHARE)))
def test_none_of_a_million_inputs_gets_in_or_breaks_anything(attack: Any, share: int) -> None:
    """Laws 3, 4, 7 and 8, DESIGN 2.2: a million hostile inputs, others for each seed."""
    attack(SEED, share, min(SHARE, COUNT - share * SHARE))
