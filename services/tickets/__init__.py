"""Numbers the tickets, tracks their status and publishes what happened to them."""
