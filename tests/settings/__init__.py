"""Settings modules for the suite: one for each database."""
