"""What one ticket costs: the desk under load, measured against a floor of bare I/O on the same servers."""

from ops.bench.figures import BenchFailed
from ops.bench.run import bench

__all__ = ["BenchFailed", "bench"]
