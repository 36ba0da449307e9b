"""Sphinx: Markdown by MyST, furo's theme, warnings as errors in the `docs` environment."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = (ROOT / "src" / "drf_jwt_kit" / "__init__.py").read_text(encoding="utf-8")

project = "drf-jwt-kit"
author = "drf-jwt-kit contributors"
copyright = "2026, drf-jwt-kit contributors"
release = re.findall(r'^__version__ = "([^"]+)"', SOURCE, re.MULTILINE)[0]
version = release.rpartition(".")[0]

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True

# Headings can be linked to: README and system checks point at them.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "fieldlist"]

html_theme = "furo"
html_title = f"drf-jwt-kit {release}"
html_show_sourcelink = False
