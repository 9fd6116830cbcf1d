"""A service on an event loop: threads for what may block, and health checks that are awaited."""

from scimkit.loop.health import awaited_health
from scimkit.loop.requests import LoopService, loop_service

__all__ = ["LoopService", "awaited_health", "loop_service"]
