"""Property tests for a resource type. Subclass `ResourceTypeProperties`, and pytest runs the tests.

    class TestAgent(ResourceTypeProperties):
        resource_type = AGENT

The tests compare scimkit with the reference implementation in `scimkit.testing.reference`. To test a store, use
`scimkit.testing.contract`.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar

try:
    from hypothesis import HealthCheck, assume, given, settings
    from hypothesis import strategies as st
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError("The property tests need hypothesis: pip install 'scimkit[testing]'") from _missing

from scimkit import patch
from scimkit.errors import MutabilityViolation, NoTarget, ScimError
from scimkit.filters.filter import Filter, parse
from scimkit.schema.reading import read_resource
from scimkit.schema.resource_types import ResourceType
from scimkit.testing import reference
from scimkit.testing.strategies import documents, filters, patches

_OFTEN = settings(
    # All subclasses share the test functions. No example depends on the subclass that ran before.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.differing_executors],
    deadline=None,
)


class ResourceTypeProperties:
    """Property tests that pass for every valid resource type. A subclass sets `resource_type`."""

    resource_type: ClassVar[ResourceType]

    def _outcome(self, document: dict[str, Any], body: dict[str, Any]) -> Any:
        """Return the document after a PATCH, or the class of the error."""
        try:
            return patch.apply(self.resource_type, document, body).document
        except ScimError as error:
            return type(error)

    @_OFTEN
    @given(st.data())
    def test_a_document_reads_as_itself(self, data: st.DataObject) -> None:
        """A canonical document that is sent in a PUT is read as the same document."""
        document = data.draw(documents(self.resource_type))
        assert read_resource(self.resource_type, document) == document

    @_OFTEN
    @given(st.data())
    def test_filter_text_round_trips(self, data: st.DataObject) -> None:
        """A filter that is printed and parsed again is the same filter."""
        node = data.draw(filters(self.resource_type))
        assert parse(str(node)).node == node

    @_OFTEN
    @given(st.data())
    def test_predicate_agrees_with_the_model(self, data: st.DataObject) -> None:
        """The compiled predicate and the reference implementation agree on whether a document matches a filter."""
        document, node = data.draw(documents(self.resource_type)), data.draw(filters(self.resource_type))
        expected = reference.matches(self.resource_type, document, node)
        assert Filter(node).matches(document, self.resource_type) is expected

    @_OFTEN
    @given(st.data())
    def test_patch_agrees_with_the_model(self, data: st.DataObject) -> None:
        """PATCH and the reference implementation return the same document, or raise the same error."""
        document, body = data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type))
        found = self._outcome(document, body)
        if isinstance(found, type):
            body = self._up_to_the_refused_operation(document, body, found)
        try:
            expected: Any = reference.patched(self.resource_type, document, body)
        except (NoTarget, MutabilityViolation) as error:
            expected = type(error)
        if isinstance(found, type) and (isinstance(expected, dict) or found not in (NoTarget, MutabilityViolation)):
            # The model does not check values: it makes an invalid document, or has its own error for another fault.
            assert isinstance(expected, type) or not self._is_valid(expected)
        else:
            assert self._without_order(found) == self._without_order(expected)

    def _up_to_the_refused_operation(
        self, document: dict[str, Any], body: dict[str, Any], error: type
    ) -> dict[str, Any]:
        """Return the shortest beginning of a PATCH with the same error, because a later operation may have another.

        The error is compared, because a beginning may lack what a later operation adds, such as a required attribute.
        """
        parts = ({**body, "Operations": body["Operations"][:count]} for count in range(1, len(body["Operations"])))
        return next((part for part in parts if self._outcome(document, part) is error), body)

    def _without_order(self, outcome: Any) -> Any:
        """Return a document whose references, such as members, are sorted: their order has no meaning."""
        if not isinstance(outcome, dict):
            return outcome
        keyed = [name for name in outcome if (each := self.resource_type.attributes.get(name)) and each.keyed]
        return outcome | {name: sorted(outcome[name], key=lambda each: str(each["value"])) for name in keyed}

    def _is_valid(self, document: dict[str, Any]) -> bool:
        try:
            return read_resource(self.resource_type, document) == document
        except ScimError:
            return False

    @_OFTEN
    @given(st.data())
    def test_patch_is_atomic(self, data: st.DataObject) -> None:
        """PATCH never changes the document or the body that it is given."""
        document, body = data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type))
        before = copy.deepcopy((document, body))
        self._outcome(document, body)
        assert (document, body) == before

    @_OFTEN
    @given(st.data())
    def test_patch_makes_valid_documents(self, data: st.DataObject) -> None:
        """PATCH returns a document in canonical form that a PUT would also accept."""
        found = self._outcome(data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type)))
        if isinstance(found, dict):
            assert self._is_valid(found)

    @_OFTEN
    @given(st.data())
    def test_patch_is_idempotent(self, data: st.DataObject) -> None:
        """A repeated PATCH operation changes nothing, unless its filter no longer selects an element."""
        document, body = data.draw(documents(self.resource_type)), data.draw(patches(self.resource_type, most=1))
        assume("[" not in body["Operations"][0].get("path", "") or body["Operations"][0]["op"] != "add")
        once = self._outcome(document, body)
        assume(isinstance(once, dict))
        twice = self._outcome(once, body)
        assert twice == once or twice is NoTarget

    @_OFTEN
    @given(st.data())
    def test_a_change_of_nothing_changes_nothing(self, data: st.DataObject) -> None:
        """Replacing every attribute with its current value returns the same object and an empty change set."""
        document = data.draw(documents(self.resource_type))
        value = {name: item for name, item in document.items() if name != "schemas"}
        body = {"schemas": [patch.PATCH_OP_SCHEMA], "Operations": [{"op": "replace", "value": value}]}
        result = patch.apply(self.resource_type, document, body)
        assert result.document is document
        assert not result.changes
