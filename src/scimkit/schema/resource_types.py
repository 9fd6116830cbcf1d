"""Resource types: a schema, its extensions and an endpoint, compiled once (RFC 7643 section 6).

A resource type is compiled from Schema documents, which are plain JSON objects. This module never imports
`scim2_models`. `scimkit.schema.models` converts model classes to Schema documents.
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
"""A Schema resource as JSON (RFC 7643 section 7). `id`, `name` and `attributes` must be present."""

_MAX_CACHED: Final = 1024
_MAX_CACHED_LENGTH: Final = 256
"""Maximum length in characters of a path that is cached. The limit bounds the memory of the cache."""

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
"""Definitions of the attributes that every resource has (RFC 7643 sections 3 and 3.1).

Definitions of these attributes in a Schema document are ignored.
"""

_COMMON_NAMES: Final = frozenset(str(each["name"]).lower() for each in COMMON_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class SchemaExtension:
    """An extension of a resource type: its Schema document, and a flag that makes the extension required."""

    schema: SchemaDocument
    required: bool = False


class ResourceType:
    """A compiled resource type.

    Attributes:
        attributes: The common attributes, the attributes of the schema, and each extension under its URN.
        unique: The canonical paths whose values are unique within a tenant.
        indexed: The canonical paths that a store looks up without a scan. All `unique` paths are included.
        required: The attributes that every resource must have.
        requiring: The complex attributes that have required sub-attributes at any depth.
        references: The attributes whose elements name resources that exist.
    """

    __slots__ = (
        "_find_recent", "_schemas", "attributes", "description", "endpoint", "extension_names", "extensions", "indexed",
        "name", "references", "required", "requiring", "schema", "schema_documents", "unique",
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
        references: Sequence[str] = (),
    ) -> None:
        """Compile a resource type.

        Args:
            schema: The Schema document of the resource type.
            extensions: The extensions of the resource type.
            name: The name. The default is the name of the schema.
            endpoint: The path of the endpoint. The default is `/`, the name and an `s`, such as `/Users`.
            description: The description. The default is the description of the schema.
            unique: Paths of unique attributes, in addition to those that the schema declares unique.
            indexed: Paths that filters often compare with `eq`, in addition to the unique and the usual paths.

            references: Multi-valued attributes with `value` and `$ref` whose elements must name existing resources.
                Experimental. `MemoryStore`, `SqlStore` and `AsyncSqlStore` enforce them: a write that names a resource
                that does not exist is refused, and the deletion of a resource removes the elements that name it.

        Raises:
            ValueError: A Schema document is not valid, or a path names no attribute.
            ValueError: An attribute in `references` is not a multi-valued reference.
        """
        self.schema: str = _urn_of(schema)
        self.name: str = name or str(schema.get("name") or "")
        if not self.name:
            raise ValueError(f"schema {self.schema} has no name")
        self.endpoint: str = endpoint or f"/{self.name}s"
        self.description: str = description or str(schema.get("description") or "")
        self.schema_documents: tuple[Mapping[str, Any], ...] = (schema, *(extension.schema for extension in extensions))
        common = [compile_attribute(entry) for entry in COMMON_ATTRIBUTES]
        common[0] = replace(common[0], plain=list)  # `read_resource` compares the list, and reads it only if it differs
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
        self._find_recent = lru_cache(maxsize=_MAX_CACHED)(self._find)
        self._schemas: dict[tuple[str, ...], list[str]] = {}
        self.references: tuple[str, ...] = tuple(map(self._must_refer, references))
        self.unique: tuple[str, ...] = self._unique_paths(unique)
        self.schema_documents = tuple(self._with_enforced_uniqueness(each) for each in self.schema_documents)
        self.indexed: tuple[str, ...] = self._indexed_paths(indexed)

    def __repr__(self) -> str:
        return f"<ResourceType {self.name} at {self.endpoint}>"

    def without_uniqueness(self, *paths: str) -> ResourceType:
        """Return a copy of the resource type in which the given attributes need not be unique.

        The schema of the copy declares `"uniqueness": "none"` for them. For example,
        `GROUP.without_uniqueness("displayName")` allows two groups with the same name, as RFC 7643 section 8.7.1 does.

        Raises:
            ValueError: A path does not name a unique attribute of the resource type.
        """
        texts = {self._must_find(path) for path in paths}
        if not texts <= set(self.unique):
            raise ValueError(f"a path names an attribute of resource type {self.name} that is not unique")

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
            references=self.references,
        )

    def resolve(self, text: str) -> AttributePath | None:
        """Resolve a path to an attribute. Return None if the resource type has no such attribute.

        The grammar is `[URN ":"] name ["." subAttribute]` (RFC 7644 section 3.10). The URN of an extension alone is
        a path too, and names the extension. Case does not matter.
        """
        return self._find_recent(text) if len(text) <= _MAX_CACHED_LENGTH else self._find(text)

    def schemas_of(self, document: Mapping[str, Any]) -> list[str]:
        """Return `schemas` of a document: the URN of the schema and of each extension that the document has.

        Source: RFC 7643 section 3. Documents with the same extensions share one list object.
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

    def _must_refer(self, name: str) -> str:
        """Return the canonical name of an attribute of references. Raises ValueError if it is none."""
        attribute = self.attributes.find(name)
        if (
            attribute is None
            or not attribute.keyed
            or attribute.mutability == "readOnly"
            or attribute.name == "members"
        ):
            raise ValueError(f"{name} of resource type {self.name} is not a multi-valued attribute of references")
        return attribute.name

    def _unique_paths(self, added: Sequence[str]) -> tuple[str, ...]:
        declared = [
            attribute.path
            for table in (self.attributes, *(extension.children for extension in self.extensions))
            for attribute in table.values()
            if attribute.uniqueness != "none" and attribute.name != "id" and not attribute.is_extension
        ]
        return tuple(dict.fromkeys([*declared, *map(self._must_find, added)]))

    def _with_enforced_uniqueness(self, document: SchemaDocument) -> SchemaDocument:
        """Return the Schema document with the uniqueness that stores enforce (RFC 7643 section 7).

        Return the same object if the document already declares that uniqueness.
        """
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
        referring = [f"{each}.value" for each in self.references]
        return tuple(dict.fromkeys([*self.unique, *usual, *referring, *map(self._must_find, added)]))


def _urn_of(schema: SchemaDocument) -> str:
    urn = schema.get("id")
    if not isinstance(urn, str) or not urn:
        raise ValueError("a Schema document has no id")
    return urn
