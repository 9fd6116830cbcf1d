"""Version 0002: an index by id only.

With an index that begins with the tenant, a database may read all resources of the tenant.
"""

from __future__ import annotations

from alembic import op

from scimkit.stores.sql.migrations.steps import add_index

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the index."""
    add_index("scim_resource_by_id", "scim_resource", "id")


def downgrade() -> None:
    """Drop the index."""
    op.drop_index("scim_resource_by_id", "scim_resource")
