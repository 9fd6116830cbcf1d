from .models import Agent, Base, Ticket, engine, sessions

Base.metadata.create_all(engine)
with sessions.begin() as session:
    ada = Agent(login="ada@example.org", first_name="Ada", last_name="King", email="ada@example.org")
    ada.role = "administrator"
    bob = Agent(login="bob@example.org", first_name="Bob", last_name="Reyes", email="bob@example.org")
    session.add_all([ada, bob, Ticket(subject="The printer is on fire", agent=bob)])
