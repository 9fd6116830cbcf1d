"""The table of breaker states, one row for each tenant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from scimkit.stores.sql.migrations.steps import add_table

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    add_table(
        "scim_breaker",
        sa.Column("tenant", sa.LargeBinary().with_variant(mysql.VARBINARY(255), "mysql", "mariadb"), primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("scim_breaker")
