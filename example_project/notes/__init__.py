"""A small notes API: every user sees the own notes and nobody else's."""
