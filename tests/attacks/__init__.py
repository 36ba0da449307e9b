"""Attacks: each threat of the threat list, tried from outside over HTTP."""
