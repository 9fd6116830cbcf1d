from scimkit import STRICT, TOLERANT, MemoryStore, Quirk, ScimService, TokenRegistry
from scimkit.dialects import NOT_MINE

tokens = TokenRegistry()
strict = ScimService(MemoryStore(), tokens=tokens, dialect=STRICT)
token = tokens.issue("Microsoft Entra ID", dialect="entra").token  # for this token alone

by_tenant = ScimService(MemoryStore(), tokens=tokens, tenant_dialects={"acme": "strict"})  # for its tokens


def yes_and_no(attribute, value):
    if attribute.type == "boolean" and value in ("yes", "no"):
        return value == "yes"
    return NOT_MINE


quirk = Quirk("yes-and-no", "value", "yes and no for booleans", "no boolean is a text", ("us",), "our own", yes_and_no)
ours = ScimService(MemoryStore(), tokens=tokens, dialect=TOLERANT.extended("ours", quirk))
