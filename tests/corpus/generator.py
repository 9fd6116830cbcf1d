"""The cases of the corpus, in the order of the file. The same code always gives the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import scimkit.testing.corpus
from scimkit.testing.corpus import Case, schema_documents
from tests.corpus.candidates import Candidate
from tests.corpus.deviations import deviation_candidates
from tests.corpus.explored import explored_candidates
from tests.corpus.filters import filter_candidates
from tests.corpus.patch_readings import Unanswered
from tests.corpus.patches import patch_candidates
from tests.corpus.reduction import Signature, reduced, results_of, signature
from tests.corpus.refusals import refusal_candidates

FILE: Final = Path(scimkit.testing.corpus.__file__).with_name("cases.jsonl")
_FOR_EACH_ATTRIBUTE: Final = frozenset({"caseExact", "JSON constants", "dateTime"})
"""Rules that have a case for each attribute or each constant, which the signature does not tell apart."""
_MOST_EXPLORED: Final = {"filter": 150, "patch": 250}
"""Maximum number of pseudo-random cases of each kind."""


_FEWEST_FEATURES: Final = 4
"""Fewest features of a pseudo-random case. Those with fewer are enumerated."""


def generated_cases() -> list[Case]:
    """Return all cases: enumerated, written by hand, pseudo-random and observed ones, each question once."""
    known: dict[str, Case] = {}
    signatures: set[Signature] = set()
    for candidate in (*filter_candidates(), *patch_candidates()):
        for case in _enumerated(candidate, signatures):
            known.setdefault(case.id, case)
    for candidate in refusal_candidates():
        case = case_of(candidate)
        known.setdefault(case.id, case)
    for case in _explored(known, signatures):
        known.setdefault(case.id, case)
    for candidate in deviation_candidates():
        case = case_of(candidate)
        senders = {*case.sent_by, *known.get(case.id, case).sent_by}
        known[case.id] = replace(case, sent_by=tuple(sorted(senders)))
    return sorted(known.values(), key=lambda each: (each.deviates, each.kind, each.clause, each.rule, each.id))


def _enumerated(candidate: Candidate, signatures: set[Signature]) -> Iterator[Case]:
    """Yield the case of an enumerated candidate, unless the RFC does not answer it, or another case does the same."""
    try:
        if candidate.results:
            yield case_of(candidate)
            return
        found = signature(candidate) | {(candidate.clause, candidate.rule)}
        if found not in signatures or candidate.rule in _FOR_EACH_ATTRIBUTE:
            signatures.add(found)
            yield case_of(reduced(candidate))
    except Unanswered:
        return


def _explored(known: dict[str, Case], signatures: set[Signature]) -> Iterator[Case]:
    """Yield reduced pseudo-random cases with new signatures."""
    left = dict(_MOST_EXPLORED)
    for candidate in explored_candidates():
        if not any(left.values()):
            return
        if not left[candidate.kind]:
            continue
        try:
            found = signature(candidate)
            if found in signatures or len(found) < _FEWEST_FEATURES:
                continue
            small = reduced(candidate)
        except Unanswered:
            continue
        signatures.add(found)
        case = case_of(small)
        if case.id not in known:
            left[candidate.kind] -= 1
            yield case


def case_of(candidate: Candidate) -> Case:
    """Return the case of a candidate.

    Raises:
        Unanswered: The RFC does not answer the question.
    """
    candidate = with_needed_schemas(candidate)
    expected, *allowed = results_of(candidate)
    question = [candidate.kind, candidate.schemas, candidate.document, candidate.request]
    digest = hashlib.sha256(json.dumps(question, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return Case(
        f"{candidate.kind}-{digest[:10]}", candidate.kind, candidate.clause, candidate.rule, candidate.schemas,
        candidate.document, candidate.request, expected, tuple(allowed), candidate.sent_by,
    )  # fmt: skip


def with_needed_schemas(candidate: Candidate) -> Candidate:
    """Return the candidate without the extensions that neither the document nor the request names.

    A deviation may mean an attribute of an extension without its URN, and keeps all of them.
    """
    if candidate.sent_by:
        return candidate
    text = json.dumps([candidate.document, candidate.request]).lower()
    core, *extensions = candidate.schemas
    needed = [name for name in extensions if str(schema_documents()[name]["id"]).lower() in text]
    return replace(candidate, schemas=(core, *needed))


def lines(cases: Iterable[Case]) -> str:
    """Return the text of the file."""
    return "".join(_line(each.to_json()) + "\n" for each in cases)


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
