"""scimkit lets any Python back end be a SCIM 2.0 service provider.

    service = ScimService(MemoryStore(), tokens=TokenRegistry())
    app = scimkit.asgi.ScimApp(service)            # or scimkit.wsgi.ScimApp

`scimkit.schema.models.resource_type` builds resource types from `scim2_models` classes. It is a separate module, so
that importing scimkit does not import the models.
"""

from scimkit import filters, patch
from scimkit.dialects import DIALECTS, ENTRA, INTEROP, STRICT, TOLERANT, Dialect, Quirk
from scimkit.documents import Document
from scimkit.errors import ScimError
from scimkit.events import RequestCompleted
from scimkit.runner import run_sync
from scimkit.schema import ResourceType, SchemaExtension
from scimkit.schema.core import GROUP, USER
from scimkit.service import Limits, RateLimits, Request, Response, ScimService
from scimkit.stores import MemoryStore, Page, Query, Scope, Store, SyncStore, Written, as_async_store
from scimkit.tokens import MemoryTokenStore, Principal, TokenRegistry

__version__ = "0.1.0"

__all__ = [
    "DIALECTS",
    "ENTRA",
    "GROUP",
    "INTEROP",
    "STRICT",
    "TOLERANT",
    "USER",
    "Dialect",
    "Document",
    "Limits",
    "MemoryStore",
    "MemoryTokenStore",
    "Page",
    "Principal",
    "Query",
    "Quirk",
    "RateLimits",
    "Request",
    "RequestCompleted",
    "ResourceType",
    "Response",
    "SchemaExtension",
    "ScimError",
    "ScimService",
    "Scope",
    "Store",
    "SyncStore",
    "TokenRegistry",
    "Written",
    "as_async_store",
    "filters",
    "patch",
    "run_sync",
]  # fmt: skip
