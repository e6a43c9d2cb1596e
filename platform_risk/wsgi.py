"""The web server's way in."""

import gc
import os
import threading
from importlib import import_module

from django.core.wsgi import get_wsgi_application
from django.urls import reverse

from costs.forecasting.models import theta_class

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_risk.settings")

# A first forecast loads pandas, and Plotly takes it half loaded where another thread draws a chart meanwhile.
import_module("pandas")

application = get_wsgi_application()
reverse("joint:overview")  # every page's code: else the first request of each process waits for it

# What is loaded stays until the end: never looked through again by the collector (0.1 s each time, in the middle of
# some request), and shared by the processes that are forked after this.
gc.collect()
gc.freeze()


FORECASTS_AFTER = 20  # seconds: until then people sign in, and a demo is imported


def _forecasts_soon() -> None:
    """What forecasts take is loaded beside the requests, so that the first forecast of filtered spend does not wait for
    it; after the fork, and not before, for a start would wait for it."""
    timer = threading.Timer(FORECASTS_AFTER, theta_class)
    timer.daemon = True
    timer.start()


os.register_at_fork(after_in_child=_forecasts_soon)
