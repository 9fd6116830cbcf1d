from scimkit import MemoryStore, RequestCompleted, ScimService, TokenRegistry
from scimkit.events import Access
from scimkit.tokens import Principal

log: list[RequestCompleted] = []


def authorize(access: Access) -> bool:
    """Allow everything except deleting users."""
    return access.operation != "delete" or access.resource_type != "User"


def me(principal: Principal) -> str | None:
    """Return the path of the resource that /Me stands for, or None."""
    return "Users/2819c223" if principal.description == "Ada's own token" else None


def set_password(tenant: str, user_id: str, password: str) -> None:
    """Hash the password and store the hash with the account."""


service = ScimService(
    MemoryStore(),
    tokens=TokenRegistry(),
    authorize=authorize,
    me=me,
    set_password=set_password,
    on_request_completed=log.append,
)
