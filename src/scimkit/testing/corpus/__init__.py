"""A language-neutral collection of filter and PATCH cases, with a runner for implementations in any language.

Each case has a document, a request, and the result that the RFC requires. `scimkit corpus export` writes the files, and
`scimkit corpus run -- COMMAND` tests a command. This module never sends a request.

>>> from scimkit.testing import corpus
>>> case = next(each for each in corpus.cases() if each.kind == "filter")
>>> case.clause
'RFC 7644 §3.4.2.2'
"""

from scimkit.testing.corpus.answers import Engine, answer
from scimkit.testing.corpus.cases import LICENSE, VERSION, Case, cases, export, resource_type, schema_documents
from scimkit.testing.corpus.runner import CommandError, Judged, Report, run
from scimkit.testing.corpus.verdicts import Verdict, accepts, judge, same_document

__all__ = [
    "LICENSE",
    "VERSION",
    "Case",
    "CommandError",
    "Engine",
    "Judged",
    "Report",
    "Verdict",
    "accepts",
    "answer",
    "cases",
    "export",
    "judge",
    "resource_type",
    "run",
    "same_document",
    "schema_documents",
]
