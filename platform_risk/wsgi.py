"""The web server's way in."""

import gc
import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application
from django.urls import reverse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_risk.settings")

# A first forecast loads pandas, and Plotly takes it half loaded where another thread draws a chart meanwhile.
import_module("pandas")

application = get_wsgi_application()
reverse("joint:overview")  # every page's code: else the first request of each process waits for it

# What is loaded stays until the end: never looked through again by the collector (0.1 s each time, in the middle of
# some request), and shared by the processes that are forked after this.
gc.collect()
gc.freeze()
