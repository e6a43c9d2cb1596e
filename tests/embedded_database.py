"""pytest plugin: one throw-away PostgreSQL and Redis for the whole run, unless DATABASE_URL or REDIS_URL name others.

Loaded by `-p tests.embedded_database` in pyproject.toml, early enough to set the environment before Django reads its
settings. Under xdist the controller starts the servers and its workers inherit the addresses.
"""

import os
from collections.abc import Generator

import pytest

from platform_risk.local.throwaway import ThrowawayServers

OURS = "PLATFORM_RISK_TESTS_OWN_SERVER"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """A wrapper, so that it runs before pytest-django's implementation, which reads the settings."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        servers = ThrowawayServers()
        # Registered first: a start that fails half way is cleaned up too.
        early_config.add_cleanup(servers.stop)
        # A template on a server that somebody names would outlive the run.
        os.environ[OURS] = "" if os.environ.get("DATABASE_URL") else "1"
        servers.start(os.environ)
    yield
