"""Resource types for tests, declared as published Schema documents. `DEVICE` has every kind of attribute."""

from __future__ import annotations

from typing import Any

from scimkit import ResourceType, SchemaExtension

DEVICE_SCHEMA: dict[str, Any] = {
    "id": "urn:example:params:scim:schemas:1.0:Device",
    "name": "Device",
    "description": "A device of the helpdesk",
    "attributes": [
        {"name": "serial", "type": "string", "caseExact": True, "required": True, "uniqueness": "server"},
        {"name": "label", "type": "string", "required": True},
        {"name": "model", "type": "string", "mutability": "immutable"},
        {"name": "ports", "type": "integer"},
        {"name": "weight", "type": "decimal"},
        {"name": "bought", "type": "dateTime"},
        {"name": "rented", "type": "boolean"},
        {"name": "key", "type": "binary"},
        {"name": "pin", "type": "string", "mutability": "writeOnly", "returned": "never"},
        {"name": "notes", "type": "string", "returned": "request"},
        {"name": "tags", "type": "string", "multiValued": True},
        {"name": "readings", "type": "decimal", "multiValued": True},
        {"name": "site", "type": "complex", "subAttributes": [
            {"name": "city", "type": "string"},
            {"name": "floors", "type": "integer", "multiValued": True},
            {"name": "opened", "type": "dateTime", "mutability": "immutable"},
        ]},
        {"name": "parts", "type": "complex", "multiValued": True, "subAttributes": [
            {"name": "value", "type": "string", "caseExact": True, "required": True},
            {"name": "type", "type": "string", "canonicalValues": ["disk", "fan"]},
            {"name": "size", "type": "integer"},
            {"name": "primary", "type": "boolean"},
            {"name": "colors", "type": "string", "multiValued": True},
            {"name": "batch", "type": "string", "mutability": "immutable"},
        ]},
        {"name": "owner", "type": "complex", "subAttributes": [
            {"name": "value", "type": "string", "caseExact": True},
            {"name": "$ref", "type": "reference", "referenceTypes": ["User"]},
            {"name": "displayName", "type": "string", "mutability": "readOnly"},
        ]},
    ],
}  # fmt: skip

LEASE_SCHEMA: dict[str, Any] = {
    "id": "urn:example:params:scim:schemas:1.0:Lease",
    "name": "Lease",
    "attributes": [
        {"name": "until", "type": "dateTime"},
        {"name": "contacts", "type": "complex", "multiValued": True, "subAttributes": [
            {"name": "value", "type": "string"}, {"name": "primary", "type": "boolean"},
        ]},
        {"name": "terms", "type": "complex", "subAttributes": [{"name": "text", "type": "string"}]},
    ],
}  # fmt: skip

DESK = "urn:example:params:scim:schemas:extension:desk:2.0:User"
DESK_SCHEMA: dict[str, Any] = {"id": DESK, "name": "Desk", "attributes": [
    {"name": "lead", "type": "complex", "subAttributes": [
        {"name": "value", "type": "string", "caseExact": True},
        {"name": "$ref", "type": "reference", "referenceTypes": ["User"]},
        {"name": "displayName", "type": "string", "mutability": "readOnly"},
    ]},
    {"name": "onCall", "type": "boolean"},
    {"name": "seat", "type": "integer"},
    {"name": "rate", "type": "decimal"},
    {"name": "since", "type": "dateTime"},
    {"name": "badge", "type": "binary"},
    {"name": "skills", "type": "string", "multiValued": True},
    {"name": "place", "type": "complex", "subAttributes": [
        {"name": "floor", "type": "integer"}, {"name": "room", "type": "string"},
        {"name": "quiet", "type": "boolean"},
    ]},
    {"name": "queues", "type": "complex", "multiValued": True, "subAttributes": [
        {"name": "value", "type": "string"}, {"name": "type", "type": "string"},
        {"name": "primary", "type": "boolean"}, {"name": "display", "type": "string"},
        {"name": "weight", "type": "integer"},
    ]},
]}  # fmt: skip
"""A custom extension of the User resource type with every kind of attribute."""

DEVICE = ResourceType(DEVICE_SCHEMA, extensions=[SchemaExtension(LEASE_SCHEMA)], indexed=["parts.value"])
