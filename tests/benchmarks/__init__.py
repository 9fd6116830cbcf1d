"""Benchmarks: `python -m tests.benchmarks`.

`BENCHMARK_WITHOUT=orjson` in the environment measures as if that module were not installed, in every process.
"""

import os
import sys

for name in filter(None, os.environ.get("BENCHMARK_WITHOUT", "").split(",")):
    sys.modules[name] = None  # type: ignore[assignment]  # its import fails
