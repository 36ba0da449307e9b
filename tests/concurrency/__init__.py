"""Races and crashes: real processes, threads and connections, on each database."""
