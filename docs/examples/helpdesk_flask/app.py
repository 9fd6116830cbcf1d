import os

import click
import sqlalchemy as sa
from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from scimkit import ScimService, TokenRegistry
from scimkit.events import ResourceDeleted, Transaction, UserDeactivated, in_transaction
from scimkit.stores.sql import SqlStore, SqlTokenStore
from scimkit.wsgi import HealthApp, ScimApp

metadata = sa.MetaData()
ticket = sa.Table(
    "ticket",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("subject", sa.String(200)),
    sa.Column("agent", sa.String(36), index=True),  # the id of a user; NULL is the queue
)


def reassign_tickets(event: UserDeactivated | ResourceDeleted, transaction: Transaction) -> None:
    """Put the tickets of a leaver back into the queue, in the transaction that deactivates the leaver."""
    transaction.connection.execute(sa.update(ticket).where(ticket.c.agent == event.id).values(agent=None))


def create_app(database: str | None = None) -> Flask:
    """Create the application: flask --app helpdesk_flask.app run."""
    store = SqlStore(database or os.environ.get("HELPDESK_DATABASE", "sqlite:///helpdesk.db"))
    metadata.create_all(store.engine)
    tokens = TokenRegistry(SqlTokenStore(store.engine))
    listeners = [in_transaction(UserDeactivated | ResourceDeleted, reassign_tickets)]
    service = ScimService(store, tokens=tokens, listeners=listeners)

    app = Flask(__name__)
    mounted = {"/scim/v2": ScimApp(service), "/probes": HealthApp(service)}
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, mounted)

    # The helpdesk's own API. Its users sign in, which this example leaves out.
    @app.get("/tickets")
    def tickets() -> list[dict[str, str | None]]:
        with store.engine.connect() as connection:
            return [{"subject": each.subject, "agent": each.agent} for each in connection.execute(sa.select(ticket))]

    @app.post("/tickets")
    def open_ticket() -> tuple[str, int]:
        with store.engine.begin() as connection:
            connection.execute(sa.insert(ticket).values(subject=request.json["subject"], agent=request.json["agent"]))
        return "", 201

    @app.cli.command("issue-token")
    @click.argument("description")
    def issue_token(description: str) -> None:
        """Issue a token and print it once: flask --app helpdesk_flask.app issue-token "Microsoft Entra ID"."""
        click.echo(tokens.issue(description).token)

    return app
