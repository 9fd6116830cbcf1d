"""What identity providers send outside the RFC, one small rewrite each, as data.

A quirk is asked only where the engine would refuse the request, so it can never change what a request
in RFC form means. It returns `NOT_MINE` when the case is not its own. This module never applies
anything to a resource.

Numbers in `dossier` are rows of section 14 of the client dossier that the house keeps.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from scimkit.filters.ast import Value
from scimkit.schema.attributes import Attribute, AttributeTable
from scimkit.schema.reading import UNASSIGNED
from scimkit.schema.resource_types import ResourceType

Stage: TypeAlias = Literal[
    "attribute_path", "bare_value", "compared", "creates_elements", "extra_member", "message", "name",
    "narrowed_value_path", "operation_name", "path", "primaries", "read_only", "removal", "schemas", "unknown",
    "value", "values",
    "unacceptable",
]  # fmt: skip
"""Where the engine asks: the methods of `scimkit.patch.operations.PatchRepair`."""


class _NotMine:
    def __repr__(self) -> str:
        return "NOT_MINE"


NOT_MINE: Final = _NotMine()
"""What a rewrite returns for a case that is not its own."""


@dataclass(frozen=True, slots=True)
class Quirk:
    """One habit: what it is, who has it, where it is told of, and how it becomes RFC form.

    `rewrite` takes what the method of its `stage` takes and returns what that returns, or `NOT_MINE`.
    `safe` says why it cannot be misread.
    """

    name: str
    stage: Stage
    summary: str
    safe: str
    seen: tuple[str, ...]
    source: str
    rewrite: Callable[..., Any]


# Values -------------------------------------------------------------------------------------------

_BOOLEANS: Final = {"true": True, "false": False}


def _boolean_text(attribute: Attribute, value: object) -> Any:
    if attribute.type == "boolean" and type(value) is str:
        return _BOOLEANS.get(value.strip().lower(), NOT_MINE)
    return NOT_MINE


def _scalar_as_text(attribute: Attribute, value: object) -> Any:
    if attribute.type in ("string", "reference") and type(value) in (int, float, bool):
        return NOT_MINE if type(value) is float and not math.isfinite(value) else json.dumps(value)
    return NOT_MINE


def _number_text(attribute: Attribute, value: object) -> Any:
    if type(value) is str and attribute.type in ("integer", "decimal"):
        try:
            return int(value) if attribute.type == "integer" else float(value)
        except ValueError:
            return NOT_MINE
    return NOT_MINE


def _array_of_one(attribute: Attribute, value: object) -> Any:
    if type(value) is list and not attribute.multi_valued and len(value) <= 1:
        return UNASSIGNED if not value or value[0] is None else _as(attribute, value[0])
    return NOT_MINE


def _as(attribute: Attribute, value: object) -> Any:
    """A value taken out of its array, with the other habits of values on top."""
    if attribute.type == "complex" and type(value) is str:
        return _text_for_complex(attribute, value)
    if attribute.type == "boolean" and type(value) is str:
        return _boolean_text(attribute, value)
    return value


def _text_for_complex(attribute: Attribute, value: object) -> Any:
    if attribute.type == "complex" and type(value) is str and value and "value" in attribute.children:
        return {"value": value}
    return NOT_MINE


def _empty_for_unassigned(attribute: Attribute, value: object) -> Any:
    if value == "" and attribute.type in ("complex", "dateTime", "binary"):
        return UNASSIGNED
    if attribute.is_reference and type(value) is dict and _member(value, "value") == "":
        return UNASSIGNED
    return NOT_MINE


def _member(value: dict[str, Any], name: str) -> Any:
    return next((item for key, item in value.items() if key.lower() == name), None)


def _json_in_text(attribute: Attribute, value: object) -> Any:
    """Turned on by the `entra` dialect only, since a role's value may be any text."""
    if attribute.type != "complex" or type(value) is not str or not value.startswith("{"):
        return NOT_MINE
    try:
        decoded = json.loads(value)
    except ValueError:
        return NOT_MINE
    return decoded if type(decoded) is dict else NOT_MINE


def _one_for_many(attribute: Attribute, value: object) -> Any:
    return UNASSIGNED if value == "" else [value]


