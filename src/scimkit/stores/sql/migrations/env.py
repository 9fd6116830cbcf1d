"""The script that Alembic runs: it applies the versions on the connection of `upgrade`."""

from __future__ import annotations

from alembic import context

from scimkit.stores.sql.migrations import VERSION_TABLE
from scimkit.stores.sql.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    transactional_ddl=False,
)
context.run_migrations()
