"""Figures of a soak: how many inputs of each kind came to which door, and what was answered."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from tests.attacks.hostile import Sent

PROPERTY = "hostile inputs"


class Figures:
    """What one share of a soak sent and got."""

    def __init__(self, seed: int) -> None:
        """Begin to count."""
        self.seed = seed
        self.counts: Counter[tuple[str, str, int]] = Counter()
        self.digest = sha256()
        self.began = time.perf_counter()

    def note(self, sent: Sent, status: int) -> None:
        """Count one request and its answer."""
        self.counts[sent.kind, sent.door, status] += 1
        self.digest.update(repr(sent).encode("utf-8", "surrogatepass"))

    def as_property(self) -> dict[str, Any]:
        """Return the figures in a form that a worker of xdist can hand on."""
        return {
            "seed": self.seed,
            "counts": [[*key, count] for key, count in self.counts.items()],
            "digest": self.digest.hexdigest(),
            "began": self.began,
            "ended": time.perf_counter(),
        }


def summary(shares: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines that tell of all shares together."""
    shares = list(shares)
    cells: Counter[tuple[str, str]] = Counter()
    statuses: Counter[int] = Counter()
    for kind, door, status, count in (row for share in shares for row in share["counts"]):
        cells[kind, door] += count
        statuses[status] += count
    yield from _table(cells)
    yield "answers: " + ", ".join(f"{count:,} x {status}" for status, count in sorted(statuses.items()))
    yield _rate(shares, statuses.total())


def _table(cells: Counter[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each kind and a column for each door, with sums."""
    kinds, doors = sorted({kind for kind, _door in cells}), sorted({door for _kind, door in cells})
    yield _row("", [*doors, "all"])
    for kind in kinds:
        counts = [cells[kind, door] for door in doors]
        yield _row(kind, [*counts, sum(counts)])
    yield _row("all", [*(sum(cells[kind, door] for kind in kinds) for door in doors), cells.total()])


def _row(name: str, values: Iterable[int | str]) -> str:
    """Return one line of the table."""
    return f"{name:28}" + "".join(f"{value:>11,}" if isinstance(value, int) else f"{value:>11}" for value in values)


def _rate(shares: list[Mapping[str, Any]], count: int) -> str:
    """Return seed, digest and speed; the clock is one for all processes of a machine."""
    seconds = max(share["ended"] for share in shares) - min(share["began"] for share in shares)
    seeds = ", ".join(sorted({str(share["seed"]) for share in shares}))
    digest = sha256("".join(sorted(share["digest"] for share in shares)).encode()).hexdigest()[:16]
    return f"{count:,} inputs, seed {seeds}, digest {digest}: {seconds:.0f} s, {count / seconds:,.0f} inputs/s"
