"""What Django, Celery and the storages want to know, out of one address each. Pure: the settings call it."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from platform_risk.env import SettingError, checked_url

DATABASE_SCHEMES = ("postgresql", "postgres")
REDIS_SCHEMES = ("redis", "rediss", "unix")
EMAIL_SCHEMES = ("smtp", "smtps")

# Refuses at once and names itself: nothing listens there, and the cache and jobs say so when they are used.
NO_REDIS = "redis://127.0.0.1:1/0"


def running(data: Path, name: str) -> str | None:
    """The address that a running `make run` left in its data folder, so that other commands find its servers."""
    try:
        return (data / "run" / name).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def database(url: str | None) -> dict[str, Any]:
    if url is None:
        return {"ENGINE": "platform_risk.local.no_database", "NAME": "none"}
    parts = checked_url("DATABASE_URL", url, DATABASE_SCHEMES)
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise SettingError("DATABASE_URL names no database: end it with /NAME")
    options: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    port = options.pop("port", "") or str(parts.port or "")
    options.setdefault("application_name", "platform-risk")
    options.setdefault("connect_timeout", "5")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": options.pop("user", "") or unquote(parts.username or ""),
        "PASSWORD": options.pop("password", "") or unquote(parts.password or ""),
        "HOST": host,
        "PORT": port,
        "OPTIONS": options,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,  # a restarted server costs one failed check, not a failed page
    }


def broker(url: str) -> str:
    """Celery spells a Unix socket differently from redis-py: unix:///path?db=1, redis+socket:///path?virtual_host=1."""
    if not url.startswith("unix://"):
        return url
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    return f"redis+socket://{parts.path}?virtual_host={options.get('db', '0')}"


def storage(place: str, key: str | None, secret: str | None) -> dict[str, Any]:
    if "://" not in place:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": str(Path(place).expanduser().absolute()),
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    parts = checked_url("PLATFORM_RISK_STORAGE", place, ("s3",))
    if not parts.hostname:
        raise SettingError("PLATFORM_RISK_STORAGE names no bucket: write s3://bucket/prefix")
    options = dict(parse_qsl(parts.query))
    endpoint, region = options.pop("endpoint", None), options.pop("region", None)
    if options:
        raise SettingError(f"PLATFORM_RISK_STORAGE: {', '.join(options)} is not known: only endpoint and region are")
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": parts.netloc,
            "location": parts.path.strip("/"),
            "endpoint_url": endpoint,
            "region_name": region,
            "access_key": key,
            "secret_key": secret,
            "addressing_style": "path" if endpoint else None,  # self-hosted servers rarely have a name per bucket
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
        },
    }


def email(url: str) -> tuple[str, int, str, str, bool, bool]:
    """Host, port, user, password, STARTTLS, TLS from the start. smtp:// on port 25 or to this very machine goes
    without."""
    parts = checked_url("PLATFORM_RISK_EMAIL_URL", url, EMAIL_SCHEMES)
    if not parts.hostname:
        raise SettingError("PLATFORM_RISK_EMAIL_URL names no host: write smtp://host:587")
    tls = parts.scheme == "smtps"
    port = parts.port or (465 if tls else 587)
    return (
        parts.hostname,
        port,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        not tls and port != 25 and parts.hostname not in ("localhost", "127.0.0.1", "::1"),
        tls,
    )
