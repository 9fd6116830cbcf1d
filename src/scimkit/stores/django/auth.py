"""Mappings for Django's own users and groups, or for a user model of the project.

Create the service as follows:

    store = DjangoStore(auth_models())
    service = ScimService(store, tokens=..., set_password=set_password)
"""

from __future__ import annotations

from typing import Any, Final

from django.apps import apps
from django.contrib.auth import get_user_model, password_validation
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Q

from scimkit.errors import InvalidValue
from scimkit.schema.core import GROUP, USER
from scimkit.stores.django.separate_values import SeparateValue
from scimkit.stores.mapped.attribute_mappings import Constant
from scimkit.stores.mapped.declaration import ResourceMapping

_USER: Final = "u"
_GROUP: Final = "g"
"""Prefixes of the ids. Without prefixes, a user and a group could have the same id."""


def auth_models(*, where: Q | None = None) -> list[ResourceMapping]:
    """Return the mappings of the user model and of Django's groups, for a `DjangoStore`.

    A user model may lack `first_name`, `last_name`, `date_joined` or an email field. Their attributes are then not
    mapped. The attribute `externalId` is mapped if the app `scimkit.stores.django.external_ids` is installed. A new
    user has an unusable password until `set_password` sets a password.

    Args:
        where: The condition that served users must meet, such as `Q(is_superuser=False)`.
    """
    model: Any = get_user_model()
    names = {each.name for each in model._meta.concrete_fields}
    email, login = model.get_email_field_name(), model.USERNAME_FIELD
    attributes: dict[str, Any] = {"userName": login, "active": "is_active"}
    attributes |= {path: name for path, name in _OPTIONAL.items() if name in names}
    if email in names and email != login:
        attributes |= {'emails[type eq "work"].value': email, 'emails[type eq "work"].primary': Constant(True)}
    external = {"externalId": SeparateValue("scim_external_id", "value")} if apps.is_installed(_EXTERNAL_IDS) else {}
    created = "date_joined" if "date_joined" in names else None
    identity, group = model._meta.pk.name, apps.get_model("auth", "Group")
    users = model._meta.get_field("groups").remote_field.get_accessor_name()
    return [
        ResourceMapping(
            USER, model, id=identity, prefix=_USER, attributes=attributes | external, created=created,
            where=where, new=_without_password,
        ),
        ResourceMapping(
            GROUP, group, id="id", prefix=_GROUP, attributes={"displayName": "name"} | external, members=[users]
        ),
    ]  # fmt: skip


_EXTERNAL_IDS: Final = "scimkit.stores.django.external_ids"
_OPTIONAL: Final = {"name.givenName": "first_name", "name.familyName": "last_name"}


def set_password(tenant: str, id: str, password: str, *, using: str = DEFAULT_DB_ALIAS) -> None:
    """Set the password of a user. Pass this function as `set_password` to `ScimService`.

    Args:
        tenant: The tenant of the request. Django's own users have no tenant.
        id: The id of the user.
        password: The new password.
        using: The alias of the database in `DATABASES`.

    Raises:
        InvalidValue: A validator of AUTH_PASSWORD_VALIDATORS refused the password.
    """
    user: Any = get_user_model()._default_manager.using(using).get(pk=id.removeprefix(_USER))
    try:
        password_validation.validate_password(password, user)
    except ValidationError:
        raise InvalidValue(
            "password does not meet the password rules of this service. Send another password."
        ) from None
    user.set_password(password)
    user.save(using=using, update_fields=["password"])


def _without_password() -> Any:
    """Return a new user with an unusable password."""
    user: Any = get_user_model()()
    user.set_unusable_password()
    return user
