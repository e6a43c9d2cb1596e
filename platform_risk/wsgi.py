"""The web server's way in."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_risk.settings")

# A first forecast loads pandas, and Plotly takes it half loaded where another thread draws a chart meanwhile.
import_module("pandas")

application = get_wsgi_application()
