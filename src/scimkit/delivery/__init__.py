"""Deliver the events of an outbox: workers, retries and webhooks.

`Webhook` and `AsyncWebhook` need `scimkit[webhooks]`.
"""

from typing import TYPE_CHECKING, Any

from scimkit.delivery.retries import DeliveryFailed, RetryPolicy, Undeliverable
from scimkit.delivery.signatures import new_secret
from scimkit.delivery.worker import StopSignal, deliver

if TYPE_CHECKING:
    from scimkit.delivery.async_webhooks import AsyncWebhook
    from scimkit.delivery.async_worker import AsyncStopSignal, async_deliver
    from scimkit.delivery.webhooks import Webhook

__all__ = [
    "AsyncStopSignal", "AsyncWebhook", "DeliveryFailed", "RetryPolicy", "StopSignal", "Undeliverable", "Webhook",
    "async_deliver", "deliver", "new_secret",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import the async worker and the webhooks on first use, because they need asyncio and httpx."""
    if name in ("AsyncStopSignal", "async_deliver"):
        from scimkit.delivery import async_worker

        return getattr(async_worker, name)
    if name == "Webhook":
        from scimkit.delivery.webhooks import Webhook

        return Webhook
    if name == "AsyncWebhook":
        from scimkit.delivery.async_webhooks import AsyncWebhook

        return AsyncWebhook
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
