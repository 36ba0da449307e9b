"""The doctor: measures an installation, and says of each thing that it finds what to do about it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password, get_hasher, identify_hasher, is_password_usable, make_password
from django.core.checks.registry import registry
from django.core.checks.security.base import SECRET_KEY_INSECURE_PREFIX
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from . import audit, backends, keys, models, round_trip, surroundings
from .audit import Verdict
from .conf import simple_jwt
from .findings import Finding, Status, described, milliseconds, unexamined
from .models import TokenSession
from .round_trip import SIGN_IN_SECONDS
from .token_checks import HMAC_BYTES, key_length, only_verifies, self_test

# RFC 7518 3.2, 3.3 and 3.5, in bits.
_LEAST_BITS = {
    **{algorithm: 8 * length for algorithm, length in HMAC_BYTES.items()},
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), 2048),
}

_ONLY_VERIFIES = "no key signs, and the URLconf has no sign-in or refresh of the kit's or simplejwt's."

_HASHINGS = 3
_QUICKEST_HASH = 0.005  # seconds; Argon2id as OWASP has it takes some 15 to 25 ms
_SAMPLE = 1000  # users
_MANY_SESSIONS = 1000


class Diagnosis(NamedTuple):
    """A finding and its topic, a word that stays."""

    topic: str
    finding: Finding


def examine() -> Iterator[Diagnosis]:
    """Yield what is found, topic after topic. One that fails keeps nobody from looking at the next."""
    for topic, look in TOPICS.items():
        try:
            for finding in look():
                yield Diagnosis(topic, finding)
        except Exception as error:  # noqa: BLE001 - what is examined may be broken in any way
            yield Diagnosis(topic, unexamined(error))


# -- Settings --------------------------------------------------------------------------------------


def system_checks() -> Iterator[Finding]:
    """Run the kit's system checks, those for deployment too."""
    known = [check for check in registry.get_checks(True) if check.__module__.startswith("drf_jwt_kit.")]
    said = [finding for check in known for finding in _said_by(check)]
    yield from sorted(said, key=lambda finding: finding.found)
    if not said:
        yield Finding(Status.OK, f"The kit's {len(known)} system checks, check --deploy among them, found nothing.")


def _said_by(check: Any) -> list[Finding]:
    """Return what one check says, or that it broke."""
    try:
        messages = [message for message in check(app_configs=None) if not message.is_silenced()]
    except Exception as error:  # noqa: BLE001 - what is examined may be broken in any way
        return [unexamined(error)]
    return [
        Finding(Status.ERROR if message.is_serious() else Status.WARNING, f"{message.id}: {message.msg}", message.hint)
        for message in messages
    ]


# -- Keys ------------------------------------------------------------------------------------------


def key_ring() -> Iterator[Finding]:
    """Sign and verify with the keys, and measure them; none is printed."""
    ring = keys.ring()
    if not _is_short(ring) and (fault := self_test()):
        yield Finding(
            Status.ERROR,
            f"{ring.algorithm}: a token could not be signed and verified ({fault}).",
            "ALGORITHM, SIGNING_KEY and VERIFYING_KEY must belong together. Keys in pairs need drf-jwt-kit[crypto].",
        )
    elif only_verifies():
        found = f"{ring.algorithm}: {_ONLY_VERIFIES} {_verifying(ring)}."
        yield Finding(Status.NOTE, found, "Set SIMPLE_JWT['SIGNING_KEY'] if a view of your own signs in.")
    else:
        yield _judged_key(ring)


def _is_short(ring: keys.KeyRing) -> bool:
    """Return whether the signing key is one for HMAC, and too short for it."""
    return key_length(ring.signing) < HMAC_BYTES.get(ring.algorithm, 0)


def _judged_key(ring: keys.KeyRing) -> Finding:
    """Say how long the signing key is, whose it is, and whether that will do."""
    bits, least, is_secret_key = _bits(ring), _LEAST_BITS.get(ring.algorithm, 0), ring.signing == settings.SECRET_KEY
    size = "a key" if bits is None else f"a key of {bits} bits"
    found = f"{ring.algorithm} signs with {size}{', which is SECRET_KEY' * is_secret_key}. {_verifying(ring)}."
    if bits is not None and bits < least:
        remedy = f"Set a SECRET_KEY, or SIMPLE_JWT['SIGNING_KEY'], of at least {least} bits."
        return Finding(Status.ERROR, found, remedy)
    if is_secret_key and str(ring.signing).startswith(SECRET_KEY_INSECURE_PREFIX):
        remedy = "On a server, set one that django.core.management.utils.get_random_secret_key made, and tell nobody."
        return Finding(Status.WARNING, f"{found} startproject wrote it into the settings.", remedy)
    return Finding(Status.OK, found)


def _verifying(ring: keys.KeyRing) -> str:
    """Say how many keys verify."""
    if simple_jwt().JWK_URL:
        return "The keys at JWK_URL verify"
    return f"{1 + len(ring.fallbacks)} keys verify" if ring.fallbacks else "1 key verifies"


def _bits(ring: keys.KeyRing) -> int | None:
    """Return the length of the signing key; Ed25519 has one length only, which nobody needs to be told."""
    if ring.algorithm in HMAC_BYTES:
        return 8 * key_length(ring.signing)
    return getattr(backends.current().prepared_signing_key, "key_size", None)


