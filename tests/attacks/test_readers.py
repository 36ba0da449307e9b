"""What reads bytes before any signature is known to be good does what it says, whatever the bytes are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from drf_jwt_kit.exceptions import Invalid
from tests.attacks import readers
from tests.attacks.grammar import Grammar
from tests.attacks.readers import READERS, Reader

ROOT = Path(__file__).resolve().parents[2]
RUNS = int(os.environ.get("DRF_JWT_KIT_FUZZ", "1_000_000"))


@pytest.fixture(autouse=True)
def _behind_a_proxy(settings: Any) -> None:
    """Let one proxy name the client's address, as the fuzzer does."""
    settings.DRF_JWT_KIT = {"TRUSTED_PROXIES": 1}


def test_each_reader_takes_what_fuzzing_begins_with() -> None:
    """Issue 4: the fuzzer begins where each reader is."""
    for data in readers.corpus():
        readers.target(data)
    assert {read for read, _data in readers.seeds()} == {reader.read for reader in READERS}


@pytest.mark.parametrize("place", range(len(READERS)), ids=lambda place: READERS[place].read.__name__)
def test_a_reader_takes_any_bytes(place: int) -> None:
    """Issue 4: bytes, text, base64 and JSON by the thousand; no exception but the documented ones."""
    grammar = Grammar(Random(place))
    sources: list[Callable[[], bytes]] = [
        grammar.octets,
        *(lambda made=made: made().encode("utf-8", "surrogatepass") for made in (grammar.text, grammar.value)),
        lambda: ".".join([grammar.segment() for _ in range(3)]).encode("utf-8", "surrogatepass"),
    ]
    for _ in range(1000):
        readers.target(bytes([place]) + grammar.one(sources)())


def test_what_a_reader_may_not_raise_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 4: a fuzzer hears of everything else."""

    def read(data: bytes) -> None:
        if data:
            raise KeyError(data)
        raise Invalid

    monkeypatch.setattr(readers, "READERS", (Reader(read, (Invalid,)),))
    readers.target(b"\0")
    with pytest.raises(KeyError):
        readers.target(b"\0x")


@pytest.mark.soak
def test_coverage_guided_fuzzing_finds_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Issue 4: ``DRF_JWT_KIT_FUZZ`` runs, led by what they reach in the kit, simplejwt and PyJWT."""
    command = [sys.executable, "-m", "tests.attacks.fuzz", str(tmp_path), f"-runs={RUNS}", "-seed=1"]
    fuzzing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    assert fuzzing.returncode == 0, fuzzing.stderr[-3000:]
    with capfd.disabled():
        print(next(line for line in fuzzing.stderr.splitlines() if "DONE" in line))  # noqa: T201 - the figures
