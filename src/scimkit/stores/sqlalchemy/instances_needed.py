"""Finds out whether code of the application needs instances of its models: listeners, validators and constructors.

The application may add a listener at any time, so the answers are not kept. This module never runs a query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.stores.mapped.layout import Layout
from scimkit.stores.sqlalchemy.connections import engine_of
from scimkit.stores.sqlalchemy.records import has_records

_OF_LOADED: Final = ("load", "refresh")
_OF_FLUSHED: Final = ("before_insert", "after_insert", "before_update", "after_update")
_OF_SESSIONS: Final = tuple(each for each in vars(orm.SessionEvents) if not each.startswith("_") and each != "dispatch")
_OPTIONS: Final = frozenset({"bind", "autoflush", "expire_on_commit", "class_", "sync_session_class"})
"""Options of a sessionmaker that make no difference for a statement."""


class Needs:
    """Reports which calls on the rows of a layout need instances.

    Args:
        layout: The layout.
    """

    def __init__(self, layout: Layout) -> None:
        self._mapper: orm.Mapper[Any] = sa.inspect(layout.mapped.model)
        self._has_records = has_records(layout)
        self._creates_instances = layout.mapped.new is not None or not _is_plain(self._mapper)

    def to(self, use: str) -> bool:
        """Report whether a use of rows needs instances: `read`, `change` or `create`."""
        return any(check(self) for check in _CHECKS[use])

    def _to_read(self) -> bool:
        """Report whether a read needs instances."""
        return not self._has_records or _listens(self._mapper.class_manager.dispatch, _OF_LOADED)

    def _to_change(self) -> bool:
        """Report whether a change of a row needs instances, in addition to reading the row."""
        mapper = self._mapper
        setter: Any = mapper.class_.__setattr__
        return (
            mapper.version_id_col is not None
            or setter is not object.__setattr__
            or _listens(mapper.dispatch, _OF_FLUSHED)
            or any(each.class_attribute.dispatch.set for each in mapper.column_attrs)
        )

    def _to_create(self) -> bool:
        """Report whether a new row needs an instance, in addition to changing the row."""
        # SQLAlchemy itself has one listener for `init`.
        return self._creates_instances or len(list(self._mapper.class_manager.dispatch.init)) > 1


_CHECKS: Final = {
    "read": (Needs._to_read,),
    "change": (Needs._to_read, Needs._to_change),
    "create": (Needs._to_read, Needs._to_change, Needs._to_create),
}


class SessionNeeds:
    """Reports whether the sessions of the application may treat a statement in their own way.

    Args:
        session_class: The class of the synchronous sessions.
        options: The options of the sessionmaker, which may change.
    """

    def __init__(self, session_class: type[orm.Session], options: Mapping[str, Any]) -> None:
        self._options = options
        self._probe = None if _overrides(session_class) else session_class()

    @property
    def are_plain(self) -> bool:
        """True if statements need no session: no listener, no option and no method of the application."""
        return (
            self._probe is not None
            and self._options.keys() <= _OPTIONS
            and engine_of(self._options) is not None
            and not _listens(self._probe.dispatch, _OF_SESSIONS)
        )


def _overrides(session_class: type[orm.Session]) -> bool:
    """Report whether a class adds anything to `Session`. A sessionmaker makes an empty subclass."""
    bases = session_class.__mro__[: session_class.__mro__.index(orm.Session)]
    return any(not name.startswith("__") for each in bases for name in vars(each)) or any(
        "__init__" in vars(each) for each in bases
    )


def _is_plain(mapper: orm.Mapper[Any]) -> bool:
    """Report whether a model has the constructor that SQLAlchemy gives it."""
    constructors: set[Any] = {mapper.class_manager.original_init, mapper.registry.constructor}
    return len(constructors) == 1


def _listens(dispatch: Any, names: Iterable[str]) -> bool:
    """Report whether the application listens to any of some events."""
    return any(getattr(dispatch, each) for each in names)
