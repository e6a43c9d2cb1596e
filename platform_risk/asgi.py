"""The way in for an asynchronous web server, should one be put in front; `make run` uses wsgi.py."""

import os
from importlib import import_module

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_risk.settings")

# A first forecast loads pandas, and Plotly takes it half loaded where another thread draws a chart meanwhile.
import_module("pandas")

application = get_asgi_application()
