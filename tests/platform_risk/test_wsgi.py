"""The web server's way in, as its processes are forked from it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORKED = """
import os, sys, time
from platform_risk import wsgi
wsgi.FORECASTS_AFTER = 0
assert "statsforecast" not in sys.modules, "a start would wait for it"
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
until = time.monotonic() + 60
while "DynamicOptimizedTheta" not in vars(sys.modules.get("statsforecast.models", sys)):
    if time.monotonic() > until:
        os._exit(7)
    time.sleep(0.05)
os._exit(0)
"""


def test_a_process_of_the_web_server_has_what_forecasts_take_before_one_is_asked_for() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
