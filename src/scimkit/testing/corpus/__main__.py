"""Answer the questions of the corpus with scimkit: `python -m scimkit.testing.corpus [DIALECT]`."""

import sys

from scimkit.dialects import DIALECTS
from scimkit.testing.corpus.answers import Engine


def main() -> None:
    """Write the answer to each question on standard input."""
    for line in Engine(DIALECTS[sys.argv[1] if len(sys.argv) > 1 else "strict"]).answers(sys.stdin):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
