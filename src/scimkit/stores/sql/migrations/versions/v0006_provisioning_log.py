"""The tables of the provisioning log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from scimkit.stores.sql.migrations.steps import add_index, add_table

revision = "0006"
down_revision = "0005"

_ENTRIES = "scim_log"
_ACTIVITY = "scim_log_activity"


def upgrade() -> None:
    """Create the tables and their indexes."""
    key = sa.LargeBinary().with_variant(mysql.VARBINARY(255), "mysql", "mariadb")
    add_table(
        _ENTRIES,
        sa.Column("id", sa.LargeBinary().with_variant(mysql.VARBINARY(16), "mysql", "mariadb"), primary_key=True),
        sa.Column("tenant", key, nullable=False),
        sa.Column("token_id", key, nullable=False),
        sa.Column("cycle_id", key, nullable=False),
        sa.Column("resource_id", key, nullable=False),
        sa.Column("external_id", key),
        sa.Column("label_key", key),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("error_code", sa.String(64), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
    )
    add_index("scim_log_id", _ENTRIES, "tenant", "id")
    for column in ("resource_id", "external_id", "label_key", "result", "action", "token_id"):
        add_index(f"scim_log_{column}", _ENTRIES, "tenant", column, "id")
    add_index("scim_log_cycle_id", _ENTRIES, "tenant", "cycle_id", "id", "action", "result", "error_code")
    add_table(
        _ACTIVITY,
        sa.Column("tenant", key, nullable=False),
        sa.Column("token_id", key, nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("cycle_id", key, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("reads", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "token_id", "minute", name="scim_log_activity_key"),
        mysql_engine="InnoDB",
        mariadb_engine="InnoDB",
    )
    add_index("scim_log_activity_cycle", _ACTIVITY, "tenant", "cycle_id")
    add_index("scim_log_activity_token", _ACTIVITY, "tenant", "token_id", "cycle_id")
    add_index("scim_log_activity_minute", _ACTIVITY, "minute")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table(_ACTIVITY)
    op.drop_table(_ENTRIES)
