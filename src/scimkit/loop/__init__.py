"""Services on an event loop: threads for calls that may block, and async health checks."""

from scimkit.loop.health import awaited_health
from scimkit.loop.requests import LoopService, loop_service

__all__ = ["LoopService", "awaited_health", "loop_service"]
