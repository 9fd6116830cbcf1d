import os
import signal
import threading
from datetime import timedelta
from typing import Any

from scimkit.delivery import Webhook, deliver
from scimkit.stores.sql import SqlStore


def main(**options: Any) -> int:
    """Deliver events until SIGTERM, and return their number."""
    store = SqlStore(os.environ["HELPDESK_DATABASE"], outbox=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=stop.set).start())
    secrets = os.environ["WEBHOOK_SECRETS"].split()
    with Webhook(os.environ["WEBHOOK_URL"], secrets, **options) as webhook:
        delivered = deliver(store.outbox, webhook, retention=timedelta(days=7), stop=stop)
    store.engine.dispose()
    return delivered


if __name__ == "__main__":
    main()
