"""The providers there are, by name. A simulator takes a base URL, a token and a directory.

This module only names; each provider's module says what is known of it.
"""

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
    """A simulator that can be closed, and that takes away what it made."""

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
"""What makes a simulator, by the provider's name."""


def provider(name: str, base_url: str, token: str, directory: Directory, **options: Any) -> Provider:
    """The simulator of a provider. `options`: `client`, `on_step`, `without`.

    Raises: KeyError for a name that `PROVIDERS` unsupported. ValueError for a name in `without` that no schema has.
    """
    return PROVIDERS[name](base_url, token, directory, **options)
