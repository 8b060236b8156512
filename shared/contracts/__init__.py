"""Messages and the models that cross the gateway: pydantic only, nothing of ours is imported."""
