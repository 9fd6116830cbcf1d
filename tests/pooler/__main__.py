"""`python -m tests.pooler [OPTION ...]`: run the contracts of the stores through PgBouncer in transaction mode.

The options are those of pytest. PostgreSQL is that of the tests. The exit status is that of pytest.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    contracts = str(Path(__file__).with_name("contracts.py"))
    raise SystemExit(pytest.main([contracts, "-n0", "-p", "no:cacheprovider", *sys.argv[1:]]))
