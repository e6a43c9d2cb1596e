"""Django's settings: one typed file. Every variable is read through env.py, and docs/settings.md lists them all."""

from pathlib import Path
from typing import Any

from platform_risk import addresses
from platform_risk.env import (
    SettingError,
    env_bool,
    env_bytes,
    env_choice,
    env_duration,
    env_int,
    env_list,
    env_path,
    env_secret,
    env_str,
    env_url,
    kept_secret,
)

BASE_DIR = Path(__file__).resolve().parent.parent

# Where things are

DATA_DIR = env_path(
    "PLATFORM_RISK_DATA",
    BASE_DIR / ".data",
    ".data",
    "Data folder: embedded database and Redis, stored files, generated secrets, `admin-password`",
)
STATIC_ROOT = env_path(
    "PLATFORM_RISK_STATIC", DATA_DIR / "static", ".data/static", "Where style sheets and scripts are collected to"
)
PORT = env_int(
    "PORT", 8000, "Port of the web server under `make run`, on 127.0.0.1; 0 takes any free one", maximum=65535
)
DEMO = env_bool("PLATFORM_RISK_DEMO", "Fill an empty database with the demo under `make run`", default=True)

DATABASE_URL = env_url(
    "DATABASE_URL",
    addresses.DATABASE_SCHEMES,
    "PostgreSQL 15 or newer, `postgresql://user:password@host:5432/name?sslmode=require`; what follows `?` goes to"
    " libpq as it is. Unset: the embedded server that `make run` starts",
    shown="embedded",
)
REDIS_URL = env_url(
    "REDIS_URL",
    addresses.REDIS_SCHEMES,
    "Redis or Valkey for jobs and cache, `redis://:password@host:6379/0`; persistence (append-only file) must be on."
    " Unset: the embedded server that `make run` starts",
    shown="embedded",
)
STORAGE = env_str(
    "PLATFORM_RISK_STORAGE",
    "",
    "Uploaded files: a folder (unset: `files` in the data folder), or `s3://bucket/prefix?endpoint=https://…&region=…`."
    " More than one machine needs S3 or a shared folder",
)
_S3_KEY = env_secret("PLATFORM_RISK_STORAGE_KEY", "Access key id for `s3://`; unset: found the way AWS's own tools do")
_S3_SECRET = env_secret("PLATFORM_RISK_STORAGE_SECRET", "Secret access key for `s3://`")

# Who may come in, and how

DEBUG = env_bool("PLATFORM_RISK_DEBUG", "Django's debug pages: for developing only", default=False)
HTTPS = env_bool(
    "PLATFORM_RISK_HTTPS",
    "Served over https behind a proxy that sets `X-Forwarded-Proto`: secure cookies, redirect from http, HSTS."
    " 0 lets people sign in over plain http, as on one's own machine",
    default=False,
)
SECRET_KEY = env_secret(
    "PLATFORM_RISK_SECRET_KEY",
    "Signs sessions and links; the same on every machine",
    shown="made once, kept in the data folder",
    default=lambda: kept_secret(DATA_DIR / "secret-key"),
)
REDACTION_SALT = env_secret(
    "PLATFORM_RISK_REDACTION_SALT",
    "Salts the hashes that stand for secrets found in reports; the same on every machine, and for good",
    shown="made once, kept in the data folder",
    default=lambda: kept_secret(DATA_DIR / "redaction-salt"),
)
ALLOWED_HOSTS = env_list(
    "PLATFORM_RISK_HOSTS", ["localhost", "127.0.0.1", "[::1]"], "Host names under which the pages may be reached"
)
CSRF_TRUSTED_ORIGINS = env_list(
    "PLATFORM_RISK_ORIGINS", [], "Origins with scheme, as `https://risk.example.org`, when a proxy changes the host"
)
SIGN_IN_ATTEMPTS = env_int(
    "PLATFORM_RISK_SIGN_IN_ATTEMPTS", 10, "Failed sign-ins of one name or address before it has to wait", minimum=1
)
SIGN_IN_WINDOW = env_duration("PLATFORM_RISK_SIGN_IN_WINDOW", "15m", "How long failed sign-ins count")
TOKEN_DAYS = env_int("PLATFORM_RISK_TOKEN_DAYS", 90, "Days an API token lives unless told otherwise", minimum=1)

# How the work is done

