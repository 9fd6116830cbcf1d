import os

import sqlalchemy as sa
from sqlalchemy import orm

from scimkit.delivery import Webhook, deliver

from .scim import make_store


def main() -> None:
    """Deliver the events of the helpdesk to another system: python -m helpdesk_fastapi.worker."""
    engine = sa.create_engine(os.environ.get("HELPDESK_DATABASE", "sqlite:///helpdesk.db"))
    store = make_store(orm.sessionmaker(engine))
    with Webhook(os.environ["WEBHOOK_URL"], os.environ["WEBHOOK_SECRETS"].split()) as webhook:
        deliver(store.outbox, webhook)


if __name__ == "__main__":
    main()
