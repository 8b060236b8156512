"""What all four services must agree on: contracts, topology and the way a service runs."""
