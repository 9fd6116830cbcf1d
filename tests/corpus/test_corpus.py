"""The file of the corpus agrees with its generator, with scimkit and with the slow reference model."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from scimkit.dialects import TOLERANT
from scimkit.schema.reading import read_resource
from scimkit.testing import corpus
from tests.corpus.candidates import Candidate
from tests.corpus.comparison import Peer, Result, measured, peers, table
from tests.corpus.generator import FILE, case_of, generated_cases, lines
from tests.corpus.patches import patch_candidates
from tests.corpus.peers import models
from tests.corpus.reduction import results_of
from tests.corpus.refusals import refusal_candidates
from tests.docs.tables import DOCS

CASES = corpus.cases()
SCORED = [each for each in CASES if not each.deviates]


def test_the_generator_writes_the_file() -> None:
    """`python -m tests.corpus` writes the same bytes again."""
    assert lines(generated_cases()).encode() == FILE.read_bytes()


def test_the_file_is_large_enough_and_small_enough() -> None:
    """The corpus has 2,000 cases of both kinds at least, in less than 1 MB. No id and no question is repeated."""
    assert len(SCORED) >= 2000
    assert min(Counter(each.kind for each in SCORED).values()) >= 1000
    assert FILE.stat().st_size < 1_000_000
    assert len({each.id for each in CASES}) == len(CASES)
    assert len({str({**each.question(), "id": ""}) for each in CASES}) == len(CASES)


def test_scimkit_answers_as_expected() -> None:
    """scimkit gives the expected result of each case, and not only an allowed one."""
    wrong = [each.id for each in SCORED if not corpus.accepts(each.expected, corpus.answer(each.question()))]
    assert wrong == []


def test_the_tolerant_dialect_serves_the_deviations() -> None:
    """The default dialect gives the expected result of each request that deviates from the RFC."""
    engine = corpus.Engine(TOLERANT)
    deviations = [each for each in CASES if each.deviates]
    assert len(deviations) >= 30
    assert [each.id for each in deviations if not corpus.accepts(each.expected, engine.answer(each.question()))] == []


def test_the_reference_model_agrees() -> None:
    """The reference model gives the expected and the allowed results, except for errors that are written by hand."""
    written = (*refusal_candidates(), *(each for each in patch_candidates() if each.results))
    by_hand = {case_of(each).id for each in written}
    checked = [each for each in SCORED if each.id not in by_hand]
    assert len(checked) >= 2300
    for case in checked:
        asked = Candidate(case.kind, case.clause, case.rule, case.schemas, case.document, case.request)
        assert results_of(asked) == (case.expected, *case.allowed), case.id


def test_each_document_is_a_valid_resource() -> None:
    """A client may create the document of each case, and the expected document too."""
    for case in SCORED:
        kind = corpus.resource_type(case.schemas)
        for document in (case.document, case.expected.get("document", case.document)):
            body = {"schemas": kind.schemas_of(document), **document}
            computed = {name: body[name] for name in ("id", "asset") if name in body}
            assert read_resource(kind, body) | computed == body or case.rule == "readOnly", case.id


def test_each_clause_has_cases() -> None:
    """The clauses are those of filters, of PATCH and of its operations."""
    assert {each.clause for each in CASES} == {
        "RFC 7643 §2.1", "RFC 7643 §2.2", "RFC 7644 §3.10", "RFC 7644 §3.4.2.2", "RFC 7644 §3.5.2",
        "RFC 7644 §3.5.2.1", "RFC 7644 §3.5.2.2", "RFC 7644 §3.5.2.3",
    }  # fmt: skip


def test_scim2_models_disagrees_only_where_the_page_says() -> None:
    """scim2-models gives the right answer, except for the two rules that the page of the corpus names."""
    schemas = corpus.schema_documents()
    sample = SCORED[::20]
    wrong = {
        each.rule for each in sample if corpus.judge(each, models.answer(each.question(), dict(schemas))) != "passed"
    }
    assert wrong <= {"one of several values", "value of another type"}


def test_the_table_counts_what_a_peer_does_not_claim_separately() -> None:
    """A case outside of the claims of a peer is not asked, and is not wrong."""
    ours = next(iter(peers(None)))
    some = Peer("other", "1", ours.program, ours.lenient, claims=lambda case: case.rule == "primary")
    result, served = measured(some)
    assert result.counts(None)["passed"] == sum(each.rule == "primary" for each in SCORED)
    assert result.counts(None)["unsupported"] == len(SCORED) - result.counts(None)["passed"]
    text = "\n".join(table([(result, served), (Result(ours, [], list(SCORED)), 0)]))
    assert f"| deviations served, outside of the score | {len(CASES) - len(SCORED)} | {served} | 0 |" in text


PAGE = (DOCS / "explanation" / "corpus.md").read_text("utf-8")


@pytest.mark.parametrize("id", sorted(set(re.findall(r"`((?:filter|patch)-[0-9a-f]{10})`", PAGE))))
def test_each_id_on_the_page_is_a_case(id: str) -> None:
    """The page names cases that exist."""
    assert id in {each.id for each in CASES}


def test_the_page_has_the_numbers_of_the_corpus() -> None:
    """The table on the page is of this version of the corpus, with its number of cases."""
    assert f"| corpus {corpus.VERSION} |" in PAGE
    assert f"| **all** | {len(SCORED):,} | {len(SCORED):,} of {len(SCORED):,} |" in PAGE