def _first_primary(attribute: Attribute, values: list[dict[str, Any]]) -> Any:
    first = next(index for index, each in enumerate(values) if each.get("primary") is True)
    return [
        {**each, "primary": False} if index != first and each.get("primary") is True else each
        for index, each in enumerate(values)
    ]


# Names --------------------------------------------------------------------------------------------


def _path_as_name(table: AttributeTable, name: str, value: object) -> Any:
    """`name.givenName`, `urn:...:User:department` or `urn:...:User.manager` as the name of a member."""
    for extension in table.values():
        if (
            extension.is_extension
            and name.lower().startswith(extension.name.lower())
            and len(name) > len(extension.name)
        ):
            separator, rest = name[len(extension.name)], name[len(extension.name) + 1 :]
            if separator in ":.":
                below = _chain(extension.children, rest)
                return (extension, *below) if below else NOT_MINE
    if ":" in name:
        name = name.rpartition(":")[2]
    return _chain(table, name) or NOT_MINE


def _chain(table: AttributeTable, dotted: str) -> tuple[Attribute, ...]:
    chain: list[Attribute] = []
    for part in dotted.split("."):
        attribute = table.find(part)
        if attribute is None or (chain and chain[-1].multi_valued):
            return ()
        chain.append(attribute)
        table = attribute.children
    return tuple(chain)


def _extension_attribute(table: AttributeTable, name: str, value: object) -> Any:
    """`department` or `manager` at the top of a user: an attribute of exactly one extension."""
    found = [(each, each.children.find(name)) for each in table.values() if each.is_extension]
    owners = [(extension, attribute) for extension, attribute in found if attribute is not None]
    return owners[0] if len(owners) == 1 else NOT_MINE


def _display_name(table: AttributeTable, name: str, value: object) -> Any:
    display = table.find("display")
    return (display,) if display is not None and name.lower() == "displayname" else NOT_MINE


def _dropped(*_: object) -> None:
    return None


# Paths --------------------------------------------------------------------------------------------


def _path_of_name(resource_type: ResourceType, name: str) -> Any:
    """A name in the value of a pathless operation that is a path: it goes on as the path it is."""
    return name if set(name) & set(".:[") else NOT_MINE


def _dot_after_urn(resource_type: ResourceType, text: str) -> Any:
    for extension in resource_type.extensions:
        prefix = extension.name.lower() + "."
        if text.lower().startswith(prefix):
            return _known(resource_type, f"{extension.name}:{text[len(prefix) :]}")
    return NOT_MINE


def _unqualified_path(resource_type: ResourceType, text: str) -> Any:
    owners = [each for each in resource_type.extensions if each.children.find(_first_name(text)) is not None]
    if len(owners) != 1 or ":" in text.partition("[")[0]:
        return NOT_MINE
    return _known(resource_type, f"{owners[0].name}:{text}")


def _unqualified_name(resource_type: ResourceType, name: str) -> Any:
    return _unqualified_path(resource_type, name)


def _display_name_path(resource_type: ResourceType, text: str) -> Any:
    head, dot, tail = text.rpartition(".")
    return _known(resource_type, f"{head}.display") if dot and tail.lower() == "displayname" else NOT_MINE


def _known(resource_type: ResourceType, text: str) -> Any:
    """The text if it names an attribute once its filter is left out."""
    head, bracket, rest = text.partition("[")
    tail = rest.rpartition("]")[2] if bracket else ""
    return text if resource_type.resolve(head + tail) is not None else NOT_MINE


def _first_name(text: str) -> str:
    return text.partition("[")[0].partition(".")[0]


# PATCH operations ---------------------------------------------------------------------------------


def _lower_case(name: str) -> Any:
    return name.strip().lower()


def _listed_values(attribute: Attribute, value: object) -> Any:
    if type(value) is dict:
        wrapped = _member(value, attribute.name.lower())
        if wrapped is not None:
            value = wrapped
    return value if type(value) is list else [value]


def _in_value_only(attribute: Attribute, in_value: bool) -> Any:
    return None if in_value else NOT_MINE


def _not_references(attribute: Attribute) -> bool:
    return not attribute.keyed


# Filters ------------------------------------------------------------------------------------------


def _word(word: str) -> str:
    return word


def _compared_boolean(attribute: Attribute, value: Value) -> Any:
    return _boolean_text(attribute, value)