LOG_LEVEL = env_choice(
    "PLATFORM_RISK_LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"], "Least level of what is logged to stderr"
)
WEB_PROCESSES = env_int("PLATFORM_RISK_WEB_PROCESSES", 2, "Processes of the web server", minimum=1, maximum=64)
WEB_THREADS = env_int("PLATFORM_RISK_WEB_THREADS", 4, "Threads in each of them", minimum=1, maximum=64)
WORKER_PROCESSES = env_int("PLATFORM_RISK_WORKER_PROCESSES", 2, "Jobs a worker does at once", minimum=1, maximum=64)
IMPORT_LEASE_SECONDS = env_duration(
    "PLATFORM_RISK_IMPORT_LEASE", "30s", "How long a silent worker keeps an import before another takes it over"
)
IMPORT_HEARTBEAT_SECONDS = env_duration(
    "PLATFORM_RISK_IMPORT_HEARTBEAT", "1s", "How often a worker renews its lease and tells its progress"
)
if IMPORT_HEARTBEAT_SECONDS * 2 > IMPORT_LEASE_SECONDS:
    raise SettingError(
        f"PLATFORM_RISK_IMPORT_HEARTBEAT ({IMPORT_HEARTBEAT_SECONDS} s) must be at most half of"
        f" PLATFORM_RISK_IMPORT_LEASE ({IMPORT_LEASE_SECONDS} s), or healthy imports are taken over"
    )
IMPORT_THINKING_SECONDS = env_duration(
    "PLATFORM_RISK_IMPORT_THINKING",
    "15m",
    "How long an import may read and judge configuration before it is given up",
)
_VISIBILITY_TIMEOUT = env_duration(
    "PLATFORM_RISK_VISIBILITY_TIMEOUT",
    "1h",
    "After this long without an answer Redis hands a job out again; the sweeper resumes imports much sooner",
    minimum=60,
)

# What an import may weigh: a bound for all kinds, and one for each that needs another

IMPORT_KINDS = ("scan", "platform", "bill", "usage")
_LIMITS_OF_SIZE = {
    "stored_bytes": ("512MiB", "Largest file that is accepted"),
    "unpacked_bytes": ("2GiB", "Most that a compressed file may unpack to"),
}
# Ten million lines of FOCUS are four gigabytes; packed they are a tenth, and they are read from disk, in little memory.
_UNPACKED_BILL = "16GiB"
# A repository with all that is beside its configuration.
_ENTRIES_PLATFORM = 50_000
_LIMITS_OF_COUNT = {
    "ratio": (200, "Most that one stored byte may unpack to"),
    "entries": (5000, "Most files in an archive"),
    "depth": (200, "Deepest nesting of JSON, YAML or XML"),
    "archive_depth": (2, "Deepest nesting of archives in archives"),
}


def _import_limits() -> dict[str, dict[str, int]]:
    limits: dict[str, dict[str, int]] = {kind: {} for kind in IMPORT_KINDS}
    for limit, (size, doc) in _LIMITS_OF_SIZE.items():
        name = f"PLATFORM_RISK_IMPORT_{limit.upper()}"
        general = env_bytes(name, size, doc)
        for kind in IMPORT_KINDS:
            usual = _UNPACKED_BILL if (limit, kind) == ("unpacked_bytes", "bill") else general
            limits[kind][limit] = env_bytes(f"{name}_{kind.upper()}", usual, f"The same for imports of kind {kind}")
    for limit, (count, doc) in _LIMITS_OF_COUNT.items():
        name = f"PLATFORM_RISK_IMPORT_{limit.upper()}"
        general = env_int(name, count, doc, minimum=1)
        for kind in IMPORT_KINDS:
            is_other = (limit, kind) == ("entries", "platform")
            limits[kind][limit] = env_int(
                f"{name}_{kind.upper()}",
                _ENTRIES_PLATFORM if is_other else general,
                f"The same for imports of kind {kind}",
                minimum=1,
                shown=None if is_other else "as above",
            )
    return limits


IMPORT_LIMITS = _import_limits()

# Days

DUE_DAYS = {
    lane: env_int(
        f"PLATFORM_RISK_DUE_DAYS_{lane.upper()}", days, f"Days until a finding of lane {lane} is due", minimum=1
    )
    for lane, days in {"immediate": 7, "critical": 30, "important": 90, "optimization": 180}.items()
}
BRANCH_EXPIRY_DAYS = env_int(
    "PLATFORM_RISK_BRANCH_EXPIRY_DAYS", 30, "Findings of other branches go this many days after the last import there"
)
SILENT_SOURCE_DAYS = env_int(
    "PLATFORM_RISK_SILENT_SOURCE_DAYS", 14, "A source that sent nothing for this many days is shown as silent"
)

