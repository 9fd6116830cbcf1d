"""`scim2_models` classes in and out: declare resource types with them, view documents as them.

The only module of scimkit that imports `scim2_models`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, get_args

from scim2_models import Extension, Resource

from scimkit.documents import Document
from scimkit.schema.resource_types import ResourceType, SchemaExtension

ResourceModel = TypeVar("ResourceModel", bound=Resource[Any])


def resource_type(
    model: type[Resource[Any]],
    *,
    name: str | None = None,
    endpoint: str | None = None,
    description: str | None = None,
    required_extensions: Sequence[type[Extension]] = (),
    unique: Sequence[str] = (),
    indexed: Sequence[str] = (),
) -> ResourceType:
    """Compile a resource type from a `scim2_models` class, such as `User[EnterpriseUser]` or one's own.

    The extensions are those the class is parametrised with. The other arguments are those of
    `ResourceType`. Raises: ValueError when a path names no attribute, or a required extension is not
    one of the class's.
    """
    extensions = _extension_models(model)
    for each in required_extensions:
        if each not in extensions:
            raise ValueError(f"{each.__name__} is not an extension of {model.__name__}")
    return ResourceType(
        _schema_document(model),
        extensions=[SchemaExtension(_schema_document(each), each in required_extensions) for each in extensions],
        name=name,
        endpoint=endpoint,
        description=description,
        unique=unique,
        indexed=indexed,
    )


def as_model(model: type[ResourceModel], document: Document) -> ResourceModel:
    """A document as an object of a `scim2_models` class. Raises: pydantic.ValidationError."""
    return model.model_validate(dict(document))


def as_document(resource: Resource[Any]) -> dict[str, Any]:
    """The JSON object of a `scim2_models` object, to be read by a resource type."""
    document: dict[str, Any] = resource.model_dump()
    return document


def _schema_document(model: type[Resource[Any]] | type[Extension]) -> dict[str, Any]:
    document: dict[str, Any] = model.to_schema().model_dump()
    return document


def _extension_models(model: type[Resource[Any]]) -> list[type[Extension]]:
    return (
        list(model.get_extension_models().values())
        if hasattr(model, "get_extension_models")
        else [each for each in get_args(model) if isinstance(each, type) and issubclass(each, Extension)]
    )