# -- Hasher ----------------------------------------------------------------------------------------


def hasher() -> Iterator[Finding]:
    """Time the preferred hasher, and see which hashes users have."""
    password = secrets.token_urlsafe()
    try:
        algorithm, encoded = str(get_hasher().algorithm), make_password(password)
    except (ImportError, ImproperlyConfigured, IndexError, ValueError) as error:
        found = f"No password can be hashed: {described(error)}"
        yield Finding(Status.ERROR, found, "Mend PASSWORD_HASHERS. Argon2 needs drf-jwt-kit[argon2].")
        return
    yield judged_hasher(algorithm, median(_seconds(password, encoded) for _ in range(_HASHINGS)))
    yield from _hashes_in_use(algorithm)


def _seconds(password: str, encoded: str) -> float:
    """Return how long one password takes to check."""
    begun = perf_counter()
    check_password(password, encoded)
    return perf_counter() - begun


def judged_hasher(algorithm: str, seconds: float) -> Finding:
    """Say whether a hasher leaves a sign-in enough of its 200 ms, and a thief little enough."""
    found = f"check_password takes {milliseconds(seconds)} with {algorithm}; a sign-in may take 200 ms (SC-001)."
    argon2id = "Put 'drf_jwt_kit.hashers.Argon2idPasswordHasher' first in PASSWORD_HASHERS, and keep the others."
    if seconds > 0.95 * SIGN_IN_SECONDS:
        return Finding(Status.WARNING, found, argon2id)
    if seconds < _QUICKEST_HASH:
        return Finding(Status.WARNING, f"{found} That is as quick for whoever copies the table.", argon2id)
    return Finding(Status.OK, found)


def _hashes_in_use(preferred: str) -> Iterator[Finding]:
    """Say which of the newest users' hashes are not the preferred hasher's: one query that reads no more."""
    users = get_user_model()._base_manager.using(models.writing_database()).order_by("-pk")
    hashes = [text for text in users.values_list("password", flat=True)[:_SAMPLE] if is_password_usable(text)]
    counts = Counter(map(_algorithm, hashes))
    of = f"of the {len(hashes)} newest users with a password"
    if unknown := counts.pop("", 0):
        remedy = "Put the hasher that made them back into PASSWORD_HASHERS, behind the first."
        yield Finding(Status.WARNING, f"{unknown} {of} have a hash that no hasher knows: they cannot sign in.", remedy)
    counts.pop(preferred, 0)
    for algorithm, count in counts.items():
        remedy = "Each is hashed anew at its next sign-in. Until then a slower one takes longer to be denied."
        yield Finding(Status.NOTE, f"{count} {of} have a hash of {algorithm}.", remedy)


def _algorithm(encoded: str) -> str:
    """Return which hasher made a hash, empty where none of the project's did."""
    try:
        return str(identify_hasher(encoded).algorithm)
    except ValueError:
        return ""


# -- Sessions --------------------------------------------------------------------------------------


def session_rows() -> Iterator[Finding]:
    """Count the rows, and those that nobody needs any more."""
    try:
        rows, prunable = TokenSession.objects.count(), TokenSession.objects.prunable(models.now()).count()
    except DatabaseError as error:
        found = f"The table of sessions cannot be read: {described(error)}"
        yield Finding(Status.ERROR, found, "Run manage.py migrate, and see that DATABASES is right.")
        return
    found = f"Rows in the table of sessions: {rows}. Of them can be pruned: {prunable}."
    if prunable > max(_MANY_SESSIONS, rows // 2):
        yield Finding(Status.WARNING, found, "Run manage.py jwt_prune once a day.")
    else:
        yield Finding(Status.OK, found)


# -- Protection ------------------------------------------------------------------------------------


def protection() -> Iterator[Finding]:
    """Count what a request without a token gets; W014 and W025, among the settings, name each endpoint."""
    counts = Counter(row.verdict for row in audit.rows())
    found = f"Endpoints: {', '.join(f'{counts[verdict]} {verdict}' for verdict in Verdict)}."
    if counts[Verdict.OPEN] or counts[Verdict.UNKNOWN]:
        remedy = "Run manage.py jwt_audit. Protect what is OPEN, or declare it with @public."
        yield Finding(Status.WARNING, found, remedy)
    else:
        yield Finding(Status.OK, found)


# -- Round trip ------------------------------------------------------------------------------------


def whole_trip() -> Iterator[Finding]:
    """Make the round trip, unless no token can be made here."""
    if only_verifies():
        remedy = "Send a token of the service that signs users in, and a bad one, by hand once."
        yield Finding(Status.NOTE, f"Not made: {_ONLY_VERIFIES}", remedy)
    else:
        yield from round_trip.examine()


TOPICS: Mapping[str, Callable[[], Iterable[Finding]]] = {
    "settings": system_checks,
    "keys": key_ring,
    "hasher": hasher,
    "cache": surroundings.cache_counts,
    "clock": surroundings.clock,
    "proxies": surroundings.proxies,
    "protection": protection,
    "sessions": session_rows,
    "round_trip": whole_trip,
}
