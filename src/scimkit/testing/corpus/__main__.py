"""Answer the questions of the corpus with scimkit: `python -m scimkit.testing.corpus [DIALECT]`."""

import sys

from scimkit.dialects import DIALECTS
from scimkit.testing.corpus.answers import Engine

if __name__ == "__main__":
    engine = Engine(DIALECTS[sys.argv[1] if len(sys.argv) > 1 else "strict"])
    for line in engine.answers(sys.stdin):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
