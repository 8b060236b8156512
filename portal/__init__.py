"""The reference portal: a client of the desk's public HTTP API, and of nothing else."""
