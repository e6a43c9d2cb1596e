"""The way in for an asynchronous web server, should one be put in front; `make run` uses wsgi.py."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_risk.settings")

application = get_asgi_application()
