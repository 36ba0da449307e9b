"""Throw-away projects, each in a process of its own: what depends on how a process starts."""
