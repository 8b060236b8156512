"""The public HTTP door: takes requests and forwards reads to their owners."""