# E-mail

_EMAIL_URL = env_url(
    "PLATFORM_RISK_EMAIL_URL",
    addresses.EMAIL_SCHEMES,
    "Mail server, `smtp://user:password@host:587` (STARTTLS; not on port 25, nor to this very machine) or"
    " `smtps://…:465`. Unset: messages go to the log",
    shown="–",
)
DEFAULT_FROM_EMAIL = env_str("PLATFORM_RISK_EMAIL_FROM", "platform-risk@localhost", "Sender of the messages")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
PUBLIC_URL = env_str(
    "PLATFORM_RISK_PUBLIC_URL", "", "Address under which people reach the pages, for links in messages"
)

# Read by other programs of ours, listed here so that one table has them all

CHROMIUM = env_str("PLATFORM_RISK_CHROMIUM", "", "Browser for the browser tests; unset: Chromium or Chrome on the PATH")

# From here on nothing is read from the environment

INSTALLED_APPS = [
    "platform_risk.apps.PlatformRiskConfig",
    "platform_risk.core.apps.CoreConfig",
    "findings.apps.FindingsConfig",
    "costs.apps.CostsConfig",
    "platform_risk.planning.apps.PlanningConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "platform_risk.core.compressing.CompressedPages",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "platform_risk.core.nul.NamesNothing",
    "platform_risk.core.giving_way.GivingWay",
]

ROOT_URLCONF = "platform_risk.urls"
WSGI_APPLICATION = "platform_risk.wsgi.application"
ASGI_APPLICATION = "platform_risk.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "platform_risk.core.context.shell",
                "platform_risk.joint.context.counts",
            ]
        },
    }
]

DATABASES = {"default": addresses.database(DATABASE_URL or addresses.running(DATA_DIR, "database-url"))}

REDIS_ADDRESS = REDIS_URL or addresses.running(DATA_DIR, "redis-url") or addresses.NO_REDIS
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_ADDRESS,
        "KEY_PREFIX": "cache",
    }
}
WORKER_SEEN_KEY = "platform-risk:worker-seen"  # what a worker refreshes and /readyz looks for
SESSION_ENGINE = "django.contrib.sessions.backends.db"

