"""pytest plugin: the browser tests are one piece of work, which is begun first.

One process has the product and the browser: starting both in each takes longer than it gives. xdist's own groups are
marks that it writes into node ids, which pytest 9 no longer reads: they are lost without a word. Loaded by
`-p tests.together` in pyproject.toml, since the process that shares the work out reads no conftest.py.
"""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

BROWSER = "tests/browser/"


class BrowserTestsTogether(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(BROWSER) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return BrowserTestsTogether(config, log)
