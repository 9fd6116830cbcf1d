from alembic import context

from helpdesk.models import Base, engine

if context.is_offline_mode():
    raise SystemExit("These migrations need a connection. Run them without --sql.")

with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
