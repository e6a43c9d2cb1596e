import os
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "HOST": os.environ["DB_HOST"],
        "CONN_MAX_AGE": 60,
    }
}
