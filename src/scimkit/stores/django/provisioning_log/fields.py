"""The types of columns of the provisioning log. Their values are bytes that a database index supports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from scimkit.provisioning.serialization import id_bytes, id_text

if TYPE_CHECKING:  # fields are generic in the stubs only
    Bytes = models.BinaryField[bytes | None, bytes | None]
    Binary = models.BinaryField[Any, Any]
else:
    Bytes = Binary = models.BinaryField


def _db_type(field: Any, connection: Any, usual: str | None) -> str | None:
    """Return a type with a length on MariaDB and MySQL, which have no index on a column without one."""
    return f"varbinary({field.max_length})" if connection.vendor == "mysql" else usual


class KeyField(Bytes):
    """A text as bytes, which are compared without a collation."""

    def db_type(self, connection: Any) -> str | None:
        return _db_type(self, connection, super().db_type(connection))


class EntryIdField(Binary):
    """The id of an entry: a UUID in Python, 16 bytes in the database."""

    def db_type(self, connection: Any) -> str | None:
        return _db_type(self, connection, super().db_type(connection))

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(id_bytes(value) if isinstance(value, str) else value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        """Return the UUID of a value of the database."""
        return None if value is None else id_text(bytes(value))

    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else id_text(bytes(value))
