"""Passwords that stand in a ConfigMap: which values are credentials, and which only say where one is. PURE."""

import re
from collections.abc import Iterator
from typing import Any

from findings.platform.model import Platform, Resource, normal
from findings.platform.nodes import mapping
from platform_risk.core.redaction import Redactor
from platform_risk.quantities.sourced import Place

_PASSWORD = re.compile(
    r"(?:.*_)?(?:password|passwd|passphrase|client_secret|secret_access_key|requirepass"
    r"|(?:db|database|user|admin|root|redis|mysql|postgres|mongo|rabbitmq|smtp|mail)_pass)|.+_pwd"
)
_IN_URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,200}:([^\s/]{1,500})@[^\s@]")
# What people write until they know better, switches, hashes, and texts that something fills in or decrypts.
_NO_PASSWORD = re.compile(
    r"(?:change|replace|your|my-?(?:password|secret)|example|sample|placeholder|dummy|fake|todo|fixme|insert|enter"
    r"|redacted|removed|unset|undefined|not-?(?:set|used|needed))|(?:on|off|enabled|disabled|auto|random|prompt|[01])\Z"
    r"|\$|\{(?:ssha|sha|crypt|md5|scram|cipher)|(?:pbkdf2|scram|argon2|bcrypt)|enc[\[(]|[a-z][\w+.-]*://"
    r"|(?:env|file|secrets?|vault|ssm|sops|op|ref|kms|keyvault|sealed|encrypted|enc|crypt|cipher)[:+]"
    r"|[<\[{%#@_].*[>\]}%#@_]\Z|[x*.?-]+\Z",
    re.IGNORECASE,
)
# Only asks whether a text is a secret; what it makes of it is thrown away.
recognise = Redactor(b"recognise").text


def is_known_form(value: str) -> bool:
    """Whether a token or key of a form that is known is in it."""
    return recognise(value) != value


def is_password(key: str, value: str) -> bool:
    """Whether a value is the password that its name announces, or a URL has one. What refers to one is none."""
    name = normal(key)
    if _PASSWORD.fullmatch(name):
        return value.lower() != name.rpartition("_")[2] and _is_literal(value)
    in_url = _IN_URL.match(value)
    return in_url is not None and _is_literal(in_url[1])


def _is_literal(value: str) -> bool:
    if not value or re.search(r"\s", value) or "${" in value or "{{" in value or _NO_PASSWORD.match(value):
        return False
    return is_known_form(f"password={value}")


def in_config_map(platform: Platform, config_map: Resource) -> Iterator[tuple[str, str, Place]]:
    """(key, value, place) of what it states, by itself and in the files that it holds."""
    data = mapping(config_map.body, "data")
    for key, value in data.items():
        if _is_scalar(value) and "\n" not in str(value):
            yield key, str(value), config_map.place(data.lines[key])
    for setting in platform.settings_of(config_map.id):
        if setting.value.place.path == config_map.path and _is_scalar(setting.value.value):
            yield setting.key, str(setting.value.value), setting.value.place


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
