"""The options of rate limits: how many requests a tenant and a token may send.

This module counts nothing. `scimkit.service.rate_limiter` applies the options.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

_SCHEMES: Final = ("memory://", "redis://", "rediss://", "redis+unix://")


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The rate limits of a service. Needs `pip install 'scimkit[limits]'`.

    Rates are averages over `window`. A client may therefore send the requests of a window at once. A request beyond a
    limit is refused with 429 and `Retry-After`. Requests without a valid token have their own limit:
    `Limits.failed_attempts`.

    Raises:
        ValueError: An option has a value that is not allowed.
    """

    url: str = field(default="memory://", repr=False)
    """Where requests are counted.

    `memory://` counts in each process alone. `redis://HOST:6379/0` counts for all processes together. While Redis does
    not answer, each process counts alone.
    """
    tenant: float | None = 100.0
    """Maximum number of requests of a tenant, a second. None means no limit."""
    token: float | None = 50.0
    """Maximum number of requests with one token, a second. None means no limit.

    The default is twice the 25 requests a second that Entra expects an endpoint to serve.
    """
    tenants: Mapping[str, float] = field(default_factory=dict)
    """Requests a second of single tenants, instead of `tenant`. The limit of their tokens changes in proportion."""
    window: int = 10
    """Number of seconds over which a rate is averaged."""
    concurrent: int | None = None
    """Maximum number of requests of a tenant that a process handles at once.

    None means half of the connections of the store, or 5 if the store does not report their number.
    """
    prefix: str = "scimkit"
    """The prefix of all keys in Redis. Services that share a prefix count their requests together."""

    def __post_init__(self) -> None:
        if not self.url.startswith(_SCHEMES):
            raise ValueError(f"the URL of rate limits must begin with {', '.join(_SCHEMES)}")
        rates = (self.tenant, self.token, *self.tenants.values())
        if any(each is not None and not (isfinite(each) and each > 0) for each in rates):
            raise ValueError("a rate limit must be a positive number of requests a second, or None")
        if self.window < 1 or (self.concurrent is not None and self.concurrent < 1):
            raise ValueError("window and concurrent must be at least 1")

    def rate_of_tenant(self, tenant: str) -> float | None:
        """Return the number of requests a second of a tenant, or None if there is no limit."""
        return self.tenants.get(tenant, self.tenant)

    def rate_of_token(self, tenant: str) -> float | None:
        """Return the number of requests a second of each token of a tenant, or None if there is no limit."""
        own = self.tenants.get(tenant)
        return (
            self.token if own is None or self.tenant is None or self.token is None else self.token * own / self.tenant
        )