def _compared_scalar(attribute: Attribute, value: Value) -> Any:
    if type(value) is str:
        return _number_text(attribute, value)
    return _scalar_as_text(attribute, value)


def _accepted(*_: object) -> bool:
    return True


_ENTRA_DOCS: Final = "learn.microsoft.com/entra/identity/app-provisioning/"
_UP: Final = _ENTRA_DOCS + "use-scim-to-provision-users-and-groups"
_SC: Final = _ENTRA_DOCS + "application-provisioning-config-problem-scim-compatibility"
_CA: Final = _ENTRA_DOCS + "customize-application-attributes"
_POSTMAN: Final = "github.com/AzureAD/SCIMReferenceCode PostmanCollection.json"
_ENGINE_REFUSES: Final = "without it the request is refused"

QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk(
        "op-case",
        "operation_name",
        "op in title case, as in Add, Replace, Remove",
        "no operation differs from another by case",
        ("Entra",),
        _SC,
        _lower_case,
    ),
    Quirk(
        "boolean-text",
        "value",
        'a boolean as text, as in "True"',
        "only true and false in any case are taken",
        ("Entra", "Keycloak mitodl"),
        _SC,
        _boolean_text,
    ),
    Quirk(
        "boolean-text-compared",
        "compared",
        'a boolean compared with text, as in roles[primary eq "True"]',
        "only true and false in any case are taken",
        ("Entra",),
        _CA,
        _compared_boolean,
    ),
    Quirk(
        "json-text",
        "value",
        "a complex value as JSON in a string (entra dialect only)",
        "off unless asked for",
        ("Entra",),
        _CA,
        _json_in_text,
    ),
    Quirk(
        "array-of-one",
        "value",
        "a singular attribute as an array of one value, as for manager",
        "an array of more is refused",
        ("Entra",),
        _UP,
        _array_of_one,
    ),
    Quirk(
        "empty-reference",
        "value",
        'a reference or other structured value cleared by "" or {"value": ""}',
        "an empty text is no identifier, date or object",
        ("Entra", "Entra SCIM Validator"),
        "github.com/pranems/SCIMServer docs/MANAGER_PATCH_STRING_COERCION.md",
        _empty_for_unassigned,
    ),
    Quirk(
        "text-for-complex",
        "value",
        "a complex value as its bare value, as manager or a member by its id",
        "a complex attribute takes no text otherwise",
        ("Entra", "Rippling"),
        "github.com/Captain-P-Goldfish/SCIM-SDK/issues/541",
        _text_for_complex,
    ),
    Quirk(
        "scalar-for-text",
        "value",
        "a number or boolean for a text, as employeeNumber 4711",
        "it has one text form",
        ("hosts' templates",),
        _POSTMAN,
        _scalar_as_text,
    ),
    Quirk(
        "number-text",
        "value",
        "a number as text",
        "only what reads as a number is taken",
        ("hosts' templates",),
        _POSTMAN,
        _number_text,
    ),
    Quirk(
        "one-for-many",
        "values",
        "a single value for a multi-valued attribute",
        "it is the one element",
        ("Entra", "OneLogin", "Rippling"),
        _POSTMAN,
        _one_for_many,
    ),
    Quirk(
        "several-primaries",
        "primaries",
        "more than one primary value in one attribute: the first stays primary",
        _ENGINE_REFUSES,
        ("hosts' templates",),
        "RFC 7643 section 2.4",
        _first_primary,
    ),
    Quirk(
        "path-as-name",
        "unknown",
        "name.givenName or URN:attribute as the name of a member",
        "no attribute name has a dot or a colon",
        ("Entra",),
        _SC,
        _path_as_name,
    ),
    Quirk(
        "extension-attribute",
        "unknown",
        "an extension's attribute without its URN, as department",
        "the name is unknown otherwise and one extension alone has it",
        ("Entra",),
        _UP,
        _extension_attribute,
    ),
    Quirk(
        "displayName-for-display",
        "unknown",
        "displayName for display in roles and members",
        "the attribute has no displayName",
        ("Entra",),
        _CA,
        _display_name,
    ),
    Quirk(
        "unknown-attribute",
        "unknown",
        "an attribute that no schema defines is passed over",
        "nothing else could take it",
        ("Entra", "BoxyHQ"),
        _POSTMAN,
        _dropped,
    ),
    Quirk(
        "path-as-name-in-patch",
        "name",
        "name.givenName or URN:attribute in the value of a pathless operation",
        "no attribute name has a dot or a colon",
        ("Entra aadOptscim062020",),
        _SC,
        _path_of_name,
    ),
    Quirk(
        "extension-attribute-in-patch",
        "name",
        "an extension's attribute without its URN in a pathless operation",
        "the name is unknown otherwise and one extension alone has it",
        ("Entra",),
        _UP,
        _unqualified_name,
    ),
    Quirk(
        "unknown-attribute-in-patch",
        "name",
        "an attribute that no schema defines, in a pathless operation, is passed over",
        "nothing else could take it",
        ("Entra", "BoxyHQ"),
        _POSTMAN,
        _dropped,
    ),
    Quirk(
        "dot-after-urn",
        "path",
        "a dot between an extension's URN and the attribute",
        "no attribute has that name",
        ("Entra before 2018",),
        _SC,
        _dot_after_urn,
    ),
    Quirk(
        "unqualified-path",
        "path",
        "an extension's attribute without its URN, as manager",
        "the path is unknown otherwise and one extension alone has it",
        ("Entra",),
        _UP,
        _unqualified_path,
    ),
    Quirk(
        "displayName-path",
        "path",
        "displayName for display at the end of a path",
        "the attribute has no displayName",
        ("Entra",),
        _CA,
        _display_name_path,
    ),
    Quirk(
        "unknown-path",
        "path",
        "an operation on an attribute that no schema defines is passed over",
        "nothing else could take it",
        ("BoxyHQ",),
        "github.com/boxyhq/jackson npm/test/dsync/data/user-requests.ts",
        _dropped,
    ),
    Quirk(
        "remove-listed",
        "removal",
        "remove with a value: only the listed values go",
        "to remove all of them the value is left out",
        ("Entra", "JumpCloud", "authentik", "Salesforce"),
        _SC,
        _listed_values,
    ),
    Quirk(
        "create-element",
        "creates_elements",
        'add or replace at emails[type eq "work"].value creates the entry',
        "not for members, whose existence is not described by a filter",
        ("Entra", "Entra SCIM Validator"),
        _UP,
        _not_references,
    ),
    Quirk(
        "read-only-in-value",
        "read_only",
        "readOnly attributes in the value of a pathless operation are passed over",
        "they cannot be changed",
        ("Okta", "authentik"),
        "developer.okta.com/docs/reference/scim/scim-20",
        _in_value_only,
    ),
    Quirk(
        "other-schemas",
        "schemas",
        "schemas missing, or with other URNs than those of the resource type",
        "the endpoint already says which type it is",
        ("Entra", "OneLogin", "authentik", "Okta"),
        _UP,
        _accepted,
    ),
    Quirk(
        "no-message-schema",
        "message",
        "a PATCH without the schema of its message",
        "the method already says what it is",
        ("BoxyHQ",),
        "github.com/boxyhq/jackson npm/test/dsync/data/user-requests.ts",
        _accepted,
    ),
    Quirk(
        "extra-members",
        "extra_member",
        "other names in a PATCH or an operation are passed over",
        "they have no meaning",
        ("Entra",),
        _POSTMAN,
        _accepted,
    ),
    Quirk(
        "unquoted-text",
        "bare_value",
        "a text in a filter without quotes",
        "it is no number, boolean or null",
        ("Entra", "PingFederate", "authentik", "WSO2"),
        _UP,
        _word,
    ),
    Quirk(
        "narrowed-value-path",
        "narrowed_value_path",
        'emails[type eq "work"].value eq "x" as a filter',
        "one element must meet both",
        ("Entra",),
        _UP,
        _accepted,
    ),
    Quirk(
        "scalar-compared",
        "compared",
        "a text compared with a number without quotes, or the reverse",
        "the attribute's type decides",
        ("Entra",),
        _UP,
        _compared_scalar,
    ),
    Quirk(
        "other-accept",
        "unacceptable",
        "an Accept header with neither SCIM nor JSON in it is answered with SCIM",
        "the client may still read it, and a provisioning log shows more than 406 would",
        ("hosts' templates",),
        "RFC 7644 section 3.8",
        _accepted,
    ),
)
"""Every quirk. Within a stage they are asked in this order, the first that answers decides."""
