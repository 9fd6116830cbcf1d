"""Settings of all tests: hypothesis profiles, and a client of a service in process."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.client import Client

settings.register_profile("dev", max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "ci",
    max_examples=150,
    deadline=None,
    derandomize=True,  # the gate says the same of the same code; new examples are for whoever changes it
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "mutation",
    max_examples=15,
    deadline=None,
    derandomize=True,  # a mutant lives or dies by the same examples each time
    database=None,
    phases=[Phase.explicit, Phase.generate],  # that a property fails is all there is to know
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture
def client() -> Client:
    """A client of a fresh service over a memory store."""
    return Client()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one worker more than there are cores: tests that wait for a deadline or a database leave theirs idle."""
    return (os.cpu_count() or 1) + 1
