"""The SQL store: resources in tables of its own, through SQLAlchemy.

`AsyncSqlStore` needs the extra `scimkit[async]`.
"""

from typing import TYPE_CHECKING, Any

try:
    import sqlalchemy as _  # noqa: F401
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The SQL store needs SQLAlchemy. Run: pip install 'scimkit[sql]'") from _missing

from scimkit.stores.sql.breaker import SqlBreakerStore
from scimkit.stores.sql.clients import SqlClientStore
from scimkit.stores.sql.poll_queue import SqlPollQueue
from scimkit.stores.sql.poll_queue_table import poll_queue_table
from scimkit.stores.sql.request_queue import SqlRequestQueue
from scimkit.stores.sql.request_queue_table import request_queue_table
from scimkit.stores.sql.store import SqlStore
from scimkit.stores.sql.tables import breaker_table, client_table, token_table
from scimkit.stores.sql.tokens import SqlTokenStore

if TYPE_CHECKING:
    from scimkit.stores.sql.async_breaker import AsyncSqlBreakerStore
    from scimkit.stores.sql.async_clients import AsyncSqlClientStore
    from scimkit.stores.sql.async_store import AsyncSqlStore
    from scimkit.stores.sql.async_tokens import AsyncSqlTokenStore

__all__ = [
    "AsyncSqlBreakerStore", "AsyncSqlClientStore", "AsyncSqlStore", "AsyncSqlTokenStore", "SqlBreakerStore",
    "SqlClientStore", "SqlPollQueue", "SqlRequestQueue", "SqlStore", "SqlTokenStore", "breaker_table", "client_table",
    "poll_queue_table", "request_queue_table", "token_table",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import the async classes on first use, because SQLAlchemy's asyncio module needs greenlet."""
    if name in __all__:
        try:
            import sqlalchemy.ext.asyncio as _  # noqa: F401
        except ImportError as missing:
            raise ModuleNotFoundError("Async stores need greenlet: pip install 'scimkit[async]'") from missing
    if name == "AsyncSqlBreakerStore":
        from scimkit.stores.sql.async_breaker import AsyncSqlBreakerStore

        return AsyncSqlBreakerStore
    if name == "AsyncSqlClientStore":
        from scimkit.stores.sql.async_clients import AsyncSqlClientStore

        return AsyncSqlClientStore
    if name == "AsyncSqlStore":
        from scimkit.stores.sql.async_store import AsyncSqlStore

        return AsyncSqlStore
    if name == "AsyncSqlTokenStore":
        from scimkit.stores.sql.async_tokens import AsyncSqlTokenStore

        return AsyncSqlTokenStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
