"""The answers of scimkit itself to the questions of the corpus.

`python -m scimkit.testing.corpus` reads questions and writes answers. The program is an example of the protocol.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from scimkit import patch
from scimkit.dialects import STRICT, Dialect, RequestDeviations
from scimkit.errors import InvalidSyntax, ScimError
from scimkit.filters import parse
from scimkit.testing.corpus.cases import resource_type


class Engine:
    """The filters and PATCH of scimkit, with a dialect.

    Args:
        dialect: The dialect that rewrites deviations. The default accepts only requests in RFC form.
    """

    def __init__(self, dialect: Dialect = STRICT) -> None:
        self._dialect = dialect

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to a question: `matches`, `document` or `error`."""
        try:
            return self._result(question)
        except ScimError as error:
            kind = {} if error.scim_type is None else {"scimType": error.scim_type}
            return {"error": {"status": error.status, **kind}}

    def _result(self, question: Mapping[str, Any]) -> dict[str, Any]:
        kind, document, request = resource_type(question["schemas"]), question["document"], question["request"]
        deviations = RequestDeviations(self._dialect)
        if question["kind"] == "filter":
            wanted = deviations.fitted(parse(request, deviations), kind)
            return {"matches": wanted.matches(document, kind)}
        if not isinstance(request, dict):
            raise InvalidSyntax("The body must be an object.")
        return {"document": dict(patch.apply(kind, document, request, deviations).document)}

    def answers(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield a line with the answer to each line with a question."""
        for line in lines:
            question = json.loads(line)
            if question["kind"] in ("filter", "patch"):
                yield json.dumps({"id": question["id"], **self.answer(question)}, ensure_ascii=False)


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of scimkit in RFC form to a question: `matches`, `document` or `error`."""
    return Engine().answer(question)
