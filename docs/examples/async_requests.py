import tempfile
from collections.abc import Callable

from scimkit import ScimService, TokenRegistry
from scimkit.delivery.security_events import process_requests
from scimkit.events import RequestOutcome
from scimkit.service import AsyncRequests
from scimkit.stores.sql import SqlRequestQueue, SqlStore, SqlTokenStore

folder = tempfile.mkdtemp()
store = SqlStore(f"sqlite:///{folder}/helpdesk.db", outbox=True)
queue = SqlRequestQueue(store.engine)
service = ScimService(
    store, tokens=TokenRegistry(SqlTokenStore(store.engine)), async_requests=AsyncRequests(queue)
)


def run_worker(send: Callable[[RequestOutcome], None]) -> int:
    """Process the accepted requests. `send` is an EventPush or an EventEnqueuer."""
    return process_requests(queue, service, send, until_empty=True)
