"""The roles and entitlements that an application offers, as its host declares them.

This module does no I/O. A function of the host returns the offers of a tenant.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Any, Final, Literal, TypeAlias

from scimkit.schema.resource_types import ResourceType, SchemaExtension
from scimkit.schema.role_schemas import RoleAttribute, RoleSchemas, role_schema

_MAX_ID_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class Offer:
    """A role or an entitlement that users of the application can have.

    Raises:
        ValueError: `value` or `id` cannot be the last part of a URL: it is empty, longer than 255 characters, or has a
            slash or a control character.
    """

    value: str
    """The value in `roles` or `entitlements` of a user. Upper and lower case are the same."""
    display: str | None = None
    """The name for people. The default is `value`."""
    type: str | None = None
    """A label for the function, such as `License`."""
    description: str | None = None
    """A description for people. Only the form of Okta has it."""
    id: str | None = None
    """The id of the resource in the form of the draft. The default is `value`. An id must never change."""
    supported: bool = True
    """False if the offer exists, but no user can get it at present."""
    assignments_permitted: int | None = None
    """Number of users that can have the role or entitlement. None means any number. scimkit does not count."""
    assignments_used: int | None = None
    """Number of users that have the role or entitlement."""
    contains: Sequence[str] = ()
    """Values of the offers whose rights this offer includes. `containedBy` follows from them."""
    extensions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """The attributes of extensions, by the URN of the extension."""

    def __post_init__(self) -> None:
        for name, text in (("value", self.value), ("id", self.id or self.value)):
            if not text or len(text) > _MAX_ID_LENGTH or "/" in text or not text.isprintable() or text == ".search":
                raise ValueError(
                    f"the {name} of an offer must be 1 to {_MAX_ID_LENGTH} printable characters, without /"
                )


Offers: TypeAlias = Sequence[Offer] | Callable[[str], Sequence[Offer] | Awaitable[Sequence[Offer]]]
"""The offers of all tenants, or a function that receives the name of a tenant and returns the offers of the tenant."""


@dataclass(frozen=True, slots=True)
class OfferedType:
    """A resource type whose resources are offers, beside `/Roles` and `/Entitlements`, such as `/Licenses`."""

    name: str
    """The name of the resource type, such as `License`. It is the `type` of offers that have no other."""
    offers: Offers
    """The offers."""
    attribute: RoleAttribute = "entitlements"
    """The attribute of a user that has the values."""
    endpoint: str | None = None
    """The path of the endpoint. The default is `/`, the name and an `s`."""
    description: str = ""
    """A description for people."""
    extensions: Sequence[SchemaExtension] = ()
    """Extensions of the schema."""


class RolesAndEntitlements:
    """The roles and entitlements of an application, after draft-ietf-scim-roles-entitlements-01 (experimental).

    Pass it to `ScimService` as `roles_and_entitlements`. The service then serves `/Roles`, `/Entitlements` and the
    endpoints of `types`, announces them, and checks the values that clients assign to users.

    Args:
        roles: The roles that `/Roles` lists. Without it, there is no such endpoint.
        entitlements: The entitlements that `/Entitlements` lists. Without it, there is no such endpoint.
        types: More resource types, such as licenses.
        unknown_values: Treatment of a value that is not offered: `reject` refuses the request with 400 invalidValue,
            and `keep` stores the value. A value that the user already has is always kept.
        one_role: True if a user can have at most one role.
        one_entitlement: True if a user can have at most one entitlement.
        schemas: The form of the resources. Okta reads only its own form, `okta`. A function receives the name of a
            tenant, and must not block.

    Raises:
        ValueError: Nothing is offered, two offers have the same value or id, or two types have the same name.
    """

    def __init__(
        self,
        *,
        roles: Offers | None = None,
        entitlements: Offers | None = None,
        types: Sequence[OfferedType] = (),
        unknown_values: Literal["reject", "keep"] = "reject",
        one_role: bool = False,
        one_entitlement: bool = False,
        schemas: RoleSchemas | Callable[[str], RoleSchemas] = "draft",
    ) -> None:
        builtin = (
            None if roles is None else OfferedType("Role", roles, "roles"),
            None if entitlements is None else OfferedType("Entitlement", entitlements),
        )
        self.types: tuple[OfferedType, ...] = (*(each for each in builtin if each is not None), *types)
        """The resource types whose resources are offers."""
        if not self.types:
            raise ValueError("offer roles, entitlements or types")
        if len({each.name for each in self.types}) != len(self.types):
            raise ValueError("two types of offers have the same name")
        for each in self.types:
            if not callable(each.offers):
                check_distinct(each.offers)
        self.keeps_unknown: bool = unknown_values == "keep"
        """True if values that are not offered are stored."""
        one_value: dict[RoleAttribute, bool] = {"roles": one_role, "entitlements": one_entitlement}
        single: set[RoleAttribute] = {attribute for attribute, one in one_value.items() if one}
        self.single: frozenset[RoleAttribute] = frozenset(single)
        """The attributes that can have at most one value."""
        self._choose: Callable[[str], RoleSchemas] | None = schemas if callable(schemas) else None
        self._form: RoleSchemas = "okta" if schemas == "okta" else "draft"
        self.forms: tuple[RoleSchemas, ...] = (self._form,) if self._choose is None else ("draft", "okta")
        """The forms in which the service can serve the offers."""
        self._compiled = {form: tuple(_compiled(each, form) for each in self.types) for form in self.forms}

    @property
    def attributes(self) -> tuple[RoleAttribute, ...]:
        """The attributes of a user whose values are offered."""
        return tuple(dict.fromkeys(each.attribute for each in self.types))

    @property
    def is_called(self) -> bool:
        """True if a function of the host returns offers."""
        return any(callable(each.offers) for each in self.types)

    @property
    def is_awaited(self) -> bool:
        """True if a coroutine function of the host returns offers."""
        return any(iscoroutinefunction(each.offers) for each in self.types)

    def form(self, tenant: str) -> RoleSchemas:
        """Return the form of the resources of a tenant."""
        return self._form if self._choose is None else self._choose(tenant)

    def resource_types(self, form: RoleSchemas) -> tuple[ResourceType, ...]:
        """Return the resource types of the offers in a form, in the order of `types`."""
        return self._compiled[form]

    async def offers(self, each: OfferedType, tenant: str) -> Sequence[Offer]:
        """Return the offers of one type for a tenant.

        Raises:
            ValueError: Two offers that a function returned have the same value or id.
        """
        if not callable(each.offers):
            return each.offers
        answer = each.offers(tenant)
        found = await answer if isinstance(answer, Awaitable) else answer
        check_distinct(found)
        return found

    def announced(self, is_kept: Callable[[str], bool]) -> dict[str, Any]:
        """Return `RolesAndEntitlements` of the ServiceProviderConfig (section 3.1 of the draft).

        Args:
            is_kept: Reports whether the store keeps an attribute of a user, given by its path.
        """
        announced: dict[str, Any] = {}
        for attribute, many in (("roles", "multipleRolesSupported"), ("entitlements", "multipleEntitlementsSupported")):
            mine = [each for each in self.types if each.attribute == attribute]
            announced[attribute] = {"supported": bool(mine)}
            if not mine:
                continue
            announced[attribute] |= {
                many: attribute not in self.single,
                "primarySupported": is_kept(f"{attribute}.primary"),
                "typeSupported": is_kept(f"{attribute}.type"),
            }
            fixed = [type_of(one, each) for each in mine if not callable(each.offers) for one in each.offers]
            names = list(dict.fromkeys(each for each in fixed if each))
            if names and not any(callable(each.offers) for each in mine):
                announced[attribute]["types"] = names
        return announced


def type_of(offer: Offer, kind: OfferedType) -> str | None:
    """Return the `type` of an offer: its own, or the name of its resource type if that is not a built-in one."""
    return offer.type or (None if kind.name in ("Role", "Entitlement") else kind.name)


def check_distinct(offers: Sequence[Offer]) -> None:
    """Check that no two offers have the same value or the same id. Raises ValueError."""
    for texts in ([each.value.casefold() for each in offers], [each.id or each.value for each in offers]):
        if len(set(texts)) != len(texts):
            raise ValueError("two offers have the same value or the same id")


def _compiled(each: OfferedType, form: RoleSchemas) -> ResourceType:
    return ResourceType(
        role_schema(each.attribute, form),
        extensions=each.extensions,
        name=each.name,
        endpoint=each.endpoint,
        description=each.description or each.name,
    )
