"""The keys that sign and verify: one signs, all verify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from .conf import simple_jwt


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The key that signs, and the retired-to-be ones that still verify."""

    algorithm: str
    signing: Any = field(repr=False)
    fallbacks: Sequence[Any] = field(repr=False)


def ring() -> KeyRing:
    """Return the key ring of the settings as they are now.

    ``SECRET_KEY`` signs unless ``SIMPLE_JWT["SIGNING_KEY"]`` says otherwise, and where it does,
    ``SECRET_KEY_FALLBACKS`` verify, as they do for Django's own signatures.
    """
    algorithm = str(simple_jwt().ALGORITHM)
    signing = simple_jwt().user_settings.get("SIGNING_KEY", settings.SECRET_KEY)
    is_secret_key = algorithm.startswith("HS") and signing == settings.SECRET_KEY
    return KeyRing(algorithm, signing, tuple(settings.SECRET_KEY_FALLBACKS) if is_secret_key else ())
