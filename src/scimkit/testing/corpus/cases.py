"""The cases of the corpus and its schemas, read from the files of this package."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from scimkit.schema.resource_types import ResourceType, SchemaExtension

VERSION: Final = "1.0.0"
"""The version of the corpus. A new major version removes a case or changes the result of one."""

LICENSE: Final = "SPDX-License-Identifier: MIT"
"""The license of the cases and schemas."""

CASES_FILE: Final = "cases.jsonl"
_PACKAGE: Final = "scimkit.testing.corpus"
_CORE: Final = {"User": "user", "EnterpriseUser": "enterprise_user", "Group": "group"}
"""The core schemas by their name in the corpus. Their files belong to `scimkit.schema`."""
_OWN: Final = ("Device", "Lease")
"""The schemas of the corpus itself, which have every type and mutability of attributes."""

Result = Mapping[str, Any]
"""A result: an object with `matches`, with `document`, or with `error`."""


@dataclass(frozen=True)
class Case:
    """A case of the corpus.

    Attributes:
        id: The id, which is the same in every version of the corpus. It is derived from the question.
        kind: `filter` or `patch`.
        clause: The section of the RFC that decides the result, such as `RFC 7644 §3.4.2.2`.
        rule: A short name of the rule within the section.
        schemas: The names of the schema and of its extensions.
        document: The resource before the request.
        request: The text of a filter, or the body of a PATCH.
        expected: The result that scimkit returns.
        allowed: Other results that the RFC allows. An error without `scimType` stands for every error of its status.
        sent_by: The identity providers that send this request. If not empty, the request deviates from the RFC, and
            `expected` is the result of a lenient service provider.
    """

    id: str
    kind: Literal["filter", "patch"]
    clause: str
    rule: str
    schemas: tuple[str, ...]
    document: Mapping[str, Any]
    request: Any
    expected: Result
    allowed: tuple[Result, ...] = ()
    sent_by: tuple[str, ...] = ()

    @property
    def deviates(self) -> bool:
        """True if the request deviates from the RFC. Such a case does not count in the score."""
        return bool(self.sent_by)

    def question(self) -> dict[str, Any]:
        """Return the line that the runner sends to a command. The line does not have the result."""
        return {
            "id": self.id, "kind": self.kind, "schemas": list(self.schemas), "document": dict(self.document),
            "request": self.request,
        }  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Return the case as the JSON object of its line in the file."""
        line: dict[str, Any] = {"id": self.id, "kind": self.kind, "clause": self.clause, "rule": self.rule}
        line |= self.question() | {"expected": dict(self.expected)}
        if self.allowed:
            line["allowed"] = [dict(each) for each in self.allowed]
        if self.sent_by:
            line["sent_by"] = list(self.sent_by)
        return line

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Case:
        """Return the case of a line in the file."""
        lists = {name: tuple(line.get(name, ())) for name in ("schemas", "allowed", "sent_by")}
        return cls(**{**line, **lists})


@cache
def cases() -> tuple[Case, ...]:
    """Return all cases, in the order of the file."""
    text = (files(_PACKAGE) / CASES_FILE).read_text("utf-8")
    return tuple(Case.from_json(json.loads(line)) for line in text.splitlines())


@cache
def schema_documents() -> Mapping[str, Mapping[str, Any]]:
    """Return the Schema documents of the corpus (RFC 7643 section 7) by their name in the cases."""
    sources = {name: files("scimkit.schema.core") / f"{file}.json" for name, file in _CORE.items()}
    sources |= {name: files(_PACKAGE) / "schemas" / f"{name}.json" for name in _OWN}
    return {name: json.loads(source.read_text("utf-8")) for name, source in sources.items()}


@cache
def _resource_type(names: tuple[str, ...]) -> ResourceType:
    documents = schema_documents()
    return ResourceType(documents[names[0]], extensions=[SchemaExtension(documents[name]) for name in names[1:]])


def resource_type(names: Sequence[str]) -> ResourceType:
    """Return the resource type with a schema and its extensions, by their names in the corpus."""
    return _resource_type(tuple(names))


def export(directory: Path) -> list[Path]:
    """Write the corpus into a directory, which is created if it is missing. Return the files.

    The files are `cases.jsonl`, `corpus.json` with the version and the license, and each schema in `schemas`.
    """
    (directory / "schemas").mkdir(parents=True, exist_ok=True)
    text = (files(_PACKAGE) / CASES_FILE).read_text("utf-8")
    about = {"name": "scimkit corpus", "version": VERSION, "license": LICENSE, "cases": len(text.splitlines())}
    contents = {directory / CASES_FILE: text, directory / "corpus.json": json.dumps(about, indent=1) + "\n"}
    for name, document in schema_documents().items():
        contents[directory / "schemas" / f"{name}.json"] = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    for path, content in contents.items():
        path.write_bytes(content.encode())
    return list(contents)
