"""The loop of a program that answers the questions of the corpus, as `scimkit corpus run` asks them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

Answer = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]


def answer_questions(answer: Answer) -> None:
    """Answer each question. The function gets the question and the schemas by name."""
    schemas: dict[str, Any] = {}
    for line in sys.stdin:
        question = json.loads(line)
        if question["kind"] == "schemas":
            schemas = question["schemas"]
        else:
            sys.stdout.write(json.dumps({"id": question["id"], **answer(question, schemas)}) + "\n")
            sys.stdout.flush()
