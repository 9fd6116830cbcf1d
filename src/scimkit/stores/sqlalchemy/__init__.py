"""The mapped store: resources in the application's own SQLAlchemy models.

Create a store as follows:

    store = MappedStore(sessionmaker(engine), [ResourceMapping(USER, Agent, ...), ResourceMapping(GROUP, Team, ...)])
"""

from typing import TYPE_CHECKING, Any

try:
    import sqlalchemy as _  # noqa: F401
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The mapped store needs SQLAlchemy. Run: pip install 'scimkit[sql]'") from _missing

from scimkit.stores.mapped.attribute_mappings import Choice, Column, Computed, Constant, IsNull, Json, ReadOnly
from scimkit.stores.mapped.declaration import ResourceMapping
from scimkit.stores.mapped.references import Reference
from scimkit.stores.sql.log_tables import LogTables, provisioning_log_tables
from scimkit.stores.sql.outbox_table import outbox_table
from scimkit.stores.sql.tables import token_table
from scimkit.stores.sqlalchemy.columns import Association
from scimkit.stores.sqlalchemy.store import MappedStore

if TYPE_CHECKING:
    from scimkit.stores.sqlalchemy.async_store import AsyncMappedStore

__all__ = [
    "Association",
    "AsyncMappedStore",
    "Choice",
    "Column",
    "Computed",
    "Constant",
    "IsNull",
    "Json",
    "LogTables",
    "MappedStore",
    "ReadOnly",
    "Reference",
    "ResourceMapping",
    "outbox_table",
    "provisioning_log_tables",
    "token_table",
]


def __getattr__(name: str) -> Any:
    """Import `AsyncMappedStore` on first use, because SQLAlchemy's asyncio module needs the extra `scimkit[async]`."""
    if name == "AsyncMappedStore":
        try:
            import sqlalchemy.ext.asyncio as _  # noqa: F401
        except ImportError as missing:
            raise ModuleNotFoundError("Async stores need greenlet: pip install 'scimkit[async]'") from missing
        from scimkit.stores.sqlalchemy.async_store import AsyncMappedStore

        return AsyncMappedStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
