"""Version 0001: the tables of resources, values, unique values, members and tokens."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from scimkit.stores.sql.migrations.steps import add_index, add_table

revision = "0001"
down_revision = None

_OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mariadb_engine": "InnoDB"}


def _raw(length: int) -> Any:
    return sa.LargeBinary().with_variant(mysql.VARBINARY(length), "mysql", "mariadb")


def _big() -> Any:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _blob() -> Any:
    return sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def _reference(name: str) -> sa.Column[int]:
    return sa.Column(name, _big(), sa.ForeignKey("scim_resource.sequence", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    """Create the tables and their indexes."""
    add_table(
        "scim_resource",
        sa.Column("sequence", _big(), primary_key=True, autoincrement=True),
        sa.Column("tenant", _raw(255), nullable=False),
        sa.Column("type", _raw(64), nullable=False),
        sa.Column("id", _raw(64), nullable=False),
        sa.Column("version", _big(), nullable=False),
        sa.Column("created", _raw(32), nullable=False),
        sa.Column("created_key", _raw(64), nullable=False),
        sa.Column("modified", _raw(32), nullable=False),
        sa.Column("modified_key", _raw(64), nullable=False),
        sa.Column("display", _blob()),
        sa.Column("display_key", _blob()),
        sa.Column("document", _blob(), nullable=False),
        sa.UniqueConstraint("tenant", "id", name="scim_resource_id"),
        sqlite_autoincrement=True,
        **_OPTIONS,
    )
    add_index("scim_resource_order", "scim_resource", "tenant", "type", "sequence")
    add_table(
        "scim_value",
        _reference("resource"),
        sa.Column("slot", sa.BigInteger, nullable=False),
        sa.Column("element", sa.Integer, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("head", _raw(255), nullable=False),
        sa.Column("whole", _blob()),
        sa.Column("chosen", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("resource", "slot", "element", "place", name="scim_value_key"),
        **_OPTIONS,
    )
    add_index("scim_value_find", "scim_value", "slot", "head", "resource")
    add_table(
        "scim_unique",
        sa.Column("slot", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("digest", _raw(32), nullable=False),
        _reference("resource"),
        sa.PrimaryKeyConstraint("slot", "digest", name="scim_unique_key"),
        **_OPTIONS,
    )
    add_index("scim_unique_resource", "scim_unique", "resource")
    add_table(
        "scim_member",
        sa.Column("position", _big(), primary_key=True, autoincrement=True),
        _reference("group"),
        _reference("member"),
        sa.Column("display", _blob()),
        sa.Column("display_key", _blob()),
        sa.UniqueConstraint("group", "member", name="scim_member_once"),
        sqlite_autoincrement=True,
        **_OPTIONS,
    )
    add_index("scim_member_of", "scim_member", "member")
    add_table(
        "scim_token",
        sa.Column("id", _raw(32), primary_key=True),
        sa.Column("tenant", _raw(255), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("hash", _raw(32), nullable=False),
        sa.Column("created", sa.String(32), nullable=False),
        sa.Column("expires", sa.String(32)),
        sa.Column("revoked", sa.String(32)),
        sa.Column("dialect", sa.String(64)),
        **_OPTIONS,
    )
    add_index("scim_token_tenant", "scim_token", "tenant")


def downgrade() -> None:
    """Drop the tables."""
    for name in ("scim_token", "scim_member", "scim_unique", "scim_value", "scim_resource"):
        op.drop_table(name)