STORAGES = {
    "default": addresses.storage(STORAGE or str(DATA_DIR / "files"), _S3_KEY, _S3_SECRET),
    # Before anything was collected (tests, a developer's shell) files are served from where they lie, without hashes.
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if (STATIC_ROOT / "staticfiles.json").exists()
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# Uploads are streamed to a temporary file; the limits above bound them, not Django's bound on form fields.
FILE_UPLOAD_HANDLERS = ["platform_risk.core.uploads.BoundedUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600

# Sign-in and browser security

AUTH_USER_MODEL = "core.User"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = ["^livez$", "^readyz$"]  # health checks ask the server itself, past the proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 365 * 86400 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Four of check --deploy's warnings are the choice of plain http itself, which PLATFORM_RISK_HTTPS=0 makes knowingly.
SILENCED_SYSTEM_CHECKS = [] if HTTPS else ["security.W004", "security.W008", "security.W012", "security.W016"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "manifest-src": ["'self'"],
    }
}

# Language and time

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# API

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "platform_risk.core.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "platform_risk.core.api.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "platform_risk.core.api.problems.exception_handler",
    "PAGE_SIZE": 100,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Platform Risk",
    "DESCRIPTION": "Findings, imports, services, teams, costs and risk of one installation.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    # Enums that several things have get one stable name each.
    "ENUM_NAME_OVERRIDES": {
        "Severity": "findings.api.enums.SEVERITIES",
        "SeveritySource": "findings.api.enums.SEVERITY_SOURCES",
        "Lane": "findings.api.enums.LANES",
        "Status": "findings.api.enums.STATUSES",
        "Category": "findings.api.enums.CATEGORIES",
        "RiskClass": "findings.api.enums.CLASSES",
        "Outcome": "findings.api.enums.OUTCOMES",
        "DismissReason": "findings.api.enums.DISMISS_REASONS",
        "LaneSource": "findings.api.enums.LANE_SOURCES",
        "Level": "findings.api.enums.LEVELS",
        "BandFilter": "findings.api.enums.BANDS_OR_NONE",
        "RiskView": "findings.api.enums.RISK_VIEWS",
        "RiskUnit": "findings.api.enums.RISK_UNITS",
        "RiskGroupOrder": "findings.api.enums.GROUP_ORDERS",
        "RiskInputName": "findings.api.enums.INPUT_NAMES",
        "RiskInputKind": "findings.api.enums.INPUT_KINDS",
        "Confidence": "findings.api.enums.CONFIDENCES",
        "ChangeSource": "findings.api.enums.CHANGE_SOURCES",
        "JobState": "findings.api.enums.BULK_STATES",
        "BulkItemResult": "findings.api.enums.BULK_RESULTS",
        "BulkAction": "findings.api.enums.BULK_ACTIONS",
        "FailureMode": "platform_risk.planning.api.enums.FAILURE_MODES",
        "CoverageState": "platform_risk.planning.api.enums.COVERAGE_STATES",
        "ReviewNoteKind": "platform_risk.planning.api.enums.NOTE_KINDS",
        "FreshnessGap": "platform_risk.planning.api.enums.GAP_KINDS",
        "RemedyState": "platform_risk.planning.api.enums.REMEDY_STATES",
        "RemedyVerdict": "platform_risk.planning.api.enums.REMEDY_VERDICTS",
        "SavingVerdict": "platform_risk.planning.api.enums.SAVING_VERDICTS",
        "ImportKind": "platform_risk.core.api.enums.IMPORT_KINDS",
        "ImportState": "platform_risk.core.api.enums.IMPORT_STATES",
        "Complete": "platform_risk.core.api.enums.COMPLETE",
        "Criticality": "platform_risk.core.api.enums.CRITICALITIES",
        "RuleKind": "platform_risk.core.api.enums.RULE_KINDS",
        "MembershipRole": "platform_risk.core.api.enums.ROLES",
        "PriceUnit": "costs.api.enums.PRICE_UNITS",
        "Gigabyte": "costs.api.enums.GIGABYTES",
        "Vector": "costs.api.enums.VECTORS",
        "SharedCostKind": "costs.api.enums.SHARED_KINDS",
        "SharedCostSplit": "costs.api.enums.SPLITS",
        "TokenScope": "platform_risk.core.api.enums.TOKEN_SCOPES",
    },
}

# Jobs. A message carries an import's id and no more: the row is the truth, so nothing is kept of results.

CELERY_BROKER_URL = addresses.broker(REDIS_ADDRESS)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": _VISIBILITY_TIMEOUT,
    # The sweep for what a dead worker had taken runs every tenth time by default: every 100 s.
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 5,
    "socket_timeout": 30,
    "global_keyprefix": "jobs:",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives any outage of Redis
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # the lease decides who may finish, not the broker
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    # An expired tick is dropped: after an outage the queue must not hold hundreds of them.
    "sweep-imports": {"task": "core.sweep_imports", "schedule": 10.0, "options": {"expires": 10}},
    "findings-upkeep": {"task": "findings.upkeep", "schedule": 600.0, "options": {"expires": 600}},
    "findings-look-again": {"task": "findings.look_again", "schedule": 30.0, "options": {"expires": 30}},
    "costs-reallocate": {"task": "costs.reallocate", "schedule": 600.0, "options": {"expires": 600}},
    "costs-look-ahead": {"task": "costs.look_ahead", "schedule": 600.0, "options": {"expires": 600}},
    "planning-digests": {"task": "planning.send_digests", "schedule": 3600.0, "options": {"expires": 3600}},
    "planning-calendar": {"task": "planning.follow_the_calendar", "schedule": 3600.0, "options": {"expires": 3600}},
    "findings-compact": {"task": "findings.compact_rollups", "schedule": 300.0, "options": {"expires": 300}},
}

# E-mail and log

EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if _EMAIL_URL else 'console'}.EmailBackend"
if _EMAIL_URL:
    EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS, EMAIL_USE_SSL = addresses.email(
        _EMAIL_URL
    )
    EMAIL_TIMEOUT = 20

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "platform_risk.log.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # Django sets up handlers of its own for these two; ours above takes their records.
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "django.server": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        "celery.beat": {"level": "WARNING"},  # it tells of every tick
        "botocore": {"level": "WARNING"},
    },
}
