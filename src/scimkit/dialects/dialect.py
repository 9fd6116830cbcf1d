"""Dialects: sets of quirks, and the handler that applies them to one request.

This module connects quirks to the questions that the engine asks. It defines no quirk itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

from scimkit.dialects.quirks import NOT_APPLICABLE, QUIRKS, Quirk, Stage
from scimkit.dialects.restrictions import Restriction, RestrictionName
from scimkit.dialects.rewrites import Rewrite
from scimkit.dialects.rfc_clauses import clause_of
from scimkit.documents import Document
from scimkit.errors import InvalidFilter, InvalidSyntax, InvalidValue, NotAcceptable, NotFound, ScimError
from scimkit.filters.ast import And, Comparison, Node, Not, Or, Present, Value, ValuePath
from scimkit.filters.comparisons import comparison_value
from scimkit.filters.filter import Filter
from scimkit.filters.predicate import ElementScope, comparable
from scimkit.patch.deviations import RefusingPatchHandler
from scimkit.schema.attributes import Attribute, AttributeTable
from scimkit.schema.deviations import Place
from scimkit.schema.resource_types import ResourceType


class Dialect:
    """A named set of quirks.

    A dialect without quirks accepts only requests in RFC form. The details of its errors then name the section of the
    RFC.

    Args:
        name: The name of the dialect, for tokens and logs.
        quirks: The quirks of the dialect. Within a stage, the first quirk that applies determines the rewrite.
        restrictions: The rules of the dialect that are narrower than the RFC.
    """

    __slots__ = ("_by_stage", "_restricted", "name", "quirks", "restrictions")

    def __init__(self, name: str, quirks: Sequence[Quirk] = (), *, restrictions: Sequence[Restriction] = ()) -> None:
        self.name: str = name
        self.quirks: tuple[Quirk, ...] = tuple(quirks)
        self.restrictions: tuple[Restriction, ...] = tuple(restrictions)
        self._restricted: frozenset[RestrictionName] = frozenset(each.name for each in self.restrictions)
        self._by_stage: dict[Stage, tuple[Quirk, ...]] = {}
        for quirk in self.quirks:
            self._by_stage[quirk.stage] = (*self._by_stage.get(quirk.stage, ()), quirk)

    def __repr__(self) -> str:
        return f"<Dialect {self.name}: {len(self.quirks)} quirks>"

    def explained(self, error: ScimError, method: str) -> ScimError:
        """Return the error with the section of the RFC that the request violated.

        A dialect with quirks returns the error unchanged. An error that names a section is returned unchanged too.
        """
        clause = None if self.quirks else clause_of(error, method)
        if clause is None or " section " in error.detail:
            return error
        explained = copy(error)
        explained.detail = f"{error.detail.rstrip('.')} ({clause})."
        return explained

    def at(self, stage: Stage) -> tuple[Quirk, ...]:
        """Return the quirks of a stage, in order."""
        return self._by_stage.get(stage, ())

    def restricts(self, name: RestrictionName) -> bool:
        """Report whether the dialect has a restriction."""
        return name in self._restricted

    def extended(self, name: str, *quirks: Quirk) -> Dialect:
        """Return a dialect with more quirks, which take precedence over the present ones."""
        return Dialect(name, (*quirks, *self.quirks), restrictions=self.restrictions)

    def without(self, name: str, *names: str) -> Dialect:
        """Return a dialect without the named quirks."""
        kept = [quirk for quirk in self.quirks if quirk.name not in names]
        return Dialect(name, kept, restrictions=self.restrictions)


class RequestDeviations(RefusingPatchHandler):
    """The handler of the deviations of one request.

    It asks the quirks of the dialect, records which quirks were used, and refuses deviations that no quirk handles.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.fired: dict[str, Rewrite | None] = {}
        """The names of the quirks that were used, in order, each once, with the first rewrite of each."""

    def _ask(self, stage: Stage, *arguments: object) -> Any:
        """Return the rewrite of the first quirk of a stage that applies, or `NOT_APPLICABLE`."""
        for quirk in self.dialect.at(stage):
            answer = quirk.rewrite(*arguments)
            if answer is not NOT_APPLICABLE:
                self.fired.setdefault(quirk.name, Rewrite(stage, arguments, answer))
                return answer
        return NOT_APPLICABLE

    def value(self, attribute: Attribute, value: object) -> object:
        answer = self._ask("value", attribute, value)
        return super().value(attribute, value) if answer is NOT_APPLICABLE else answer

    def values(self, attribute: Attribute, value: object) -> object:
        answer = self._ask("values", attribute, value)
        return super().values(attribute, value) if answer is NOT_APPLICABLE else answer

    def unknown(self, table: AttributeTable, name: str, value: object) -> Place | None:
        answer = self._ask("unknown", table, name, value)
        return super().unknown(table, name, value) if answer is NOT_APPLICABLE else answer

    def schemas(self, resource_type: ResourceType, value: object) -> None:
        if self._ask("schemas", resource_type, value) is NOT_APPLICABLE:
            super().schemas(resource_type, value)

    def primaries(self, attribute: Attribute, values: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = self._ask("primaries", attribute, values)
        return super().primaries(attribute, values) if answer is NOT_APPLICABLE else answer

    def embedded(self, attribute: Attribute, text: str) -> Any:
        answer = self._ask("embedded", attribute, text)
        return None if answer is NOT_APPLICABLE else answer

    def operation_name(self, name: str) -> str | None:
        answer = self._ask("operation_name", name)
        return super().operation_name(name) if answer is NOT_APPLICABLE else answer

    def added(self, attribute: Attribute, value: object) -> object:
        answer = self._ask("values", attribute, value)
        return super().added(attribute, value) if answer is NOT_APPLICABLE else answer

    def message(self, schema: str) -> None:
        if self._ask("message", schema) is NOT_APPLICABLE:
            super().message(schema)

    def extra_member(self, name: str) -> None:
        if self._ask("extra_member", name) is NOT_APPLICABLE:
            super().extra_member(name)

    def name(self, resource_type: ResourceType, name: str) -> str | None:
        answer = self._ask("name", resource_type, name)
        return super().name(resource_type, name) if answer is NOT_APPLICABLE else answer

    def path(self, resource_type: ResourceType, text: str) -> str | None:
        answer = self._ask("path", resource_type, text)
        if answer is NOT_APPLICABLE and self.dialect.restricts("unknown-path-is-syntax"):
            raise InvalidSyntax(
                f"The path names an attribute that {resource_type.name} does not have "
                "(SCIM 2.0 Interoperability Profile section 5.3)."
            )
        return super().path(resource_type, text) if answer is NOT_APPLICABLE else answer

    def without_path(self) -> None:
        if self.dialect.restricts("path-required"):
            raise InvalidSyntax(
                "An operation must have a path (SCIM 2.0 Interoperability Profile section 6.5.1.1). "
                "Send one operation for each attribute."
            )

    def replaces_complex_value(self) -> bool:
        return self.dialect.restricts("complete-replace")

    def read_only(self, attribute: Attribute, in_value: bool) -> None:
        if self._ask("read_only", attribute, in_value) is NOT_APPLICABLE:
            super().read_only(attribute, in_value)

    def removal(self, attribute: Attribute, value: object) -> object:
        answer = self._ask("removal", attribute, value)
        return super().removal(attribute, value) if answer is NOT_APPLICABLE else answer

    def part(self, attribute: Attribute, value: object) -> Attribute | None:
        answer = self._ask("part", attribute, value)
        return None if answer is NOT_APPLICABLE else answer

    def clears_whole(self, attribute: Attribute, sub_attribute: Attribute) -> bool:
        return self._ask("clears_whole", attribute, sub_attribute) is True

    def empty_filter(self) -> None:
        """Accept an empty filter, which then counts as no filter.

        Raises:
            InvalidFilter: The dialect does not allow an empty filter.
        """
        if self._ask("empty_filter") is NOT_APPLICABLE:
            raise InvalidFilter("The filter is empty. Send a filter, or leave out the parameter.")

    def empty_parameter(self, name: str) -> None:
        """Accept an empty query parameter, which is then ignored.

        Raises:
            InvalidValue: The dialect does not allow an empty parameter.
        """
        if self._ask("empty_parameter", name) is NOT_APPLICABLE:
            raise InvalidValue(f"The parameter {name} must have a value.")

    def endpoint(self) -> None:
        """Accept an endpoint whose name is in another case.

        Raises:
            NotFound: The dialect does not allow another case.
        """
        if self._ask("endpoint") is NOT_APPLICABLE:
            raise NotFound("There is no such endpoint.")

    def media_type(self, name: str) -> bool:
        """Report whether to read a body of this media type as JSON."""
        return self._ask("media_type", name) is True

    def is_marked_deleted(self, old: str, new: str) -> bool:
        """Report whether a new user name is the stored one, marked as deleted."""
        return self._ask("marked_deleted", old, new) is True

    def parameter(self, name: str, value: object) -> str | int:
        """Return the value of a search or bulk parameter that has the wrong type.

        Raises:
            InvalidValue: The dialect does not allow the type.
        """
        answer = self._ask("parameter", name, value)
        if type(answer) is not str and type(answer) is not int:
            raise InvalidValue(f"The parameter {name} has the wrong type.")
        return answer

    def keeps_omitted(self, attribute: Attribute) -> bool:
        """Report whether a PUT that omits the attribute keeps its elements."""
        return self._ask("omitted", attribute) is True

    @property
    def may_restore(self) -> bool:
        """True if a create that fails with a conflict may restore the existing resource."""
        return bool(self.dialect.at("conflict"))

    def restores(self, holder: Document, document: Document) -> bool:
        """Report whether a create replaces the existing resource with the same unique value, instead of failing."""
        return self._ask("conflict", holder, document) is True

    def creates_elements(self, attribute: Attribute) -> bool:
        return self._ask("creates_elements", attribute) is True

    def bare_value(self, word: str) -> str | bool | None:
        answer = self._ask("bare_value", word)
        return None if answer is NOT_APPLICABLE else answer

    def single_quoted(self) -> bool:
        return self._ask("single_quoted") is True

    def narrowed_value_path(self) -> bool:
        return self._ask("narrowed_value_path") is True

    def attribute_path(self, text: str) -> str | None:
        answer = self._ask("attribute_path", text)
        return None if answer is NOT_APPLICABLE else answer

    def compared(self, attribute: Attribute, value: Value) -> Value:
        answer = self._ask("compared", attribute, value)
        return super().compared(attribute, value) if answer is NOT_APPLICABLE else answer

    def unacceptable(self) -> None:
        """Accept a client that accepts neither SCIM nor JSON.

        Raises:
            NotAcceptable: The dialect does not allow that.
        """
        if self._ask("unacceptable") is NOT_APPLICABLE:
            raise NotAcceptable()

    def fitted(self, wanted: Filter, resource_type: ResourceType) -> Filter:
        """Return the filter, rewritten if necessary, so that it fits the resource type.

        Raises:
            InvalidFilter: The filter does not fit the resource type, and no quirk can rewrite it.
        """
        try:
            wanted.check(resource_type)
        except InvalidFilter:
            wanted = Filter(self._fitted(wanted.node, resource_type))
            wanted.check(resource_type)
        node = wanted.node
        if type(node) is Comparison and node.operator == "eq" and type(node.value) is str and len(node.value) > 32:
            wider = self._ask("looked_up", node, resource_type)
            if wider is not NOT_APPLICABLE:
                wanted = Filter(wider)
        return wanted

    def _fitted(self, node: Node, scope: ResourceType | ElementScope) -> Node:
        """Return the filter tree with paths and values rewritten where they do not fit the schema."""
        if isinstance(node, And | Or):
            return type(node)(tuple(self._fitted(each, scope) for each in node.operands))
        if isinstance(node, Not):
            return Not(self._fitted(node.operand, scope))
        text = node.path
        path = scope.resolve(text)
        if path is None and isinstance(scope, ResourceType):
            answer = self._ask("path", scope, text)
            path = scope.resolve(answer) if type(answer) is str else None
            text = text if path is None else path.text
        if path is None or isinstance(node, Present):
            return Present(text) if isinstance(node, Present) else node
        if isinstance(node, ValuePath):
            return ValuePath(text, self._fitted(node.filter, ElementScope(path.leaf)))
        return self._fitted_comparison(node, text, comparable(path).leaf)

    def _fitted_comparison(self, node: Comparison, text: str, attribute: Attribute) -> Comparison:
        """Return the comparison with a value of the attribute's type. Raises InvalidFilter if no quirk applies."""
        fitted = Comparison(text, node.operator, node.value)
        try:
            comparison_value(attribute, fitted)
        except InvalidFilter:
            return Comparison(text, node.operator, self.compared(attribute, node.value))
        return fitted


STRICT = Dialect("strict")
"""The dialect without quirks: it accepts only requests in RFC form."""

TOLERANT = Dialect("tolerant", QUIRKS)
"""The default dialect: every quirk whose meaning is clear."""
