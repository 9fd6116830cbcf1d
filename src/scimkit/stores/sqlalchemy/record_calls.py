"""The decision between records and instances, for both mapped stores. This module never begins a transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.stores.mapped.collations import CollationCheck
from scimkit.stores.mapped.layout import Layout
from scimkit.stores.mapped.memberships import Plan
from scimkit.stores.mapped.rows import Rows
from scimkit.stores.metadata import has_members
from scimkit.stores.protocol import Scope
from scimkit.stores.sql.database import Result
from scimkit.stores.sql.hot_statements import make_check
from scimkit.stores.sqlalchemy.connections import ConnectionWork
from scimkit.stores.sqlalchemy.instances_needed import Needs, SessionNeeds
from scimkit.stores.sqlalchemy.record_rows import RecordRows
from scimkit.stores.sqlalchemy.record_statements import RecordStatements
from scimkit.stores.sqlalchemy.rows import ModelRows
from scimkit.stores.sqlalchemy.sessions import SessionWork, check_collations

Use: TypeAlias = Literal["read", "change", "create"]
"""What a call does with rows."""


class RecordCalls:
    """Decides for each call whether records are enough, and makes the rows for the call.

    Args:
        plan: The mappings of the store.
        collations: The check that runs before the first call.
        session_class: The class of the application's synchronous sessions.
        options: The options of the application's sessionmaker.
        always_instances: True to make no use of records.
    """

    def __init__(
        self,
        plan: Plan,
        collations: CollationCheck,
        session_class: type[orm.Session],
        options: Mapping[str, Any],
        *,
        always_instances: bool,
    ) -> None:
        self._collations = collations
        self._sessions = SessionNeeds(session_class, options)
        self._needs = {} if always_instances else {each: Needs(each) for each in plan.layouts.values()}
        self._statements: dict[tuple[Layout, bool], RecordStatements] = {}

    def are_enough(self, layout: Layout, use: Use) -> bool:
        """Report whether a call can use records."""
        needs = self._needs.get(layout)
        return needs is not None and self._sessions.are_plain and not needs.to(use)

    def write_once(self, layout: Layout, use: Use) -> bool:
        """Report whether a call sends at most one statement that writes."""
        return use == "create" and not has_members(layout.resource_type)

    def on_records(
        self, layout: Layout, scope: Scope, run: Callable[[Rows], Result], *, by_bytes: bool
    ) -> ConnectionWork[Result]:
        """Return the work that runs a function on records."""

        def work(connection: sa.Connection, session: orm.Session | None) -> Result:
            check_collations(self._collations, connection)
            statements = self._statements_of(layout, by_bytes)
            result = run(RecordRows(connection, statements, scope, session, by_bytes=by_bytes))
            make_check(connection, scope.token_check)  # most calls have made the check with their first statement
            return result

        return work

    def on_instances(
        self, layout: Layout, scope: Scope, run: Callable[[Rows], Result], *, by_bytes: bool
    ) -> SessionWork[Result]:
        """Return the work that runs a function on instances."""

        def work(session: orm.Session) -> Result:
            check_collations(self._collations, session.connection())
            make_check(session.connection(), scope.token_check)
            return run(ModelRows(session, layout, scope, by_bytes=by_bytes))

        return work

    def _statements_of(self, layout: Layout, by_bytes: bool) -> RecordStatements:
        """Return the statements of a layout, which are built at the first call."""
        found = self._statements.get((layout, by_bytes))
        if found is None:
            found = self._statements[layout, by_bytes] = RecordStatements(layout, by_bytes=by_bytes)
        return found
