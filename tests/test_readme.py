"""The README, followed by a newcomer who reads nothing else."""

from __future__ import annotations

import re

import pytest

from tests.test_docs import ROOT, Project, blocks, empty

pytestmark = pytest.mark.processes

__all__ = ["empty"]

README = ROOT / "README.md"


def test_quick_start_ends_with_the_data(empty: Project) -> None:
    """US1, US3: installed, migrated, 403 without a token, the data with one."""
    for block in blocks(README):
        empty.follow(block)


def test_quick_start_is_under_25_lines() -> None:
    """From the installation to the first curl that a token opens."""
    assert sum(bool(line.strip()) for block in blocks(README) for line in block.text.splitlines()) < 25


def test_readme_has_500_words_at_most() -> None:
    """Code counts as well."""
    assert len(README.read_text(encoding="utf-8").split()) <= 500


def test_every_difference_from_simplejwt_has_its_page() -> None:
    """A claim that nobody can look up is advertising."""
    section = README.read_text(encoding="utf-8").partition("## Different from simplejwt")[2].partition("\n## ")[0]
    claims = re.split(r"^\* ", section, flags=re.MULTILINE)[1:]

    assert len(claims) > 5
    assert all(re.search(r"\]\(docs/\w+\.md", claim) for claim in claims)
