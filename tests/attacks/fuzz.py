"""Coverage-guided fuzzing of what reads bytes before any signature is known to be good.

``python -m tests.attacks.fuzz FOLDER [-runs=100000] [-max_total_time=60] [-seed=1]``, with libFuzzer's options, needs
atheris (the dependency group ``fuzz``). What it learns is kept in ``FOLDER``, the input too that it stops at: the first
that makes a reader do what it may not. See :mod:`tests.attacks.readers`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Fuzz until the options say that it is enough."""
    import atheris

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings.sqlite")
    with atheris.instrument_imports(include=["drf_jwt_kit", "rest_framework_simplejwt", "jwt"]):
        import django

        django.setup()
        from tests.attacks import readers
    from django.conf import settings

    settings.DRF_JWT_KIT = {"TRUSTED_PROXIES": 1}
    folder = Path(sys.argv[1])
    for place, data in enumerate(readers.corpus()):
        (folder / f"seed{place}").write_bytes(data)
    words = Path(__file__).with_name("fuzz.dict")
    options = [f"-dict={words}", f"-artifact_prefix={folder}/", "-max_len=9000", "-timeout=10"]
    atheris.Setup([*sys.argv, *options], readers.target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
