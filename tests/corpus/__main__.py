"""Write the file of the cases, or compare implementations: `python -m tests.corpus [compare [--markdown]]`."""

from __future__ import annotations

import sys

from tests.corpus.generator import FILE, generated_cases, lines

if __name__ == "__main__":
    if sys.argv[1:2] == ["compare"]:
        from tests.corpus.comparison import compare

        compare(sys.argv[2:])
    else:
        cases = generated_cases()
        FILE.write_bytes(lines(cases).encode())
        sys.stdout.write(f"{len(cases)} cases, {FILE.stat().st_size:,} bytes\n")
