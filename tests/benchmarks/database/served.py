"""`python -m tests.benchmarks.database.served TARGET PORT`: serve an application or a factory with uvicorn.

What the process keeps is exempt from garbage collections, as `docs/how-to/processes.md` advises. Every server of the
comparison runs this way.
"""

from __future__ import annotations

import gc
import sys

import uvicorn
from uvicorn.importer import import_from_string


def main(target: str, port: str) -> None:
    """Serve a target at a port. A target that ends with `()` is a factory."""
    found = import_from_string(target.removesuffix("()"))
    app = found() if target.endswith("()") else found
    gc.collect()
    gc.freeze()
    uvicorn.run(app, port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
