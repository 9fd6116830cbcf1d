"""The SQL store, through SQLAlchemy. The only package that imports it.

`AsyncSqlStore` needs `scimkit[async]`.
"""

try:
    import sqlalchemy as _  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError("the SQL store needs SQLAlchemy: pip install 'scimkit[sql]'") from missing

from scimkit.stores.sql.async_store import AsyncSqlStore
from scimkit.stores.sql.store import SqlStore
from scimkit.stores.sql.tokens import AsyncSqlTokenStore, SqlTokenStore

__all__ = ["AsyncSqlStore", "AsyncSqlTokenStore", "SqlStore", "SqlTokenStore"]
