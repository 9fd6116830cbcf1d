"""Requests that identity providers send although they deviate from the RFC, with what a lenient provider does.

The requests are those of `tests/dialects/cases.jsonl`, whose sources are named there. A request deviates if scimkit
refuses it in RFC form, or if its result is another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scimkit.dialects import STRICT, TOLERANT
from scimkit.testing.corpus import Engine
from tests.corpus.candidates import FILTERS, GROUP, PATCH, USER, Candidate

_OBSERVED = Path(__file__).parents[1] / "dialects" / "cases.jsonl"
_NAMES = {"/Users": USER, "/Groups": GROUP}


def deviation_candidates() -> Iterator[Candidate]:
    """Yield each observed filter and PATCH that deviates from the RFC."""
    lenient, strict = Engine(TOLERANT), Engine(STRICT)
    for line in _OBSERVED.read_text("utf-8").splitlines():
        for candidate in _questions(json.loads(line)):
            question = {"kind": candidate.kind, "schemas": candidate.schemas, "document": candidate.document,
                        "request": candidate.request}  # fmt: skip
            served = lenient.answer(question)
            if served != strict.answer(question) and "error" not in served:
                yield Candidate(candidate.kind, candidate.clause, candidate.rule, candidate.schemas, candidate.document,
                                candidate.request, (_without_computed(served),), candidate.sent_by)  # fmt: skip


def _without_computed(result: dict[str, Any]) -> dict[str, Any]:
    if "document" in result:
        return {"document": {name: value for name, value in result["document"].items() if name != "schemas"}}
    return result


def _questions(case: dict[str, Any]) -> Iterator[Candidate]:
    parts = urlsplit(case["path"])
    endpoint = "/" + parts.path.split("/")[1]
    if endpoint not in _NAMES:
        return
    before = (case["precondition"] or {}).get(endpoint[1:].lower(), [])
    if case["method"] == "PATCH" and before:
        document = {name: value for name, value in before[0].items() if name != "id" and value != []}
        yield Candidate("patch", PATCH, "deviation", _NAMES[endpoint], document, case["body"], (), (case["idp"],))
    text = parse_qs(parts.query).get("filter")
    if case["method"] == "GET" and text and before:
        yield Candidate("filter", FILTERS, "deviation", _NAMES[endpoint], before[0], text[0], (), (case["idp"],))
