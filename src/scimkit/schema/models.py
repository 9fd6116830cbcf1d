"""Functions that convert between scimkit and `scim2_models`.

Use them to declare a resource type from a model class, and to convert documents to model objects and back.
No other module of scimkit imports `scim2_models`.
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
    references: Sequence[str] = (),
) -> ResourceType:
    """Compile a resource type from a `scim2_models` class, such as `User[EnterpriseUser]` or your own class.

    The resource type has the extensions of the type parameter, and no others. Several extensions are a union, such as
    `User[EnterpriseUser | Helpdesk]`.

    Args:
        model: The model class.
        name: The name, as for `ResourceType`.
        endpoint: The path of the endpoint, as for `ResourceType`.
        description: The description, as for `ResourceType`.
        required_extensions: The extensions of the class that every resource must have.
        unique: Paths of unique attributes, as for `ResourceType`.
        indexed: Paths that filters often compare with `eq`, as for `ResourceType`.
        references: Multi-valued attributes whose elements must name existing resources, as for `ResourceType`.
            Experimental.

    Raises:
        ValueError: A path names no attribute, or a required extension is not an extension of the class.
        ValueError: An attribute in `references` is not a multi-valued reference.
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
        references=references,
    )


def as_model(model: type[ResourceModel], document: Document) -> ResourceModel:
    """Convert a document to an object of a `scim2_models` class.

    Raises:
        pydantic.ValidationError: The document does not fit the class.
    """
    return model.model_validate(dict(document))


def as_document(resource: Resource[Any]) -> dict[str, Any]:
    """Convert a `scim2_models` object to a JSON object. The result is not a canonical document yet."""
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
