from scimkit import RequestCompleted, MemoryStore, ScimService, TokenRegistry
from scimkit.events import Access
from scimkit.tokens import Principal

log: list[RequestCompleted] = []


def authorize(access: Access) -> bool:
    return access.operation != "delete" or access.resource_type != "User"


def me(principal: Principal) -> str | None:
    return "Users/2819c223" if principal.description == "Ada's own token" else None


def set_password(tenant: str, user_id: str, password: str) -> None:
    """Hash it, and keep the hash beside the account."""


service = ScimService(
    MemoryStore(),
    tokens=TokenRegistry(),
    authorize=authorize,
    me=me,
    set_password=set_password,
    on_request_completed=log.append,
)
