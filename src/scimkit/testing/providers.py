"""The registry of simulated identity providers, by name. The module of each provider documents its behavior."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Protocol

from scimkit.testing.authentik import Authentik
from scimkit.testing.directory import Directory
from scimkit.testing.directory_history import Simulator
from scimkit.testing.entra import MIXED, EntraSimulator
from scimkit.testing.jumpcloud import JumpCloud
from scimkit.testing.okta import OktaCatalogApp, OktaCustomApp
from scimkit.testing.onelogin import OneLogin
from scimkit.testing.pingfederate import PingFederate
from scimkit.testing.sailpoint import SailPoint


class Provider(Simulator, Protocol):
    """A simulator that can delete the resources that it created, and close its connection."""

    def clean_up(self) -> list[str]: ...

    def close(self) -> None: ...


PROVIDERS: Final[Mapping[str, Callable[..., Provider]]] = {
    "entra": EntraSimulator,
    "entra-aadOptscim062020": partial(EntraSimulator, flavor="aadOptscim062020"),
    "entra-mixed": partial(EntraSimulator, flavor=MIXED, workers=4),
    "okta": OktaCustomApp,
    "okta-catalogue": OktaCatalogApp,
    "onelogin": OneLogin,
    "jumpcloud": JumpCloud,
    "pingfederate": PingFederate,
    "authentik": Authentik,
    "sailpoint": SailPoint,
}
"""The class or function that creates a simulator, by the name of the identity provider."""


def provider(name: str, base_url: str, token: str, directory: Directory, **options: Any) -> Provider:
    """Return a simulator of an identity provider.

    Args:
        name: A name in `PROVIDERS`.
        base_url: The URL of the SCIM endpoint.
        token: The bearer token.
        directory: The users and groups to provision.
        options: `client`, `on_step` and `without`, as for `ProviderSimulator`.

    Raises:
        KeyError: `PROVIDERS` has no such name.
        ValueError: No schema has an attribute that `without` names.
    """
    return PROVIDERS[name](base_url, token, directory, **options)
