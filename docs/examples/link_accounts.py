from scimkit import MemoryStore, ScimService, TokenRegistry
from scimkit.events import ResourceLinked, after_commit
from scimkit.safeguards import link_by

linked: list[str] = []


def remember(event: ResourceLinked) -> None:
    """Note in the application that an identity provider manages the account now."""
    linked.append(event.id)


service = ScimService(
    MemoryStore(),
    tokens=TokenRegistry(),
    protect='userName eq "root"',
    on_conflict=link_by("emails.value"),
    listeners=[after_commit(ResourceLinked, remember)],
)
