"""THREATS "Time and claims", where a user's id is a UUID: what a token calls its user is read strictly all the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.projects.conftest import CUSTOMER

pytestmark = pytest.mark.processes

# Signs tokens with the project's own key, with and without a session, and tries each at every door of its kind.
ASK = """
call_command("makemigrations", "shop", verbosity=0)
client = migrated_client()
pair = sign_in(client).json()
from django.contrib.auth import get_user_model
from drf_jwt_kit.models import TokenSession
from drf_jwt_kit.tokens import AccessToken, RefreshToken

DOORS = {"access": {"verify": "token"}, "refresh": {"verify": "token", "refresh": "refresh", "blacklist": "refresh"}}


def forged(kind, with_session, user_id):
    token = RefreshToken(pair["refresh"]) if kind == "refresh" else AccessToken(pair["access"])
    token.payload["user_id"] = user_id
    if not with_session:
        token.payload = {name: value for name, value in token.payload.items() if name not in ("sid", "gen")}
        token.payload["jti"] = "4" * 32
    return str(token)


def post(door, field, raw):
    return client.post(f"/api/token/{door}/", {field: raw}, format="json").status_code


def knock(kind, with_session, user_id):
    raw = forged(kind, with_session, user_id)
    answers = {door: post(door, field, raw) for door, field in DOORS[kind].items()}
    if kind == "access":
        answers["class"] = client.get("/class/", HTTP_AUTHORIZATION="Bearer " + raw).status_code
    return {**answers, "revoke": post("revoke", "token", raw)}


pk = str(get_user_model().objects.get().pk)
plain, wide = pk.replace("-", ""), "".join(chr(0xFEE0 + ord(c)) if c.isdigit() else c for c in pk)
odd = [
    1, 0, -1, "1", "0", "", True, None, 1.5, [pk], {"id": pk}, int(plain, 16), str(int(plain, 16)), "a@example.org",
    " " + pk, pk + " ", pk + "\\n", pk + "\\0", pk[:-1], pk + "0", pk.upper().lower().title(), plain, "{" + pk + "}",
    "urn:uuid:" + pk, wide, "0" * 32, "x" * 36, "00000000-0000-0000-0000-000000000000",
]
odd = [user_id for user_id in odd if user_id != pk]
wrong = []
for kind in DOORS:
    for with_session in (True, False):
        for user_id in odd:
            answers = knock(kind, with_session, user_id)
            if {answers.pop("revoke")} != {200} or set(answers.values()) != {401}:
                wrong.append((kind, with_session, repr(user_id), answers))
tell(
    tried=len(odd) > 26,
    wrong=wrong,
    rows=[TokenSession.objects.count(), TokenSession.objects.filter(revoked_at=None).count()],
    good=[knock("access", False, pk), knock("refresh", True, pk)],
)
"""


def test_an_odd_id_is_nobodys_where_ids_are_uuids(project: Any) -> None:
    """THREATS: an integer where the key is a UUID, and a UUID in every other writing: 401 at every door (k)."""
    project.set("AUTH_USER_MODEL = 'shop.Customer'\n")
    project.write("shop/models.py", CUSTOMER)
    project.write("shop/migrations/__init__.py", "")
    good = [
        {"verify": 200, "class": 200, "revoke": 200},
        {"verify": 200, "refresh": 200, "blacklist": 200, "revoke": 200},
    ]
    assert project.run(ASK) == {"tried": True, "wrong": [], "rows": [1, 1], "good": good}
