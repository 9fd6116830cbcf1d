"""PATCH: functions that apply operations to documents and return the change set (RFC 7644 section 3.5.2).

>>> from scimkit import USER, patch
>>> result = patch.apply(USER, {"userName": "ada", "active": True}, {
...     "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
...     "Operations": [{"op": "replace", "path": "active", "value": False}],
... })
>>> result.changes.assigned
{'active': False}
"""

from scimkit.patch.apply import PatchResult, apply, apply_operations
from scimkit.patch.changes import ChangeSet, EffectiveChanges, ReferenceChanges, apply_changes, changes_between
from scimkit.patch.direct import direct_changes
from scimkit.patch.operations import PATCH_OP_SCHEMA, Operation, read_operations

__all__ = [
    "PATCH_OP_SCHEMA", "ChangeSet", "EffectiveChanges", "Operation", "PatchResult", "ReferenceChanges", "apply",
    "apply_changes", "apply_operations", "changes_between", "direct_changes", "read_operations",
]  # fmt: skip
