"""An index by id alone, since a look-up that names the tenant first may read all of a tenant."""

from __future__ import annotations

from alembic import op

from scimkit.stores.sql.migrations.steps import add_index

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    add_index("scim_resource_by_id", "scim_resource", "id")


def downgrade() -> None:
    op.drop_index("scim_resource_by_id", "scim_resource")
