"""The benchmarks of scimkit: `python -m tests.benchmarks`.

`BENCHMARK_WITHOUT=orjson` in the environment runs every process as if that module were not installed.
"""

import os
import sys

for name in filter(None, os.environ.get("BENCHMARK_WITHOUT", "").split(",")):
    sys.modules[name] = None  # type: ignore[assignment]  # makes the import fail
