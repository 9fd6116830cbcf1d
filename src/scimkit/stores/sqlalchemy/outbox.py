"""The outbox and the provisioning log of a store over SQLAlchemy models, in sessions of the application.

The statements are those of `SqlStore`.
"""

from __future__ import annotations

from scimkit.stores.sql.database import Result, Work
from scimkit.stores.sqlalchemy.sessions import Sessions


class SessionRunner:
    """Runs the statements of an outbox or a log in transactions of sessions.

    Args:
        sessions: The sessions of the store.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def read(self, work: Work[Result], deadline: float | None = None) -> Result:
        """Return the result of work that only reads."""
        return self._sessions.read(lambda session: work(session.connection()), deadline)

    def write(self, work: Work[Result], deadline: float | None = None) -> Result:
        """Return the result of work in a transaction."""
        return self._sessions.write(lambda session: work(session.connection()), deadline)


def no_outbox() -> ValueError:
    """Return the error for events that a store without an outbox should record."""
    return ValueError("the store has no outbox; give it a table of outbox_table as the argument outbox")


def no_log() -> ValueError:
    """Return the error for log entries that a store without a provisioning log should record."""
    return ValueError(
        "the store has no provisioning log; give it the value of provisioning_log_tables as the argument "
        "provisioning_log"
    )
