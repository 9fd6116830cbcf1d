"""Django's own users and groups as SCIM's: declarations for `django.contrib.auth`, or for a user model like its own.

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
"""What goes before the ids: users and groups number their rows alike."""


def auth_models(*, where: Q | None = None) -> list[ResourceMapping]:
    """What to make a `DjangoStore` of.

    `where` says which users are served, such as `Q(is_superuser=False)`. A user model without `first_name`,
    `last_name`, an email field or `date_joined` goes without what they would have. A new user has an unusable
    password until one is set. `externalId` is mapped if the app `scimkit.stores.django.external_ids` is installed.
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
    """The `set_password` of a `ScimService`. Raises: InvalidValue for what AUTH_PASSWORD_VALIDATORS refuse."""
    user: Any = get_user_model()._default_manager.using(using).get(pk=id.removeprefix(_USER))
    try:
        password_validation.validate_password(password, user)
    except ValidationError:
        raise InvalidValue("The password is not one that the rules of this service allow.") from None
    user.set_password(password)
    user.save(using=using, update_fields=["password"])


def _without_password() -> Any:
    user: Any = get_user_model()()
    user.set_unusable_password()
    return user
