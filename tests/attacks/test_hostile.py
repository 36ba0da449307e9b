"""The generator of hostile requests itself: repeatable, hostile by construction, and as varied as it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from random import Random
from typing import Any

import pytest

from tests.attacks import forge
from tests.attacks.figures import Figures, summary
from tests.attacks.forgeries import Forger, Known
from tests.attacks.hostile import KINDS, LEAVING_NOTHING, requests

NOW = 1_772_366_400
BASE = {"exp": NOW + 300, "iat": NOW, "jti": "0" * 32, "user_id": "1001"}
SESSION = {"sid": "0195a1b2-c3d4-7ef0-8abc-0123456789ab"}
KNOWN = Known(
    key="a key of ours, as long as it has to be",
    password="correct horse battery staple",
    now=NOW,
    claims={
        "access": {"token_type": "access", **BASE, **SESSION},
        "refresh": {
            "token_type": "refresh",
            **BASE,
            **SESSION,
            "gen": 0,
            "jti": "0" * 12 + "5" + "0" * 3 + "8" + "0" * 15,
        },
        "access without session": {"token_type": "access", **BASE},
        "refresh without session": {"token_type": "refresh", **BASE},
    },
    other_user_id=1002,
    other_sid="0195a1b2-c3d4-7ef0-8abc-0123456789ac",
)
OWN = [
    *(Forger.odd_claim_token, Forger.unpaired_token, Forger.other_users_token, Forger.odd_header_token),
    *(Forger.odd_json_token, Forger.large_token, Forger.untimely_token, Forger.untyped_token),
]
FOREIGN = [Forger.text_token, Forger.changed_token, Forger.foreign_token]


@pytest.fixture(scope="module")
def sent() -> list[Any]:
    """Some thousand requests."""
    return list(requests("0", KNOWN, 5000))


def made(make: Callable[[Forger], str], count: int = 500) -> Iterator[str]:
    """Yield some of the tokens that one method makes."""
    forger = Forger(Random(0), KNOWN)
    return islice(iter(lambda: make(forger), None), count)


def is_ours(token: str) -> bool:
    """Return whether our key signed a token."""
    signed, _dot, signature = token.rpartition(".")
    return forge.sealed(*signed.split("."), KNOWN.key).rpartition(".")[2] == signature


def test_a_seed_makes_the_same_requests_each_time(sent: list[Any]) -> None:
    """Issue 4: what was found once is found again with the seed, whatever count was asked for."""
    assert list(requests("0", KNOWN, 5000)) == sent
    assert list(requests("0", KNOWN, 50)) == sent[:50]
    assert list(requests("1", KNOWN, 50)) != sent[:50]


def test_every_kind_is_made(sent: list[Any]) -> None:
    """Issue 4: tokens, headers, bodies, methods and paths, at every door that is meant for them."""
    doors = {kind: {request.door for request in sent if request.kind == kind} for kind in KINDS}
    protected = {"me", "notes", "sessions"}
    assert doors["changed token"] == {"refresh", "verify", "blacklist", "revoke"} | protected
    assert doors["our key, untimely"] == {*LEAVING_NOTHING} | protected
    assert doors["odd Authorization"] == doors["token elsewhere"] == protected
    assert doors["odd body"] == {"obtain", "refresh", "verify", "blacklist", "revoke"}
    assert all(doors.values())


def test_hardly_a_request_is_made_twice(sent: list[Any]) -> None:
    """Issue 4: a million inputs are a million."""
    assert len({json.dumps([request.environ, repr(request)]) for request in sent}) == len(sent)


@pytest.mark.parametrize("make", OWN, ids=lambda make: make.__name__)
def test_what_is_ours_is_rightly_signed(make: Callable[[Forger], str]) -> None:
    """THREATS (k): whatever refuses it, it is not the signature; and it says what no good token says."""
    good = {KNOWN.good(kind) for kind in KNOWN.claims}
    tokens = list(made(make))
    assert all(is_ours(token) for token in tokens)
    assert good.isdisjoint(tokens)


@pytest.mark.parametrize("make", FOREIGN, ids=lambda make: make.__name__)
def test_what_is_not_ours_is_not(make: Callable[[Forger], str]) -> None:
    """Law 7: no token that our key did not sign is one of ours by chance."""
    assert not any(is_ours(token) for token in made(make) if token.count(".") == 2 and token.isascii())


@pytest.mark.parametrize("kind", KNOWN.claims)
def test_a_good_token_is_known_in_every_spelling(kind: str) -> None:
    """RFC 4648 3.5: the idle bits at its end do not make a token another one."""
    forger, token = Forger(Random(0), KNOWN), KNOWN.good(kind)
    twins = [token[:-1] + letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    assert sum(forger.is_good(twin) for twin in twins) == 4
    assert forger.is_good_header(f"\tbearer  {token} ")
    for header in (token, f"Bearer{token}", f"Bearer {token} x", f"Basic {token}", f"Bearer {token[:-1]}", "Bearer"):
        assert not forger.is_good_header(header)


def test_broken_json_is_no_strict_object() -> None:
    """RFC 8259, RFC 8725 2.8: no strict reader takes it, so that the kit may take none of it either."""
    forger, text = Forger(Random(0), KNOWN), json.dumps(KNOWN.claims["refresh"])
    for _ in range(2000):
        with pytest.raises((ValueError, TypeError, RecursionError)):
            strict(forger.broken(text))


def strict(raw: bytes) -> None:
    """Raise unless ``raw`` is one JSON object without a name twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("twice")
        return dict(pairs)

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    if not isinstance(json.loads(raw.decode(), object_pairs_hook=once, parse_constant=refuse), dict):
        raise TypeError("no object")


def test_figures_add_up(sent: list[Any]) -> None:
    """Issue 4: the shares of a soak are told of together, whichever process they ran in."""
    shares = [Figures(7), Figures(7)]
    for number, request in enumerate(sent):
        shares[number % 2].note(request, 401 if number else 200)
    *table, answers, last = summary(share.as_property() for share in shares)
    assert len(table) == len(KINDS) + 2
    assert table[-1].split()[-1] == "5,000"
    assert answers == "answers: 1 x 200, 4,999 x 401"
    assert last.startswith("5,000 inputs, seed 7, digest ")
