"""The outbox of an async store over SQLAlchemy models, in sessions of the application."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import async_sessionmaker

from scimkit.stores.sql.async_store import insisted
from scimkit.stores.sql.database import Attempts, Result, Work
from scimkit.stores.sqlalchemy.sessions import begin


class AsyncSessionRunner:
    """Runs the statements of an outbox in transactions of async sessions.

    Args:
        maker: The `async_sessionmaker` of the application.
    """

    def __init__(self, maker: async_sessionmaker[Any]) -> None:
        self._maker = maker

    async def read(self, work: Work[Result], deadline: float | None = None) -> Result:
        """Return the result of work that only reads."""
        return await self._run(work, deadline, "BEGIN", scimkit_reads=True)

    async def write(self, work: Work[Result], deadline: float | None = None) -> Result:
        """Return the result of work in a transaction."""
        return await self._run(work, deadline, "BEGIN IMMEDIATE")

    async def _run(self, work: Work[Result], deadline: float | None, statement: str, **options: Any) -> Result:
        async def transaction(attempts: Attempts) -> Result:
            async with self._maker(autoflush=False) as session, session.begin():
                await session.run_sync(begin, statement, **options)
                result: Result = await session.run_sync(lambda each: work(each.connection()))
                attempts.committing = True
                return result

        return await insisted(transaction, deadline)
