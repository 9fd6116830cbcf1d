from scimkit import STRICT, TOLERANT, USER, MemoryStore, Quirk, ResourceType, ScimService, TokenRegistry
from scimkit.dialects import KEEP_OMITTED_MEMBERS, NOT_APPLICABLE, RESTORE_INACTIVE
from scimkit.schema.core import GROUP_SCHEMA

tokens = TokenRegistry()
strict = ScimService(MemoryStore(), tokens=tokens, dialect=STRICT)
token = tokens.issue("Microsoft Entra ID", dialect="entra").token  # for this token alone

by_tenant = ScimService(MemoryStore(), tokens=tokens, tenant_dialects={"acme": "strict"})  # for its tokens


def yes_and_no(attribute, value):
    if attribute.type == "boolean" and value in ("yes", "no"):
        return value == "yes"
    return NOT_APPLICABLE


quirk = Quirk("yes-and-no", "value", "yes and no for booleans", "no boolean is a text", ("us",), "our own", yes_and_no)
ours = ScimService(MemoryStore(), tokens=tokens, dialect=TOLERANT.extended("ours", quirk))

# What the RFC says clearly and you may want otherwise, one by one
forgiving = TOLERANT.extended("forgiving", RESTORE_INACTIVE, KEEP_OMITTED_MEMBERS)
otherwise = ScimService(
    MemoryStore(unknown_members="reject"),  # instead of passing over members that do not exist
    tokens=tokens,
    dialect=forgiving,
    resource_types=[USER, ResourceType(GROUP_SCHEMA, endpoint="/Groups")],  # group names need not be unique
)
