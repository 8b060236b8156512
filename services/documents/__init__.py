"""Judges the letters and serves them; the only service that does either."""
