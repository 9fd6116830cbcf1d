"""New columns of tokens: who created a token, its status, scopes, last use, hint and predecessor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from scimkit.stores.sql.migrations.steps import add_column

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns. Existing tokens are active, have both scopes and have no hint."""
    add_column("scim_token", sa.Column("created_by", sa.String(255)))
    add_column("scim_token", sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()))
    add_column("scim_token", sa.Column("scopes", sa.String(1000), nullable=False, server_default="read write"))
    add_column("scim_token", sa.Column("last_used", sa.String(32)))
    add_column("scim_token", sa.Column("hint", sa.String(4), nullable=False, server_default=""))
    add_column(
        "scim_token",
        sa.Column("rotated_from", sa.LargeBinary().with_variant(mysql.VARBINARY(32), "mysql", "mariadb")),
    )


def downgrade() -> None:
    """Drop the columns."""
    for name in ("created_by", "active", "scopes", "last_used", "hint", "rotated_from"):
        op.drop_column("scim_token", name)
