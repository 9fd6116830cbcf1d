"""Functions that compare an answer with the expected result of a case.

Two documents are the same if they differ only where the RFC gives a service provider the choice:

- `schemas`, `id`, `meta` and each `$ref` are not compared: a service provider computes them.
- Null, an empty array and an empty object are the same as no value (RFC 7643 section 2.5).
- `primary` with false is the same as no `primary` (RFC 7643 section 2.4).
- The order of an array does not matter, nor does the case of attribute names (RFC 7643 section 2.1).
- Two dateTime values are the same if they are the same instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from scimkit.schema.date_times import parse_instant
from scimkit.testing.corpus.cases import Case, Result

Verdict: TypeAlias = Literal["passed", "wrong", "unsupported"]
"""The verdict on an answer."""

_COMPUTED: Final = frozenset({"schemas", "id", "meta"})


def judge(case: Case, answer: Mapping[str, Any]) -> Verdict:
    """Return the verdict on the answer of a command to a case."""
    if "unsupported" in answer:
        return "unsupported"
    return "passed" if any(accepts(result, answer) for result in (case.expected, *case.allowed)) else "wrong"


def accepts(result: Result, answer: Mapping[str, Any]) -> bool:
    """Report whether an answer is the result. A result whose error has no `scimType` accepts each error of the status.

    A status may be an integer or a string, as in the body of a SCIM error.
    """
    if "error" in result:
        expected, found = result["error"], answer.get("error")
        if not isinstance(found, Mapping) or str(found.get("status")) != str(expected["status"]):
            return False
        return bool("scimType" not in expected or expected["scimType"] == found.get("scimType"))
    if "error" in answer:
        return False
    if "matches" in result:
        matches: bool = result["matches"]
        return answer.get("matches") is matches
    document = answer.get("document")
    return isinstance(document, Mapping) and same_document(result["document"], document)


def same_document(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Report whether two documents are the same, except where a service provider has the choice."""
    return bool(_normal(_without_computed(one)) == _normal(_without_computed(other)))


def _without_computed(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name.lower() not in _COMPUTED}


def _normal(value: Any) -> Any:
    """Return a hashable form of a JSON value. Two values have the same form if they count as the same."""
    if isinstance(value, Mapping):
        return _normal_object(value)
    if isinstance(value, list | tuple):
        items = [item for each in value if (item := _normal(each)) is not None]
        return ("array", *sorted(items, key=repr)) if items else None
    if isinstance(value, bool):
        return ("boolean", value)
    if isinstance(value, str):
        instant = parse_instant(value)
        return ("text", value) if instant is None else ("instant", instant)
    return None if value is None else ("number", float(value))


def _normal_object(value: Mapping[str, Any]) -> Any:
    """Return the form of an object. Two names that differ only in case remain two members."""
    members = []
    for name, item in value.items():
        lower = name.lower()
        normal = None if lower == "$ref" or (lower == "primary" and item is False) else _normal(item)
        if normal is not None:
            members.append((lower, normal))
    return ("object", *sorted(members, key=repr)) if members else None
