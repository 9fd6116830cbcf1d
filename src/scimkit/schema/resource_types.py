"""Resource types: a schema, its extensions and an endpoint, compiled once (RFC 7643 section 6).

A resource type is compiled from Schema documents (plain JSON objects). This module never imports
`scim2_models`; `scimkit.schema.models` turns classes into the documents compiled here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, TypeAlias

from scimkit.schema.attributes import (
    Attribute,
    AttributePath,
    AttributeTable,
    compile_attribute,
    compile_extension,
    requiring,
)

SchemaDocument: TypeAlias = Mapping[str, Any]
"""A Schema resource as JSON (RFC 7643 section 7): at least `id`, `name` and `attributes`."""

_PATHS_KEPT: Final = 1024
_LONGEST_KEPT: Final = 256
"""Characters of the longest path text that is kept, so that the cache is bounded in bytes."""

COMMON_ATTRIBUTES: Final[tuple[Mapping[str, Any], ...]] = (
    {"name": "schemas", "type": "reference", "multiValued": True, "returned": "always", "required": True,
     "mutability": "readWrite", "referenceTypes": ["uri"]},
    {"name": "id", "type": "string", "caseExact": True, "mutability": "readOnly", "returned": "always",
     "uniqueness": "server"},
    {"name": "externalId", "type": "string", "caseExact": True},
    {"name": "meta", "type": "complex", "mutability": "readOnly", "subAttributes": [
        {"name": "resourceType", "type": "string", "caseExact": True, "mutability": "readOnly"},
        {"name": "created", "type": "dateTime", "mutability": "readOnly"},
        {"name": "lastModified", "type": "dateTime", "mutability": "readOnly"},
        {"name": "location", "type": "reference", "mutability": "readOnly", "referenceTypes": ["uri"]},
        {"name": "version", "type": "string", "caseExact": True, "mutability": "readOnly"},
    ]},
)  # fmt: skip
"""Attributes every resource has (RFC 7643 sections 3 and 3.1); what a schema says of them does not count."""

_COMMON_NAMES: Final = frozenset(str(each["name"]).lower() for each in COMMON_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class SchemaExtension:
    """An extension of a resource type: its Schema document, and whether every resource must have it."""

    schema: SchemaDocument
    required: bool = False


class ResourceType:
    """A compiled resource type.

    `attributes` holds the common attributes, those of the schema, and every extension under its URN.
    `unique` and `indexed` are canonical paths: values of the first are unique within a tenant, values
    of both are found by a store without a scan. Every resource must have the attributes in `required`;
    the values of those in `requiring` must have some sub-attribute.
    """

    __slots__ = (
        "_find_recent", "_schemas", "attributes", "description", "endpoint", "extension_names", "extensions", "indexed",
        "name", "required", "requiring", "schema", "schema_documents", "unique",
    )  # fmt: skip

    def __init__(
        self,
        schema: SchemaDocument,
        *,
        extensions: Sequence[SchemaExtension] = (),
        name: str | None = None,
        endpoint: str | None = None,
        description: str | None = None,
        unique: Sequence[str] = (),
        indexed: Sequence[str] = (),
    ) -> None:
        """Compile a resource type.

        `name` defaults to the schema's name, `endpoint` to `/` and the name with an `s`. `unique` adds
        paths to those the schema declares unique; `indexed` adds paths to look up by equality.
        Raises: ValueError when a Schema document is not valid or a path names no attribute.
        """
        self.schema: str = _urn_of(schema)
        self.name: str = name or str(schema.get("name") or "")
        if not self.name:
            raise ValueError(f"schema {self.schema} has no name")
        self.endpoint: str = endpoint or f"/{self.name}s"
        self.description: str = description or str(schema.get("description") or "")
        self.schema_documents: tuple[Mapping[str, Any], ...] = (schema, *(extension.schema for extension in extensions))
        common = [compile_attribute(entry) for entry in COMMON_ATTRIBUTES]
        common[0] = replace(common[0], plain=list)  # compared as a whole, and read only if it is not as expected
        core = [
            compile_attribute(entry) for entry in schema.get("attributes") or ()
            if str(entry.get("name", "")).lower() not in _COMMON_NAMES
        ]  # fmt: skip
        self.extensions: tuple[Attribute, ...] = tuple(
            compile_extension(_urn_of(each.schema), each.schema.get("attributes") or (), required=each.required)
            for each in extensions
        )
        self.extension_names: frozenset[str] = frozenset(each.name for each in self.extensions)
        self.attributes: AttributeTable = AttributeTable([*common, *core, *self.extensions], self.schema)
        self.required: tuple[Attribute, ...] = tuple(
            attribute for attribute in (*core, *self.extensions)
            if attribute.required and attribute.mutability != "readOnly"
        )  # fmt: skip
        self.requiring: tuple[Attribute, ...] = requiring(self.attributes)
        self._find_recent = lru_cache(maxsize=_PATHS_KEPT)(self._find)
        self._schemas: dict[tuple[str, ...], list[str]] = {}
        self.unique: tuple[str, ...] = self._unique_paths(unique)
        self.schema_documents = tuple(self._announced(each) for each in self.schema_documents)
        self.indexed: tuple[str, ...] = self._indexed_paths(indexed)

    def __repr__(self) -> str:
        return f"<ResourceType {self.name} at {self.endpoint}>"

    def without_uniqueness(self, *paths: str) -> ResourceType:
        """Return the same type, in which some attributes need not be unique; its schema says `none` of them.

        `GROUP.without_uniqueness("displayName")` lets two groups share a name, as RFC 7643 section 8.7.1 does.

        Raises:
            ValueError: A path names no attribute of the type that is unique.
        """
        texts = {self._must_find(path) for path in paths}
        if not texts <= set(self.unique):
            raise ValueError(f"resource type {self.name} has a path that is not unique")

        def relaxed(document: SchemaDocument) -> SchemaDocument:
            prefix = "" if document["id"] == self.schema else f"{document['id']}:"
            entries = [
                {**each, "uniqueness": "none"} if f"{prefix}{each['name']}" in texts else each
                for each in document.get("attributes") or ()
            ]
            return {**document, "attributes": entries}

        base, *extensions = map(relaxed, self.schema_documents)
        return ResourceType(
            base,
            extensions=[
                SchemaExtension(document, each.required)
                for document, each in zip(extensions, self.extensions, strict=True)
            ],
            name=self.name,
            endpoint=self.endpoint,
            description=self.description,
            unique=[each for each in self.unique if each not in texts],
            indexed=self.indexed,
        )

    def resolve(self, text: str) -> AttributePath | None:
        """The attribute a path text names, in any case, with or without the URN of its schema.

        The grammar is RFC 7644 section 3.10: `[URN ":"] name ["." subAttribute]`, or the URN of an
        extension as a whole. None when there is no such attribute.
        """
        return self._find_recent(text) if len(text) <= _LONGEST_KEPT else self._find(text)

    def schemas_of(self, document: Mapping[str, Any]) -> list[str]:
        """`schemas` of a document: the type's URN, and those of the extensions it has (RFC 7643 section 3).

        Documents with the same extensions share one list.
        """
        present = tuple([each.name for each in self.extensions if each.name in document])
        schemas = self._schemas.get(present)
        if schemas is None:
            schemas = self._schemas[present] = [self.schema, *present]
        return schemas

    def _find(self, text: str) -> AttributePath | None:
        extension = self.attributes.find(text)
        if extension is not None and extension.is_extension:
            return AttributePath(extension)
        urn, colon, rest = text.rpartition(":")
        name, dot, sub_name = rest.partition(".")
        owner: Attribute | None = None
        if colon and urn.lower() != self.schema.lower():
            owner = self.attributes.find(urn)
            if owner is None or not owner.is_extension:
                return None
        attribute = (owner.children if owner else self.attributes).find(name)
        if attribute is None:
            return None
        sub_attribute = attribute.children.find(sub_name) if dot else None
        if dot and sub_attribute is None:
            return None
        return AttributePath(attribute, sub_attribute, owner)

    def _must_find(self, text: str) -> str:
        path = self._find(text)
        if path is None:
            raise ValueError(f"resource type {self.name} has no attribute {text}")
        return path.text

    def _unique_paths(self, added: Sequence[str]) -> tuple[str, ...]:
        declared = [
            attribute.path
            for table in (self.attributes, *(extension.children for extension in self.extensions))
            for attribute in table.values()
            if attribute.uniqueness != "none" and attribute.name != "id" and not attribute.is_extension
        ]
        return tuple(dict.fromkeys([*declared, *map(self._must_find, added)]))

    def _announced(self, document: SchemaDocument) -> SchemaDocument:
        """The Schema document with the uniqueness that is kept (RFC 7643 section 7); itself when it says so."""
        prefix = "" if document["id"] == self.schema else f"{document['id']}:"
        entries = document.get("attributes") or ()
        kept = [
            {**each, "uniqueness": "server"}
            if f"{prefix}{each['name']}" in self.unique and each.get("uniqueness", "none") == "none"
            else each
            for each in entries
        ]
        return document if kept == list(entries) else {**document, "attributes": kept}

    def _indexed_paths(self, added: Sequence[str]) -> tuple[str, ...]:
        usual = [text for text in ("externalId", "displayName", "emails.value") if self._find(text)]
        return tuple(dict.fromkeys([*self.unique, *usual, *map(self._must_find, added)]))


def _urn_of(schema: SchemaDocument) -> str:
    urn = schema.get("id")
    if not isinstance(urn, str) or not urn:
        raise ValueError("a Schema document has no id")
    return urn
