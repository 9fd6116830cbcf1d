"""Ready properties: a host subclasses them for its own resource types, and pytest runs them.

    class TestAgent(ResourceTypeProperties):
        resource_type = AGENT

For stores there is `scimkit.testing.contract`.
This module holds no rule of SCIM; it compares with `scimkit.testing.reference`.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar

try:
    from hypothesis import HealthCheck, assume, given, settings
    from hypothesis import strategies as st
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("the properties need hypothesis: pip install 'scimkit[testing]'") from _missing

from scimkit import patch
from scimkit.errors import MutabilityViolation, NoTarget, ScimError
from scimkit.filters.filter import Filter, parse
from scimkit.schema.reading import read_resource
from scimkit.schema.resource_types import ResourceType
from scimkit.testing import reference
from scimkit.testing.strategies import documents, filters, patches

_OFTEN = settings(
    # A property is shared by all subclasses, and no example depends on which of them ran it before.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.differing_executors],
    deadline=None,
)


class ResourceTypeProperties:
    """What holds for every resource type. Subclasses set `resource_type`."""

    resource_type: ClassVar[ResourceType]

    def _outcome(self, document: dict[str, Any], body: dict[str, Any]) -> Any:
        """The document after a PATCH, or the class of the error."""
        try:
            return patch.apply(self.resource_type, document, body).document
        except ScimError as error:
            return type(error)

    @_OFTEN
    @given(st.data())
    def test_a_document_reads_as_itself(self, data: st.DataObject) -> None:
        """A canonical document, sent in a PUT, is read as the same document."""
        document = data.draw(documents(self.resource_type))
        assert read_resource(self.resource_type, document) == document

    @_OFTEN
    @given(st.data())
    def test_filter_text_round_trips(self, data: st.DataObject) -> None:
        """A filter printed and read again is the same filter."""
        node = data.draw(filters(self.resource_type))
        assert parse(str(node)).node == node

    @_OFTEN
    @given(st.data())
    def test_predicate_agrees_with_the_model(self, data: st.DataObject) -> None:
        """The compiled predicate and the slow model give the same answer."""
        document, node = data.draw(documents(self.resource_type)), data.draw(filters(self.resource_type))
        expected = reference.matches(self.resource_type, document, node)
        assert Filter(node).matches(document, self.resource_type) is expected

    @_OFTEN
    @given(st.data())
    def test_patch_agrees_with_the_model(self, data: st.DataObject) -> None:
        """PATCH and the slow model give the same document, or refuse for the same reason."""
        document, body = data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type))
        try:
            expected: Any = reference.patched(self.resource_type, document, body)
        except (NoTarget, MutabilityViolation) as error:
            expected = type(error)
        found = self._outcome(document, body)
        if isinstance(expected, dict) and isinstance(found, type):
            assert not self._is_valid(expected)
        else:
            assert found == expected

    def _is_valid(self, document: dict[str, Any]) -> bool:
        try:
            return read_resource(self.resource_type, document) == document
        except ScimError:
            return False

    @_OFTEN
    @given(st.data())
    def test_patch_is_atomic(self, data: st.DataObject) -> None:
        """Whatever happens, the document and the body that were given are as they were."""
        document, body = data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type))
        before = copy.deepcopy((document, body))
        self._outcome(document, body)
        assert (document, body) == before

    @_OFTEN
    @given(st.data())
    def test_patch_makes_valid_documents(self, data: st.DataObject) -> None:
        """A document that PATCH made is in canonical form, and a PUT could have sent it."""
        found = self._outcome(data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type)))
        if isinstance(found, dict):
            assert self._is_valid(found)

    @_OFTEN
    @given(st.data())
    def test_patch_is_idempotent(self, data: st.DataObject) -> None:
        """An operation that sets or removes changes nothing a second time, unless its filter no longer selects."""
        document, body = data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type, most=1))
        assume("[" not in body["Operations"][0].get("path", "") or body["Operations"][0]["op"] != "add")
        once = self._outcome(document, body)
        assume(isinstance(once, dict))
        twice = self._outcome(once, body)
        assert twice == once or twice is NoTarget

    @_OFTEN
    @given(st.data())
    def test_a_change_of_nothing_changes_nothing(self, data: st.DataObject) -> None:
        """Replacing every attribute by what it has gives the same object and no changes."""
        document = data.draw(documents(self.resource_type))
        value = {name: item for name, item in document.items() if name != "schemas"}
        body = {"schemas": [patch.PATCH_OP_SCHEMA], "Operations": [{"op": "replace", "value": value}]}
        result = patch.apply(self.resource_type, document, body)
        assert result.document is document
        assert not result.changes
