from scimkit import GROUP, STRICT, TOLERANT, USER, MemoryStore, Quirk, ScimService, TokenRegistry
from scimkit.dialects import KEEP_OMITTED_MEMBERS, NOT_APPLICABLE, RESTORE_INACTIVE

tokens = TokenRegistry()
strict = ScimService(MemoryStore(), tokens=tokens, dialect=STRICT)
token = tokens.issue("Microsoft Entra ID", dialect="entra").token  # only requests with this token

by_tenant = ScimService(MemoryStore(), tokens=tokens, tenant_dialects={"acme": "strict"})  # all tokens of the tenant


def yes_and_no(attribute, value):
    """Return the boolean for "yes" or "no"; leave every other value to the other quirks."""
    if attribute.type == "boolean" and value in ("yes", "no"):
        return value == "yes"
    return NOT_APPLICABLE


quirk = Quirk(
    name="yes-and-no",
    stage="value",  # asked where the engine would refuse a value
    summary="yes and no for booleans",
    safe="no boolean is a string",
    seen=("our HR system",),
    source="our own tests",
    rewrite=yes_and_no,
)
ours = ScimService(MemoryStore(), tokens=tokens, dialect=TOLERANT.extended("ours", quirk))

# Options: each changes the meaning of a request in RFC form.
forgiving = TOLERANT.extended("forgiving", RESTORE_INACTIVE, KEEP_OMITTED_MEMBERS)
otherwise = ScimService(
    MemoryStore(unknown_members="reject"),  # refuse members that do not exist; the default skips them
    tokens=tokens,
    dialect=forgiving,
    resource_types=[USER, GROUP.without_uniqueness("displayName")],  # two groups may have the same name
)
