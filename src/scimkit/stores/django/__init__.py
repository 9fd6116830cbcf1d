"""The Django store: resources in the project's own Django models, and an app that keeps tokens and OAuth clients.

    store = DjangoStore([ResourceMapping(USER, Agent, ...), ResourceMapping(GROUP, Team, ...)])

This module imports no model, because Django loads the module before its apps are ready.
"""

try:
    import django as _  # noqa: F401
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The Django store needs Django. Run: pip install 'scimkit[django]'") from _missing

from scimkit.stores.django.breaker import DjangoBreakerStore
from scimkit.stores.django.clients import DjangoClientStore
from scimkit.stores.django.fields import Association
from scimkit.stores.django.store import DjangoStore
from scimkit.stores.django.tokens import DjangoTokenStore
from scimkit.stores.mapped.attribute_mappings import Choice, Column, Computed, Constant, IsNull, Json, ReadOnly
from scimkit.stores.mapped.declaration import ResourceMapping
from scimkit.stores.mapped.references import Reference

__all__ = [
    "Association",
    "Choice",
    "Column",
    "Computed",
    "Constant",
    "DjangoBreakerStore",
    "DjangoClientStore",
    "DjangoStore",
    "DjangoTokenStore",
    "IsNull",
    "Json",
    "ReadOnly",
    "Reference",
    "ResourceMapping",
]  # fmt: skip
