"""pytest plugin: how tests are shared out. Those in a browser are one piece, begun first; pure ones go in parts.

One process has the product and the browser: starting both in each takes longer than it gives. xdist's own groups are
marks that it writes into node ids, which pytest 9 no longer reads: they are lost without a word. Loaded by
`-p tests.together` in pyproject.toml, since the process that shares the work out reads no conftest.py.
"""

from typing import Any
from zlib import crc32

import pytest
from xdist.scheduler import LoadScopeScheduling

BROWSER = "tests/browser/"
# Thousands of tests that take a millisecond each: handing them out one by one takes longer than they do.
PURE = (
    "tests/findings/checks/", "tests/findings/platform/", "tests/findings/scans/", "tests/findings/risk/",
    "tests/costs/usage/", "tests/platform_risk/quantities/", "tests/platform_risk/core/test_redaction.py",
)  # fmt: skip
PIECES = 8  # of a pure file
# What the whole file shares takes longer than its tests.
WHOLE = ("tests/platform_risk/test_compose.py", "tests/findings/checks/test_what_if.py")


class Together(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """xdist begins the pieces with the most tests first: those of pure files stay smaller than that of the browser."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(BROWSER):
            return BROWSER
        if nodeid.startswith(WHOLE):
            return nodeid.partition("::")[0]
        if not nodeid.startswith(PURE):
            return nodeid
        return f"{nodeid.partition('::')[0]} {crc32(nodeid.encode()) % PIECES}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return Together(config, log)
