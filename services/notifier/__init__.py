"""Mails the producer; the only service that speaks SMTP."""
