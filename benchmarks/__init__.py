"""Measurements, as ratios against simplejwt in one run."""
