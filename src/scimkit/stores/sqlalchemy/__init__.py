"""The store over SQLAlchemy models of the host's own.

store = MappedStore(sessionmaker(engine), [ResourceMapping(USER, Agent, ...), ResourceMapping(GROUP, Team, ...)])
"""

try:
    import sqlalchemy as _  # noqa: F401
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("the mapped store needs SQLAlchemy: pip install 'scimkit[sql]'") from _missing

from scimkit.stores.mapped.attribute_mappings import Choice, Column, Computed, Constant, IsNull, Json, ReadOnly
from scimkit.stores.mapped.declaration import ResourceMapping
from scimkit.stores.mapped.references import Reference
from scimkit.stores.sqlalchemy.columns import Association
from scimkit.stores.sqlalchemy.store import MappedStore

__all__ = [
    "Association",
    "Choice",
    "Column",
    "Computed",
    "Constant",
    "IsNull",
    "Json",
    "MappedStore",
    "ReadOnly",
    "Reference",
    "ResourceMapping",
]
