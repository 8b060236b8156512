"""How a service runs: bus, failures, auth, problems, logs, metrics, health; no insurance word."""
