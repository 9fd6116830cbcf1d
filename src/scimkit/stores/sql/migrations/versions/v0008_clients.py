"""The table of OAuth clients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from scimkit.stores.sql.migrations.steps import add_index, add_table

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table and its index."""
    add_table(
        "scim_client",
        sa.Column("id", sa.LargeBinary().with_variant(mysql.VARBINARY(32), "mysql", "mariadb"), primary_key=True),
        sa.Column("tenant", sa.LargeBinary().with_variant(mysql.VARBINARY(255), "mysql", "mariadb"), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("document", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
    )
    add_index("scim_client_tenant", "scim_client", "tenant")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("scim_client")
